//! When a parcel may arrive, reckoned by a vendor (时效预估) where nobody who carries it says so: asked after a background
//! check, once and then at most once a day. Must never let more of an address out than its region, nor put a reckoning
//! over a carrier's own word.

use super::pickup::is_on_its_way;
use super::{ACCOUNT_LIMIT, Asker, Tracker};
use crate::carriers::{Carrier, Forecast, Trip};
use crate::model::when::CHINA;
use crate::model::{Account, Buyer, Eta, Noted, Parcel, Reckoned};
use crate::store::{Batch, Committed, StoreError};
use crate::text::region::Region;
use crate::wire::{Answer, CallError, Cx, Failure};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// From one question about a parcel to the next.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// In a parcel's journal.
const WHAT: &str = "forecast";
/// Characters by which a street is known in a scan.
const STREET: usize = 3;

/// An account that reckons.
struct Oracle {
    carrier: &'static dyn Carrier,
    forecast: &'static dyn Forecast,
    account: Arc<Account>,
}

impl Tracker {
    /// Asks when a parcel may arrive, where that is wanted, not known, and not asked lately.
    pub(super) async fn reckon(&self, shop: &str, carrier: &str, number: &str) -> Result<(), StoreError> {
        let Some(oracle) = self.oracle(shop, carrier) else { return Ok(()) };
        let read = self.records.parcel(shop, carrier, number).await?;
        let now = self.wire.clock().now();
        let Some(parcel) = read.value.clone().filter(|parcel| parcel.wants_forecast(now)) else {
            return Ok(());
        };
        let Some(trip) = self.trip(shop, &parcel, now).await? else { return Ok(()) };
        // On record before the call: a crash in between must not ask twice.
        let before = parcel.reckoned.clone();
        let ours = before.as_ref().is_some_and(|reckoned| reckoned.ours);
        let mut batch = Batch::default();
        let marked = Parcel { reckoned: Some(Reckoned { asked: now, ours }), ..parcel };
        self.records.put_parcel(&mut batch, shop, &read, &marked)?;
        if self.records.store().commit(batch).await? != Committed::Done {
            return Ok(());
        }
        let build = |cx: &Cx| oracle.forecast.forecast(cx, &trip);
        let read = |cx: &Cx, answer: &Answer| oracle.forecast.read_forecast(cx, answer);
        let at = (oracle.carrier, &*oracle.account);
        let answered = self.call(at, Asker::Schedule, ACCOUNT_LIMIT, &build, read).await;
        self.note_forecast(shop, &marked, &oracle.account.name(), before, answered).await
    }

    /// Keeps what came of it. Meanwhile the carrier may have named a day of its own, or the parcel have arrived.
    async fn note_forecast(
        &self,
        shop: &str,
        asked: &Parcel,
        by: &str,
        before: Option<Reckoned>,
        answered: Result<Eta, Failure>,
    ) -> Result<(), StoreError> {
        let not_sent = matches!(answered, Err(Failure::Call(CallError::NotSent { .. })));
        self.change(shop, &asked.carrier, &asked.number, |parcel, now| {
            let outcome = match &answered {
                Ok(_) if parcel.own_eta().is_some() || !is_on_its_way(parcel) => "not_needed",
                Ok(eta) if eta.to <= now => "past",
                Ok(eta) => {
                    parcel.eta = Some(eta.clone());
                    parcel.reckoned = asked.reckoned.clone().map(|asked| Reckoned { ours: true, ..asked });
                    "ok"
                }
                Err(failure) => failure.label(),
            };
            // What never left this house was not asked.
            if not_sent {
                let ours = parcel.reckoned.as_ref().is_some_and(|now| now.ours);
                parcel.reckoned =
                    before.as_ref().map(|before| Reckoned { asked: before.asked, ours: before.ours && ours });
            }
            // The same again says nothing new.
            let same = |line: &Noted| line.what == WHAT && line.outcome == outcome;
            if outcome == "ok"
                || !parcel.journal.iter().rev().find(|line| line.what == WHAT).is_some_and(same)
            {
                parcel.note(now, by, WHAT, outcome, 0);
            }
            true
        })
        .await
    }

    /// The first account of a parcel's chain that reckons, where the merchant wants it.
    fn oracle(&self, shop: &str, carrier: &str) -> Option<Oracle> {
        self.chain(shop, carrier).into_iter().find_map(|(carrier, account)| {
            let wanted = account.setting("eta", "false") == "true";
            let forecast = carrier.forecast().filter(|_| wanted)?;
            Some(Oracle { carrier, forecast, account })
        })
    }

