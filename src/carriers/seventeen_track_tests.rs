//! The 17TRACK codec on golden vectors and recorded shapes.
use super::*;
use crate::carriers::body::CURE_QUOTA;
use crate::carriers::{Subscription, Watch};
use crate::model::{Account, Private, Status};
use crate::wire::Request;

fn with_cx<T>(key: &str, run: impl FnOnce(&Cx) -> T) -> T {
    let secrets = [("key".to_owned(), Private::new(key.to_owned()))].into();
    let account = Account { secrets, ..Account::default() };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

#[test]
fn the_vendors_own_signature_sample() {
    let body = r#"{"event":"TRACKING_UPDATED","data":{"number":"RR123456789CN","carrier":3011,"tag":null}}"#;
    let signature = "45acb4a6f4a194a6ac1f0f712182c4e314b1ae9399941ea086987408f3166994";
    let request =
        Request { headers: vec![("sign".into(), signature.into())], body: body.into(), ..Request::default() };
    assert!(with_cx("123456ABCDEF", |cx| SeventeenTrack.verify(cx, &request)).is_ok());
    assert!(with_cx("123456ABCDEG", |cx| SeventeenTrack.verify(cx, &request)).is_err());
    assert!(with_cx("", |cx| SeventeenTrack.verify(cx, &request)).is_err());
}

#[test]
fn a_number_that_is_not_registered_is_registered_and_then_has_nothing_yet() {
    let asks = [Ask { carrier: "usps".into(), number: "9400100000000000000000".into(), phone_tail: None }];
    let read = |body: &str| with_cx("k", |cx| SeventeenTrack.read_track(cx, &asks, &Answer::new(200, body)));
    let rejected = |code: i64| {
        format!(
            r#"{{"code":0,"data":{{"accepted":[],"rejected":[{{"number":"9400100000000000000000","error":{{"code":{code},"message":""}}}}]}}}}"#
        )
    };
    let Ok(Step::Then(call)) = read(&rejected(NOT_REGISTERED)) else { panic!("it is registered first") };
    assert_eq!(call.operation, "seventeen-track.register");
    let body = String::from_utf8(call.body).unwrap();
    assert_eq!(body, r#"[{"number":"9400100000000000000000","carrier":21051}]"#);
    let registered = r#"{"code":0,"data":{"accepted":[{"number":"9400100000000000000000","carrier":21051}],"rejected":[]}}"#;
    for body in [registered, &rejected(-18_019_901), &rejected(-18_019_909)] {
        let Ok(Step::Done(told)) = read(body) else { panic!("{body}") };
        assert!(told[0].events.is_empty());
    }
    assert_eq!(read(&rejected(-18_019_908)).unwrap_err(), Refusal::FixAccount { cure: CURE_QUOTA });
    assert_eq!(read(&rejected(-18_010_020)).unwrap_err(), Refusal::NeedPhoneTail);
}

#[test]
fn a_number_that_is_registered_already_is_no_failure() {
    let ask = Ask { carrier: "usps".into(), number: "RR123456789CN".into(), phone_tail: None };
    let answer = |body: &str| {
        let answer = Answer::new(200, body);
        with_cx("k", |cx| SeventeenTrack.read_subscribed(cx, &ask, &answer))
    };
    let again = r#"{"code":0,"data":{"accepted":[],"rejected":[{"number":"RR123456789CN","error":{"code":-18019901}}]}}"#;
    assert_eq!(answer(again), Err(Refusal::AlreadyDone));
    assert_eq!(answer(r#"{"code":0,"data":{"accepted":[{"number":"RR123456789CN"}]}}"#), Ok(()));
    assert_eq!(answer(r#"{"code":0,"data":{}}"#), Err(Refusal::Unreadable));
}

#[test]
fn departed_and_arrived_mean_countries_only_where_a_border_is_crossed() {
    let subs = |to: &str| {
        let body = format!(
            r#"{{"event":"TRACKING_UPDATED","data":{{"number":"RR123456789CN","carrier":3011,"track_info":{{
            "shipping_info":{{"shipper_address":{{"country":"CN"}},"recipient_address":{{"country":"{to}"}}}},
            "tracking":{{"providers":[{{"events":[
            {{"time_utc":"2026-03-01T01:00:00Z","description":"left","sub_status":"InTransit_Departure"}},
            {{"time_utc":"2026-03-02T01:00:00Z","description":"came","sub_status":"InTransit_Arrival"}}]}}]}}}}}}}}"#
        );
        let told = with_cx("k", |cx| SeventeenTrack.read(cx, body.as_bytes())).unwrap();
        told.parcels[0].tracked.events.iter().map(|event| event.sub.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(subs("CN"), [Sub::DepartedHub, Sub::ArrivedHub]);
    assert_eq!(subs("DE"), [Sub::DepartedOriginCountry, Sub::ArrivedDestinationCountry]);
}

#[test]
fn a_stop_is_no_end_of_the_parcel() {
    let body = br#"{"event":"TRACKING_STOPPED","data":{"number":"RR123456789CN","carrier":3011,"tag":null}}"#;
    let told = with_cx("k", |cx| SeventeenTrack.read(cx, body)).unwrap();
    assert_eq!(told.parcels[0].watch, Watch::Lapsed);
    assert!(meaning_of(CODES, "Exception_Destroyed").is_some_and(|meaning| meaning.status == Status::Lost));
}

#[test]
fn a_wrong_carrier_is_changed_by_the_vendors_numbers() {
    let change = |from, to| with_cx("k", |cx| SeventeenTrack.change_carrier(cx, "YT8816042739501", from, to));
    let call = change("zto", "yto").unwrap();
    assert!(call.url.ends_with("/track/v2.4/changecarrier"), "{}", call.url);
    let body = String::from_utf8(call.body).unwrap();
    assert_eq!(body, r#"[{"number":"YT8816042739501","carrier_old":190455,"carrier_new":190157}]"#);
    assert_eq!(change("zto", "nobody").err(), Some(Refusal::Unsupported));
    let read = |body: &str| {
        with_cx("k", |cx| SeventeenTrack.read_changed(cx, "YT8816042739501", &Answer::new(200, body)))
    };
    let rejected = |code: i64| {
        format!(
            r#"{{"code":0,"data":{{"accepted":[],"rejected":[{{"number":"YT8816042739501","error":{{"code":{code}}}}}]}}}}"#
        )
    };
    let accepted =
        r#"{"code":0,"data":{"accepted":[{"number":"YT8816042739501","carrier":190157}],"rejected":[]}}"#;
    assert_eq!(read(accepted), Ok(()));
    assert_eq!(read(&rejected(NOT_REGISTERED)), Err(Refusal::NotRegistered));
    assert_eq!(read(&rejected(-18_019_804)), Err(Refusal::Unsupported));
    assert!(matches!(read(&rejected(-18_010_003)), Err(Refusal::Retry { .. })));
    assert_eq!(read(r#"{"code":0,"data":{}}"#), Err(Refusal::Unreadable));
}
