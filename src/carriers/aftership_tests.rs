//! The AfterShip codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, Status};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        secrets: [
            ("api_key", "asak_demo"),
            ("webhook_secret", "yishi-webhook-secret"),
            ("signing_secret", "asas_demo"),
        ]
        .map(|(name, value)| (name.to_owned(), Private::new(value.to_owned())))
        .into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-01-02T00:08:08Z".parse().unwrap(), random: [7; 32] })
}

fn ask() -> Ask {
    Ask { carrier: "sf".into(), number: "SF1234567890123".into(), phone_tail: None }
}

#[test]
fn the_facts_golden_webhook() {
    let body = r#"{"event":"tracking_update","event_id":"00000000-0000-4000-8000-000000000001","is_tracking_first_tag":true,"msg":{"tracking_number":"SF1234567890123","slug":"sf-express-cn","tag":"InTransit","subtag":"InTransit_002"},"ts":1767312488}"#;
    let request = |signature: &str| Request {
        headers: vec![("aftership-hmac-sha256".into(), signature.into())],
        body: body.into(),
        ..Request::default()
    };
    let golden = "/fVh5d93W9jmJwJ2rQ0FUAOKWgIPuF8IctOSzKu3X6w=";
    let verified = with_cx(|cx| AfterShip.verify(cx, &request(golden))).unwrap();
    let told = with_cx(|cx| AfterShip.read(cx, verified.payload())).unwrap();
    assert_eq!(told.parcels[0].tracked.carrier, "sf");
    // Hexadecimal, as one package compares, is wrong by the document.
    let hex = hex::encode(sign::hmac_sha256(b"yishi-webhook-secret", body.as_bytes()));
    assert!(with_cx(|cx| AfterShip.verify(cx, &request(&hex))).is_err());
}

#[test]
fn the_facts_golden_request_signature() {
    let call = with_cx(|cx| make_known(cx, &ask())).unwrap();
    assert_eq!(call.body, br#"{"tracking_number":"SF1234567890123","slug":"sf-express-cn"}"#);
    assert!(call.url.ends_with("/tracking/2026-07/trackings"), "{}", call.url);
    let header =
        |name: &str| call.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("date"), Some("Fri, 02 Jan 2026 00:08:08 GMT"));
    assert_eq!(header("as-signature-hmac-sha256"), Some("gLPNQRv35V06Wh2MzVxbKK4AddAbgJJsi6jiACaIlWg="));
}

#[test]
fn an_unknown_number_is_made_known_once() {
    let read = |status: u16, body: &str| {
        with_cx(|cx| AfterShip.read_track(cx, &[ask()], &Answer::new(status, body)))
    };
    let Ok(Step::Then(call)) = read(200, r#"{"meta":{"code":200},"data":{"trackings":[]}}"#) else {
        panic!("it is made known first")
    };
    assert_eq!(call.operation, "aftership.create");
    let made = r#"{"meta":{"code":201},"data":{"tracking_number":"SF1234567890123","slug":"sf-express-cn","tag":"Pending"}}"#;
    for (status, body) in [(201, made), (400, r#"{"meta":{"code":4003,"type":"BadRequest"},"data":{}}"#)] {
        let Ok(Step::Done(told)) = read(status, body) else { panic!("{body}") };
        assert!(told[0].events.is_empty());
    }
    let refusal = |code: u16| read(400, &format!(r#"{{"meta":{{"code":{code}}},"data":{{}}}}"#)).unwrap_err();
    assert_eq!(refusal(4011), Refusal::NeedPhoneTail);
    assert_eq!(refusal(4012), Refusal::WrongCarrier);
    assert_eq!(refusal(4005), Refusal::BadNumber);
}

#[test]
fn an_invented_sub_tag_falls_back_to_its_tag() {
    let of = |tag: &str, subtag: &str| meaning(Some(tag.into()), Some(subtag.into())).1.status;
    assert_eq!(of("AttemptFail", "AttemptFail_004"), Status::AttemptFailed);
    assert_eq!(of("Exception", "Exception_011"), Status::Returned);
    assert_eq!(of("Teleported", "Teleported_001"), Status::Unknown);
}
