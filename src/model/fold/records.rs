//! Which records tell one fact: copies of one event, one scan in two wordings, scans that were undone, and carriers
//! that hand over. Must never depend on the order in which the records came.

use super::super::event::{Event, Source};
use super::super::status::{Status, Sub};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Two wordings of one scan lie at most this far apart (model 2.5).
const SOFT_DUPLICATE: SignedDuration = SignedDuration::from_secs(120);

/// Joins events of one id: earliest `received`, latest `last_heard`, union of sources; each field the richer one.
pub(super) fn merge(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let mut by_id: BTreeMap<String, Event> = BTreeMap::new();
    for mut event in events {
        if event.id.is_empty() {
            event.id = event.compute_id();
        }
        event.superseded = false;
        event.leg = 0;
        event.last_heard = event.last_heard.max(event.received);
        match by_id.remove(&event.id) {
            None => by_id.insert(event.id.clone(), event),
            Some(other) => by_id.insert(event.id.clone(), join(other, event)),
        };
    }
    by_id.into_values().collect()
}

/// Joins two copies of one event, field by field, each by an order of its own: so joining any number of copies in
/// any order gives one result.
fn join(a: Event, b: Event) -> Event {
    let source = if a.source == b.source { a.source } else { Source::Both };
    let received = match (a.received, b.received) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    // What happened comes whole from the richer copy; all else is filled in.
    let (mut keep, fill) = if core(&a) >= core(&b) { (a, b) } else { (b, a) };
    keep.source = source;
    keep.received = received;
    keep.last_heard = keep.last_heard.max(fill.last_heard);
    keep.carrier = keep.carrier.min(fill.carrier);
    keep.number = keep.number.min(fill.number);
    keep.provider = match (keep.provider.is_empty(), fill.provider.is_empty()) {
        (true, _) => fill.provider,
        (_, true) => keep.provider,
        _ => keep.provider.min(fill.provider),
    };
    for (mine, theirs) in [
        (&mut keep.place.text, fill.place.text),
        (&mut keep.place.city, fill.place.city),
        (&mut keep.place.region, fill.place.region),
        (&mut keep.place.country, fill.place.country),
        (&mut keep.place.postal, fill.place.postal),
        (&mut keep.courier.name, fill.courier.name),
        (&mut keep.courier.phone, fill.courier.phone),
        (&mut keep.pickup.code, fill.pickup.code),
        (&mut keep.pickup.place, fill.pickup.place),
        (&mut keep.pickup.until, fill.pickup.until),
        (&mut keep.signed_by, fill.signed_by),
        (&mut keep.renumbered, fill.renumbered),
    ] {
        fill_in(mine, theirs);
    }
    let bits = |lat: Option<f64>, lon: Option<f64>| (lat.map(f64::to_bits), lon.map(f64::to_bits));
    if bits(fill.place.lat, fill.place.lon) > bits(keep.place.lat, keep.place.lon) {
        (keep.place.lat, keep.place.lon) = (fill.place.lat, fill.place.lon);
    }
    keep.revokes.extend(fill.revokes);
    keep.revokes.sort();
    keep.revokes.dedup();
    keep
}

pub(super) fn fill_in(field: &mut Option<String>, other: Option<String>) {
    match (&field, &other) {
        (Some(mine), Some(theirs)) if (theirs.len(), theirs) > (mine.len(), mine) => *field = other,
        (None, _) => *field = other,
        _ => {}
    }
}

/// How much a record tells: a scan over a header, a meaning over none, a code to collect with over none (only the
/// record that stays is told), offset over none, the vendor's code over none, longer text.
fn richness(event: &Event) -> impl Ord + use<> {
    (
        !event.header,
        event.status != Status::Unknown,
        event.pickup.code.is_some(),
        event.time.offset.is_some(),
        event.raw.code.is_some(),
        event.description().len(),
    )
}

/// [`richness`], made total over all that a copy keeps whole.
fn core(event: &Event) -> impl Ord + use<> {
    let Event { status, sub, reason, time, raw, .. } = event.clone();
    let when = (time.utc, time.local, time.offset, time.zone_source);
    (richness(event), status, sub, reason, when, (raw.description, raw.code, raw.status))
}

