//! A buyer with a web chat open: what the page does, and what is read in it.

use super::{CHAT_SECRETS, Door, JSON, Reply, World, person};
use serde_json::{Value, json};
use sha2::Sha256;
use yishi::model::ChatAddress;
use yishi::wire::Clock as _;

/// A buyer with a web chat open.
pub struct Session {
    pub door: Door,
    pub shop: String,
    pub session: String,
    pub token: String,
    sent: u32,
    last: String,
}

impl Session {
    pub async fn open(door: Door, shop: &str, body: Value) -> Self {
        let reply = door.post(&format!("/chat/{shop}/sessions"), &[JSON], body.to_string()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let opened = reply.json();
        let text = |name: &str| opened[name].as_str().unwrap().to_owned();
        Self {
            door,
            shop: shop.into(),
            session: text("session"),
            token: text("token"),
            sent: 0,
            last: String::new(),
        }
    }

    /// A buyer whom nobody knows yet.
    pub async fn stranger(world: &World) -> Self {
        Self::open(world.door(), "demo", json!({})).await
    }

    /// A buyer whom the shop vouches for, with these orders.
    pub async fn known(world: &World, buyer: &str, orders: &[&str]) -> Self {
        let exp = world.clock.now().as_second() + 3600;
        let identity = identity("demo", &json!({"sub": buyer, "exp": exp, "orders": orders}));
        Self::open(world.door(), "demo", json!({"identity": identity})).await
    }

    /// The same buyer after the service came back.
    pub fn moved_to(&mut self, world: &World) {
        self.door = world.door();
    }

    pub fn address(&self) -> ChatAddress {
        person("webchat", &self.shop, &self.session)
    }

    /// Posts a message under an id.
    pub async fn post(&self, body: Value) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let path = format!("/chat/{}/messages", self.shop);
        self.door.post(&path, &[JSON, ("authorization", &bearer)], body.to_string()).await
    }

    /// Sends and does not wait.
    pub async fn sends(&mut self, text: &str) {
        self.sent += 1;
        let reply = self.post(json!({"id": format!("m{}", self.sent), "text": text})).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
    }

    /// Sends and waits for the answer.
    pub async fn says(&mut self, text: &str) -> Said {
        self.sends(text).await;
        self.answer().await
    }

    /// Taps a choice and waits for the answer.
    pub async fn takes(&mut self, choice: &str) -> Said {
        self.sent += 1;
        let reply = self.post(json!({"id": format!("m{}", self.sent), "choice": choice})).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
        self.answer().await
    }

    /// The next thing that the bot says.
    pub async fn answer(&mut self) -> Said {
        let after = (!self.last.is_empty()).then_some(self.last.as_str());
        let mut events = self.door.events(&self.shop, &self.token, after).await;
        loop {
            let event = events.message().await.expect("the stream ended");
            self.last = event.id;
            if event.data["from"] == "bot" {
                return Said(event.data);
            }
        }
    }

    /// The whole log as the page would load it.
    pub async fn log(&self) -> Vec<Said> {
        let mut events = self.door.events(&self.shop, &self.token, None).await;
        let mut log = Vec::new();
        while let Some(event) = events.next().await {
            match event.name.as_str() {
                "" => log.push(Said(event.data)),
                "ready" => break,
                _ => {}
            }
        }
        log
    }
}

/// A message of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Said(pub Value);

impl Said {
    pub fn from(&self) -> &str {
        self.0["from"].as_str().unwrap()
    }

    pub fn blocks(&self) -> &Value {
        &self.0["blocks"]
    }

    fn parts(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0["blocks"].as_array().unwrap().iter().filter(move |block| block["type"] == kind)
    }

    /// Everything that is written in it.
    pub fn text(&self) -> String {
        let texts = self.0["blocks"].as_array().unwrap().iter().filter_map(|block| block["text"].as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Tracking numbers on its cards.
    pub fn numbers(&self) -> Vec<String> {
        self.parts("parcel").map(|card| card["number"].as_str().unwrap().to_owned()).collect()
    }

    /// Ids and labels of what it offers.
    pub fn choices(&self) -> Vec<(String, String)> {
        let text = |choice: &Value, name: &str| choice[name].as_str().unwrap().to_owned();
        let choices = self.parts("choices").flat_map(|block| block["choices"].as_array().unwrap());
        choices.map(|choice| (text(choice, "id"), text(choice, "label"))).collect()
    }

    #[track_caller]
    pub fn has(&self, words: &str) -> &Self {
        assert!(self.0.to_string().contains(words), "{words:?} is missing in {}", self.0);
        self
    }

    #[track_caller]
    pub fn lacks(&self, words: &str) -> &Self {
        assert!(!self.0.to_string().contains(words), "{words:?} stands in {}", self.0);
        self
    }
}

/// An identity token, made as the shop's server makes it.
pub fn identity(shop: &str, payload: &Value) -> String {
    let secret = CHAT_SECRETS.iter().find(|(id, _)| *id == shop).unwrap().1;
    signed_identity(secret, payload)
}

/// The same with any key.
pub fn signed_identity(secret: &str, payload: &Value) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{KeyInit as _, Mac as _};
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
