//! The Kuaidi100 codec on golden vectors and recorded shapes.
use super::*;
use crate::model::{Account, Private, fold};
use proptest::prelude::*;
use serde_json::json;

const KEY: &str = "YSKEY0001";
const CUSTOMER: &str = "YSCUST9F3A";

fn account() -> Account {
    Account {
        id: "demo".into(),
        kind: "kuaidi100".into(),
        shop: None,
        settings: [("customer".to_owned(), CUSTOMER.to_owned())].into(),
        secrets: [("key".to_owned(), Private::new(KEY.to_owned()))].into(),
    }
}

fn now() -> Timestamp {
    "2026-03-03T04:00:00Z".parse().unwrap()
}

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = account();
    run(&Cx { account: &account, token: None, now: now(), random: [7; 32] })
}

fn ask(carrier: &str, number: &str, tail: Option<&str>) -> Ask {
    Ask { carrier: carrier.into(), number: number.into(), phone_tail: tail.map(str::to_owned) }
}

fn read(body: impl Into<Vec<u8>>) -> Result<Tracked, Refusal> {
    let answer = Answer::new(200, body);
    let ask = ask("yto", "YT9988776655443", None);
    match with_cx(|cx| Kuaidi100.read_track(cx, std::slice::from_ref(&ask), &answer))? {
        Step::Done(mut all) => Ok(all.remove(0)),
        Step::Then(_) => panic!("a query is one call"),
    }
}

fn with(data: serde_json::Value, state: &str) -> Tracked {
    let body = json!({"message":"ok","nu":"YT9988776655443","com":"yuantong","status":"200","state":state,
        "ischeck":"0","data":data});
    read(body.to_string()).unwrap()
}

fn scan(time: &str, code: &str, text: &str) -> serde_json::Value {
    json!({"time":time,"ftime":time,"context":text,"status":"","statusCode":code,"location":""})
}

fn status(tracked: &Tracked) -> Status {
    fold(tracked.events.clone(), Default::default()).0.status
}

/// Vector 4 of facts/aggregators 7.
#[test]
fn the_newer_services_are_signed_with_their_time() {
    let param = r#"{"kuaidicom":"shunfeng","from":"广东省深圳市南山区","to":"北京市海淀区","orderTime":"2026-01-02 08:08:08"}"#;
    let sign = service::service_signature(param, "1767312488000", "YSKEY0001", "YSSECRET77");
    assert_eq!(sign, "9405C9EFA6B0A6F8711A4314F90D5632");
}

#[test]
fn the_signature_gives_the_golden_vectors() {
    for (param, sign) in [
        (
            r#"{"com":"shunfeng","num":"SF1234567890123","phone":"5678","resultv2":"4","show":"0","order":"desc"}"#,
            "B9E4E7D9A543D4B3F7A6697E3E4D62AB",
        ),
        (
            r#"{"com":"yuantong","num":"YT9988776655443","phone":"","from":"广东省深圳市南山区","to":"北京市朝阳区","resultv2":"8"}"#,
            "28F3C011EAD21BD9B6E7812E8EBFD9F7",
        ),
        (
            r#"{"com":"yuantong","num":"YT9988776655443","phone":"","from":"\u5e7f\u4e1c\u7701\u6df1\u5733\u5e02\u5357\u5c71\u533a","to":"\u5317\u4eac\u5e02\u671d\u9633\u533a","resultv2":"8"}"#,
            "761B43DD7B7DFF2CBEE336D51FE5B543",
        ),
    ] {
        assert_eq!(signature(param, KEY, CUSTOMER), sign, "{param}");
    }
}

#[test]
fn the_call_signs_exactly_what_it_sends() {
    let call = with_cx(|cx| Kuaidi100.track(cx, &[ask("sf", "SF1234567890123", Some("5678"))])).unwrap();
    assert_eq!(call.url, "https://poll.kuaidi100.com/poll/query.do");
    let fields: std::collections::BTreeMap<String, String> =
        form_urlencoded::parse(&call.body).into_owned().collect();
    assert_eq!(
        fields["param"],
        r#"{"com":"shunfeng","num":"SF1234567890123","phone":"5678","resultv2":"4","show":"0","order":"desc","needCourierInfo":true}"#
    );
    assert_eq!(fields["sign"], signature(&fields["param"], KEY, CUSTOMER));
    assert_eq!(fields["customer"], CUSTOMER);
    assert!(!format!("{call:?}").contains(KEY));
}

#[test]
fn a_phone_is_demanded_where_the_vendor_needs_it_and_kept_back_elsewhere() {
    let track = |ask| with_cx(|cx| Kuaidi100.track(cx, &[ask]));
    for carrier in ["sf", "sf-freight", "zto"] {
        assert_eq!(track(ask(carrier, "75123456789012", None)), Err(Refusal::NeedPhoneTail), "{carrier}");
    }
    let call = track(ask("yto", "YT9988776655443", Some("5678"))).unwrap();
    assert!(!String::from_utf8(call.body).unwrap().contains("5678"));
    assert_eq!(track(ask("yto", "YT1", None)), Err(Refusal::BadNumber));
    assert_eq!(track(ask("nobody", "YT9988776655443", None)), Err(Refusal::Unsupported));
}

