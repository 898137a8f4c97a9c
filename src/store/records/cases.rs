//! What is wrong with which parcels, as work for the merchant: one row per parcel, leg and kind, however often it is
//! found. Open ones stand by themselves, so that the list is one scan. Must never be written where nothing changed.

use super::parcels::parcel_id;
use super::{Kind, Read, Records};
use crate::model::{Parcel, Reason, Trouble, TroubleKind};
use crate::store::{Batch, StoreError, prefix_end};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One trouble of one parcel. Field order is also the stored order: append only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Case {
    /// What is wrong.
    pub kind: TroubleKind,
    /// The carrier's reason, where it told one.
    pub reason: Option<Reason>,
    /// Yishi's carrier code.
    pub carrier: String,
    /// Tracking number.
    pub number: String,
    /// Which use of the number.
    pub generation: u8,
    /// 0 on the way out, 1 on the way back.
    pub leg: u8,
    /// Orders that travel in it.
    pub orders: Vec<String>,
    /// Where it was scanned last: city, else the carrier's words.
    pub place: Option<String>,
    /// Since when the matter stands.
    pub since: Timestamp,
    /// When we found it.
    pub opened: Timestamp,
    /// Until when somebody should have looked.
    pub due: Timestamp,
    /// Whether the merchant is to be told at once.
    pub alert: bool,
    /// When the merchant was told.
    pub alerted: Option<Timestamp>,
    /// Who of the shop has it, in the shop's words.
    pub owner: Option<String>,
    /// Nobody wants to see it before.
    pub snoozed_until: Option<Timestamp>,
    /// How it ended, in the shop's words.
    pub outcome: Option<String>,
    /// When the shop called it settled.
    pub done_at: Option<Timestamp>,
    /// When it cleared by itself.
    pub cleared_at: Option<Timestamp>,
}

impl Default for Case {
    fn default() -> Self {
        let never = Timestamp::UNIX_EPOCH;
        Self {
            kind: TroubleKind::Reported,
            reason: None,
            carrier: String::new(),
            number: String::new(),
            generation: 0,
            leg: 0,
            orders: Vec::new(),
            place: None,
            since: never,
            opened: never,
            due: never,
            alert: false,
            alerted: None,
            owner: None,
            snoozed_until: None,
            outcome: None,
            done_at: None,
            cleared_at: None,
        }
    }
}

impl Case {
    /// A new one, or the same matter again: who had it and whether the merchant was told stays.
    fn opened(old: Option<Self>, parcel: &Parcel, trouble: &Trouble, now: Timestamp) -> Self {
        let due = now + SignedDuration::from_hours(trouble.kind.due_hours());
        let new = |opened, due| Self { opened, due, ..Self::default() };
        let mut case = match old {
            None => new(now, due),
            // Still open: its time runs on.
            Some(open) if open.done_at.is_none() && open.cleared_at.is_none() => open,
            Some(past) => Self { owner: past.owner, alerted: past.alerted, ..new(now, due) },
        };
        let place = parcel.newest().and_then(|event| event.place.city.clone().or(event.place.text.clone()));
        case.kind = trouble.kind;
        case.reason = trouble.reason;
        case.carrier.clone_from(&parcel.carrier);
        case.number.clone_from(&parcel.number);
        case.generation = parcel.generation;
        case.leg = trouble.leg;
        case.orders.clone_from(&parcel.orders);
        case.place = place.filter(|place| !place.trim().is_empty());
        case.since = trouble.since;
        case.alert = trouble.alert;
        case
    }

    /// Whether it is hidden for now.
    pub fn is_snoozed(&self, now: Timestamp) -> bool {
        self.snoozed_until.is_some_and(|until| until > now)
    }
}

impl Records {
    /// Adds to a batch what changes between what was wrong with a parcel (`parcel.troubles`, as stored) and what is
    /// wrong now: new ones are opened, those that are gone are cleared. Reads and writes nothing for what stays as it
    /// is: at most three keys for each trouble that changed. Whoever calls it stores `troubles` in the parcel.
    pub async fn stage_cases(
        &self,
        batch: &mut Batch,
        shop: &str,
        parcel: &Parcel,
        troubles: &[Trouble],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for trouble in troubles.iter().filter(|trouble| !parcel.troubles.contains(trouble)) {
            self.open_case(batch, shop, parcel, trouble, now).await?;
        }
        let same = |a: &Trouble, b: &Trouble| a.kind == b.kind && a.leg == b.leg;
        // What went over into another alarm (refused, then on its way back) is no good news.
        let worse = troubles.iter().any(|now| now.alert && !parcel.troubles.iter().any(|old| same(now, old)));
        for gone in parcel.troubles.iter().filter(|old| !troubles.iter().any(|now| same(now, old))) {
            let read: Read<Case> = self.read(self.case_key(Kind::Case, shop, parcel, gone)).await?;
            let Some(mut case) = read.value.clone() else { continue };
            case.cleared_at = Some(now);
            self.close_case(batch, &read, &case)?;
            if case.alerted.is_some() && !worse {
                self.put(batch, self.case_key(Kind::Cleared, shop, parcel, gone), &case)?;
            }
        }
        Ok(())
    }

