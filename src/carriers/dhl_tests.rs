//! The DHL codec on recorded shapes: returns, odd times, the life of a subscription.
use super::*;
use crate::carriers::Told;
use crate::model::{Account, Private};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        secrets: [("api_key", "demo-key"), ("hook_token", "demo-hook-token")]
            .map(|(name, value)| (name.to_owned(), Private::new(value.to_owned())))
            .into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn read(status: u16, body: &str) -> Result<Tracked, Refusal> {
    let asks = [Ask { carrier: "dhl".into(), number: "2718281823".into(), phone_tail: None }];
    match with_cx(|cx| Dhl.read_track(cx, &asks, &Answer::new(status, body)))? {
        Step::Done(mut told) => Ok(told.remove(0)),
        Step::Then(_) => panic!("one call is enough"),
    }
}

fn shipment(fields: &str) -> Tracked {
    read(200, &format!(r#"{{"shipments":[{{"id":2718281823,{fields}}}]}}"#)).unwrap()
}

#[test]
fn sentences_say_what_the_five_codes_do_not() {
    let of = |words: &str| {
        let told = shipment(&format!(
            r#""events":[{{"timestamp":"2026-03-02T09:14:00Z","statusCode":"transit","status":"{words}"}}]"#
        ));
        told.events[0].status
    };
    assert_eq!(of("Arrived at sort facility"), Status::InTransit);
    assert_eq!(of("Shipment is out with courier for delivery"), Status::OutForDelivery);
    assert_eq!(of("Shipment picked up"), Status::PickedUp);
}

#[test]
fn on_the_way_back_delivered_means_returned() {
    let told = shipment(
        r#""returnFlag":true,"status":{"timestamp":"2026-03-02T10:00:00Z","statusCode":"delivered","status":"Delivered"},
        "events":[{"timestamp":"2026-03-02T10:00:00Z","statusCode":"delivered","status":"Delivered"},
        {"timestamp":"2026-03-01T10:00:00Z","statusCode":"failure","status":"Not accepted"}]"#,
    );
    let statuses: Vec<Status> = told.events.iter().map(|event| event.status).collect();
    assert_eq!(statuses, [Status::Returned, Status::Returning]);
}

#[test]
fn every_form_of_time_is_read_and_a_missing_zone_stays_missing() {
    let time = |text: &str| {
        let told =
            shipment(&format!(r#""events":[{{"timestamp":"{text}","statusCode":"transit","status":"x"}}]"#));
        told.events[0].time.clone()
    };
    assert_eq!(time("2026-03-02T15:27:20.331986369+01:00").utc, "2026-03-02T14:27:20Z".parse().ok());
    assert!(time("2026-03-02T09:14:00Z").utc.is_some());
    assert_eq!(time("2026-03-02T09:14:00").utc, None);
    assert!(time("2026-03-02").is_day());
}

#[test]
fn another_shipment_with_the_number_is_not_ours_and_a_piece_is() {
    let other = r#"{"shipments":[{"id":"9999999999","events":[]}]}"#;
    assert_eq!(read(200, other), Err(Refusal::Unreadable));
    let piece = r#"{"shipments":[{"id":"9999999999","details":{"pieceIds":["2718281823"]},"events":[]}]}"#;
    assert!(read(200, piece).unwrap().events.is_empty());
    assert!(read(404, "{}").unwrap().events.is_empty());
    assert_eq!(read(400, "{}"), Err(Refusal::BadNumber));
}

#[test]
fn a_subscription_is_activated_and_its_address_never_called() {
    let payload = |address: &str| {
        format!(r#"{{"scope":"subscription.validate","self":"{address}","secret":"s-1"}}"#).into_bytes()
    };
    let told =
        with_cx(|cx| Dhl.read(cx, &payload("https://evil.example/tracking/push/v1/subscription/abc-1")))
            .unwrap();
    let call = &told.next_calls[0];
    assert_eq!(call.url, "https://api-eu.dhl.com/tracking/push/v1/subscription/abc-1");
    assert!(call.headers.contains(&("dhl-api-hook-secret", "s-1".into())));
    for crooked in ["", "https://x/a?b=c", "https://x/"] {
        assert!(with_cx(|cx| Dhl.read(cx, &payload(crooked))).is_err(), "{crooked}");
    }
    assert_eq!(with_cx(|cx| Dhl.read_follow_up(cx, &Answer::new(204, ""))), Ok(Told::default()));
    assert_eq!(with_cx(|cx| Dhl.read(cx, br#"{"scope":"subscription.ready"}"#)), Ok(Told::default()));
}
