//! The SF codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, Status};
use proptest::prelude::*;
use serde_json::json;

const CHECKWORD: &str = "YishiDemoCheckword0000000000001";

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        id: "demo".into(),
        kind: "sf".into(),
        shop: None,
        settings: [("partner_id".to_owned(), "YSPARTNER".to_owned())].into(),
        secrets: [("checkword".to_owned(), Private::new(CHECKWORD.to_owned()))].into(),
    };
    let now = Timestamp::from_millisecond(1_735_660_800_000).unwrap();
    run(&Cx { account: &account, token: None, now, random: [7; 32] })
}

fn ask(number: &str, tail: Option<&str>) -> Ask {
    Ask { carrier: "sf".into(), number: number.into(), phone_tail: tail.map(str::to_owned) }
}

fn read_all(asks: &[Ask], body: impl Into<Vec<u8>>) -> Result<Vec<Tracked>, Refusal> {
    match with_cx(|cx| Sf.read_track(cx, asks, &Answer::new(200, body)))? {
        Step::Done(all) => Ok(all),
        Step::Then(_) => panic!("a query is one call"),
    }
}

fn read(body: impl Into<Vec<u8>>) -> Result<Tracked, Refusal> {
    read_all(&[ask("SF1000000000017", Some("0123"))], body).map(|mut all| all.remove(0))
}

fn answer(routes: serde_json::Value) -> String {
    let inner = json!({"success":true,"errorCode":"S0000","errorMsg":null,
        "msgData":{"routeResps":[{"mailNo":"SF1000000000017","routes":routes}]}});
    json!({"apiResponseID":"x","apiResultCode":"A1000","apiErrorMsg":"","apiResultData":inner.to_string()})
        .to_string()
}

fn one(route: serde_json::Value) -> Event {
    read(answer(json!([route]))).unwrap().events.remove(0)
}

#[test]
fn the_digest_gives_the_golden_vectors() {
    let official = r#"{"language":"zh-CN","orderId":"QIAO-20200618-004"}"#;
    assert_eq!(
        msg_digest(official, "12312334453453", "fjcg5PGKaNpPSHFAZ4QsCOkV71R3zVci"),
        "IIKJtuLVzoFTu4kHI8M8vA=="
    );
    let trap = r#"{"remark":"易事 a+b & c*d ~e"}"#;
    assert_eq!(msg_digest(trap, "1735660800000", CHECKWORD), "fGfjrY71louPr+nDXYpD8A==");
}

#[test]
fn the_call_is_the_golden_question() {
    let call = with_cx(|cx| Sf.track(cx, &[ask("SF1000000000017", Some("0123"))])).unwrap();
    assert_eq!(call.url, "https://bspgw.sf-express.com/std/service");
    let fields: std::collections::BTreeMap<String, String> =
        form_urlencoded::parse(&call.body).into_owned().collect();
    assert_eq!(
        fields["msgData"],
        r#"{"language":"zh-CN","trackingType":"1","trackingNumber":["SF1000000000017"],"checkPhoneNo":"0123","methodType":"1"}"#
    );
    assert_eq!(fields["timestamp"], "1735660800000");
    assert_eq!(fields["msgDigest"], "bGXiZHkRkkyyeuQJWftUug==");
    assert_eq!(fields["serviceCode"], "EXP_RECE_SEARCH_ROUTES");
    assert_eq!(fields["partnerID"], "YSPARTNER");
    assert_eq!(fields["requestID"].len(), 36);
}

#[test]
fn tails_keep_the_order_of_their_numbers() {
    let asks = [ask("SF1000000000017", None), ask("SF1000000000026", Some("4321"))];
    let call = with_cx(|cx| Sf.track(cx, &asks)).unwrap();
    let body = String::from_utf8(call.body).unwrap();
    assert!(body.contains("%22checkPhoneNo%22%3A%22%2C4321%22"), "{body}");
    let call = with_cx(|cx| Sf.track(cx, &asks[..1])).unwrap();
    assert!(!String::from_utf8(call.body).unwrap().contains("checkPhoneNo"));
}

#[test]
fn routes_are_read_with_their_places() {
    let event = one(json!({"acceptTime":"2025-01-02 08:00:00","acceptAddress":"深圳市",
        "remark":"快件到达【深圳宝安中转场】","opCode":"31"}));
    assert_eq!((event.status, event.sub), (Status::InTransit, Some(Sub::ArrivedHub)));
    assert_eq!(event.time.utc, "2025-01-02T00:00:00Z".parse().ok());
    assert_eq!(event.place.city.as_deref(), Some("深圳"));
    assert_eq!(event.raw.code.as_deref(), Some("31"));
}

#[test]
fn empty_routes_may_mean_a_missing_phone_tail() {
    let tracked = read(answer(json!([]))).unwrap();
    assert!(tracked.events.is_empty() && tracked.maybe_needs_phone_tail);
    assert!(read(answer(json!(null))).unwrap().maybe_needs_phone_tail);
}

