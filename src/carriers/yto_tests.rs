//! The YTO codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, Status};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let settings = [("customer_code", "K210"), ("query_suffix", "abc123"), ("subscribe_client", "K210")];
    let secrets = [("query_secret", "123456"), ("push_secret", "DEMOSECRET")];
    let account = Account {
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        secrets: secrets.map(|(name, value)| (name.to_owned(), Private::new(value.to_owned()))).into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask() -> Ask {
    Ask { carrier: "yto".into(), number: "YT2600227881409".into(), phone_tail: None }
}

#[test]
fn the_facts_golden_signatures() {
    assert_eq!(sign::md5_base64(b"opentest123456"), "YLstCNa3x8ijQx16e/jqOA==");
    let call = with_cx(|cx| Yto.track(cx, &[ask()])).unwrap();
    assert!(call.url.ends_with("/open/track_query_adapter/v1/abc123/K210"), "{}", call.url);
    let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["param"], r#"{"NUMBER":"YT2600227881409"}"#);
    assert_eq!(body["sign"], "uhSL6hg8txxadZi26YPYPg==");
}

fn pushed(xml: &str, digest: &str) -> Request {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("logistics_interface", xml)
        .append_pair("data_digest", digest)
        .append_pair("type", "online");
    Request { body: form.finish().into_bytes(), ..Request::default() }
}

#[test]
fn the_golden_push_is_proved_and_acknowledged_in_xml() {
    let golden =
        pushed("<UpdateInfo><mailNo>YT0000000000017</mailNo></UpdateInfo>", "MQXS5f1gRO0ZwzMc6j89wA==");
    assert!(with_cx(|cx| Yto.verify(cx, &golden)).is_ok());
    let xml = "<UpdateInfo><txLogisticID>M&amp;1</txLogisticID><mailNo>YT0000000000017</mailNo>\
               <infoContent>SIGNED</infoContent><acceptTime>2026-03-02 09:00:00</acceptTime>\
               <signedName>门卫</signedName></UpdateInfo>";
    let told = with_cx(|cx| Yto.read(cx, xml.as_bytes())).unwrap();
    let event = &told.parcels[0].tracked.events[0];
    assert_eq!((event.status, event.signed_by.as_deref()), (Status::Delivered, Some("门卫")));
    let said = with_cx(|cx| Yto.acknowledge(cx, &pushed(xml, ""), true));
    let said = String::from_utf8(said.body).unwrap();
    assert!(said.contains("<txLogisticID>M&amp;1</txLogisticID><success>true</success>"), "{said}");
}

#[test]
fn an_empty_result_is_an_object_and_a_refusal_is_one_too() {
    let read = |body: &str| with_cx(|cx| Yto.read_track(cx, &[ask()], &Answer::new(200, body)));
    let empty = r#"{"code":"1001","success":true,"message":"查询结果为空。","map":{"YT2600227881409":[]}}"#;
    let Ok(Step::Done(told)) = read(empty) else { panic!("nothing is no refusal") };
    assert!(told[0].events.is_empty());
    let refused = read(r#"{"code":"500","success":"false","message":"签名错误"}"#);
    assert_eq!(refused.unwrap_err(), Refusal::FixAccount { cure: CURE_CREDENTIALS });
    assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
}
