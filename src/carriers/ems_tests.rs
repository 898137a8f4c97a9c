//! The EMS codec on golden vectors and recorded shapes.
use super::*;
use crate::model::fold::{Known as Before, fold};
use crate::model::{Account, Private, Sub};

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("sender_no".to_owned(), "1100012345678".to_owned())].into(),
        secrets: [("authorization", "demo-authorization"), ("sign_key", KEY)]
            .map(|(name, value)| (name.to_owned(), Private::new(value.to_owned())))
            .into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn read(body: &str) -> Result<Vec<Event>, Refusal> {
    let asks = [Ask { carrier: "ems".into(), number: "1100000000017".into(), phone_tail: None }];
    match with_cx(|cx| Ems.read_track(cx, &asks, &Answer::new(200, body)))? {
        Step::Done(mut told) => Ok(told.remove(0).events),
        Step::Then(_) => panic!("one call is enough"),
    }
}

const SCANS: &str = r#"[{"waybillNo":"1100000000017","opTime":"2026-03-02 09:00:00","opCode":"702","opDesc":"正在投递"},
    {"waybillNo":"1100000000017","opTime":"2026-03-02 10:00:00","opCode":"704","opDesc":"已妥投","deliverCode":"30"}"#;

#[test]
fn a_body_is_read_as_a_list_in_an_object_and_as_text() {
    let list = format!("{SCANS}]");
    let wrapped = format!(r#"{{"responseItems":{list}}}"#);
    let as_text = |inner: &str| serde_json::to_string(inner).unwrap();
    let bodies = [list.clone(), wrapped.clone(), as_text(&list), as_text(&wrapped)];
    let told: Vec<_> =
        bodies.map(|body| read(&format!(r#"{{"retCode":"00000","retBody":{body}}}"#)).unwrap()).into();
    assert_eq!(told[0].len(), 2);
    assert_eq!((told[0][1].status, told[0][1].sub), (Status::Delivered, Some(Sub::LockerSigned)));
    assert!(told.iter().all(|events| events == &told[0]));
}

#[test]
fn a_delivery_that_the_post_takes_back_does_not_stand() {
    let undone = format!(
        r#"{{"retCode":"00000","retBody":{SCANS},{{"opTime":"2026-03-02 11:00:00","opCode":"743","opDesc":"已妥投信息撤销"}}]}}"#
    );
    let events = read(&undone).unwrap();
    assert_eq!(events[2].revokes, ["704"]);
    assert_eq!(fold(events, Before::default()).0.status, Status::OutForDelivery);
}

#[test]
fn a_failed_attempt_says_why() {
    let status = |code: &str| {
        let body = format!(
            r#"{{"retCode":"00000","retBody":[{{"opTime":"2026-03-02 11:00:00","opCode":"705","opDesc":"未妥投","attemptDeliveryCode":{code}}}]}}"#
        );
        let event = read(&body).unwrap().remove(0);
        (event.status, event.sub)
    };
    assert_eq!(status("4"), (Status::AttemptFailed, Some(Sub::NobodyHome)));
    assert_eq!(status("\"9\""), (Status::ReadyForPickup, Some(Sub::Counter)));
    assert_eq!(status("7").0, Status::Exception);
    assert_eq!(status("16").0, Status::AttemptFailed);
}

#[test]
fn a_push_opens_only_with_the_accounts_key_and_number() {
    let sealed = Cipher::new(KEY).unwrap().seal(r#"{"waybillNo":"1100000000017","opCode":"702"}"#);
    let request = |sealed: &str, sender: &str| Request {
        body: form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("logitcsInterface", sealed), ("senderNo", sender), ("serialNo", "s-1")])
            .finish()
            .into_bytes(),
        ..Request::default()
    };
    let verify = |sealed: &str, sender: &str| with_cx(|cx| Ems.verify(cx, &request(sealed, sender)));
    let verified = verify(&sealed, "1100012345678").unwrap();
    assert_eq!(verified.payload(), br#"{"waybillNo":"1100000000017","opCode":"702"}"#);
    assert!(verify(&sealed, "1100012345679").is_err());
    assert!(verify(r#"{"waybillNo":"1100000000017"}"#, "1100012345678").is_err());
    let reply = with_cx(|cx| Ems.acknowledge(cx, &request(&sealed, "1100012345678"), true));
    let body = String::from_utf8(reply.body).unwrap();
    assert_eq!(body, r#"{"serialNo":"s-1","code":"00000","codeMessage":"成功","senderNo":"1100012345678"}"#);
}
