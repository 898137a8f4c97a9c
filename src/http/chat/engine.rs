//! The web chat's engine: sessions, identities and messages in terms of the intake. Must never let one session see
//! another's log.

use super::door::{ChatDoor, ChatError, ChatShop, Opened, Said, Stir};
use super::{identity, session};
use crate::conversation;
use crate::intake::{Intake, Trip};
use crate::model::chat::How;
use crate::model::{Account, ChatAddress, ChatMessage, Private};
use crate::replies::Context;
use crate::store::{Batch, Committed, StoreError};
use governor::{DefaultKeyedRateLimiter, Quota};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The shop's own pages open their sessions with this identity in the demo, and only there.
pub const DEMO_IDENTITY: &str = "demo";

/// What the demo's own identity owns; none outside of the demo.
pub type DemoOrders = Option<Vec<String>>;

/// The engine behind the web chat.
pub struct Engine {
    intake: Arc<Intake>,
    session_key: [u8; 32],
    session_life: SignedDuration,
    demo_orders: DemoOrders,
    pace: DefaultKeyedRateLimiter<String>,
}

impl Engine {
    /// Over the intake. `session_life`: how long a session's token lives.
    pub fn new(intake: Arc<Intake>, session_life: SignedDuration, demo_orders: DemoOrders) -> Self {
        let session_key = intake.records.vault().sign("web chat sessions", b"");
        // Nobody types faster than this; a burst leaves room for an offline queue.
        let quota = Quota::per_second(NonZeroU32::MIN).allow_burst(NonZeroU32::MIN.saturating_add(39));
        let pace = DefaultKeyedRateLimiter::keyed(quota);
        Self { intake, session_key, session_life, demo_orders, pace }
    }

    fn address(shop: &str, session: &str) -> ChatAddress {
        ChatAddress { kind: "webchat".into(), account: shop.into(), id: Private::new(session.into()) }
    }

    fn account(&self, shop: &str) -> Result<&Arc<Account>, ChatError> {
        self.intake.account("webchat", shop).ok_or(ChatError::NotFound)
    }

    /// Makes a session's conversation with what its identity proves.
    async fn prepare(
        &self,
        shop: &str,
        session: &str,
        locale: Option<String>,
        orders: &[String],
        how: How,
    ) -> Result<(), StoreError> {
        let address = Self::address(shop, session);
        let now = self.intake.clock.now();
        loop {
            let read = self.intake.records.chat(shop, &address).await?;
            let mut chat = read.value.clone().unwrap_or_default();
            chat.address = Some(address.clone());
            for order in orders {
                chat.bind(order, how, now);
            }
            if !chat.language_fixed
                && let Some(locale) = &locale
            {
                chat.language = Some(self.intake.words.catalog().negotiate(&[locale]).to_owned());
            }
            let mut batch = Batch::default();
            self.intake.records.replace(&mut batch, &read, &chat)?;
            if self.intake.records.store().commit(batch).await? == Committed::Done {
                return Ok(());
            }
        }
    }
}

fn unavailable(error: &StoreError) -> ChatError {
    tracing::error!(%error, "the web chat cannot store");
    ChatError::Unavailable { seconds: 5 }
}

#[async_trait::async_trait]
impl ChatDoor for Engine {
    fn shop(&self, shop: &str, wanted: &[String]) -> Option<Arc<ChatShop>> {
        let shop = self.intake.shop(shop)?;
        let catalog = self.intake.words.catalog();
        let mut wishes: Vec<&str> = wanted.iter().map(String::as_str).collect();
        wishes.push(&shop.locale);
        let locale = catalog.negotiate(&wishes).to_owned();
        let now = self.intake.clock.now();
        let context = Context { shop: &shop.id, locale: &locale, zone: &shop.zone, now };
        let texts: BTreeMap<String, String> =
            catalog.texts(&context, "chat-", &shop.name).into_iter().collect();
        let demo = self.demo_orders.is_some() && shop.id == "demo";
        Some(Arc::new(ChatShop {
            name: shop.name.clone(),
            allowed_origins: shop.allowed_origins.clone(),
            texts,
            page_identity: demo.then(|| DEMO_IDENTITY.to_owned()),
            locale,
        }))
    }

    async fn open(
        &self,
        shop: &str,
        locale: Option<String>,
        identity: Option<String>,
    ) -> Result<Opened, ChatError> {
        let known = self.intake.shop(shop).ok_or(ChatError::NotFound)?;
        let now = self.intake.clock.now();
        let mut session = crate::vault::token();
        let (mut orders, mut how) = (Vec::new(), How::Link);
        match (identity.as_deref(), &self.demo_orders) {
            (None, _) => {}
            (Some(DEMO_IDENTITY), Some(demo)) if shop == "demo" => {
                (orders, how) = (demo.clone(), How::Told);
            }
            (Some(token), _) => {
                let secret = known.chat_secret.as_ref().map_or("", |secret| secret.reveal());
                let identity = identity::read(secret.as_bytes(), token, now).map_err(|error| {
                    tracing::info!(%error, shop, "an identity token was refused");
                    ChatError::IdentityRefused
                })?;
                // The same buyer comes back to the same conversation.
                let id = self.intake.records.vault().index(shop, "web chat buyer", identity.buyer.reveal());
                session = format!("u{}", hex::encode(id));
                orders = identity.orders;
            }
        }
        self.prepare(shop, &session, locale, &orders, how).await.map_err(|error| unavailable(&error))?;
        let token = session::issue(&self.session_key, shop, &session, now + self.session_life);
        Ok(Opened { session, token })
    }

    fn verify_token(&self, shop: &str, token: &str) -> Option<String> {
        session::read(&self.session_key, shop, token, self.intake.clock.now())
    }

    async fn receive(&self, shop: &str, session: &str, id: &str, said: Said) -> Result<(), ChatError> {
        let known = self.intake.shop(shop).ok_or(ChatError::NotFound)?;
        if self.pace.check_key(&session.to_owned()).is_err() {
            return Err(ChatError::TooMany { seconds: 2 });
        }
        if self.pace.len() > 50_000 {
            self.pace.retain_recent();
        }
        let trip = Trip {
            shop: known.clone(),
            account: self.account(shop)?.clone(),
            address: Self::address(shop, session),
            key: format!("{session}\u{1f}{id}"),
            said: match said {
                Said::Text(text) => conversation::Said::Text(text),
                Said::Choice(id) => conversation::Said::Choice(id),
            },
            locale: None,
            reply_to: String::new(),
            at: self.intake.clock.now(),
        };
        self.intake.receive(trip, Duration::ZERO).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    async fn after(
        &self,
        shop: &str,
        session: &str,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<(u64, ChatMessage)>, ChatError> {
        let address = Self::address(shop, session);
        let messages = self.intake.records.messages_after(shop, &address, sequence, limit).await;
        messages.map_err(|error| unavailable(&error))
    }

    fn watch(&self, shop: &str, session: &str) -> watch::Receiver<Stir> {
        self.intake.pages.watch(&Self::address(shop, session))
    }
}
