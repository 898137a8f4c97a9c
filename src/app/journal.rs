//! What operators ask about accounts: what was asked and what came of it, with cause and cure in words; what is left of
//! a budget; whether an account works now. Must never show a number in full, nor a secret.

use super::errands::{Done, Office};
use crate::carriers::{Ask, carrier, recognize};
use crate::channels::alerts::alert;
use crate::channels::plain;
use crate::model::{Account, Arg, Block, Line, Noted, Shop};
use crate::store::StoreError;
use crate::store::records::CallLine;
use crate::text::mask;
use crate::wire::{Exchange, Failure, Limits, Refusal, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// What of the journal is wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// `kind/id` of an account; left out: all of them.
    pub account: Option<String>,
    /// `shop/carrier/number` of a parcel, instead of accounts.
    pub parcel: Option<String>,
    /// Only calls that failed.
    pub failed: bool,
    /// Newest lines of each.
    pub limit: usize,
    /// JSON lines instead of text.
    pub json: bool,
}

impl Office {
    /// `yishi journal`
    pub(super) async fn journal(&self, wanted: Wanted) -> Done {
        let found = match &wanted.parcel {
            Some(parcel) => self.journal_of_parcel(parcel, wanted.json).await,
            None => self.journal_of_accounts(&wanted).await,
        };
        match found {
            Ok(done) => done,
            Err(error) => Done::refused(error.to_string()),
        }
    }

    async fn journal_of_accounts(&self, wanted: &Wanted) -> Result<Done, StoreError> {
        let mut out = Vec::new();
        for account in self.carrier_accounts() {
            let name = account.name();
            if wanted.account.as_ref().is_some_and(|only| *only != name && *only != account.id) {
                continue;
            }
            let mut calls = self.intake.records.calls(&name, wanted.limit).await?;
            calls.retain(|call| !wanted.failed || call.outcome != "ok");
            for call in calls.iter().rev() {
                out.push(if wanted.json { self.call_json(call).to_string() } else { self.call_text(call) });
            }
        }
        let letters = self.intake.records.dead_letters(wanted.limit).await?;
        for letter in letters.iter().filter_map(|letter| letter.value.as_ref()) {
            let name = format!("{}/{}", letter.kind, letter.account);
            out.push(match wanted.json {
                true => {
                    json!({"at": letter.at, "account": name, "operation": "push", "outcome": "dead_letter",
                    "cause": letter.cause, "bytes": letter.length})
                    .to_string()
                }
                false => format!(
                    "{} {name} push dead_letter: {} ({} bytes)",
                    letter.at, letter.cause, letter.length
                ),
            });
        }
        Ok(Done { out, ..Done::default() })
    }

    async fn journal_of_parcel(&self, parcel: &str, as_json: bool) -> Result<Done, StoreError> {
        let parts: Vec<&str> = parcel.splitn(3, '/').collect();
        let [shop, carrier, number] = parts.as_slice() else {
            return Ok(Done::refused(
                "write a parcel as shop/carrier/number, such as demo/yto/YT8816042739501",
            ));
        };
        let number = recognize::normalize_number(number);
        let Some(parcel) = self.intake.records.parcel(shop, carrier, &number).await?.value else {
            return Ok(Done::refused("there is no such parcel"));
        };
        let line = |noted: &Noted| match as_json {
            true => json!({"at": noted.at, "account": noted.by, "what": noted.what, "outcome": noted.outcome,
                "new_events": noted.news, "status": noted.status})
            .to_string(),
            false => {
                let Noted { at, by, what, outcome, news, status } = noted;
                format!("{at} {by} {what} {outcome}: {news} new, {status}")
            }
        };
        Ok(Done { out: parcel.journal.iter().map(line).collect(), ..Done::default() })
    }

    fn call_json(&self, call: &CallLine) -> Value {
        json!({"at": call.at, "account": call.account, "operation": call.operation,
            "number": call.number.as_deref().map(masked), "http_status": call.status, "ms": call.millis,
            "outcome": call.outcome, "cure": call.cure.as_deref().map(|cure| self.cure(cure))})
    }

    fn call_text(&self, call: &CallLine) -> String {
        let number = call.number.as_deref().map(masked).unwrap_or_default();
        let cure = call.cure.as_deref().map(|cure| format!(": {}", self.cure(cure))).unwrap_or_default();
        format!(
            "{} {} {} {number} {} {} ms{cure}",
            call.at, call.account, call.operation, call.outcome, call.millis
        )
    }

