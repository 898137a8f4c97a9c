//! What the web chat needs of the engine behind it, and no more: open a session, take a message in, read on.
//! Must never know HTTP.

use crate::http::problem::{Kind, Problem};
use crate::model::ChatMessage;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// A shop as its chat page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatShop {
    /// Its name, as buyers know it.
    pub name: String,
    /// The language chosen for this visitor.
    pub locale: String,
    /// Pages that may hold the widget, as origins (`https://shop.example`), or `*` for any. Empty: our own pages only.
    pub allowed_origins: Vec<String>,
    /// Texts by key (`chat-send`, …) in `locale`. A key that is missing is simply not shown.
    pub texts: BTreeMap<String, String>,
    /// An identity that the shop's own page opens its sessions with: the demo's. `None` everywhere else.
    pub page_identity: Option<String>,
}

/// A new session.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its id.
    pub session: String,
    /// The bearer token that speaks for it.
    pub token: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened(***)")
    }
}

/// What a buyer did. Personal: it has no `Debug` that shows it.
#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    /// Wrote: 1 to 2,000 characters, no control characters but line breaks and tabs.
    Text(String),
    /// Took a choice by its id: 1 to 128 characters.
    Choice(String),
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(***)",
            Self::Choice(_) => "Choice(***)",
        })
    }
}

pub use crate::intake::Stir;

/// The engine said no, by what the client can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// No such shop, or no such session in it.
    #[error("no such shop or session")]
    NotFound,
    /// The session ended or was erased: open a new one.
    #[error("the session has ended")]
    Ended,
    /// The shop's identity token is wrong or expired: get a new one, or open a session without.
    #[error("the identity token is wrong or expired")]
    IdentityRefused,
    /// Too many sessions or messages.
    #[error("too many; again in {seconds} s")]
    TooMany {
        /// Seconds to wait.
        seconds: u64,
    },
    /// Nothing can be stored now; the client keeps the message and sends it again.
    #[error("not now; again in {seconds} s")]
    Unavailable {
        /// Seconds to wait.
        seconds: u64,
    },
}

impl From<ChatError> for Problem {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::NotFound => Kind::NotFound.into(),
            ChatError::Ended => Problem::new(Kind::Unauthenticated, "Open a new session."),
            ChatError::IdentityRefused => Problem::new(
                Kind::IdentityRefused,
                "Ask the shop for a new one, or open a session without it.",
            ),
            ChatError::TooMany { seconds } => Problem::from(Kind::TooMany).retry_after(seconds),
            ChatError::Unavailable { seconds } => Problem::from(Kind::Unavailable).retry_after(seconds),
        }
    }
}

/// The engine, as the web chat sees it.
#[async_trait]
pub trait ChatDoor: Send + Sync {
    /// What the page needs of a shop; `None`: no such shop. `wanted`: the visitor's languages as BCP 47 tags, best first.
    fn shop(&self, shop: &str, wanted: &[String]) -> Option<Arc<ChatShop>>;

    /// Opens a session. `identity`: the shop's signed token, see [`super::identity`].
    async fn open(
        &self,
        shop: &str,
        locale: Option<String>,
        identity: Option<String>,
    ) -> Result<Opened, ChatError>;

    /// The session that a bearer token speaks for, if it is valid in this shop now.
    fn verify_token(&self, shop: &str, token: &str) -> Option<String>;

    /// Takes a message in. Durable when it returns; the same client id again changes nothing and is no error.
    async fn receive(&self, shop: &str, session: &str, id: &str, said: Said) -> Result<(), ChatError>;

    /// At most `limit` messages after a sequence number (from 1, growing), oldest first. The buyer's own are among them,
    /// under the id that the client gave, a choice as the text of its label.
    async fn after(
        &self,
        shop: &str,
        session: &str,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<(u64, ChatMessage)>, ChatError>;

    /// Wakes when something new may be there, or somebody types. The sender gone: the session is over.
    fn watch(&self, shop: &str, session: &str) -> watch::Receiver<Stir>;
}