    /// A parcel's way to the first of its buyers whose region is known.
    async fn trip(&self, shop: &str, parcel: &Parcel, now: Timestamp) -> Result<Option<Trip>, StoreError> {
        for no in &parcel.orders {
            let Some(order) = self.records.order(shop, no).await?.value else { continue };
            let line = order.buyer.address.as_ref().map(|address| address.reveal().as_str());
            let Some(to) = line.and_then(Region::of_address) else { continue };
            let scans = scans(parcel, &order.buyer, &to);
            let first = scans.first().map(|(time, _)| *time);
            let sent = parcel.shipped_at.or(parcel.state.picked_up_at).or(first).or(order.paid_at);
            let ordered = sent.map_or(now, |sent| sent.min(now));
            return Ok(Some(Trip { carrier: parcel.carrier.clone(), to, ordered, scans }));
        }
        Ok(None)
    }
}

/// What was said of a parcel, oldest first, but what names its buyer or their street, a courier, or a station with a
/// code.
fn scans(parcel: &Parcel, buyer: &Buyer, to: &Region) -> Vec<(Timestamp, String)> {
    let line = buyer.address.as_ref().map_or("", |address| address.reveal().as_str());
    let street = line.rsplit_once(to.district.as_str()).map_or("", |(_, street)| street);
    let street: String = street.trim_start().chars().take(STREET).collect();
    let name = buyer.name.as_ref().map_or("", |name| name.reveal().as_str());
    let phone = buyer.phone.as_ref().map_or("", |phone| phone.reveal().as_str());
    let private: Vec<&str> =
        [street.as_str(), name, phone].into_iter().filter(|words| words.chars().count() >= 2).collect();
    let counted = parcel.events.iter().filter(|event| !event.superseded && !event.header);
    let told = counted.filter_map(|event| {
        let words = event.raw.description.as_deref().filter(|words| !words.is_empty())?;
        let courier = [&event.courier.name, &event.courier.phone, &event.pickup.place, &event.pickup.code];
        let mut names = courier.into_iter().flatten().map(String::as_str).filter(|name| !name.is_empty());
        let secret =
            names.any(|name| words.contains(name)) || private.iter().any(|name| words.contains(name));
        Some((event.time.instant(CHINA)?, words.to_owned())).filter(|_| !secret)
    });
    told.collect()
}

impl Parcel {
    /// Whether to ask now: on its way, no day from whoever carries it, and either never asked, or a day ago and since
    /// then scanned again or nothing to show for it.
    fn wants_forecast(&self, now: Timestamp) -> bool {
        let due = self.reckoned.as_ref().is_none_or(|before| {
            let heard = self.events.iter().filter_map(|event| event.received).max();
            now.duration_since(before.asked) >= AGAIN && (!before.ours || heard > Some(before.asked))
        });
        due && self.own_eta().is_none() && is_on_its_way(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, Meaning, Private, Raw, Status, Sub, When, ZoneSource};

    fn at(hours: i64) -> Timestamp {
        "2026-03-02T04:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn scan(hours: i64, words: &str) -> Event {
        let raw = Raw { description: Some(words.to_owned()), ..Raw::default() };
        let time = When::at(at(hours), CHINA, ZoneSource::CarrierDefault);
        Event::new("yto", "YT1", "yto", time, Meaning::sub(Sub::ArrivedHub), raw, at(hours))
    }

    fn parcel(told: &[Event]) -> Parcel {
        let mut parcel = Parcel { carrier: "yto".into(), number: "YT1".into(), ..Parcel::default() };
        parcel.add(told.to_vec());
        parcel
    }

    #[test]
    fn it_is_asked_once_and_after_a_day_only_with_news_or_without_a_result() {
        let mut moving = parcel(&[scan(0, "快件到达【深圳转运中心】")]);
        assert!(moving.wants_forecast(at(1)));
        let mut asked = |asked: i64, ours: bool, now: i64| {
            moving.reckoned = Some(Reckoned { asked: at(asked), ours });
            moving.wants_forecast(at(now))
        };
        assert!(!asked(1, false, 24) && asked(1, false, 25));
        assert!(!asked(1, true, 25), "nothing was scanned since");
        assert!(asked(-1, true, 25) && !asked(-1, true, 22));
        moving.reckoned = None;
        moving.state.status = Status::Delivered;
        assert!(!moving.wants_forecast(at(1)));
    }

    #[test]
    fn a_scan_that_names_the_buyer_their_street_or_a_courier_stays_here() {
        let buyer = Buyer {
            name: Some(Private::new("周小明".into())),
            address: Some(Private::new("浙江省杭州市西湖区虚构路1号3幢".into())),
            ..Buyer::default()
        };
        let mut courier = scan(3, "张师傅正在派送");
        courier.courier.name = Some("张师傅".into());
        let told = parcel(&[
            scan(0, "快件到达【深圳转运中心】"),
            scan(1, "送往虚构路1号"),
            scan(2, "收件人周小明"),
            courier,
            scan(4, "快件到达【杭州市西湖区】"),
        ]);
        let to = Region::of_address("浙江省杭州市西湖区虚构路1号3幢").unwrap();
        let words: Vec<String> = scans(&told, &buyer, &to).into_iter().map(|(_, words)| words).collect();
        assert_eq!(words, ["快件到达【深圳转运中心】", "快件到达【杭州市西湖区】"]);
    }
}
