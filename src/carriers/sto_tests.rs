//! The STO codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, Status};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("app_key".to_owned(), "YISHI".to_owned()), ("code".to_owned(), "YISHI01".to_owned())]
            .into(),
        secrets: [("secret".to_owned(), Private::new("yishi-demo-secret".to_owned()))].into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask() -> Ask {
    Ask { carrier: "sto".into(), number: "777000000000017".into(), phone_tail: None }
}

#[test]
fn the_facts_golden_signature() {
    let call = with_cx(|cx| Sto.track(cx, &[ask()])).unwrap();
    let form: BTreeMap<_, _> = form_urlencoded::parse(&call.body).into_owned().collect();
    assert_eq!(form["content"], r#"{"order":"asc","waybillNoList":["777000000000017"]}"#);
    assert_eq!(form["data_digest"], "2PYgLGXWhpM2eL3oqdAlKg==");
    assert_eq!(
        (form["api_name"].as_str(), form["to_code"].as_str()),
        ("STO_TRACE_QUERY_COMMON", "sto_trace_query")
    );
}

fn scan(kind: &str, memo: &str, issue: &str) -> Event {
    let body = serde_json::json!({"waybillNo": "777000000000017", "trace": {"opTime": "2026-03-02 09:00:00",
        "scanType": kind, "memo": memo, "issueName": issue, "address": "翠园驿站"}});
    let told = with_cx(|cx| Sto.read(cx, body.to_string().as_bytes())).unwrap();
    told.parcels.into_iter().next().unwrap().tracked.events.remove(0)
}

#[test]
fn words_of_the_last_mile_are_told_apart() {
    assert_eq!(scan("快件取出", "快递员取出快件", "").status, Status::OutForDelivery);
    assert_eq!(scan("驿站出库", "您已在驿站完成取件，取件成功", "").status, Status::Delivered);
    assert_eq!(scan("驿站出库", "快件已出库", "").status, Status::ReadyForPickup);
    assert_eq!(scan("问题件", "", "客户拒收").reason, Some(Reason::Refused));
    assert_eq!(scan("退回件", "", "").status, Status::Returning);
    assert_eq!(scan("驿站代收", "", "").pickup.place.as_deref(), Some("翠园驿站"));
    assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
}

#[test]
fn the_gateway_refuses_in_xml_and_the_success_may_be_a_text() {
    let read = |body: &str| with_cx(|cx| Sto.read_track(cx, &[ask()], &Answer::new(200, body)));
    let xml = "<response><success>false</success><errorCode>S02</errorCode><errorMsg>签名验证失败</errorMsg></response>";
    assert_eq!(read(xml).unwrap_err(), Refusal::FixAccount { cure: CURE_CREDENTIALS });
    let Ok(Step::Done(told)) = read(r#"{"success":"true","data":{"777000000000017":[]}}"#) else { panic!() };
    assert!(told[0].events.is_empty());
}
