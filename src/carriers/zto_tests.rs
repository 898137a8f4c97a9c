//! The ZTO codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, Status};
use crate::wire::Request;

const KEY: &str = "kfpttestkey==";

fn with_cx<T>(mode: &str, run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("app_key".to_owned(), "kfpttest".to_owned()), ("sign_mode".to_owned(), mode.to_owned())]
            .into(),
        secrets: [("app_secret".to_owned(), Private::new(KEY.to_owned()))].into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask() -> Ask {
    Ask { carrier: "zto".into(), number: "73100000000017".into(), phone_tail: Some("0123".into()) }
}

#[test]
fn the_facts_golden_signatures() {
    let digest_of = |mode: &str| {
        let call = with_cx(mode, |cx| Zto.track(cx, &[ask()])).unwrap();
        assert_eq!(call.body, br#"{"billCode":"73100000000017","mobilePhone":"0123"}"#);
        let names: Vec<&str> = call.headers.iter().map(|(name, _)| *name).collect();
        assert!(names.contains(&"x-appkey") && names.contains(&"x-companyid"));
        call.headers.into_iter().find(|(name, _)| *name == "x-datadigest").unwrap().1
    };
    assert_eq!(digest_of("md5"), "K45M8GGpOa1w6GouK/RKhg==");
    assert_eq!(digest_of("sha256"), "+XJsD+yk2AIDq0++4GUkM4/LDkVqwaMWs31WNG8myCo=");
    let push = r#"{"billCode":"73100000000017","action":"SIGNED","actionTime":"2025-01-01 00:00:00"}"#;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("data", push)
        .append_pair("data_digest", "Apr0Is550nJrLYbZztf+aA==")
        .append_pair("msg_type", "Traces");
    let request = Request { body: form.finish().into_bytes(), ..Request::default() };
    let verified = with_cx("md5", |cx| Zto.verify(cx, &request)).unwrap();
    let told = with_cx("md5", |cx| Zto.read(cx, verified.payload())).unwrap();
    assert_eq!(told.parcels[0].tracked.events[0].status, Status::Delivered);
    let object = serde_json::json!({"data": push, "data_digest": "Apr0Is550nJrLYbZztf+aA=="}).to_string();
    let request = Request { body: object.into_bytes(), ..Request::default() };
    assert!(with_cx("md5", |cx| Zto.verify(cx, &request)).is_ok(), "the same as one JSON object");
}

fn pushed(action: &str, desc: &str) -> Event {
    let body = serde_json::json!({"billCode": "73100000000017", "action": action, "desc": desc,
        "actionTime": "2026-03-02 09:00:00", "address": "翠园驿站", "courierPhone": "13900000000"});
    let told = with_cx("md5", |cx| Zto.read(cx, body.to_string().as_bytes())).unwrap();
    told.parcels.into_iter().next().unwrap().tracked.events.remove(0)
}

#[test]
fn a_collection_point_has_not_delivered() {
    let there = pushed("HANDOVERSCAN_SIGNED", "快件已送达【翠园驿站】，请凭取件码6-2-1034签收");
    assert_eq!((there.status, there.pickup.place.as_deref()), (Status::ReadyForPickup, Some("翠园驿站")));
    assert_eq!(there.pickup.code.as_deref(), Some("6-2-1034"));
    assert_eq!(pushed("DEPARTURE_SIGNED", "").status, Status::Delivered);
    assert_eq!(pushed("RETURN_SIGNED", "").status, Status::Returned);
    assert_eq!(pushed("DISPATCH", "派件中").courier.phone.as_deref(), Some("13900000000"));
    assert_eq!(pushed("SOMETHING", "新的环节").status, Status::Unknown);
}

#[test]
fn the_same_word_means_another_thing_in_the_query() {
    let read = |kind: &str| {
        let body = serde_json::json!({"status": true, "statusCode": "SYS000", "result": [{"billCode": "73100000000017",
            "scanType": kind, "scanDate": 1_772_400_000_000_i64, "desc": "快件"}]});
        let step =
            with_cx("md5", |cx| Zto.read_track(cx, &[ask()], &Answer::new(200, body.to_string()))).unwrap();
        let Step::Done(told) = step else { panic!("one call is enough") };
        told[0].events[0].clone()
    };
    assert_eq!(read("ARRIVAL").status, Status::ReadyForPickup);
    assert_eq!(read("到件").sub, Some(Sub::ArrivedHub));
    assert_eq!(read("签收").time.utc.unwrap().as_second(), 1_772_400_000);
    assert!(SCAN_TYPES.is_sorted_by(|a, b| a.code < b.code));
}

#[test]
fn refusals_are_read_by_what_to_do() {
    let refusal = |code: &str| {
        let body = format!(r#"{{"status":false,"statusCode":"{code}","message":"","result":null}}"#);
        with_cx("md5", |cx| Zto.read_track(cx, &[ask()], &Answer::new(200, body))).unwrap_err()
    };
    assert_eq!(refusal("E409"), Refusal::NeedPhoneTail);
    assert_eq!(refusal("E416"), Refusal::BadNumber);
    assert_eq!(refusal("S211"), Refusal::FixAccount { cure: CURE_CREDENTIALS });
    assert_eq!(refusal("S212"), Refusal::FixAccount { cure: CURE_ALLOWED_ADDRESS });
    assert_eq!(refusal("S221"), Refusal::Throttled { until: None });
    assert_eq!(refusal("S203"), Refusal::Retry { after: None });
}