    async fn open_case(
        &self,
        batch: &mut Batch,
        shop: &str,
        parcel: &Parcel,
        trouble: &Trouble,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let open: Read<Case> = self.read(self.case_key(Kind::Case, shop, parcel, trouble)).await?;
        let past: Read<Case> = match &open.value {
            Some(_) => Read { key: Vec::new(), raw: None, value: None },
            None => self.read(self.case_key(Kind::PastCase, shop, parcel, trouble)).await?,
        };
        // What the shop has settled stays settled, until there is something new.
        let settled = |past: &Case| {
            past.done_at.is_some() && past.since >= trouble.since && past.reason == trouble.reason
        };
        if past.value.as_ref().is_some_and(settled) {
            return Ok(());
        }
        let was_open = open.value.is_some();
        let mut old = open.value.clone().or(past.value);
        if past.raw.is_some() {
            batch.expect(past.key.clone(), past.raw.clone());
            batch.delete(past.key);
        }
        if let Some(past) = old.as_mut().filter(|past| !was_open && past.alerted.is_some()) {
            // The merchant still believes the first alarm; or was told that it is over, and hears of this one anew.
            let cleared: Read<Case> = self.read(self.case_key(Kind::Cleared, shop, parcel, trouble)).await?;
            batch.expect(cleared.key.clone(), cleared.raw.clone());
            if cleared.raw.is_some() {
                batch.delete(cleared.key);
            } else {
                past.alerted = None;
            }
        }
        let case = Case::opened(old, parcel, trouble, now);
        if open.value.as_ref() != Some(&case) {
            self.replace(batch, &open, &case)?;
        }
        Ok(())
    }

    /// Moves an open case to the past ones.
    pub fn close_case(&self, batch: &mut Batch, read: &Read<Case>, case: &Case) -> Result<(), StoreError> {
        batch.expect(read.key.clone(), read.raw.clone());
        batch.delete(read.key.clone());
        let mut key = read.key.clone();
        if let Some(kind) = key.first_mut() {
            *kind = Kind::PastCase as u8;
        }
        self.put(batch, key, case)
    }

    /// The local day of a shop's newest daily message.
    pub async fn digest(&self, shop: &str) -> Result<Read<String>, StoreError> {
        self.read(self.key(Kind::Budget, shop, "digest")).await
    }

    /// Open cases of a shop with their ids, in no particular order.
    pub async fn cases(&self, shop: &str, limit: usize) -> Result<Vec<(String, Case)>, StoreError> {
        self.cases_of(Kind::Case, shop, limit).await
    }

    /// Cases that were settled or have cleared, in no particular order.
    pub async fn past_cases(&self, shop: &str, limit: usize) -> Result<Vec<(String, Case)>, StoreError> {
        self.cases_of(Kind::PastCase, shop, limit).await
    }

    /// Cases that have cleared and whose merchant believes them open, in no particular order.
    pub async fn cleared_cases(&self, shop: &str, limit: usize) -> Result<Vec<(String, Case)>, StoreError> {
        self.cases_of(Kind::Cleared, shop, limit).await
    }

    async fn cases_of(
        &self,
        kind: Kind,
        shop: &str,
        limit: usize,
    ) -> Result<Vec<(String, Case)>, StoreError> {
        let prefix = self.prefix(kind, shop);
        let rows = self.store().scan(&prefix, &prefix_end(&prefix), limit).await?;
        let id = |key: &[u8]| hex::encode(&key[prefix.len()..]);
        rows.into_iter().map(|(key, raw)| Ok((id(&key), self.open(&key, &raw)?))).collect()
    }

    /// One open case by its id.
    pub async fn case(&self, shop: &str, id: &str) -> Result<Option<Read<Case>>, StoreError> {
        self.case_of(Kind::Case, shop, id).await
    }

    /// One settled or cleared case by its id.
    pub async fn past_case(&self, shop: &str, id: &str) -> Result<Option<Read<Case>>, StoreError> {
        self.case_of(Kind::PastCase, shop, id).await
    }

    /// One cleared case whose merchant believes it open, by its id.
    pub async fn cleared_case(&self, shop: &str, id: &str) -> Result<Option<Read<Case>>, StoreError> {
        self.case_of(Kind::Cleared, shop, id).await
    }

    async fn case_of(&self, kind: Kind, shop: &str, id: &str) -> Result<Option<Read<Case>>, StoreError> {
        let Ok(id) = hex::decode(id) else { return Ok(None) };
        let mut key = self.prefix(kind, shop);
        key.extend_from_slice(&id);
        let read: Read<Case> = self.read(key).await?;
        Ok(read.value.is_some().then_some(read))
    }

    fn case_key(&self, kind: Kind, shop: &str, parcel: &Parcel, trouble: &Trouble) -> Vec<u8> {
        let mut key = self.key(kind, shop, &parcel_id(&parcel.carrier, &parcel.number));
        key.extend_from_slice(&[parcel.generation, trouble.leg, trouble.kind.code()]);
        key
    }
}

#[cfg(test)]
#[path = "cases_tests.rs"]
mod tests;
