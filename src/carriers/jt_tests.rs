//! The J&T codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("api_account".to_owned(), "1780000000000000001".to_owned())].into(),
        secrets: [("private_key".to_owned(), Private::new("yishi-demo-private-key".to_owned()))].into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn asks<const N: usize>(numbers: [&str; N]) -> [Ask; N] {
    numbers.map(|number| Ask { carrier: "jt".into(), number: number.into(), phone_tail: None })
}

#[test]
fn the_facts_golden_digests() {
    let call = with_cx(|cx| Jt.track(cx, &asks(["JT0000000000017"]))).unwrap();
    assert!(call.headers.contains(&("digest", "JLLbYC0532VQ+RgvlxgBzg==".into())));
    // The digest inside of order calls.
    let inner = sign::md5_hex_upper(b"DemoPwd1jadada236t2");
    assert_eq!(inner, "6883E722C2B642F58FFDD46FDDE6854C");
    let whole = ["J0000000017", &inner, "yishi-demo-private-key"].concat();
    assert_eq!(sign::md5_base64(whole.as_bytes()), "Ar239yQVVYJaDNsAtcKtKg==");
}

#[test]
fn thirty_numbers_are_asked_at_once_and_each_gets_its_own() {
    let two = asks(["JT0000000000017", "JT0000000000025"]);
    let call = with_cx(|cx| Jt.track(cx, &two)).unwrap();
    let (_, content) = form_urlencoded::parse(&call.body).next().unwrap();
    assert_eq!(content, r#"{"billCodes":"JT0000000000017,JT0000000000025"}"#);
    let body = r#"{"code":"1","msg":"success","data":[
        {"billCode":"JT0000000000025","details":[{"scanTime":"2026-03-02 10:00:00","scanType":"快件签收","desc":"已签收"}]},
        {"billCode":"JT0000000000017","details":null}]}"#;
    let Ok(Step::Done(told)) = with_cx(|cx| Jt.read_track(cx, &two, &Answer::new(200, body))) else {
        panic!("it is read")
    };
    assert!(told[0].events.is_empty());
    assert_eq!(told[1].events[0].status, Status::Delivered);
    assert_eq!(with_cx(|cx| Jt.track(cx, &asks(["JT1,JT2"]))), Err(Refusal::BadNumber));
}

fn event(scan: &str) -> Event {
    let scan: Scan = serde_json::from_str(scan).unwrap();
    scan.event("JT0000000000017", Timestamp::UNIX_EPOCH)
}

#[test]
fn a_problem_says_what_it_is() {
    let of = |kind: &str| {
        let event = event(&format!(r#"{{"scanType":"问题件扫描","problemType":"{kind}","desc":"问题件"}}"#));
        (event.status, event.reason)
    };
    assert_eq!(of("A14"), (Status::Exception, Some(Reason::Refused)));
    assert_eq!(of("a9"), (Status::Exception, Some(Reason::RecipientUnreachable)));
    assert_eq!(of("A17").0, Status::ReadyForPickup);
    assert_eq!(of("A4").0, Status::Returning);
    assert_eq!(of("A99"), (Status::Exception, Some(Reason::Other)));
}

#[test]
fn leaving_a_collection_point_is_a_delivery_only_where_the_sentence_says_so() {
    let of = |words: &str| event(&format!(r#"{{"scanType":"出库扫描","desc":"{words}"}}"#)).status;
    assert_eq!(of("快件出库"), Status::InTransit);
    assert_eq!(of("客户已取件，取件成功"), Status::Delivered);
    assert_eq!(event(r#"{"scanType":"其他","desc":"其他"}"#).status, Status::Unknown);
}
