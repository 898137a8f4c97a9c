//! The UPS codec on golden vectors and recorded shapes.
use super::*;
use crate::carriers::Subscription;
use crate::model::{Account, Private};
use crate::wire::Token;

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        secrets: [
            ("client_id", "sample-client"),
            ("client_secret", "sample-secret"),
            ("hook_credential", "c-1"),
        ]
        .map(|(name, value)| (name.to_owned(), Private::new(value.to_owned())))
        .into(),
        ..Account::default()
    };
    let token = Token { text: Private::new("t".into()), expires: Timestamp::MAX };
    let now = "2026-03-03T04:00:00Z".parse().unwrap();
    run(&Cx { account: &account, token: Some(&token), now, random: [7; 32] })
}

fn ask(number: &str) -> Ask {
    Ask { carrier: "ups".into(), number: number.into(), phone_tail: None }
}

#[test]
fn the_facts_golden_token_call() {
    let call = with_cx(|cx| Ups.fetch(cx)).unwrap();
    let basic = "Basic c2FtcGxlLWNsaWVudDpzYW1wbGUtc2VjcmV0".to_owned();
    assert!(call.headers.contains(&("authorization", basic)));
    assert_eq!(call.body, b"grant_type=client_credentials");
}

fn event(activity: &str) -> Event {
    let activity: Activity = serde_json::from_str(activity).unwrap();
    activity.event("1ZYISHI80300000424", Timestamp::UNIX_EPOCH)
}

#[test]
fn type_d_is_a_delivery_only_with_more() {
    let of = |status: &str| event(&format!(r#"{{"status":{status}}}"#)).status;
    assert_eq!(of(r#"{"type":"D","code":"FS","description":"DELIVERED"}"#), Status::Delivered);
    assert_eq!(of(r#"{"type":"D","statusCode":"011","description":"Delivered"}"#), Status::Delivered);
    assert_eq!(
        of(r#"{"type":"D","statusCode":"021","description":"Out For Delivery Today"}"#),
        Status::OutForDelivery
    );
    let loaded = r#"{"type":"D","code":"YP","description":"Loaded on Delivery Vehicle"}"#;
    assert_ne!(of(loaded), Status::Delivered);
    assert_eq!(of(r#"{"type":"Q","description":"Delivered"}"#), Status::Unknown);
}

#[test]
fn the_gmt_fields_give_the_instant_and_the_place_its_clock() {
    let time = event(
        r#"{"date":"20260302","time":"091400","gmtDate":"20260302","gmtTime":"14:14:00","gmtOffset":"-05:00"}"#,
    )
    .time;
    assert_eq!(time.utc, "2026-03-02T14:14:00Z".parse().ok());
    assert_eq!((time.local.as_str(), time.zone_source), ("2026-03-02T09:14:00", ZoneSource::CarrierGmt));
    // A push has no offset: it follows from both clocks.
    let time = event(r#"{"date":"20260302","time":"091400","gmtDate":"20260302","gmtTime":"141400"}"#).time;
    assert_eq!(time.local, "2026-03-02T09:14:00");
    let time = event(r#"{"date":"20260302","time":"091400"}"#).time;
    assert_eq!((time.utc, time.zone_source), (None, ZoneSource::Unknown));
}

#[test]
fn errors_are_read_by_what_to_do() {
    let read = |status: u16, code: &str| {
        let body = format!(r#"{{"response":{{"errors":[{{"code":"{code}","message":""}}]}}}}"#);
        let asks = [ask("1ZYISHI80300000424")];
        with_cx(|cx| Ups.read_track(cx, &asks, &Answer::new(status, body)))
    };
    assert!(matches!(read(404, "TW0001"), Ok(Step::Done(told)) if told[0].events.is_empty()));
    assert_eq!(read(400, "TV1002"), Err(Refusal::BadNumber));
    assert_eq!(read(401, "250003"), Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }));
    assert_eq!(read(403, "10429"), Err(Refusal::Throttled { until: None }));
    assert_eq!(read(400, "10004"), Err(Refusal::Retry { after: None }));
}

#[test]
fn only_numbers_of_ups_own_are_subscribed_and_for_two_weeks() {
    let subscribe = |number: &str| with_cx(|cx| Ups.subscribe(cx, &ask(number), ""));
    assert!(subscribe("1ZYISHI80300000424").is_ok());
    assert_eq!(subscribe("H9214771476"), Err(Refusal::Unsupported));
    assert_eq!(Ups.days(), Some(14));
    let refused = r#"{"validTrackingNumbers":[],"invalidTrackingNumbers":["1ZYISHI80300000424"]}"#;
    let read = |body: &str| {
        with_cx(|cx| Ups.read_subscribed(cx, &ask("1ZYISHI80300000424"), &Answer::new(200, body)))
    };
    assert_eq!(read(refused), Err(Refusal::BadNumber));
    assert_eq!(read(r#"{"validTrackingNumbers":["1ZYISHI80300000424"]}"#), Ok(()));
}
