//! The status of a parcel as lines: fact, what comes next, what the buyer can do, how old and from whom.
//! Must never say more than the events do: unknown is said as unknown, old as old.

use super::decide::Turn;
use super::{Asked, Effect, OrderView, topics};
use crate::model::{Arg, Block, Card, Event, Line, Parcel, Status, Sub, When};
use jiff::Timestamp;

/// The parcel that matters most: worst open one first (model 4.9), then the newest movement.
pub(super) fn worst(parcels: &[Parcel]) -> Option<&Parcel> {
    parcels.iter().max_by_key(|parcel| (concern(parcel.state.status), parcel.state.last_event))
}

fn concern(status: Status) -> u8 {
    match status {
        Status::Exception => 9,
        Status::AttemptFailed => 8,
        Status::ReadyForPickup => 7,
        Status::OutForDelivery => 6,
        Status::Lost => 5,
        Status::InTransit => 5,
        Status::Returning => 5,
        Status::PickedUp => 4,
        Status::InfoReceived => 3,
        Status::Unknown | Status::Expired => 2,
        Status::Returned | Status::Cancelled => 1,
        Status::Delivered => 0,
    }
}

/// All lines about the parcels meant, then the card of the one that matters most.
pub(super) fn status(turn: &mut Turn, intent: &str, view: &OrderView, parcels: &[Parcel], parcel: &Parcel) {
    if parcels.len() > 1 {
        overview(turn, view, parcels);
    }
    if parcel.events.is_empty() {
        return nothing_known(turn, view, parcel);
    }
    fact(turn, view, parcel);
    next(turn, parcel);
    let arrived = matches!(parcel.state.status, Status::ReadyForPickup | Status::Returning);
    if !parcel.state.status.is_final() && !arrived {
        expected(turn, intent, parcel);
    }
    freshness(turn, parcel);
    let card = card(turn, parcel);
    turn.blocks.push(Block::Parcel(Box::new(card)));
}

/// "1 of 3 delivered", each with its line.
fn overview(turn: &mut Turn, view: &OrderView, parcels: &[Parcel]) {
    let delivered = parcels.iter().filter(|parcel| parcel.state.status == Status::Delivered).count();
    turn.text(
        Line::new("order-parcels")
            .with("parcel", topics::name(view))
            .with("delivered", Arg::Number(delivered as i64))
            .with("total", Arg::Number(parcels.len() as i64)),
    );
    for (at, parcel) in parcels.iter().enumerate() {
        let position = Arg::Number(at as i64 + 1);
        let number = Arg::Text(parcel.number.clone());
        turn.text(match parcel.newest() {
            Some(event) => Line::new("order-parcel-line")
                .with("position", position)
                .with("status", status_of(parcel))
                .with("at", moment(&event.time))
                .with("number", number),
            None => Line::new("order-parcel-line-unknown").with("position", position).with("number", number),
        });
    }
}

fn nothing_known(turn: &mut Turn, view: &OrderView, parcel: &Parcel) {
    let numbered = |key: &str| {
        Line::new(key)
            .with("carrier", Arg::Carrier(parcel.carrier.clone()))
            .with("number", Arg::Text(parcel.number.clone()))
    };
    match turn.known.asked(&parcel.number) {
        Some(Asked::Failed) => {
            turn.text(numbered("no-answer"));
            let (carrier, number) = (parcel.carrier.clone(), parcel.number.clone());
            turn.effects.push(Effect::Promise { carrier, number });
        }
        Some(Asked::NeedsPhoneTail) => turn.text(numbered("number-need-tail")),
        _ => {
            turn.text(numbered("track-unknown").with("parcel", topics::name(view)));
            turn.text(Line::new("next-unknown"));
            freshness(turn, parcel);
        }
    }
}

fn fact(turn: &mut Turn, view: &OrderView, parcel: &Parcel) {
    let Some(event) = parcel.newest() else { return };
    let key = format!("track-{}", dashed(parcel.state.status.name()));
    turn.text(
        Line::new(key)
            .with("parcel", topics::name(view))
            .with("carrier", Arg::Carrier(parcel.carrier.clone()))
            .with("number", Arg::Text(parcel.number.clone()))
            .with("at", moment(&event.time))
            .with("scan", Arg::Scan(Box::new(event.into())))
            .with("status", status_of(parcel)),
    );
}

fn next(turn: &mut Turn, parcel: &Parcel) {
    let status = parcel.state.status;
    if status == Status::ReadyForPickup {
        pickup(turn, parcel);
    }
    if status == Status::OutForDelivery {
        courier(turn, parcel);
    }
    if let (Status::Delivered, Some(who)) = (status, &parcel.state.signed_by) {
        turn.text(Line::new("signed-by").with("who", Arg::Text(who.clone())));
    }
    match (status, parcel.state.reason) {
        (Status::Exception, Some(reason)) => {
            turn.text(Line::new(format!("advice-{}", dashed(reason.name()))));
        }
        _ => turn.text(Line::new(format!("next-{}", dashed(status.name())))),
    }
}

