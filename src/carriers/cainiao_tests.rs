//! The Cainiao codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, Status};

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("provider_id", "r-1"), ("app_code", "demoApp")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        secrets: [("secret".to_owned(), Private::new("yishi-demo-secret".to_owned()))].into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask(carrier: &str) -> Ask {
    Ask { carrier: carrier.into(), number: "73100000000017".into(), phone_tail: None }
}

#[test]
fn the_facts_golden_digest() {
    let call = with_cx(|cx| Cainiao.track(cx, &[ask("zto")])).unwrap();
    let field =
        |name: &str| form_urlencoded::parse(&call.body).find(|(key, _)| key == name).unwrap().1.into_owned();
    let interface = r#"{"arg0":{"appCode":"demoApp","cpCode":"ZTO","mailNo":"73100000000017"}}"#;
    assert_eq!(field("logistics_interface"), interface);
    assert_eq!(field("data_digest"), "5SWGuneOqj158pbKo2OP0w==");
}

#[test]
fn both_shapes_are_read_and_the_whole_status_counts() {
    let detail = r#"{"detail":[{"opTime":"2026-03-02 10:00:00","opDesc":"快件到达【杭州转运中心】"}]}"#;
    let older = format!(r#"{{"result":{{"data":{detail}}}}}"#);
    let as_text = format!(r#"{{"result":{{"data":{}}}}}"#, serde_json::to_string(detail).unwrap());
    let newer = r#"{"success":true,"mailNo":"73100000000017","cpCode":"ZTO","logisticsStatus":"DELIVERING",
        "fullTraceDetail":[{"time":"2026-03-02 10:00:00","desc":"快件到达【杭州转运中心】"}]}"#;
    let read = |body: &str| match with_cx(|cx| Cainiao.read_track(cx, &[ask("zto")], &Answer::new(200, body)))
    {
        Ok(Step::Done(mut told)) => told.remove(0).events,
        other => panic!("{other:?}"),
    };
    assert_eq!(read(&older).len(), 1);
    assert_eq!(read(&older), read(&as_text));
    let events = read(newer);
    assert_eq!((events.len(), events[1].status, events[1].header), (2, Status::OutForDelivery, true));
}
