//! Deppon 德邦: asks where its waybills are, and takes its pushes.
//! Source: open.deppon.com (`newTraceQuery`, push of `track_list`); facts/carriers-cn 10. Must never take "in the depot"
//! for "ready for pickup": Deppon's own INBOUND waits for a van, not for the buyer.

use super::{
    Ask, Carrier, CarrierSpec, Code, News, Push, Step, Told, Tracked,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION},
    china_time, meaning_of, refine, row, without_end,
};
use crate::model::{Event, Meaning, Place, Raw, Reason, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Deppon;

static SPEC: CarrierSpec = CarrierSpec {
    code: "deppon",
    aggregator: false,
    serves: |carrier| matches!(carrier, "deppon" | "deppon-freight"),
    secrets: &["app_key"],
    settings: &["company_code"],
    base_url: "https://dpapi.deppon.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 5,
    per_day: 20_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "digest and query from four clients; the sandbox has another path (`query_path`); error codes are not known, \
               so refusals are told apart by their words; how a number is subscribed is not known, so pushes come for \
               orders that ask for them; not yet asked live",
};

impl Carrier for Deppon {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["query_path", "push"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        if ask.number.is_empty() || ask.number.len() > 32 {
            return Err(Refusal::BadNumber);
        }
        let question = Question { mail_no: &ask.number };
        let params = serde_json::to_string(&question).map_err(|_| Refusal::Unsupported)?;
        let timestamp = cx.now.as_millisecond().to_string();
        let digest = digest(&params, cx.account.secret("app_key"), &timestamp);
        let path =
            cx.account.setting("query_path", "/dop-interface-sync/standard-query/newTraceQuery.action");
        let url = format!("{}{path}", cx.account.setting("base_url", SPEC.base_url));
        let fields = [
            ("companyCode", cx.account.setting("company_code", "")),
            ("params", &params),
            ("timestamp", &timestamp),
            ("digest", &digest),
        ];
        Ok(Call::form("deppon.query", url, &fields))
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said = body::json(answer, cx.now)?;
        let parcel = match said.refusal() {
            Ok(()) => said.response_param.ok_or(Refusal::Unreadable)?,
            Err(Refusal::NoDataYet) => Parcel::default(),
            Err(refused) => return Err(refused),
        };
        if parcel.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number)) {
            return Err(Refusal::Unreadable);
        }
        Ok(Step::Done(vec![parcel.tracked(&ask.carrier, &ask.number, cx.now)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Deppon {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let key = cx.account.secret("app_key");
        let field = |name: &str| {
            form_urlencoded::parse(&request.body).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let params = field("params").ok_or(Unverified::Malformed)?;
        let expected = digest(&params, key, &field("timestamp").unwrap_or_default());
        let proof = sign::matches(expected.as_bytes(), field("digest").unwrap_or_default().as_bytes());
        let proof = proof.filter(|_| !key.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(params.into_owned().into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let told = |parcel: Parcel| {
            let number = parcel.number.clone()?.to_ascii_uppercase();
            Some(News::of(parcel.tracked(SPEC.code, &number, cx.now)))
        };
        Ok(Told { parcels: pushed.track_list.into_iter().filter_map(told).collect(), ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let body = match stored {
            true => r#"{"success":true,"error_code":"1000","error_msg":"成功","result":true}"#,
            false => r#"{"success":false,"error_code":"9999","error_msg":"稍后重试","result":false}"#,
        };
        Reply { status: 200, content_type: "application/json; charset=utf-8", body: body.into() }
    }
}

/// Base64 of the 32 hex letters of MD5.
fn digest(params: &str, key: &str, timestamp: &str) -> String {
    sign::base64(sign::md5_hex([params, key, timestamp].concat().as_bytes()).as_bytes())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    mail_no: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    result: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "body::embedded")]
    response_param: Option<Parcel>,
}

impl Said {
    fn refusal(&self) -> Result<(), Refusal> {
        let reason = self.reason.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        match self.result.as_deref() {
            None => Err(Refusal::Unreadable),
            Some(result) if result.eq_ignore_ascii_case("true") => Ok(()),
            _ if has(&["摘要", "签名", "digest", "companyCode"]) => {
                Err(Refusal::FixAccount { cure: CURE_CREDENTIALS })
            }
            _ if has(&["权限", "未授权"]) => Err(Refusal::FixAccount { cure: CURE_PERMISSION }),
            _ if has(&["频繁", "限流"]) => Err(Refusal::Throttled { until: None }),
            _ if has(&["不存在", "无轨迹", "未查询到"]) => Err(Refusal::NoDataYet),
            _ if has(&["单号", "mailNo"]) => Err(Refusal::BadNumber),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

#[derive(Deserialize)]
struct Pushed {
    track_list: Vec<Parcel>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Parcel {
    #[serde(rename = "tracking_number", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(deserialize_with = "body::list")]
    trace_list: Vec<Scan>,
}

impl Parcel {
    fn tracked(self, carrier: &str, number: &str, now: Timestamp) -> Tracked {
        let events = self.trace_list.into_iter().map(|scan| scan.event(carrier, number, now)).collect();
        Tracked::of(carrier, number, events)
    }
}

#[derive(Deserialize)]
struct Scan {
    #[serde(default, deserialize_with = "body::loose")]
    time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    description: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    site: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    city: Option<String>,
}

impl Scan {
    fn event(self, carrier: &str, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.time.as_deref());
        let known = self.status.as_deref().and_then(|code| meaning_of(CODES, code));
        let raw = Raw { code: self.status, status: None, description: self.description };
        let meaning = known.unwrap_or(Meaning::UNMAPPED);
        let mut event = Event::new(carrier, number, SPEC.code, time, meaning, raw, now);
        let city = without_end(self.city, '市');
        let text = self.site.or_else(|| city.clone());
        event.place = Place { text, city, country: Some("CN".into()), ..Place::default() };
        refine(event)
    }
}

/// `status`, sorted as text. `OTHER` says nothing.
static CODES: &[Code] = &[
    row("ADVANCE_DELIVERY", "提前派送", Meaning::sub(Sub::OnVehicle)),
    row("ADVANCE_NOTICE", "提前通知", Meaning::sub(Sub::Moving)),
    row("ARRIVAL", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("BACK_SIGNED", "退回签收", Meaning::sub(Sub::ToSender)),
    row("DEPARTURE", "出发", Meaning::sub(Sub::DepartedHub)),
    row("DISPATCH", "派送", Meaning::sub(Sub::OnVehicle)),
    row("ERROR", "滞留", Meaning::exception(Reason::Overdue)),
    row("FAILED", "拒签", Meaning::exception(Reason::Refused)),
    row("GOT", "揽收", Meaning::sub(Sub::Accepted)),
    row("INBOUND", "入库", Meaning::sub(Sub::ArrivedHub)),
    row("OPERATETRACK", "操作", Meaning::sub(Sub::Moving)),
    row("OTHER", "其他", Meaning::UNMAPPED),
    row("SENT_SCAN", "派件", Meaning::sub(Sub::OnVehicle)),
    row("SIGNED", "签收", Meaning::sub(Sub::Signed)),
    row("STA_INBOUND", "驿站入库", Meaning::sub(Sub::Station)),
    row("STA_SIGN", "驿站签收", Meaning::sub(Sub::Collected)),
];

#[cfg(test)]
#[path = "deppon_tests.rs"]
mod tests;