/// With whom or where a delivered parcel was left, as far as the carrier tells.
pub(super) fn whereabouts(turn: &mut Turn, parcel: &Parcel) {
    if let Some(who) = &parcel.state.signed_by {
        turn.text(Line::new("signed-by").with("who", Arg::Text(who.clone())));
    }
    let key = match parcel.state.sub {
        Some(Sub::LockerSigned) => Some("not-received-locker"),
        Some(Sub::Collected) => Some("not-received-collected"),
        Some(Sub::Neighbour) => Some("not-received-neighbour"),
        Some(Sub::SafePlace | Sub::Mailbox) => Some("not-received-left"),
        Some(Sub::SignedByOther) if parcel.state.signed_by.is_none() => Some("not-received-other"),
        _ => None,
    };
    if let Some(key) = key {
        turn.text(Line::new(key));
    }
    if let Some(place) = newest(parcel, |event| event.pickup.place.as_ref()) {
        turn.text(Line::new("not-received-place").with("place", Arg::Text(place)));
    }
    courier(turn, parcel);
}

/// What the newest event that tells it says.
fn newest(parcel: &Parcel, get: fn(&Event) -> Option<&String>) -> Option<String> {
    parcel.events.iter().rev().filter(|event| !event.superseded).find_map(get).cloned()
}

fn pickup(turn: &mut Turn, parcel: &Parcel) {
    let code = newest(parcel, |event| event.pickup.code.as_ref());
    let place = newest(parcel, |event| event.pickup.place.as_ref());
    match (code, place) {
        (Some(code), Some(place)) => turn.text(
            Line::new("pickup-code-place").with("code", Arg::Text(code)).with("place", Arg::Text(place)),
        ),
        (Some(code), None) => turn.text(Line::new("pickup-code").with("code", Arg::Text(code))),
        (None, Some(place)) => turn.text(Line::new("pickup-place").with("place", Arg::Text(place))),
        (None, None) => {}
    }
}

fn courier(turn: &mut Turn, parcel: &Parcel) {
    let Some(event) = parcel.newest() else { return };
    match (&event.courier.name, &event.courier.phone) {
        (Some(name), Some(phone)) => turn.text(
            Line::new("courier")
                .with("name", Arg::Text(name.clone()))
                .with("phone", Arg::Text(phone.clone())),
        ),
        (None, Some(phone)) => {
            turn.text(Line::new("courier-phone").with("phone", Arg::Text(phone.clone())));
        }
        _ => {}
    }
}

fn expected(turn: &mut Turn, intent: &str, parcel: &Parcel) {
    let today = |at: Timestamp| {
        let day = |at: Timestamp| turn.at.zone.to_datetime(at).date();
        day(at) == day(turn.at.now)
    };
    match &parcel.eta {
        Some(eta) if eta.to < turn.at.now => {
            turn.text(Line::new("eta-passed").with("eta", Arg::Eta(eta.clone())));
        }
        Some(eta) if today(eta.to) => turn.text(Line::new("eta-today").with("eta", Arg::Eta(eta.clone()))),
        Some(eta) => turn.text(Line::new("eta-known").with("eta", Arg::Eta(eta.clone()))),
        None if intent == "eta" => turn.text(Line::new("eta-unknown")),
        None => {}
    }
}

/// Every answer tells its age and source.
fn freshness(turn: &mut Turn, parcel: &Parcel) {
    let source = parcel.answered_by.clone().unwrap_or_else(|| parcel.carrier.clone());
    let failed = turn.known.asked(&parcel.number) == Some(Asked::Failed);
    turn.text(match parcel.last_checked {
        Some(checked) => Line::new(if failed { "fresh-stale" } else { "fresh" })
            .with("age", Arg::Age(checked))
            .with("source", Arg::Carrier(source)),
        None => Line::new("fresh-never").with("carrier", Arg::Carrier(parcel.carrier.clone())),
    });
}

pub(super) fn card(turn: &Turn, parcel: &Parcel) -> Card {
    let events = parcel.events.iter().rev().filter(|event| !event.superseded).take(turn.at.scans);
    Card {
        carrier: parcel.carrier.clone(),
        number: parcel.number.clone(),
        status: parcel.state.status,
        sub: parcel.state.sub,
        reason: parcel.state.reason,
        eta: parcel.eta.clone().filter(|_| !parcel.state.status.is_final()),
        events: events.map(Into::into).collect(),
    }
}

fn status_of(parcel: &Parcel) -> Arg {
    Arg::Status(parcel.state.status, parcel.state.sub, parcel.state.reason)
}

/// A scan's time: an instant where the zone is known, else the carrier's own words.
pub(super) fn moment(when: &When) -> Arg {
    when.utc.map_or_else(|| Arg::Text(when.local.replace('T', " ")), Arg::Moment)
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}
