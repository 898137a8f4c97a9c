//! "It says delivered, but I have nothing": what the buyer is told of where it may be, and what follows.

use super::super::{Decision, Effect, Heard, Known, Language, OrderView, Rules, Said, Situation, Understood};
use crate::model::chat::How;
use crate::model::status::Sub;
use crate::model::when::CHINA;
use crate::model::{
    Block, Chat, Event, Folded, Meaning, Order, Parcel, Pickup, Raw, Status, When, ZoneSource,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

fn now() -> Timestamp {
    "2026-03-02T04:00:00Z".parse().unwrap()
}

fn delivered(sub: Sub, hours_ago: i64) -> Parcel {
    let at = now() - SignedDuration::from_hours(hours_ago);
    let when = When::at(at, CHINA, ZoneSource::CarrierDefault);
    let event = Event::new("zto", "75000000000001", "zto", when, Meaning::sub(sub), Raw::default(), at);
    Parcel {
        carrier: "zto".into(),
        number: "75000000000001".into(),
        last_checked: Some(now()),
        state: Folded {
            status: Status::Delivered,
            sub: Some(sub),
            since: Some(at),
            delivered_at: Some(at),
            ..Folded::default()
        },
        events: vec![event],
        ..Parcel::default()
    }
}

/// Keys of what is said, and what follows.
fn not_received(parcel: Parcel) -> (Vec<String>, Vec<Effect>) {
    let mut chat = Chat::default();
    chat.bind("A1", How::Told, now());
    let order = Order { no: "A1".into(), ..Order::default() };
    let known = Known { mine: Some(vec![OrderView { order, parcels: vec![parcel] }]), ..Known::default() };
    let understood = Understood {
        intent: "other".into(),
        confidence: 0.0,
        also: None,
        language: Language::Chinese,
        slots: Default::default(),
        answer: None,
        alone: true,
    };
    let said = Said::Choice("i:not_received".into());
    let heard = Heard { said, understood, key: "1".into(), waited: false, locale: None };
    let zone = TimeZone::fixed(CHINA);
    let rules = Rules::default();
    let situation = Situation {
        shop: "demo",
        locale: "zh-CN",
        zone: &zone,
        now: now(),
        chat: &chat,
        rules: &rules,
        scans: 3,
        hotline: |_| None,
    };
    let Decision::Say(say) = super::super::decide(&situation, &heard, &known) else { panic!("no answer") };
    let text = |block: &Block| match block {
        Block::Text(line) => Some(line.key.to_string()),
        _ => None,
    };
    (say.blocks.iter().filter_map(text).collect(), say.effects)
}

fn says(parcel: Parcel) -> Vec<String> {
    not_received(parcel).0
}

const ALWAYS: [&str; 3] = ["not-received-delivered", "not-received-advice", "not-received-noted"];

#[test]
fn the_buyer_hears_where_it_was_left_and_until_when_to_wait() {
    for (sub, key) in [
        (Sub::LockerSigned, "not-received-locker"),
        (Sub::Collected, "not-received-collected"),
        (Sub::Neighbour, "not-received-neighbour"),
        (Sub::Mailbox, "not-received-left"),
        (Sub::SignedByOther, "not-received-other"),
    ] {
        let keys = says(delivered(sub, 30));
        assert_eq!(keys, [ALWAYS[0], key, ALWAYS[1], ALWAYS[2]], "{sub}");
    }
    assert_eq!(says(delivered(Sub::Signed, 30)), ALWAYS);
    assert_eq!(says(delivered(Sub::Signed, 2)), [ALWAYS[0], ALWAYS[1], "not-received-wait", ALWAYS[2]]);

    let mut signed = delivered(Sub::SignedByOther, 30);
    signed.state.signed_by = Some("门卫".into());
    signed.events[0].pickup = Pickup { place: Some("幸福驿站".into()), ..Pickup::default() };
    signed.events[0].courier.phone = Some("13800000000".into());
    let keys = says(signed);
    assert_eq!(keys[1..4], ["signed-by", "not-received-place", "courier-phone"]);
}

#[test]
fn the_parcel_is_disputed_and_only_where_it_counts_as_delivered() {
    let (_, effects) = not_received(delivered(Sub::Signed, 2));
    let disputed = Effect::Dispute { carrier: "zto".into(), number: "75000000000001".into() };
    assert!(effects.contains(&disputed));
    assert!(effects.contains(&Effect::Request { kind: "not_received".into(), order: Some("A1".into()) }));

    let mut moving = delivered(Sub::ArrivedHub, 2);
    moving.state = Folded { status: Status::InTransit, sub: Some(Sub::ArrivedHub), ..Folded::default() };
    let (keys, effects) = not_received(moving);
    assert_eq!((keys[0].as_str(), effects.len()), ("not-received-moving", 0));
}
