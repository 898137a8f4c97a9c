//! The FedEx codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private};
use crate::wire::{Request, sign};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        secrets: [("push_token", "yishi-sample-token-001")]
            .map(|(name, value)| (name.to_owned(), Private::new(value.to_owned())))
            .into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn asks<const N: usize>(numbers: [&str; N]) -> [Ask; N] {
    numbers.map(|number| Ask { carrier: "fedex".into(), number: number.into(), phone_tail: None })
}

#[test]
fn the_facts_golden_push_in_base64_and_in_hex() {
    let body = r#"{"trackingNumber":"271828182841","eventType":"DL"}"#;
    let verify = |signature: &str| {
        let headers = vec![("fdx-signature".into(), signature.into())];
        with_cx(|cx| FedEx.verify(cx, &Request { headers, body: body.into(), ..Request::default() }))
    };
    let golden = "IXKl6DVbs6F0eYMBdkSnu6vx+lw4uLMaTDlD+yvL9a8=";
    let verified = verify(golden).unwrap();
    assert!(verify(&hex::encode(sign::hmac_sha256(b"yishi-sample-token-001", body.as_bytes()))).is_ok());
    assert!(verify("").is_err() && verify(&golden.to_lowercase()).is_err());
    let told = with_cx(|cx| Push::read(&FedEx, cx, verified.payload())).unwrap();
    assert_eq!(told.parcels[0].tracked.events[0].status, Status::Delivered);
}

#[test]
fn of_two_parcels_with_one_number_the_newer_is_meant() {
    let body = r#"{"output":{"completeTrackResults":[{"trackingNumber":"271828182841","trackResults":[
        {"scanEvents":[{"date":"2024-03-01T10:00:00-06:00","eventType":"DL","eventDescription":"Delivered"}]},
        {"scanEvents":[{"date":"2026-03-01T10:00:00-06:00","eventType":"PU","eventDescription":"Picked up"}]}]}]}}"#;
    let read = with_cx(|cx| FedEx.read_track(cx, &asks(["271828182841"]), &Answer::new(200, body)));
    let Ok(Step::Done(told)) = read else { panic!("{read:?}") };
    assert_eq!(told[0].events.len(), 1);
    assert_eq!(told[0].events[0].status, Status::PickedUp);
}

#[test]
fn one_bad_number_of_two_does_not_spoil_the_other() {
    let body = r#"{"output":{"completeTrackResults":[
        {"trackingNumber":"1","trackResults":[{"error":{"code":"TRACKING.TRACKINGNUMBER.INVALID"}}]},
        {"trackingNumber":"271828182841","trackResults":[{"scanEvents":[{"date":"2026-03-01T10:00:00-06:00","eventType":"OD"}]}]}]}}"#;
    let read = |asks: &[Ask]| with_cx(|cx| FedEx.read_track(cx, asks, &Answer::new(200, body)));
    let Ok(Step::Done(told)) = read(&asks(["1", "271828182841"])) else { panic!("both are told") };
    assert!(told[0].events.is_empty() && told[1].events[0].status == Status::OutForDelivery);
    assert_eq!(read(&asks(["1"])), Err(Refusal::BadNumber));
    assert_eq!(
        with_cx(|cx| FedEx.read_track(cx, &asks(["1"]), &Answer::new(401, ""))),
        Err(Refusal::TokenExpired)
    );
}
