//! Kuaidi100's reckoning of arrival times 智能时效预估, from regions, the time of the order and the scans so far.
//! Source: api.kuaidi100.com, `label/order` with `method=time`; facts/aggregators 1.9. Must never send more of an address
//! than its region, nor a name or a phone that stands in a scan.

use super::service::{Said, THROTTLED, service};
use super::{Kuaidi100, com_of, eta};
use crate::carriers::body::{self, CURE_SETTINGS};
use crate::carriers::{Forecast, Trip};
use crate::model::Eta;
use crate::model::when::CHINA;
use crate::text::{mask, region::Region};
use crate::wire::{Answer, Call, Cx, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The newest scans that go out.
const SCANS: usize = 20;

impl Forecast for Kuaidi100 {
    fn forecast(&self, cx: &Cx, trip: &Trip) -> Result<Call, Refusal> {
        let from = Region::of_address(cx.account.setting("sender_address", ""));
        let from = from.ok_or(Refusal::FixAccount { cure: CURE_SETTINGS })?;
        let newest = &trip.scans[trip.scans.len().saturating_sub(SCANS)..];
        let wish = Wish {
            kuaidicom: com_of(&trip.carrier).ok_or(Refusal::Unsupported)?,
            from: from.line(),
            to: trip.to.line(),
            order_time: china(trip.ordered),
            logistics: newest
                .iter()
                .map(|(time, words)| Passed { time: china(*time), context: mask::sentence(words) })
                .collect(),
        };
        let param = serde_json::to_string(&wish).map_err(|_| Refusal::Unsupported)?;
        service(cx, "kuaidi100.forecast", "/label/order", "time", &param)
    }

    fn read_forecast(&self, cx: &Cx, answer: &Answer) -> Result<Eta, Refusal> {
        let said: Said<Reckoned> = body::json(answer, cx.now)?;
        said.refusal(&[THROTTLED, (&["不支持"], Refusal::Unsupported)])?;
        let arrival = said.data.and_then(|data| data.arrival_time).ok_or(Refusal::NoDataYet)?;
        eta(&arrival).ok_or(Refusal::Unreadable)
    }
}

/// As the vendor writes times: China's clock, no zone.
fn china(time: Timestamp) -> String {
    CHINA.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[derive(Serialize)]
struct Wish<'a> {
    kuaidicom: &'a str,
    from: String,
    to: String,
    #[serde(rename = "orderTime")]
    order_time: String,
    /// With it the vendor reckons from where the parcel is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logistics: Vec<Passed>,
}

#[derive(Serialize)]
struct Passed {
    time: String,
    context: String,
}

#[derive(Deserialize)]
struct Reckoned {
    #[serde(default, rename = "arrivalTime", deserialize_with = "body::loose")]
    arrival_time: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, EtaPrecision, EtaSource, Private};
    use std::collections::BTreeMap;

    fn with_cx<T>(sender: &str, run: impl FnOnce(&Cx) -> T) -> T {
        let secrets = [("key", "YSKEY0001"), ("secret", "YSSECRET77")];
        let account = Account {
            settings: [("sender_address".to_owned(), sender.to_owned())].into(),
            secrets: secrets.map(|(name, value)| (name.to_owned(), Private::new(value.to_owned()))).into(),
            ..Account::default()
        };
        let now = "2026-01-02T00:08:08Z".parse().unwrap();
        run(&Cx { account: &account, token: None, now, random: [7; 32] })
    }

    fn trip() -> Trip {
        Trip {
            carrier: "sf".into(),
            to: Region::of_address("北京市海淀区虚构路1号").unwrap(),
            ordered: "2026-01-02T00:08:08Z".parse().unwrap(),
            scans: Vec::new(),
        }
    }

    fn form(trip: &Trip) -> BTreeMap<String, String> {
        let call = with_cx("广东省深圳市南山区虚构路2号", |cx| Kuaidi100.forecast(cx, trip)).unwrap();
        assert_eq!(call.url, "https://api.kuaidi100.com/label/order");
        form_urlencoded::parse(&call.body).into_owned().collect()
    }

    /// Vector 4 of facts/aggregators 7, as a whole call.
    #[test]
    fn the_call_is_the_facts_golden_vector() {
        let form = form(&trip());
        assert_eq!(
            form["param"],
            r#"{"kuaidicom":"shunfeng","from":"广东省深圳市南山区","to":"北京市海淀区","orderTime":"2026-01-02 08:08:08"}"#
        );
        assert_eq!((form["t"].as_str(), form["method"].as_str()), ("1767312488000", "time"));
        assert_eq!(form["sign"], "9405C9EFA6B0A6F8711A4314F90D5632");
    }

    #[test]
    fn scans_go_out_without_names_and_phones_and_only_the_newest() {
        let scan = |at: i64| {
            let time = Timestamp::from_second(1_767_312_488 + at).unwrap();
            (time, format!("{at}：业务员：周小明，电话13912345678，已收取快件"))
        };
        let form = form(&Trip { scans: (0..30).map(scan).collect(), ..trip() });
        let param = &form["param"];
        assert!(!param.contains("周小明") && !param.contains("13912345678"), "{param}");
        assert!(param.contains("29：") && !param.contains("\"9："), "{param}");
        let refused = with_cx("深圳", |cx| Kuaidi100.forecast(cx, &trip()));
        assert!(matches!(refused, Err(Refusal::FixAccount { .. })));
    }

    #[test]
    fn an_answer_is_a_time_or_none() {
        let read = |body: &str| with_cx("", |cx| Kuaidi100.read_forecast(cx, &Answer::new(200, body)));
        let eta = read(
            r#"{"success":true,"code":200,"message":"成功","time":12,"data":{"taskId":"T","fromName":"广东省深圳市南山区","arrivalTime":"2026-01-04 18:00",
            "deliveryExpendTime":"2","totalTime":"58","remainTime":"58","predictedRoute":[]}}"#,
        )
        .unwrap();
        assert_eq!(eta.to, "2026-01-04T10:00:00Z".parse().unwrap());
        assert_eq!((eta.source, eta.precision), (EtaSource::Provider, EtaPrecision::Time));
        assert_eq!(read(r#"{"code":200,"data":{"arrivalTime":""}}"#), Err(Refusal::NoDataYet));
        assert_eq!(read(r#"{"code":200,"data":{"arrivalTime":"soon"}}"#), Err(Refusal::Unreadable));
        assert!(matches!(
            read(r#"{"code":30001,"message":"验证签名失败"}"#),
            Err(Refusal::FixAccount { .. })
        ));
        assert_eq!(read("{}"), Err(Refusal::Unreadable));
    }
}
