//! The KDNiao codec on golden vectors and recorded shapes.
use super::*;
use crate::carriers::Watch;
use crate::model::{Account, Private};
use crate::wire::Request;

const KEY: &str = "yishi-demo-appkey";

fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
    let account = Account {
        settings: [("business_id".to_owned(), "1237100".to_owned())].into(),
        secrets: [("app_key".to_owned(), Private::new(KEY.to_owned()))].into(),
        ..Account::default()
    };
    run(&Cx { account: &account, token: None, now: "2026-03-03T04:00:00Z".parse().unwrap(), random: [7; 32] })
}

fn ask(carrier: &str, number: &str, tail: Option<&str>) -> Ask {
    Ask { carrier: carrier.into(), number: number.into(), phone_tail: tail.map(str::to_owned) }
}

#[test]
fn the_facts_golden_signatures() {
    let sf = r#"{"OrderCode":"","ShipperCode":"SF","LogisticCode":"SF1234567890123","CustomerName":"5678"}"#;
    assert_eq!(data_sign(sf, KEY), "NjM2ZDFkODE2ZmJlYmE1ZjQ3ZWE0YmMyZjk3MzExNjk=");
    let zto = r#"{"OrderCode":"","ShipperCode":"ZTO","LogisticCode":"75123456789012"}"#;
    assert_eq!(data_sign(zto, KEY), "YTQ3NzI1OWJmYmJkNTgzYTliMGQ0MjE1ODNiZDMyNWQ=");
    let call = with_cx(|cx| KdNiao.track(cx, &[ask("sf", "SF1234567890123", Some("5678"))])).unwrap();
    let body = String::from_utf8(call.body).unwrap();
    assert!(body.contains("NjM2ZDFkODE2ZmJlYmE1ZjQ3ZWE0YmMyZjk3MzExNjk%3D&"), "{body}");
    let call = with_cx(|cx| KdNiao.track(cx, &[ask("zto", "75123456789012", None)])).unwrap();
    let form: std::collections::BTreeMap<_, _> = form_urlencoded::parse(&call.body).into_owned().collect();
    assert_eq!((form["RequestData"].as_str(), form["RequestType"].as_str()), (zto, "8001"));
    let tail = with_cx(|cx| KdNiao.track(cx, &[ask("sf", "SF1234567890123", None)]));
    assert_eq!(tail, Err(Refusal::NeedPhoneTail));
}

const PUSH: &str = r#"{"PushTime":"2026-01-02 10:00:00","EBusinessID":"1237100","Data":[{"LogisticCode":"75123456789012","ShipperCode":"ZTO","Success":true,"State":"2","StateEx":"202","Traces":[]}],"Count":"1"}"#;
const PUSH_SIGN: &str = "OTkwOGFiNTAyOTY5NDRjOTNhNjI0NGI3YjM0YThhYTU=";

fn pushed(data: &str, sign: &str) -> Request {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("RequestData", data).append_pair("RequestType", "102").append_pair("DataSign", sign);
    Request { body: form.finish().into_bytes(), ..Request::default() }
}

#[test]
fn the_golden_push_is_taken_once_or_twice_encoded() {
    let twice = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    for request in [pushed(PUSH, PUSH_SIGN), pushed(&twice(PUSH), &twice(PUSH_SIGN))] {
        let verified = with_cx(|cx| KdNiao.verify(cx, &request)).unwrap();
        assert_eq!(verified.payload(), PUSH.as_bytes());
    }
    let other = pushed(&PUSH.replace("202", "301"), PUSH_SIGN);
    assert!(with_cx(|cx| KdNiao.verify(cx, &other)).is_err());
    let acknowledged = with_cx(|cx| KdNiao.acknowledge(cx, &other, true));
    assert_eq!(
        String::from_utf8(acknowledged.body).unwrap(),
        r#"{"EBusinessID":"1237100","UpdateTime":"2026-03-03 12:00:00","Success":true,"Reason":""}"#
    );
}

#[test]
fn many_parcels_come_in_one_push_and_some_are_given_up() {
    let body = r#"{"EBusinessID":"1","Data":[
        {"LogisticCode":"75123456789012","ShipperCode":"ZTO","Success":true,"State":"2","StateEx":"202",
         "Traces":[{"AcceptTime":"2026/03/02 08:41:12","AcceptStation":"快件派送中","Action":"202","Location":"杭州市"}]},
        {"LogisticCode":"YT9988776655443","ShipperCode":"YTO","Success":false,"Reason":"三天无轨迹","State":"0","Traces":[]},
        {"LogisticCode":"1","ShipperCode":"NOBODY","Success":true,"Traces":[]}]}"#;
    let told = with_cx(|cx| KdNiao.read(cx, body.as_bytes())).unwrap();
    let shown: Vec<_> = told.parcels.iter().map(|news| (news.tracked.carrier.as_str(), news.watch)).collect();
    assert_eq!(shown, [("zto", Watch::On), ("yto", Watch::Lapsed)]);
    let event = &told.parcels[0].tracked.events[0];
    assert_eq!((event.status, event.place.city.as_deref()), (Status::OutForDelivery, Some("杭州")));
}

#[test]
fn reasons_are_read_by_what_to_do() {
    let refusal = |reason: &str| {
        let body = format!(r#"{{"Success":false,"Reason":"{reason}","Traces":[]}}"#);
        let asks = [ask("yto", "YT9988776655443", None)];
        with_cx(|cx| KdNiao.read_track(cx, &asks, &Answer::new(200, body))).unwrap_err()
    };
    assert_eq!(refusal("非法参数"), Refusal::FixAccount { cure: CURE_CREDENTIALS });
    assert_eq!(refusal("业务错误[没有可用套餐]"), Refusal::FixAccount { cure: CURE_PERMISSION });
    assert_eq!(refusal("手机尾号不能为空"), Refusal::NeedPhoneTail);
    assert_eq!(refusal("无效的输入[【ShipperCode】]"), Refusal::WrongCarrier);
    assert_eq!(refusal("暂无轨迹信息"), Refusal::NoDataYet);
    assert_eq!(refusal(""), Refusal::NoDataYet);
}

#[test]
fn recognition_gives_our_codes_best_first() {
    let read = |body: &str| with_cx(|cx| KdNiao.read_recognized(cx, &Answer::new(200, body)));
    let found = read(
        r#"{"Success":true,"Code":"100","Shippers":[{"ShipperCode":"ZTO","ShipperName":"中通"},{"ShipperCode":"YD"}]}"#,
    );
    assert_eq!(found, Ok(vec!["zto".to_owned(), "yunda".to_owned()]));
    assert_eq!(read(r#"{"Success":true,"Code":"404"}"#), Err(Refusal::BadNumber));
}
