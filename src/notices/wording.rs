//! What a notice says: the fact first, then what happens next, then what the buyer can do. Pure; words are templates.
//! Must never say more than the parcel's events do.

use super::triggers::{pickup_code, pickup_place};
use crate::model::{Arg, Block, Line, Notice, NoticeKind, Order, Parcel, Status, When};

/// One parcel's news for a buyer: every notice that holds, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The news.
    pub notices: &'a [Notice],
    /// What they are about.
    pub parcel: &'a Parcel,
    /// The buyer's order in it.
    pub order: &'a Order,
}

/// One message for one buyer: of each parcel its notices, and what follows from the newest of them.
pub fn blocks(parts: &[Part]) -> Vec<Block> {
    let mut lines: Vec<Line> = Vec::new();
    for part in parts {
        let alike = parts.iter().filter(|other| title(other.order) == title(part.order)).count() > 1;
        lines.extend(part.notices.iter().map(|notice| fact(notice, part.parcel, part.order, alike)));
        lines.extend(part.notices.last().into_iter().flat_map(|newest| further(newest.kind, part.parcel)));
    }
    // What is the same for several parcels is said once, after the last of them.
    let once = lines.iter().enumerate().filter(|(at, line)| !lines[at + 1..].contains(line));
    once.map(|(_, line)| Block::Text(line.clone())).collect()
}

/// The notice's own sentence.
fn fact(notice: &Notice, parcel: &Parcel, order: &Order, alike: bool) -> Line {
    let line = Line::new(format!("notice-{}", notice.kind.name().replace('_', "-")))
        .with("parcel", name(notice.kind, parcel, order, alike));
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
        NoticeKind::Answered => match parcel.newest() {
            Some(event) => line.with("status", status()).with("at", moment(&event.time)),
            None => line.with("status", status()).with("at", at),
        },
        NoticeKind::Unanswered => line
            .with("carrier", Arg::Carrier(parcel.carrier.clone()))
            .with("number", Arg::Text(parcel.number.clone())),
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
        (NoticeKind::Unanswered, _) => Line::new("notice-unanswered-next"),
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

/// The order in the buyer's words; one of several parcels is called by its number, or the buyer would take it for all.
/// `alike`: another parcel of the message would be called the same.
fn name(kind: NoticeKind, parcel: &Parcel, order: &Order, alike: bool) -> Arg {
    let several = order.shipments.len() > 1;
    let key = match (several, alike, kind) {
        // Its sentence tells the number anyway.
        (true, _, NoticeKind::Shipped) => "name-part",
        (true, ..) => "name-part-number",
        (false, true, kind) if kind != NoticeKind::Shipped => "name-with-number",
        _ => return Arg::Line(Box::new(title(order))),
    };
    let line = Line::new(key).with("parcel", Arg::Line(Box::new(title(order))));
    Arg::Line(Box::new(match key {
        "name-part" => line,
        _ => line.with("number", Arg::Text(parcel.number.clone())),
    }))
}

fn title(order: &Order) -> Line {
    match order.title() {
        Some((title, 0)) => Line::new("name-item").with("title", Arg::Text(title.to_owned())),
        Some((title, more)) => Line::new("name-item-more")
            .with("title", Arg::Text(title.to_owned()))
            .with("more", Arg::Number(more as i64)),
        None => Line::new("name-order").with("order", Arg::Text(order.no.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Eta, EtaPrecision, EtaSource, Event, Folded, Item, Meaning, Raw, Shipment, Shown};
    use crate::replies::{Catalog, Context};
    use jiff::{Timestamp, tz::TimeZone};

    fn said(locale: &str, kinds: &[NoticeKind], parcel: &Parcel, parcels: usize) -> String {
        let at: Timestamp = "2026-03-03T04:00:00Z".parse().unwrap();
        let notices: Vec<Notice> = kinds
            .iter()
            .map(|kind| Notice {
                kind: *kind,
                generation: 0,
                leg: 0,
                occasion: String::new(),
                at,
                heard: Vec::new(),
            })
            .collect();
        let order = Order {
            no: "A1".into(),
            items: vec![Item { title: "青瓷茶具".into(), ..Item::default() }],
            shipments: vec![Shipment::default(); parcels],
            ..Order::default()
        };
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let ctx = Context { shop: "", locale, zone: &zone, now: at };
        let part = Part { notices: &notices, parcel, order: &order };
        match &Catalog::builtin().render(&ctx, &blocks(&[part]))[..] {
            [Shown::Text { text }] => text.clone(),
            other => panic!("one text: {other:?}"),
        }
    }

    fn parcel(status: Status) -> Parcel {
        let at: Timestamp = "2026-03-03T04:00:00Z".parse().unwrap();
        let when = When::at(at, crate::model::when::CHINA, crate::model::ZoneSource::Carrier);
        let meaning = Meaning { status, sub: status.default_sub(), reason: None };
        let event = Event::new("sf", "SF0000000000018", "sf", when, meaning, Raw::default(), at);
        let state = Folded { status, sub: status.default_sub(), since: Some(at), ..Folded::default() };
        Parcel {
            carrier: "sf".into(),
            number: "SF0000000000018".into(),
            state,
            events: vec![event],
            ..Parcel::default()
        }
    }

    #[test]
    fn one_of_several_parcels_is_never_said_to_be_the_whole_order() {
        let parcel = parcel(Status::Delivered);
        let whole = said("zh-CN", &[NoticeKind::Delivered], &parcel, 1);
        assert!(whole.starts_with("您的“青瓷茶具”已签收（今天 12:00）。"), "{whole}");
        let part = said("zh-CN", &[NoticeKind::Delivered], &parcel, 2);
        assert!(part.contains("“青瓷茶具”的其中一个包裹（运单号 SF0000000000018）"), "{part}");
        let part = said("en", &[NoticeKind::Delivered], &parcel, 2);
        assert!(part.starts_with("“青瓷茶具” (one of its parcels, SF0000000000018): "), "{part}");
        let shipped = said("zh-TW", &[NoticeKind::Shipped], &parcel, 2);
        assert_eq!(shipped.matches("SF0000000000018").count(), 1, "{shipped}");
    }

    #[test]
    fn a_pickup_tells_its_code_and_place_and_a_round_its_courier() {
        let mut waiting = parcel(Status::ReadyForPickup);
        waiting.events[0].pickup.code = Some("6-2-1034".into());
        waiting.events[0].pickup.place = Some("东门驿站".into());
        let text = said("zh-CN", &[NoticeKind::ReadyForPickup], &waiting, 1);
        assert!(text.contains("取件码：6-2-1034\n取件地点：东门驿站"), "{text}");
        let mut out = parcel(Status::OutForDelivery);
        out.events[0].courier.phone = Some("13800000000".into());
        let text = said("en", &[NoticeKind::OutForDelivery], &out, 1);
        assert!(text.contains("13800000000"), "{text}");
    }

    #[test]
    fn every_kind_comes_out_whole_in_every_language() {
        let mut moving = parcel(Status::InTransit);
        let at = moving.state.since.unwrap();
        moving.eta = Some(Eta { from: at, to: at, source: EtaSource::Carrier, precision: EtaPrecision::Day });
        for kind in NoticeKind::ALL {
            let text = |locale| said(locale, &[*kind], &moving, 2);
            for locale in ["zh-CN", "zh-TW", "en"] {
                let text = text(locale);
                assert!(text.lines().count() >= 2, "{kind:?} {locale}: {text}");
                assert!(!text.contains(['{', '}', '$']), "{kind:?} {locale}: {text}");
            }
        }
    }
}
