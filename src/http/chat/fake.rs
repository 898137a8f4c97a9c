//! An engine of paper for the tests of this folder: keeps sessions in memory and answers from a script.

use super::door::{ChatDoor, ChatError, ChatShop, Opened, Said, Stir};
use super::session;
use crate::model::{ChatMessage, From, Shown};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

pub const KEY: &[u8] = b"the service key of the tests";

struct Talk {
    messages: Vec<ChatMessage>,
    identity: Option<String>,
    stir: watch::Sender<Stir>,
}

/// Shop `demo` in zh-CN and en; shop `strict` with a list of origins.
pub struct FakeDoor {
    talks: Mutex<BTreeMap<(String, String), Talk>>,
    /// What the bot says to a text that contains the key.
    script: Vec<(String, Vec<Shown>)>,
    pub refuse_all: Mutex<Option<ChatError>>,
}

impl FakeDoor {
    pub fn new() -> Arc<Self> {
        let script = include_str!("../../../tests/fixtures/chat/script.json");
        Arc::new(Self {
            talks: Mutex::default(),
            script: serde_json::from_str(script).unwrap(),
            refuse_all: Mutex::default(),
        })
    }

    fn talks(&self) -> MutexGuard<'_, BTreeMap<(String, String), Talk>> {
        self.talks.lock().unwrap()
    }

    pub fn identity_of(&self, session: &str) -> Option<String> {
        self.talks()[&("demo".to_owned(), session.to_owned())].identity.clone()
    }

    /// A message that nobody asked for.
    pub fn push(&self, shop: &str, session: &str, message: ChatMessage) {
        if let Some(talk) = self.talks().get_mut(&(shop.to_owned(), session.to_owned())) {
            talk.messages.push(message);
            talk.stir.send_modify(|stir| stir.news += 1);
        }
    }

    pub fn typing(&self, shop: &str, session: &str, typing: bool) {
        if let Some(talk) = self.talks().get(&(shop.to_owned(), session.to_owned())) {
            talk.stir.send_modify(|stir| stir.typing = typing);
        }
    }

    pub fn end(&self, shop: &str, session: &str) {
        self.talks().remove(&(shop.to_owned(), session.to_owned()));
    }
}

fn texts(locale: &str) -> BTreeMap<String, String> {
    let ftl = if locale == "en" {
        include_str!("../../../tests/fixtures/chat/texts.en.ftl")
    } else {
        include_str!("../../../tests/fixtures/chat/texts.zh-CN.ftl")
    };
    let pairs = ftl.lines().filter_map(|line| line.split_once(" = "));
    pairs.map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

#[async_trait]
impl ChatDoor for FakeDoor {
    fn shop(&self, shop: &str, wanted: &[String]) -> Option<Arc<ChatShop>> {
        let english = wanted.first().is_some_and(|tag| tag.starts_with("en"));
        let locale = if english { "en" } else { "zh-CN" };
        let allowed_origins = match shop {
            "demo" => vec!["*".to_owned()],
            "strict" => vec!["https://shop.example".to_owned()],
            _ => return None,
        };
        Some(Arc::new(ChatShop {
            name: if english { "Tea & Tide".into() } else { "\u{8336}\u{4e0e}\u{6f6e}".into() },
            locale: locale.into(),
            allowed_origins,
            texts: texts(locale),
            page_identity: (shop == "demo").then(|| "demo".to_owned()),
        }))
    }

    async fn open(
        &self,
        shop: &str,
        _locale: Option<String>,
        identity: Option<String>,
    ) -> Result<Opened, ChatError> {
        if identity.as_deref().is_some_and(|identity| identity != "demo") {
            return Err(ChatError::IdentityRefused);
        }
        let mut talks = self.talks();
        let session = format!("s{}", talks.len() + 1);
        let talk = Talk { messages: Vec::new(), identity, stir: watch::Sender::new(Stir::default()) };
        talks.insert((shop.to_owned(), session.clone()), talk);
        let expires = Timestamp::now() + SignedDuration::from_secs(session::LIFETIME_SECS);
        Ok(Opened { token: session::issue(KEY, shop, &session, expires), session })
    }

    fn verify_token(&self, shop: &str, token: &str) -> Option<String> {
        session::read(KEY, shop, token, Timestamp::now())
    }

    async fn receive(&self, shop: &str, session: &str, id: &str, said: Said) -> Result<(), ChatError> {
        if let Some(error) = *self.refuse_all.lock().unwrap() {
            return Err(error);
        }
        let mut talks = self.talks();
        let talk = talks.get_mut(&(shop.to_owned(), session.to_owned())).ok_or(ChatError::Ended)?;
        if talk.messages.iter().any(|message| message.id == id) {
            return Ok(());
        }
        let text = match said {
            Said::Text(text) => text,
            Said::Choice(id) => talk
                .messages
                .iter()
                .flat_map(|message| &message.blocks)
                .filter_map(|block| match block {
                    Shown::Choices { choices, .. } => choices.iter().find(|choice| choice.id == id),
                    _ => None,
                })
                .map(|choice| choice.label.clone())
                .next_back()
                .unwrap_or(id),
        };
        let answer = self.script.iter().find(|(key, _)| text.contains(key.as_str()));
        let blocks =
            answer.map_or_else(|| vec![Shown::Text { text: text.clone() }], |(_, blocks)| blocks.clone());
        let at = Timestamp::now();
        talk.messages.push(ChatMessage {
            id: id.to_owned(),
            at,
            from: From::Buyer,
            blocks: vec![Shown::Text { text }],
        });
        talk.messages.push(ChatMessage { id: format!("{id}-answer"), at, from: From::Bot, blocks });
        talk.stir.send_modify(|stir| stir.news += 1);
        Ok(())
    }

    async fn after(
        &self,
        shop: &str,
        session: &str,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<(u64, ChatMessage)>, ChatError> {
        let talks = self.talks();
        let talk = talks.get(&(shop.to_owned(), session.to_owned())).ok_or(ChatError::Ended)?;
        let numbered = (1u64..).zip(talk.messages.iter().cloned());
        Ok(numbered.filter(|(number, _)| *number > sequence).take(limit).collect())
    }

    fn watch(&self, shop: &str, session: &str) -> watch::Receiver<Stir> {
        let talks = self.talks();
        let known = talks.get(&(shop.to_owned(), session.to_owned()));
        known.map_or_else(|| watch::Sender::default().subscribe(), |talk| talk.stir.subscribe())
    }
}
