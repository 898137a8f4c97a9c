//! Every door that messages come in by, whatever carried the bytes: verify → decide → render → commit → write.
//! Nothing is acknowledged before it is durable, and nothing is said twice. Must never name a vendor.

mod door;
mod effects;
mod live;
pub mod polls;
mod pushes;
mod turn;
mod words;

pub use door::{Door, Outcome};
pub use live::Live;
pub use pushes::Replayed;
pub use turn::Trip;
pub use words::Words;

use crate::conversation::Rules;
use crate::model::{Account, ChatAddress, shop::Shop};
use crate::store::records::Records;
use crate::tracking::Tracker;
use crate::wire::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long things may take.
#[derive(Debug, Clone)]
pub struct Patience {
    /// How long a fragment waits for its rest.
    pub fragment: Duration,
    /// How long stored facts wait for news.
    pub news: Duration,
    /// How long a question with nothing stored waits for the carrier.
    pub carrier: Duration,
}

/// What every turn needs.
pub struct Intake {
    /// The records.
    pub records: Records,
    /// Asks carriers.
    pub tracker: Arc<Tracker>,
    /// Matchers and templates, as they are now.
    pub words: Arc<Words>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Shops by id.
    pub shops: HashMap<String, Arc<Shop>>,
    /// Accounts by kind and id.
    pub accounts: HashMap<(String, String), Arc<Account>>,
    /// Limits of a conversation.
    pub rules: Rules,
    /// Time limits.
    pub patience: Patience,
    /// Turns that run now.
    pub live: Live,
    /// Told when the outbox has something new.
    pub outbox: Arc<Notify>,
    /// Background turns: waited for at a graceful stop.
    pub tasks: TaskTracker,
    /// The service stops.
    pub stop: CancellationToken,
    /// Open web chat pages: told when their log grows.
    pub pages: Pages,
}

impl Intake {
    /// An account by kind and id.
    pub fn account(&self, kind: &str, id: &str) -> Option<&Arc<Account>> {
        self.accounts.get(&(kind.to_owned(), id.to_owned()))
    }

    /// A shop by id.
    pub fn shop(&self, id: &str) -> Option<&Arc<Shop>> {
        self.shops.get(id)
    }
}

/// What moves on a web chat page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stir {
    /// Grows whenever the log may have something new.
    pub news: u64,
    /// Whether an answer is being made.
    pub typing: bool,
}

/// Who watches which web chat.
#[derive(Debug, Default)]
pub struct Pages {
    watched: Mutex<HashMap<ChatAddress, watch::Sender<Stir>>>,
}

impl Pages {
    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<ChatAddress, watch::Sender<Stir>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches one person's log.
    pub fn watch(&self, address: &ChatAddress) -> watch::Receiver<Stir> {
        let mut watched = self.watched();
        watched.retain(|known, sender| sender.receiver_count() > 0 || known == address);
        watched.entry(address.clone()).or_insert_with(|| watch::Sender::new(Stir::default())).subscribe()
    }

    /// Tells who watches that the log has grown, and whether an answer is being made.
    pub fn stir(&self, address: &ChatAddress, typing: bool) {
        if let Some(sender) = self.watched().get(address) {
            sender.send_modify(|stir| *stir = Stir { news: stir.news + 1, typing });
        }
    }

    /// Wakes everybody: the service stops.
    pub fn shut(&self) {
        self.watched().clear();
    }
}
