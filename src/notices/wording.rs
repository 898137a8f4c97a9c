//! What a notice says: the fact first, then what happens next, then what the buyer can do. Pure; words are templates.
//! Must never say more than the parcel's events do.

use super::triggers::{pickup_code, pickup_place};
use crate::model::{Arg, Block, Line, Notice, NoticeKind, Order, Parcel, Status, When};

/// One message for one order's buyer: every notice that holds, oldest first, and what follows from the newest.
pub fn blocks(notices: &[Notice], parcel: &Parcel, order: &Order) -> Vec<Block> {
    let mut lines: Vec<Line> = notices.iter().map(|notice| fact(notice, parcel, order)).collect();
    if let Some(newest) = notices.last() {
        lines.extend(further(newest.kind, parcel));
    }
    lines.into_iter().map(Block::Text).collect()
}

/// The notice's own sentence.
fn fact(notice: &Notice, parcel: &Parcel, order: &Order) -> Line {
    let line =
        Line::new(format!("notice-{}", notice.kind.name().replace('_', "-"))).with("parcel", name(order));
    let at = Arg::Moment(notice.at);
    let state = &parcel.state;
    let status = || Arg::Status(state.status, state.sub, state.reason);
    let scan = |line: Line| match parcel.newest() {
        Some(event) => line.with("scan", Arg::Scan(Box::new(event.into()))),
        None => line,
    };
    match notice.kind {
        NoticeKind::Shipped => line
            .with("carrier", Arg::Carrier(parcel.carrier.clone()))
            .with("number", Arg::Text(parcel.number.clone())),
        NoticeKind::Collected => line.with("carrier", Arg::Carrier(parcel.carrier.clone())).with("at", at),
        NoticeKind::ReadyForPickup | NoticeKind::Delivered | NoticeKind::Exception => {
            line.with("status", status()).with("at", at)
        }
        NoticeKind::AttemptFailed | NoticeKind::MovingAgain => scan(line.with("at", at)),
        NoticeKind::Delayed => match &parcel.eta {
            Some(eta) => line.with("eta", Arg::Eta(eta.clone())),
            None => line,
        },
        NoticeKind::Stalled => match parcel.newest() {
            Some(event) => line.with("at", moment(&event.time)),
            None => line.with("at", at),
        },
        NoticeKind::OutForDelivery | NoticeKind::Returning | NoticeKind::Returned | NoticeKind::Corrected => {
            line.with("at", at)
        }
    }
}

/// What happens next and what the buyer can do.
fn further(kind: NoticeKind, parcel: &Parcel) -> Vec<Line> {
    let mut lines = Vec::new();
    match kind {
        NoticeKind::ReadyForPickup => lines.extend(pickup(parcel)),
        NoticeKind::OutForDelivery => lines.extend(courier(parcel)),
        NoticeKind::Delivered => {
            let signed = parcel.state.signed_by.as_ref();
            lines.extend(signed.map(|who| Line::new("signed-by").with("who", Arg::Text(who.clone()))));
        }
        NoticeKind::Shipped | NoticeKind::Collected | NoticeKind::MovingAgain => {
            let eta = parcel.eta.as_ref();
            lines.extend(eta.map(|eta| Line::new("eta-known").with("eta", Arg::Eta(eta.clone()))));
        }
        _ => {}
    }
    let next = match (kind, parcel.state.reason) {
        (NoticeKind::Exception, Some(reason)) => {
            Line::new(format!("advice-{}", reason.name().replace('_', "-")))
        }
        (NoticeKind::Stalled, _) => Line::new("notice-stalled-next"),
        (NoticeKind::Delayed, _) => Line::new("notice-delayed-next"),
        (NoticeKind::Shipped, _) => Line::new("notice-shipped-next"),
        _ => Line::new(format!("next-{}", status_of(parcel).name().replace('_', "-"))),
    };
    lines.push(next);
    lines
}

fn status_of(parcel: &Parcel) -> Status {
    parcel.state.status
}

fn pickup(parcel: &Parcel) -> Option<Line> {
    match (pickup_code(parcel), pickup_place(parcel)) {
        (Some(code), Some(place)) => {
            let line = Line::new("pickup-code-place").with("code", Arg::Text(code));
            Some(line.with("place", Arg::Text(place)))
        }
        (Some(code), None) => Some(Line::new("pickup-code").with("code", Arg::Text(code))),
        (None, Some(place)) => Some(Line::new("pickup-place").with("place", Arg::Text(place))),
        (None, None) => None,
    }
}

fn courier(parcel: &Parcel) -> Option<Line> {
    let courier = &parcel.newest()?.courier;
    let phone = Arg::Text(courier.phone.clone()?);
    Some(match &courier.name {
        Some(name) => Line::new("courier").with("name", Arg::Text(name.clone())).with("phone", phone),
        None => Line::new("courier-phone").with("phone", phone),
    })
}

/// A scan's time: an instant where the zone is known, else the carrier's own words.
fn moment(when: &When) -> Arg {
    when.utc.map_or_else(|| Arg::Text(when.local.replace('T', " ")), Arg::Moment)
}

fn name(order: &Order) -> Arg {
    let line = match order.title() {
        Some((title, 0)) => Line::new("name-item").with("title", Arg::Text(title.to_owned())),
        Some((title, more)) => Line::new("name-item-more")
            .with("title", Arg::Text(title.to_owned()))
            .with("more", Arg::Number(more as i64)),
        None => Line::new("name-order").with("order", Arg::Text(order.no.clone())),
    };
    Arg::Line(Box::new(line))
}