#[test]
fn the_documented_answer_is_read_whole() {
    let tracked = read(
        r#"{"message":"ok","nu":"YT9988776655443","ischeck":"0","com":"yuantong","status":"200","state":"0","condition":"F00",
 "data":[{"time":"2026-01-02 09:10:11","ftime":"2026-01-02 09:10:11","context":"快件离开深圳转运中心","status":"干线","statusCode":"1002",
          "location":"","areaCode":"CN440300000000","areaName":"广东,深圳市","areaCenter":"114.05,22.54","areaPinYin":"shen zhen shi"}],
 "routeInfo":{"from":{"number":"CN440305000000","name":"广东,深圳市,南山区"}},"isLoop":false,
 "arrivalTime":"2026-01-04 18:00"}"#,
    )
    .unwrap();
    let [event] = tracked.events.as_slice() else { panic!("one scan") };
    assert_eq!((event.status, event.sub), (Status::InTransit, Some(Sub::LineHaul)));
    assert_eq!(event.time.utc, "2026-01-02T01:10:11Z".parse().ok());
    assert_eq!(event.place.region.as_deref(), Some("广东"));
    assert_eq!(event.place.city.as_deref(), Some("深圳"));
    assert_eq!(event.place.country.as_deref(), Some("CN"));
    assert_eq!((event.place.lat, event.place.lon), (Some(22.54), Some(114.05)));
    assert_eq!((event.provider.as_str(), event.carrier.as_str()), ("kuaidi100", "yto"));
    let eta = tracked.eta.unwrap();
    assert_eq!(Some(eta.from), "2026-01-04T10:00:00Z".parse().ok());
    assert_eq!(eta.precision, EtaPrecision::Time);
}

