//! What commands ask of a running or just opened service: backup, restore, import, a word with the engine.
//! The same code runs in the serving process (through its socket) and in a command that opened the store itself.

use super::imports::Import;
use crate::channels::plain;
use crate::conversation::Said;
use crate::intake::{Intake, Outcome, Trip};
use crate::model::{ChatAddress, From, Private, Shown};
use crate::store::records::Kind;
use crate::store::{backup, restore};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One errand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Errand {
    /// Write all records into a file.
    Backup {
        /// Absolute path.
        file: PathBuf,
    },
    /// Take a backup back.
    Restore {
        /// Absolute path.
        file: PathBuf,
    },
    /// Take a file of orders in.
    Import(Import),
    /// What was asked of carriers, and what came of it.
    Journal(super::journal::Wanted),
    /// Try again to read pushes that could not be read.
    Replay,
    /// Ask once with a carrier account.
    TestAccount {
        /// Its id, or `kind/id`.
        account: String,
        /// Carrier and number to ask for; none: one that nobody knows.
        asked: Option<(String, String)>,
    },
    /// Send one test line to where a merchant is warned.
    TestAlert {
        /// The account: its id, or `kind/id`.
        account: String,
    },
    /// Talk to the engine.
    Say {
        /// Shop id.
        shop: String,
        /// `kind:account:id` of the person who speaks.
        address: String,
        /// What is said.
        text: String,
    },
}

/// What came of an errand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// Lines for stdout.
    pub out: Vec<String>,
    /// Lines for stderr.
    pub err: Vec<String>,
    /// Exit status.
    pub exit: u8,
}

impl Done {
    fn said(out: Vec<String>) -> Self {
        Self { out, ..Self::default() }
    }

    pub(super) fn refused(line: impl Into<String>) -> Self {
        Self { err: vec![line.into()], exit: 1, ..Self::default() }
    }
}

/// Who runs errands.
pub struct Office {
    /// The engine.
    pub intake: Arc<Intake>,
    /// Doors answer 503 while this is set.
    pub paused: Arc<AtomicBool>,
}

/// Longest wait for an answer to `Say`.
const PATIENCE: Duration = Duration::from_secs(20);

impl Office {
    /// Runs one errand.
    pub async fn run(&self, errand: Errand) -> Done {
        match errand {
            Errand::Backup { file } => self.backup(&file).await,
            Errand::Restore { file } => self.restore(&file).await,
            Errand::Import(import) => self.import(import).await,
            Errand::Journal(wanted) => self.journal(wanted).await,
            Errand::Replay => self.replay().await,
            Errand::TestAccount { account, asked } => self.test_account(&account, asked).await,
            Errand::TestAlert { account } => self.test_alert(&account).await,
            Errand::Say { shop, address, text } => self.say(&shop, &address, text).await,
        }
    }

    async fn backup(&self, file: &std::path::Path) -> Done {
        let store = self.intake.records.store();
        match backup::backup_to_file(store.as_ref(), file, self.intake.clock.now()).await {
            Ok(summary) => Done::said(vec![
                format!("{} records, {} bytes, in {}", summary.entries, summary.bytes, file.display()),
                "The key is not in the backup: keep a copy of it elsewhere, or the backup cannot be read."
                    .into(),
            ]),
            Err(error) => Done::refused(error.to_string()),
        }
    }

    /// Verifies first; then pauses the doors, swaps all records, and goes on. What was about to be sent before the
    /// restore is shown to the merchant instead: it may have been sent already.
    async fn restore(&self, file: &std::path::Path) -> Done {
        let records = &self.intake.records;
        let mut opened = match std::fs::File::open(file) {
            Ok(opened) => opened,
            Err(error) => return Done::refused(format!("{}: {error}", file.display())),
        };
        if let Err(error) = restore::verify(&mut opened, records.vault()) {
            return Done::refused(error.to_string());
        }
        self.paused.store(true, Ordering::SeqCst);
        let idle = async {
            while self.intake.live.count() > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, idle).await;
        let keep: [&[u8]; 1] = [&[Kind::Tombstone as u8]];
        let restored = restore::restore(&mut opened, records.store().as_ref(), records.vault(), &keep).await;
        let done = match restored {
            Ok(summary) => match self.after_restore(summary.time).await {
                Ok(held) => Done::said(vec![format!(
                    "{} records restored; {held} messages that stood in the outbox are shown, not sent",
                    summary.entries
                )]),
                Err(error) => Done::refused(error.to_string()),
            },
            Err(error) => Done::refused(error.to_string()),
        };
        self.paused.store(false, Ordering::SeqCst);
        done
    }

    async fn after_restore(&self, backup: jiff::Timestamp) -> Result<usize, crate::store::StoreError> {
        let records = &self.intake.records;
        records.repeat_erasures(backup).await?;
        let rows = records.outgoing().await?;
        let held = rows.len();
        for row in rows {
            records.hold_back(&row, "not_sent_after_restore", self.intake.clock.now()).await?;
        }
        Ok(held)
    }

    async fn say(&self, shop: &str, address: &str, text: String) -> Done {
        let Some(known) = self.intake.shop(shop) else {
            return Done::refused(format!("there is no shop {shop}; its name stands in yishi.toml"));
        };
        let parts: Vec<&str> = address.splitn(3, ':').collect();
        let [kind, account, id] = parts.as_slice() else {
            return Done::refused("write --as as kind:account:id, such as wechat:main:openid");
        };
        let Some(account) =
            self.intake.account(kind, account).filter(|account| account.shop.as_deref() == Some(shop))
        else {
            return Done::refused(format!("shop {shop} has no {kind} account {account}"));
        };
        let address =
            ChatAddress { kind: (*kind).into(), account: account.id.clone(), id: Private::new((*id).into()) };
        let before = match self.intake.records.chat(shop, &address).await {
            Ok(read) => read.value.map_or(0, |chat| chat.seq),
            Err(error) => return Done::refused(error.to_string()),
        };
        let mut news = self.intake.pages.watch(&address);
        let trip = Trip {
            shop: known.clone(),
            account: account.clone(),
            address: address.clone(),
            key: format!("{id}\u{1f}{}", uuid::Uuid::now_v7().simple()),
            said: Said::Text(text),
            locale: None,
            reply_to: String::new(),
            at: self.intake.clock.now(),
        };
        match self.intake.receive(trip, PATIENCE).await {
            Ok(Outcome::Inline(shown)) if !crate::channels::is_logged(kind) => Done::said(text_of(&shown)),
            Ok(_) => {
                let logged = async {
                    loop {
                        let messages = self.intake.records.messages_after(shop, &address, before, 50).await?;
                        let answers: Vec<Shown> = messages
                            .into_iter()
                            .filter(|(_, message)| message.from != From::Buyer)
                            .flat_map(|(_, message)| message.blocks)
                            .collect();
                        if !answers.is_empty() || news.changed().await.is_err() {
                            return Ok::<_, crate::store::StoreError>(answers);
                        }
                    }
                };
                match tokio::time::timeout(PATIENCE, logged).await {
                    Ok(Ok(answers)) => Done::said(text_of(&answers)),
                    Ok(Err(error)) => Done::refused(error.to_string()),
                    // Nothing is said where a person has taken over.
                    Err(_) => Done::default(),
                }
            }
            Err(error) => Done::refused(error.to_string()),
        }
    }
}

fn text_of(shown: &[Shown]) -> Vec<String> {
    plain::paragraphs(shown).into_iter().flatten().collect()
}