#[test]
fn several_numbers_never_swap_their_routes() {
    let waybill = |number: &str| json!({"mailNo":number,"routes":[{"acceptTime":"2025-01-02 08:00:00","remark":number,"opCode":"50"}]});
    let inner = json!({"success":"true","errorCode":"S0000","msgData":{"routeResps":[waybill("SF1000000000026"),waybill("SF1000000000017")]}});
    let body = json!({"apiResultCode":"A1000","apiResultData":inner.to_string()}).to_string();
    let asks = [ask("SF1000000000017", None), ask("SF1000000000099", None), ask("SF1000000000026", None)];
    let told = read_all(&asks, body).unwrap();
    let texts: Vec<_> = told.iter().map(|parcel| parcel.events.first().map(Event::description)).collect();
    assert_eq!(texts, [Some("SF1000000000017"), None, Some("SF1000000000026")]);
}

#[test]
fn op_code_70_with_reason_46_is_a_cancellation() {
    let route = |reason: serde_json::Value| json!({"acceptTime":"2025-01-02 08:00:00","remark":"派送不成功","opCode":70,"reasonCode":reason});
    assert_eq!(one(route(json!("46"))).status, Status::Cancelled);
    assert_eq!(one(route(json!(46))).status, Status::Cancelled);
    assert_eq!(one(route(json!("12"))).status, Status::AttemptFailed);
}

#[test]
fn unknown_op_codes_use_the_first_status_and_else_stay_unknown() {
    let route = |first: serde_json::Value| json!({"acceptTime":"2025-01-02 08:00:00","remark":"？","opCode":"9876","firstStatusCode":first});
    assert_eq!(one(route(json!("3"))).status, Status::OutForDelivery);
    for first in [json!("6"), json!("99"), json!(null)] {
        let event = one(route(first));
        assert_eq!((event.status, event.sub), (Status::Unknown, Some(Sub::Unmapped)));
        assert_eq!(event.raw.code.as_deref(), Some("9876"));
    }
}

#[test]
fn a_parcel_that_is_sent_on_names_its_new_number() {
    let event = one(json!({"acceptTime":"2025-01-02 08:00:00","opCode":"648",
        "remark":"快件已退回/转寄，新单号为：SF1000000000026"}));
    assert_eq!(event.status, Status::Returning);
    assert_eq!(event.renumbered.as_deref(), Some("SF1000000000026"));
}

#[test]
fn the_new_number_is_another_one() {
    let text = "快件转寄，新单号SF1000000000026，原单号SF1000000000017";
    assert_eq!(other_number(text, "SF1000000000017").as_deref(), Some("SF1000000000026"));
    assert_eq!(other_number("SF1000000000017", "SF1000000000017"), None);
    assert_eq!(other_number("SF10000000000261", "SF1000000000017"), None);
}

#[test]
fn every_error_says_what_to_do() {
    let gateway = |code: &str| read(json!({"apiResultCode":code,"apiErrorMsg":"…"}).to_string()).unwrap_err();
    for (code, refusal) in [
        ("A1002", Refusal::TokenExpired),
        ("A1011", Refusal::TokenExpired),
        ("A1003", Refusal::FixAccount { cure: CURE_ALLOWED_ADDRESS }),
        ("A1004", Refusal::FixAccount { cure: CURE_PERMISSION }),
        ("A1005", Refusal::Throttled { until: None }),
        ("A1006", Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        ("A1009", Refusal::Retry { after: None }),
        ("A1099", Refusal::Retry { after: None }),
    ] {
        assert_eq!(gateway(code), refusal, "{code}");
    }
    let business = |code: &str| {
        let inner = json!({"success":false,"errorCode":code,"errorMsg":"…"}).to_string();
        read(json!({"apiResultCode":"A1000","apiResultData":inner}).to_string()).unwrap_err()
    };
    for (code, refusal) in [
        ("S0003", Refusal::Retry { after: None }),
        ("8177", Refusal::Retry { after: None }),
        ("8191", Refusal::BadNumber),
        ("8018", Refusal::NoDataYet),
        ("8119", Refusal::FixAccount { cure: CURE_PERMISSION }),
        ("S0000", Refusal::Retry { after: None }),
    ] {
        assert_eq!(business(code), refusal, "{code}");
    }
}

#[test]
fn the_table_is_sorted() {
    assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
}

#[test]
fn a_city_is_a_city() {
    for (address, expected) in [
        ("深圳市", Some("深圳")),
        ("北京", Some("北京")),
        ("广东省深圳市", None),
        ("南山区", None),
        ("", None),
    ] {
        assert_eq!(city(address).as_deref(), expected, "{address}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(body.clone());
        let text = String::from_utf8_lossy(&body);
        let _ = read(json!({"apiResultCode":"A1000","apiResultData":text}).to_string());
    }

    #[test]
    fn any_remark_is_survived(text in "[SF0-9单号，]{0,60}") {
        let _ = other_number(&text, "SF1");
    }

    #[test]
    fn any_route_is_kept(time in "\\PC{0,30}", code in "[0-9]{0,5}", text in "\\PC{0,40}", address in "\\PC{0,12}") {
        let routes = json!([{"acceptTime":time,"opCode":code,"remark":text,"acceptAddress":address}]);
        prop_assert_eq!(read(answer(routes)).unwrap().events.len(), 1);
    }
}