#[test]
fn every_return_code_says_what_to_do() {
    let refusal = |code: &str| {
        read(json!({"result":false,"returnCode":code,"message":"错误"}).to_string()).unwrap_err()
    };
    for code in ["201", "500"] {
        assert_eq!(refusal(code), Refusal::NoDataYet);
    }
    assert_eq!(refusal("408"), Refusal::NeedPhoneTail);
    for (code, cure) in [("400", CURE_PERMISSION), ("503", CURE_CREDENTIALS), ("601", CURE_QUOTA)] {
        assert_eq!(refusal(code), Refusal::FixAccount { cure });
    }
    for code in ["501", "502", "999"] {
        assert_eq!(refusal(code), Refusal::Retry { after: None });
    }
    assert_eq!(refusal("504"), Refusal::Throttled { until: "2026-03-03T04:30:00Z".parse().ok() });
    assert_eq!(read(r#"{"hello":"world"}"#), Err(Refusal::Unreadable));
}

#[test]
fn no_events_yet_is_no_error() {
    assert_eq!(with(json!([]), "0").events, Vec::new());
    assert_eq!(with(json!(null), "0").events, Vec::new());
}

#[test]
fn the_table_is_sorted_and_the_fallback_never_delivers() {
    assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
    assert_eq!(meaning("1009"), Meaning::sub(Sub::Moving));
    assert_eq!(meaning("599"), Meaning::sub(Sub::OnVehicle));
    assert_eq!(meaning("299"), Meaning::exception(Reason::Other));
    for code in ["399", "499", "999", "77", "30", "abc", "３", "", "10000"] {
        assert_eq!(meaning(code), Meaning::UNMAPPED, "{code}");
    }
}

#[test]
fn a_locker_is_told_from_a_station_and_its_code_is_found() {
    let tracked = with(
        json!([
            scan("2026-03-02 10:00:00", "501", "快件已存放至丰巢快递柜，取件码：83746251"),
            scan("2026-03-02 09:00:00", "501", "快件已送达【翠园菜鸟驿站】，请凭取件码6-2-1034取件"),
        ]),
        "501",
    );
    assert_eq!(tracked.events[0].sub, Some(Sub::Locker));
    assert_eq!(tracked.events[0].pickup.code.as_deref(), Some("83746251"));
    assert_eq!(tracked.events[1].sub, Some(Sub::Station));
    assert_eq!(tracked.events[1].pickup.code.as_deref(), Some("6-2-1034"));
    assert_eq!(tracked.events.len(), 2, "the header says nothing new");
}

#[test]
fn a_header_counts_only_where_it_says_more_than_the_scans() {
    let moving = || scan("2026-03-02 10:00:00", "0", "快件离开【深圳转运中心】");
    let out = || scan("2026-03-02 10:00:00", "5", "正在派送中");
    let signed = || scan("2026-03-02 10:00:00", "3", "已签收");
    for (scans, state, expected, events) in [
        (json!([moving()]), "0", Status::InTransit, 1),
        (json!([moving()]), "3", Status::Delivered, 2),
        (json!([moving()]), "202", Status::Exception, 2),
        (json!([out()]), "201", Status::Exception, 2),
        (json!([out()]), "501", Status::ReadyForPickup, 2),
        (json!([out()]), "0", Status::OutForDelivery, 1),
        (json!([signed()]), "0", Status::Delivered, 1),
        (json!([signed()]), "5", Status::Delivered, 1),
        (json!([signed()]), "2", Status::Delivered, 1),
        (json!([scan("2026-03-02 10:00:00", "999", "？")]), "5", Status::OutForDelivery, 2),
        (json!([moving()]), "888", Status::InTransit, 1),
    ] {
        let tracked = with(scans.clone(), state);
        assert_eq!(status(&tracked), expected, "{scans} {state}");
        assert_eq!(tracked.events.len(), events, "{scans} {state}");
        assert!(tracked.events.iter().skip(1).all(|event| event.header));
    }
}

#[test]
fn the_courier_goes_to_the_scan_that_he_made() {
    let tracked = read(
        json!({"status":200,"state":5,"com":"yuantong","nu":"YT9988776655443","data":[
            scan("2026-03-02 10:00:00", "5", "正在派送中"),
            scan("2026-03-01 10:00:00", "103", "已揽收"),
        ],"courierInfo":{"pickupManName":"陈立","pickupManPhone":"","deliveryManName":"周海","deliveryManPhone":"13800001234,13800001235"}})
        .to_string(),
    )
    .unwrap();
    assert_eq!(tracked.events[0].courier.name.as_deref(), Some("周海"));
    assert_eq!(tracked.events[0].courier.phone.as_deref(), Some("13800001234"));
    assert_eq!(tracked.events[1].courier.name.as_deref(), Some("陈立"));
    let none = read(r#"{"status":"200","state":"0","data":[],"courierInfo":""}"#).unwrap();
    assert_eq!(none.events, Vec::new());
}

#[test]
fn another_numbers_answer_is_refused_and_another_carriers_is_kept() {
    let body = json!({"status":"200","state":"0","nu":"YT0000000000001","data":[scan("2026-03-02 10:00:00","0","…")]});
    assert_eq!(read(body.to_string()), Err(Refusal::Unreadable));
    let body = json!({"status":"200","state":"0","nu":"yt9988776655443","com":"shentong","data":[scan("2026-03-02 10:00:00","0","…")]});
    let tracked = read(body.to_string()).unwrap();
    assert_eq!((tracked.carrier.as_str(), tracked.events[0].carrier.as_str()), ("sto", "sto"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(body);
    }

    #[test]
    fn any_values_are_read_or_refused(time in "\\PC{0,30}", code in "[0-9]{0,5}", text in "\\PC{0,40}", state in "\\PC{0,4}", area in "\\PC{0,12}") {
        let body = json!({"status":"200","state":state,"data":[{"time":time,"statusCode":code,"context":text,"areaName":area,"areaCode":area,"areaCenter":area}],"arrivalTime":time});
        let tracked = read(body.to_string()).unwrap();
        prop_assert!(!tracked.events.is_empty());
    }
}

#[test]
fn pickup_codes_need_the_secret_of_the_newer_services() {
    let mistake = |wanted: &str, secret: &str| {
        let mut account = account();
        account.settings.insert("pickup_codes".into(), wanted.into());
        account.secrets.insert("secret".into(), Private::new(secret.into()));
        Kuaidi100.mistake(&account).map(|(place, _)| place)
    };
    assert_eq!(mistake("true", "YSSECRET77"), None);
    assert_eq!(mistake("false", ""), None);
    assert_eq!(mistake("true", ""), Some("pickup_codes"));
    assert_eq!(mistake("yes", "YSSECRET77"), Some("pickup_codes"));
}

#[test]
fn forecasts_need_the_secret_and_a_sender_whose_region_is_known() {
    let mistake = |eta: &str, sender: &str, secret: &str| {
        let mut account = account();
        account.settings.insert("eta".into(), eta.into());
        account.settings.insert("sender_address".into(), sender.into());
        account.secrets.insert("secret".into(), Private::new(secret.into()));
        Kuaidi100.mistake(&account).map(|(place, _)| place)
    };
    let sender = "广东省深圳市南山区虚构路2号";
    assert_eq!(mistake("true", sender, "YSSECRET77"), None);
    assert_eq!(mistake("false", "深圳", ""), None);
    assert_eq!(mistake("true", sender, ""), Some("eta"));
    assert_eq!(mistake("on", sender, "YSSECRET77"), Some("eta"));
    assert_eq!(mistake("true", "深圳", "YSSECRET77"), Some("sender_address"));
    assert_eq!(mistake("true", "", "YSSECRET77"), Some("sender_address"));
}