/// A revoking event undoes the newest event up to its time that carries one of its codes, with all that told the
/// same in other words. Returns how many deliveries were undone.
pub(super) fn revoke(timeline: &mut [(Timestamp, Event)], twins: &[usize]) -> u8 {
    let mut undone = 0u8;
    let mut revoked = vec![false; timeline.len()];
    for at in 0..timeline.len() {
        if timeline[at].1.revokes.is_empty() {
            continue;
        }
        let (time, codes) = (timeline[at].0, timeline[at].1.revokes.clone());
        let carries = |event: &Event| event.raw.code.as_ref().is_some_and(|code| codes.contains(code));
        let found = (0..timeline.len()).rev().find(|other| {
            *other != at && !revoked[*other] && timeline[*other].0 <= time && carries(&timeline[*other].1)
        });
        let Some(found) = found else { continue };
        undone = undone.saturating_add(u8::from(timeline[found].1.status == Status::Delivered));
        for other in 0..timeline.len() {
            if twins[other] == twins[found] {
                revoked[other] = true;
                timeline[other].1.superseded = true;
            }
        }
    }
    undone
}

/// After a hand-over the last mile's word counts: "out for delivery" and "delivered" of the carrier that handed over
/// stand only until the last mile tells something newer (model 4.11).
pub(super) fn yield_to_last_mile(timeline: &mut [(Timestamp, Event)]) {
    let handover = timeline.iter().find(|(_, event)| event.sub == Some(Sub::HandedToPartner));
    let Some((handed, first)) = handover.map(|(time, event)| (*time, event.carrier.clone())) else { return };
    let told = |(_, event): &&(Timestamp, Event)| event.carrier != first && event.status != Status::Unknown;
    let Some(newest) = timeline.iter().rev().find(told).map(|(time, _)| *time) else { return };
    for (time, event) in timeline {
        let theirs = event.carrier == first && *time >= handed && *time < newest;
        if theirs && matches!(event.status, Status::OutForDelivery | Status::Delivered) {
            event.superseded = true;
        }
    }
}

/// Greedy clusters in time order; the richest record of a cluster stays. Returns each event's cluster.
pub(super) fn supersede_soft_duplicates(timeline: &mut [(Timestamp, Event)]) -> Vec<usize> {
    let mut cluster: Vec<usize> = (0..timeline.len()).collect();
    let mut heads: Vec<usize> = Vec::new();
    for at in 0..timeline.len() {
        if timeline[at].1.status == Status::Unknown {
            continue;
        }
        let time = timeline[at].0;
        heads.retain(|head| time.duration_since(timeline[*head].0) <= SOFT_DUPLICATE);
        let twin = heads.iter().position(|head| is_soft_duplicate(&timeline[*head].1, &timeline[at].1));
        let Some(twin) = twin else {
            heads.push(at);
            continue;
        };
        let head = heads[twin];
        cluster[at] = cluster[head];
        if richness(&timeline[at].1) > richness(&timeline[head].1) {
            timeline[head].1.superseded = true;
            heads[twin] = at;
        } else {
            timeline[at].1.superseded = true;
        }
    }
    cluster
}

/// One fact in two wordings. Two carriers in one fold are a parcel that was handed over (model 4.11).
fn is_soft_duplicate(a: &Event, b: &Event) -> bool {
    let same_place = match (place(a), place(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    if a.status != b.status || !same_place {
        return false;
    }
    if a.header || b.header {
        return true;
    }
    let same_code = a.raw.code.is_none() || b.raw.code.is_none() || a.raw.code == b.raw.code;
    a.provider != b.provider || (same_code && !heard_together(a, b))
}

/// Two events of one provider stood in one answer when the spans in which we heard them touch.
fn heard_together(a: &Event, b: &Event) -> bool {
    match (a.received, a.last_heard, b.received, b.last_heard) {
        (Some(a_first), Some(a_last), Some(b_first), Some(b_last)) => a_first <= b_last && b_first <= a_last,
        _ => true,
    }
}

fn place(event: &Event) -> Option<&str> {
    event.place.text.as_deref().or(event.place.city.as_deref()).filter(|text| !text.is_empty())
}
