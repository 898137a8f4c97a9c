//! The codec of the simulated carrier, against the signature it promises.
use super::*;
use crate::model::{Account, Private};
use proptest::prelude::*;
use serde_json::json;

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("client".to_owned(), "demo".to_owned())].into(),
        secrets: [("key".to_owned(), Private::new("simulated-key".to_owned()))].into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask(number: &str) -> Ask {
    Ask { carrier: "simulated".into(), number: number.into(), phone_tail: None }
}

fn read(body: impl Into<Vec<u8>>) -> Result<Tracked, Refusal> {
    let asks = [ask("SIMNORMAL0001")];
    match with_cx(|cx| SimulatedCarrier.read_track(cx, &asks, &Answer::new(200, body)))? {
        Step::Done(mut all) => Ok(all.remove(0)),
        Step::Then(_) => panic!("a query is one call"),
    }
}

fn one(code: &str) -> Event {
    let body = json!({"parcels":[{"number":"SIMNORMAL0001","events":[
        {"time":"2026-03-02T09:00:00+08:00","code":code,"text":"快件到达【杭州转运中心】","place":{"city":"杭州"}}]}]});
    read(body.to_string()).unwrap().events.remove(0)
}

#[test]
fn the_call_is_signed_over_its_body() {
    let call = with_cx(|cx| SimulatedCarrier.track(cx, &[ask("SIMNORMAL0001")])).unwrap();
    assert_eq!(
        String::from_utf8(call.body.clone()).unwrap(),
        r#"{"client":"demo","at":"2026-03-03T04:00:00Z","numbers":["SIMNORMAL0001"]}"#
    );
    let signature = call.headers.iter().find(|(name, _)| *name == "x-signature").unwrap();
    assert_eq!(signature.1, hex::encode(sign::hmac_sha256(b"simulated-key", &call.body)));
    let refused = with_cx(|cx| SimulatedCarrier.track(cx, &[ask("YT9988776655443")]));
    assert_eq!(refused, Err(Refusal::BadNumber));
}

#[test]
fn its_codes_are_our_own_names() {
    assert_eq!(
        (one("in_transit/arrived_hub").sub, one("in_transit").sub),
        (Some(Sub::ArrivedHub), Some(Sub::Moving))
    );
    assert_eq!(one("exception/refused").reason, Some(Reason::Refused));
    for code in ["delivered/arrived_hub", "exception/nonsense", "exception", "", "teleported/signed"] {
        assert_eq!(one(code).status, Status::Unknown, "{code}");
    }
}

#[test]
fn a_number_that_it_does_not_know_has_no_scans() {
    assert_eq!(read(r#"{"parcels":[]}"#).unwrap().events, Vec::new());
    assert_eq!(read("{}"), Err(Refusal::Unreadable));
    assert_eq!(read(r#"{"error":"bad_signature"}"#), Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(body);
    }
}
