//! The Yunda codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private};
use crate::wire::sign::ProofKind;

fn with_cx<T>(proof: &str, run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("app_key", "999999"), ("push_proof", proof)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        secrets: [("app_secret".to_owned(), Private::new("yishi-demo-secret".to_owned()))].into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask() -> Ask {
    Ask { carrier: "yunda".into(), number: "3100000000017".into(), phone_tail: None }
}

#[test]
fn the_facts_golden_signature() {
    let call = with_cx("sign", |cx| Yunda.track(cx, &[ask()])).unwrap();
    assert_eq!(call.body, br#"{"mailno":"3100000000017"}"#);
    assert!(call.headers.contains(&("sign", "b2e6bc74d60fe6f142c8ff92b72079af".into())));
    assert!(call.url.ends_with("/openapi/outer/logictis/query"), "{}", call.url);
}

#[test]
fn a_push_is_proved_by_its_signature_unless_the_account_trusts_the_address() {
    let request = |sign: &str| {
        Request {
        body: format!(
            r#"{{"data":"{{\"mailno\":3100000000017,\"action\":\"SIGNED\",\"time\":\"2026-03-02 10:00:00\"}}","appKey":"999999","sign":"{sign}"}}"#
        )
        .into_bytes(),
        ..Request::default()
    }
    };
    let data = r#"{"mailno":3100000000017,"action":"SIGNED","time":"2026-03-02 10:00:00"}"#;
    let good = sign::md5_hex(format!("{data}_yishi-demo-secret").as_bytes());
    let verify = |proof: &str, sign: &str| with_cx(proof, |cx| Yunda.verify(cx, &request(sign)));
    let verified = verify("sign", &good.to_uppercase()).unwrap();
    assert_eq!(verified.proof().kind(), ProofKind::Signature);
    assert!(verify("sign", "0").is_err() && verify("sign", "").is_err());
    assert_eq!(verify("secret_path", "").unwrap().proof().kind(), ProofKind::SecretPath);
    // The number came as a JSON number.
    let told = with_cx("sign", |cx| Yunda.read(cx, verified.payload())).unwrap();
    assert_eq!(told.parcels[0].tracked.number, "3100000000017");
    assert_eq!(told.parcels[0].tracked.events[0].status, Status::Delivered);
}

#[test]
fn no_data_comes_as_a_false_inside_of_a_true() {
    for inner in ["false", "\"false\""] {
        let body = format!(
            r#"{{"result":true,"code":"0000","data":{{"mailno":"3100000000017","result":{inner},"remark":"无数据"}}}}"#
        );
        let told = with_cx("sign", |cx| Yunda.read_track(cx, &[ask()], &Answer::new(200, body)));
        let Ok(Step::Done(told)) = told else { panic!("{told:?}") };
        assert!(told[0].events.is_empty());
    }
}

#[test]
fn leaving_the_collection_point_is_no_delivery_and_other_says_nothing() {
    assert_eq!(meaning_of(CODES, "OUTBOUND").unwrap().status, Status::OutForDelivery);
    assert_eq!(meaning_of(CODES, "OTHER"), Some(Meaning::UNMAPPED));
    assert_eq!(meaning_of(CODES, "REJECTION"), Some(Meaning::exception(Reason::Refused)));
}
