//! A number of which its carrier knows nothing may be another carrier's: whose it looks like is asked once, and what an
//! aggregator recognizes as a last step. Must never move a parcel on a guess: only scans of these days prove a carrier.

use super::{ACCOUNT_LIMIT, Asker, Door, Said, Tracker};
use crate::carriers::{Ask, Tracked, carrier};
use crate::model::{Account, Parcel};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::{Answer, Cx};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// How long a carrier may know nothing before it is doubted.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// Carriers that are asked in its place, at most.
const GUESSES: usize = 2;
/// A parcel's scans may begin this long before its merchant says that it was shipped.
const EARLIER: SignedDuration = SignedDuration::from_hours(48);

impl Tracker {
    /// Looks for the right carrier of a number that brought nothing. `refused`: a vendor said that it is not this
    /// carrier's. Once for each parcel, and on record. Returns whether it was found.
    pub(super) async fn doubt(
        &self,
        shop: &str,
        ask: &Ask,
        refused: bool,
        asker: Asker,
    ) -> Result<bool, StoreError> {
        let read = self.records.parcel(shop, &ask.carrier, &ask.number).await?;
        let Some(mut parcel) = read.value.clone() else { return Ok(false) };
        let now = self.wire.clock().now();
        let doubted = parcel.journal.iter().any(|line| line.what == "carrier");
        if !parcel.events.is_empty() || doubted || !(refused || is_silent(&parcel, now)) {
            return Ok(false);
        }
        // On record before anybody is asked, so that it happens once; whoever is slower leaves it to the other.
        parcel.note(now, "", "carrier", "doubted", 0);
        let mut batch = Batch::default();
        self.records.put_parcel(&mut batch, shop, &read, &parcel)?;
        if self.records.store().commit(batch).await? != Committed::Done {
            return Ok(false);
        }
        let likely = self.recognize(shop, &ask.number).into_iter().map(|candidate| candidate.carrier);
        let likely: Vec<String> = likely.filter(|code| *code != ask.carrier).take(GUESSES).collect();
        for code in &likely {
            if self.is_right(shop, &parcel, ask, code, asker).await? {
                return Ok(true);
            }
        }
        let recognized = self.recognized(shop, &ask.number).await;
        let new = recognized.into_iter().find(|code| *code != ask.carrier && !likely.contains(code));
        match new {
            Some(code) => self.is_right(shop, &parcel, ask, &code, asker).await,
            None => Ok(false),
        }
    }

    /// Asks about the number under another carrier. Where that knows it, the parcel moves there with what it told.
    async fn is_right(
        &self,
        shop: &str,
        parcel: &Parcel,
        ask: &Ask,
        code: &str,
        asker: Asker,
    ) -> Result<bool, StoreError> {
        let Some((adapter, account)) = self.chain(shop, code).into_iter().next() else { return Ok(false) };
        let asks = [Ask { carrier: code.to_owned(), ..ask.clone() }];
        let Ok(told) = self.ask_account(adapter, &account, &asks, asker).await else { return Ok(false) };
        if !told.iter().any(|tracked| is_of_these_days(tracked, parcel)) {
            return Ok(false);
        }
        let by = account.name();
        self.correct_carrier(shop, &ask.number, &ask.carrier, code, &by).await?;
        self.apply(shop, code, &ask.number, &Said::of(&by, Door::Asked, &ask.number, told)).await?;
        Ok(true)
    }

    /// What the first account that can recognizes; nothing where it cannot, or has no calls left.
    async fn recognized(&self, shop: &str, number: &str) -> Vec<String> {
        let mine = self.accounts.iter().filter(|account| account.serves_shop(shop));
        let able = |account: &Arc<Account>| {
            let adapter = carrier(&account.kind)?;
            Some((adapter, adapter.recognition()?, account.clone()))
        };
        let Some((adapter, recognition, account)) = mine.filter_map(able).next() else { return Vec::new() };
        let build = |cx: &Cx| recognition.recognize(cx, number);
        let read = |cx: &Cx, answer: &Answer| recognition.read_recognized(cx, answer);
        let at = (adapter, &*account);
        self.call(at, Asker::Schedule, ACCOUNT_LIMIT, &build, read).await.unwrap_or_default()
    }
}

/// When a parcel set out, as far as is known. A merchant may name any time: it is compared, never added to.
fn set_out(parcel: &Parcel) -> Option<Timestamp> {
    parcel.shipped_at.or(parcel.first_seen)
}

/// Whether its carrier had time enough to know a parcel.
fn is_silent(parcel: &Parcel, now: Timestamp) -> bool {
    set_out(parcel).is_some_and(|since| now.duration_since(since) >= PATIENCE)
}

/// Whether scans prove that the parcel is this carrier's: numbers come again after a while, so old ones prove nothing.
fn is_of_these_days(tracked: &Tracked, parcel: &Parcel) -> bool {
    let times = tracked.events.iter().filter_map(|event| event.time.utc);
    let near = |first: Timestamp| set_out(parcel).is_none_or(|since| since.duration_since(first) <= EARLIER);
    times.min().is_some_and(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::when::CHINA;
    use crate::model::{Event, Meaning, Raw, Sub, When, ZoneSource};

    fn shipped(at: Timestamp) -> Parcel {
        Parcel { shipped_at: Some(at), ..Parcel::default() }
    }

    fn told(at: Timestamp) -> Tracked {
        let time = When::at(at, CHINA, ZoneSource::Carrier);
        let scan = Event::new("yto", "YT1", "yto", time, Meaning::sub(Sub::Accepted), Raw::default(), at);
        Tracked {
            carrier: "yto".into(),
            number: "YT1".into(),
            events: vec![scan],
            eta: None,
            maybe_needs_phone_tail: false,
        }
    }

    #[test]
    fn a_carrier_has_a_day_and_old_scans_prove_nothing() {
        let sent: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
        let hours = |hours| sent + SignedDuration::from_hours(hours);
        assert!(!is_silent(&shipped(sent), hours(23)) && is_silent(&shipped(sent), hours(24)));
        assert!(is_of_these_days(&told(hours(-48)), &shipped(sent)));
        assert!(!is_of_these_days(&told(hours(-49)), &shipped(sent)));
    }

    #[test]
    fn a_time_at_the_end_of_time_does_no_harm() {
        let now: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
        for (edge, silent) in [(Timestamp::MAX, false), (Timestamp::MIN, true)] {
            assert_eq!(is_silent(&shipped(edge), now), silent);
            assert_eq!(is_of_these_days(&told(now), &shipped(edge)), silent);
        }
    }
}
