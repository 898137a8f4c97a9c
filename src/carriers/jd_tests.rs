//! The JD codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Private, Status};

fn with_cx<T>(algorithm: &str, run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("app_key", "demo-app-key"), ("customer_code", "010K000017"), ("algorithm", algorithm)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        secrets: [("app_secret", "yishi-demo-secret"), ("access_token", "demo-token")]
            .map(|(name, value)| (name.to_owned(), Private::new(value.to_owned())))
            .into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2024-12-31T16:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask() -> Ask {
    Ask { carrier: "jd".into(), number: "JDVA00000000017".into(), phone_tail: None }
}

#[test]
fn the_facts_golden_signatures() {
    for (algorithm, expected) in [
        ("md5-salt", "1AA49D356FB8BEB1114B7156F09C9C59"),
        (
            "HMacSHA512",
            "oduxuWxUqFqn7kHnYkW+W1AxcJRopVGHUGXIA2dfGrUKC4mZYcyL22JYjnGO91e9HMMtckJgzBllG+DWcdOIig==",
        ),
    ] {
        let call = with_cx(algorithm, |cx| Jd.track(cx, &[ask()])).unwrap();
        assert_eq!(
            call.body,
            br#"[{"waybillCode":"JDVA00000000017","orderOrigin":1,"customerCode":"010K000017"}]"#
        );
        let (_, query) = call.url.split_once('?').unwrap();
        let given = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "sign").unwrap().1;
        assert_eq!(given, expected, "{algorithm}");
    }
    assert!(with_cx("md5", |cx| Jd.mistake(cx.account)).is_some_and(|(place, _)| place == "algorithm"));
}

const CONTENT: &str = r#"{"code":0,"success":true,"msg":"成功","data":{"traceDetails":[
    {"waybillCode":"JDVA00000000017","category":420,"state":"200001","operationRemark":"已揽收","operationTime":"2026-03-01 10:00:00"},
    {"waybillCode":"JDVA00000000017","category":430,"state":"200020","operationRemark":"运单号已更换，新单号JDVB00000000025，原单号JDVA00000000017","operationTime":"2026-03-01 12:00:00"}]}}"#;

#[test]
fn an_answer_is_unwrapped_and_a_new_number_is_followed() {
    let wrapped = format!(r#"{{"response":{{"content":{CONTENT},"code":0}}}}"#);
    for body in [CONTENT, &wrapped] {
        let read = with_cx("md5-salt", |cx| Jd.read_track(cx, &[ask()], &Answer::new(200, body)));
        let Ok(Step::Done(told)) = read else { panic!("{read:?}") };
        assert_eq!(told[0].events.len(), 2);
        assert_eq!(told[0].events[1].renumbered.as_deref(), Some("JDVB00000000025"));
    }
}

#[test]
fn an_unknown_state_falls_back_to_its_category() {
    let scan: Scan =
        serde_json::from_str(r#"{"state":"299999","category":510,"operationRemark":"完成"}"#).unwrap();
    assert_eq!(scan.event("JDVA00000000017", Timestamp::UNIX_EPOCH).status, Status::Delivered);
}

#[test]
fn the_gateways_codes_are_read_by_what_to_do() {
    let refusal = |code: &str| {
        let body = format!(r#"{{"error_response":{{"code":"{code}","zh_desc":"","en_desc":""}}}}"#);
        with_cx("md5-salt", |cx| Jd.read_track(cx, &[ask()], &Answer::new(200, body))).unwrap_err()
    };
    assert_eq!(refusal("2"), Refusal::Throttled { until: None });
    assert_eq!(refusal("19"), Refusal::FixAccount { cure: CURE_CREDENTIALS });
    assert_eq!(refusal("24"), Refusal::FixAccount { cure: CURE_PERMISSION });
    assert_eq!(refusal("8"), Refusal::Retry { after: None });
}
