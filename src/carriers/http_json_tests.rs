//! The recipes at work: the second built-in one, and a merchant's own.
use super::*;
use crate::model::{Private, Sub};

fn with_cx<T>(recipe: &str, own: &str, run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("recipe", recipe), ("key_id", "id-7")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        secrets: [("key", "demo-key"), ("recipe_file", own)]
            .map(|(name, value)| (name.to_owned(), Private::new(value.to_owned())))
            .into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask(carrier: &str, number: &str, tail: Option<&str>) -> Ask {
    Ask { carrier: carrier.into(), number: number.into(), phone_tail: tail.map(str::to_owned) }
}

#[test]
fn aliyun_is_asked_with_the_app_code_and_sf_with_its_tail() {
    let track = |ask: Ask| with_cx("aliyun-kdi", "", |cx| HttpJson.track(cx, &[ask]));
    let call = track(ask("sf", "SF1409283746511", Some("6688"))).unwrap();
    assert_eq!(call.url, "https://wuliu.market.alicloudapi.com/kdi?no=SF1409283746511%3A6688&type=");
    assert!(call.headers.contains(&("authorization", "APPCODE demo-key".into())));
    assert_eq!(track(ask("sf", "SF1409283746511", None)), Err(Refusal::NeedPhoneTail));
    assert!(track(ask("yto", "YT8816042739501", None)).unwrap().url.contains("no=YT8816042739501&"));
}

#[test]
fn aliyuns_whole_status_counts_and_its_sentences_are_read() {
    let body = r#"{"status":"0","msg":"ok","result":{"number":"SF1409283746511:6688","type":"sfexpress","list":[
        {"time":"2026-03-02 08:41:12","status":"【杭州】的周师傅（13800001234）正在派件"},
        {"time":"2026-03-01 18:02:10","status":"顺丰速运 已收取快件"}],
        "deliverystatus":"3","issign":"1","courier":"周师傅","courierPhone":"13800001234"}}"#;
    let asks = [ask("sf", "SF1409283746511", Some("6688"))];
    let read = |status: u16, body: &str| {
        with_cx("aliyun-kdi", "", |cx| HttpJson.read_track(cx, &asks, &Answer::new(status, body)))
    };
    let Ok(Step::Done(told)) = read(200, body) else { panic!("it is read") };
    let statuses: Vec<Status> = told[0].events.iter().map(|event| event.status).collect();
    assert_eq!(statuses, [Status::OutForDelivery, Status::PickedUp, Status::Delivered]);
    assert!(told[0].events[2].header);
    assert_eq!(told[0].events[0].courier.phone.as_deref(), Some("13800001234"));
    let refusal = |status: u16, body: &str| read(status, body).unwrap_err();
    assert_eq!(refusal(403, "Quota Exhausted"), Refusal::FixAccount { cure: body::CURE_QUOTA });
    assert_eq!(refusal(200, r#"{"status":"205","msg":"没有信息"}"#), Refusal::NoDataYet);
    assert_eq!(refusal(200, r#"{"status":"999"}"#), Refusal::Retry { after: None });
}

const OWN: &str = r#"
base_url = "https://api.example.org"
method = "POST"
path = "/v1/query"
send = "json"
carrier_names = "kdniao"

[fields]
appId = "{key_id}"
no = "{number}"
company = "{carrier}"
time = "{millis}"
sign = "{sign}"

[sign]
digest = "sha256"
text = "{key_id}{key}{millis}"

[answer]
code = "head.0.code"
ok = ["OK"]
scans = "body.list"
time = "at"
text = "words"
scan_code = "step"

[statuses]
"9" = "collected"
"#;

#[test]
fn a_merchants_own_recipe_signs_asks_and_reads() {
    let asks = [ask("zto", "75613820947702", None)];
    let call = with_cx("own", OWN, |cx| HttpJson.track(cx, &asks)).unwrap();
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let millis = body["time"].as_str().unwrap();
    assert_eq!((&body["company"], &body["no"]), (&"ZTO".into(), &"75613820947702".into()));
    assert_eq!(body["sign"], sign::sha256_hex(format!("id-7demo-key{millis}").as_bytes()));
    let answer = r#"{"head":[{"code":"OK"}],"body":{"list":[{"at":"2026-03-02T10:00:00Z","words":"collected","step":9}]}}"#;
    let read = with_cx("own", OWN, |cx| HttpJson.read_track(cx, &asks, &Answer::new(200, answer)));
    let Ok(Step::Done(told)) = read else { panic!("{read:?}") };
    assert_eq!(told[0].events[0].sub, Some(Sub::Collected));
}

#[test]
fn what_is_filled_in_is_never_read_as_a_template() {
    let recipe = Recipe::read(OWN).unwrap();
    let tricky = ask("zto", "{key}", None);
    let filled = with_cx("own", OWN, |cx| {
        Filled::new(cx, &recipe, &tricky, "ZTO").map(|filled| filled.fill("{number}"))
    });
    assert_eq!(filled.unwrap(), "{key}");
}

#[test]
fn a_recipe_that_cannot_be_read_is_told_by_its_name_and_line() {
    let mistake = |recipe: &str, own: &str| with_cx(recipe, own, |cx| HttpJson.mistake(cx.account));
    assert_eq!(mistake("alapi", ""), None);
    assert_eq!(mistake("own", OWN), None);
    assert_eq!(mistake("nobody", "").unwrap().0, "recipe");
    let (place, why) = mistake("own", "base_url = 1").unwrap();
    assert_eq!(place, "recipe_file");
    assert!(why.contains("line 1"), "{why}");
    let wrong = with_cx("own", "", |cx| HttpJson.track(cx, &[ask("zto", "75613820947702", None)]));
    assert_eq!(wrong, Err(Refusal::FixAccount { cure: body::CURE_SETTINGS }));
}
