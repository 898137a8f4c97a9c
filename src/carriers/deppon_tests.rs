//! The Deppon codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, Status};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("company_code".to_owned(), "EWBYISHI".to_owned())].into(),
        secrets: [("app_key".to_owned(), Private::new("yishi-demo-appkey".to_owned()))].into(),
        ..Account::default()
    };
    let now = Timestamp::from_millisecond(1_735_660_800_000).unwrap();
    run(&Cx { account: &account, token: None, now, random: [7; 32] })
}

fn ask() -> Ask {
    Ask { carrier: "deppon".into(), number: "DPK000000000017".into(), phone_tail: None }
}

#[test]
fn the_facts_golden_digests() {
    let of = |params: &str| digest(params, "yishi-demo-appkey", "1735660800000");
    assert_eq!(of(r#"{"mailno":"DPK000000000017"}"#), "NTliMmJmZDUwMmQ5MmU2NjZhZmI2YTdkZWY5NGE0NmM=");
    let call = with_cx(|cx| Deppon.track(cx, &[ask()])).unwrap();
    let field =
        |name: &str| form_urlencoded::parse(&call.body).find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(field("params"), r#"{"mailNo":"DPK000000000017"}"#);
    assert_eq!(field("digest"), "YmUwOTJkYWI3YWY4MGZkMWQ5OTdjODJhOGVlYTAyNjA=");
    assert!(call.url.contains("/standard-query/"), "the sandbox's path is no production path: {}", call.url);
}

#[test]
fn the_parcel_may_come_as_text() {
    let inner = r#"{"tracking_number":"DPK000000000017","trace_list":[{"time":"2026-03-02 10:00:00","status":"INBOUND","description":"到达营业部","site":"西湖营业部","city":"杭州市"}]}"#;
    let text = serde_json::to_string(inner).unwrap();
    for param in [inner, &text] {
        let body = format!(r#"{{"result":"true","reason":"","resultCode":"1000","responseParam":{param}}}"#);
        let read = with_cx(|cx| Deppon.read_track(cx, &[ask()], &Answer::new(200, body)));
        let Ok(Step::Done(told)) = read else { panic!("{read:?}") };
        let event = &told[0].events[0];
        assert_eq!((event.status, event.place.city.as_deref()), (Status::InTransit, Some("杭州")));
    }
}

#[test]
fn a_depot_is_not_a_station() {
    let status = |code: &str| meaning_of(CODES, code).map(|meaning| meaning.status);
    assert_eq!(status("INBOUND"), Some(Status::InTransit));
    assert_eq!(status("STA_INBOUND"), Some(Status::ReadyForPickup));
    assert_eq!(status("OTHER"), Some(Status::Unknown));
}