    /// What to do, in the language of the first shop.
    fn cure(&self, key: &str) -> String {
        let Some(shop) = self.first_shop() else { return key.to_owned() };
        let words = self.intake.words.sentence(shop, self.intake.clock.now(), &Line::new(key));
        if words.is_empty() { key.to_owned() } else { words }
    }

    fn first_shop(&self) -> Option<&Arc<Shop>> {
        self.intake.shops.values().min_by(|a, b| a.id.cmp(&b.id))
    }

    fn carrier_accounts(&self) -> Vec<Arc<Account>> {
        let mut accounts: Vec<Arc<Account>> = self
            .intake
            .accounts
            .values()
            .filter(|account| carrier(&account.kind).is_some())
            .cloned()
            .collect();
        accounts.sort_by_key(|account| account.name());
        accounts
    }

    /// `yishi journal replay`
    pub(super) async fn replay(&self) -> Done {
        match self.intake.replay().await {
            Ok(replayed) => Done {
                out: vec![format!("{} applied, {} still not readable", replayed.applied, replayed.kept)],
                exit: u8::from(replayed.kept > 0),
                ..Done::default()
            },
            Err(error) => Done::refused(error.to_string()),
        }
    }

    /// `yishi carriers test`: asks once, within the account's own limits.
    pub(super) async fn test_account(&self, id: &str, asked: Option<(String, String)>) -> Done {
        let mut fitting = self.carrier_accounts();
        fitting.retain(|account| account.id == id || account.name() == id);
        let [account] = fitting.as_slice() else {
            return Done::refused(format!("there is no carrier account {id}, or several: write kind/id"));
        };
        let Some(adapter) = carrier(&account.kind) else { return Done::refused("no such kind") };
        let (code, number) = asked.unwrap_or_else(|| {
            let own = if adapter.spec().aggregator { "yto" } else { adapter.spec().code };
            (own.to_owned(), "0000000000001".to_owned())
        });
        let ask = Ask { carrier: code, number, phone_tail: Some("0000".to_owned()) };
        let name = account.name();
        match self.intake.tracker.probe(adapter, account, &ask).await {
            Ok(()) => Done { out: vec![format!("{name}: works")], ..Done::default() },
            Err((label, cure)) => {
                let cure = cure.map(|cure| format!(": {}", self.cure(cure))).unwrap_or_default();
                Done { out: vec![format!("{name}: {label}{cure}")], exit: 1, ..Done::default() }
            }
        }
    }

    /// `yishi alerts test`: says one line where the merchant is warned.
    pub(super) async fn test_alert(&self, id: &str) -> Done {
        let fits = |account: &&Arc<Account>| {
            alert(&account.kind).is_some() && (account.id == id || account.name() == id)
        };
        let Some(account) = self.intake.accounts.values().find(fits) else {
            return Done::refused(format!("there is no account {id} that can be warned at"));
        };
        let shop = account.shop.as_deref().and_then(|shop| self.intake.shop(shop));
        let (Some(receiver), Some(shop)) = (alert(&account.kind), shop) else {
            return Done::refused(format!("account {id} belongs to no shop"));
        };
        let line = Line::new("alert-test").with("shop", Arg::Text(shop.name.clone()));
        let now = self.intake.clock.now();
        let shown = self.intake.words.render(shop, &shop.locale, now, &[Block::Text(line)]);
        let text = plain::paragraphs(&shown).concat().join("\n");
        let message = uuid::Uuid::now_v7().simple().to_string();
        let exchange = Exchange {
            account,
            limits: Limits::default(),
            number: None,
            token: None,
            limit: std::time::Duration::from_secs(10),
        };
        let wire = self.intake.tracker.wire();
        let sent: Result<(), Failure> = wire
            .exchange(&exchange, &|cx| receiver.call(cx, &message, &text), &|_, answer| {
                receiver.read(answer).map(Step::Done)
            })
            .await;
        let name = account.name();
        match sent {
            Ok(()) => Done { out: vec![format!("{name}: works")], ..Done::default() },
            Err(failure) => {
                let cure = match &failure {
                    Failure::Refused(Refusal::FixAccount { cure }) => format!(": {}", self.cure(cure.0)),
                    _ => String::new(),
                };
                Done { out: vec![format!("{name}: {}{cure}", failure.label())], exit: 1, ..Done::default() }
            }
        }
    }
}

/// `yto/YT88****9501`
fn masked(number: &str) -> String {
    match number.split_once('/') {
        Some((carrier, number)) => format!("{carrier}/{}", mask::number(number)),
        None => mask::number(number),
    }
}
