//! STO 申通 (the "link" gateway): asks where its waybills are, subscribes them, and takes its pushes.
//! Source: open.sto.cn (`STO_TRACE_QUERY_COMMON`, `STO_TRACE_PLATFORM_SUBSCRIBE`, `STO_TRACE_PLATFORM_PUSH`);
//! facts/carriers-cn 3. Must never take 快件取出 for a collection: there the courier took it back.

use super::{
    Ask, Carrier, CarrierSpec, Code, News, Push, Step, Subscription, Told, Tracked,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION},
    china_time, meaning_of, refine, row, without_end,
};
use crate::model::{Event, Meaning, Place, Raw, Reason, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The codec.
#[derive(Debug)]
pub struct Sto;

static SPEC: CarrierSpec = CarrierSpec {
    code: "sto",
    aggregator: false,
    serves: |carrier| carrier == "sto",
    secrets: &["secret"],
    settings: &["app_key", "code"],
    base_url: "https://cloudinter-linkgateway.sto.cn",
    needs_phone_tail: |_| false,
    batch: 20,
    per_second: 10,
    per_day: 20_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "five client sources agree on the gateway; no table of error codes was seen, so refusals are told apart by \
               their words; not yet asked live",
};

impl Carrier for Sto {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["push"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        if asks.is_empty() || asks.len() > SPEC.batch {
            return Err(Refusal::Unsupported);
        }
        if asks.iter().any(|ask| ask.number.is_empty() || ask.number.len() > 32) {
            return Err(Refusal::BadNumber);
        }
        let numbers = asks.iter().map(|ask| ask.number.as_str()).collect();
        let question = Question { order: "asc", waybill_no_list: numbers };
        call(cx, "sto.query", "STO_TRACE_QUERY_COMMON", "sto_trace_query", &question)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let said = Said::of(answer, cx.now)?;
        said.refusal()?;
        let mut told = said.data.ok_or(Refusal::Unreadable)?;
        let tracked = asks.iter().map(|ask| {
            let scans = told.remove(&ask.number).unwrap_or_default();
            let events = scans.into_iter().map(|scan| scan.event(&ask.number, cx.now)).collect();
            Tracked::of(SPEC.code, &ask.number, events)
        });
        Ok(Step::Done(tracked.collect()))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Sto {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let secret = cx.account.secret("secret");
        let field = |name: &str| {
            form_urlencoded::parse(&request.body).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let content = field("content").ok_or(Unverified::Malformed)?;
        let given = field("data_digest").unwrap_or_default();
        let expected = data_digest(&content, secret);
        let proof = sign::matches(expected.as_bytes(), given.as_bytes());
        let proof = proof.filter(|_| !secret.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(content.into_owned().into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = pushed.number.ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let scan = pushed.trace.ok_or(Refusal::Unreadable)?;
        let event = scan.event(&number, cx.now);
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, vec![event]))], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let body = match stored {
            true => r#"{"success":true,"errorCode":"","errorMsg":""}"#,
            false => r#"{"success":false,"errorCode":"500","errorMsg":"busy"}"#,
        };
        Reply { status: 200, content_type: "application/json; charset=utf-8", body: body.into() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Sto {
    /// The address of pushes stands in the console.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        let wish = Wish { subscribe_info_list: vec![Number { waybill_no: &ask.number }] };
        call(cx, "sto.subscribe", "STO_TRACE_PLATFORM_SUBSCRIBE", "sto_trace_platform", &wish)
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        Said::of(answer, cx.now)?.refusal()
    }
}

/// `base64(md5(content + secret))`.
fn data_digest(content: &str, secret: &str) -> String {
    sign::md5_base64([content, secret].concat().as_bytes())
}

fn call(
    cx: &Cx,
    operation: &'static str,
    api: &str,
    to: &str,
    content: &impl Serialize,
) -> Result<Call, Refusal> {
    let content = serde_json::to_string(content).map_err(|_| Refusal::Unsupported)?;
    let digest = data_digest(&content, cx.account.secret("secret"));
    let url = format!("{}/gateway/link.do", cx.account.setting("base_url", SPEC.base_url));
    let fields = [
        ("api_name", api),
        ("content", content.as_str()),
        ("from_appkey", cx.account.setting("app_key", "")),
        ("from_code", cx.account.setting("code", "")),
        ("to_appkey", to),
        ("to_code", to),
        ("data_digest", digest.as_str()),
    ];
    Ok(Call::form(operation, url, &fields))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    order: &'a str,
    waybill_no_list: Vec<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wish<'a> {
    subscribe_info_list: Vec<Number<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Number<'a> {
    waybill_no: &'a str,
}

/// An answer: JSON, or the gateway's own refusal as XML. `data` is keyed by waybill.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    success: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    error_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    error_msg: Option<String>,
    #[serde(default)]
    data: Option<BTreeMap<String, Vec<Scan>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct XmlSaid {
    success: String,
    error_code: Option<String>,
    error_msg: Option<String>,
}

impl Said {
    fn of(answer: &Answer, now: Timestamp) -> Result<Self, Refusal> {
        body::http_status(answer, now)?;
        let text = body::text(answer).ok_or(Refusal::Unreadable)?;
        if text.trim_start().starts_with("<response>") {
            let XmlSaid { success, error_code, error_msg } = body::xml(&text)?;
            return Ok(Self { success: Some(success), error_code, error_msg, data: None });
        }
        serde_json::from_str(&text).map_err(|_| Refusal::Unreadable)
    }

    fn refusal(&self) -> Result<(), Refusal> {
        let Some(success) = self.success.as_deref() else { return Err(Refusal::Unreadable) };
        if success.eq_ignore_ascii_case("true") {
            return Ok(());
        }
        let said = [self.error_code.as_deref(), self.error_msg.as_deref()];
        let has =
            |words: &[&str]| said.iter().flatten().any(|text| words.iter().any(|word| text.contains(word)));
        Err(if has(&["签名", "digest", "DIGEST", "SIGN"]) {
            Refusal::FixAccount { cure: CURE_CREDENTIALS }
        } else if has(&["权限", "未授权", "AUTH"]) {
            Refusal::FixAccount { cure: CURE_PERMISSION }
        } else if has(&["频繁", "限流", "LIMIT"]) {
            Refusal::Throttled { until: None }
        } else if has(&["单号", "运单"]) {
            Refusal::BadNumber
        } else {
            Refusal::Retry { after: None }
        })
    }
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(default, rename = "waybillNo", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default)]
    trace: Option<Scan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    #[serde(default, deserialize_with = "body::loose")]
    op_org_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_org_city_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_org_province_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    scan_type: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    memo: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    address: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    biz_emp_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    biz_emp_phone: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    issue_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    signoff_people: Option<String>,
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.op_time.as_deref());
        let meaning = self.meaning();
        let raw = Raw { code: self.scan_type, status: self.issue_name, description: self.memo };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        let city = without_end(self.op_org_city_name, '市');
        event.place = Place {
            text: self.op_org_name.or_else(|| city.clone()),
            city,
            region: self.op_org_province_name,
            country: Some("CN".into()),
            ..Place::default()
        };
        (event.courier.name, event.courier.phone) = (self.biz_emp_name, self.biz_emp_phone);
        if matches!(meaning.sub, Some(Sub::Station | Sub::Locker)) {
            event.pickup.place = self.address;
        }
        event.signed_by = self.signoff_people;
        refine(event)
    }

    fn meaning(&self) -> Meaning {
        let code = self.scan_type.as_deref().unwrap_or("");
        let memo = self.memo.as_deref().unwrap_or("");
        match code {
            // Left the station: with the buyer only where the words say so.
            "驿站出库" if ["取件成功", "已取件", "取走", "签收"].iter().any(|word| memo.contains(word)) => {
                Meaning::sub(Sub::Collected)
            }
            "问题件" if self.issue_name.as_deref().is_some_and(|issue| issue.contains("拒收")) => {
                Meaning::exception(Reason::Refused)
            }
            _ => meaning_of(CODES, code).unwrap_or(Meaning::UNMAPPED),
        }
    }
}

/// `scanType`, sorted as text.
static CODES: &[Code] = &[
    row("CC_IM_FAILURE", "清关异常", Meaning::exception(Reason::CustomsHold)),
    row("CC_IM_START", "清关开始", Meaning::sub(Sub::CustomsPresented)),
    row("CC_IM_SUCCESS", "清关完成", Meaning::sub(Sub::CustomsReleased)),
    row("CC_START", "出口报关", Meaning::sub(Sub::Moving)),
    row("GOT", "转国内", Meaning::sub(Sub::HandedToPartner)),
    row("LH_ARRIVE", "干线到达", Meaning::sub(Sub::ArrivedHub)),
    row("LH_DEPART", "干线离开", Meaning::sub(Sub::LineHaul)),
    row("MOT_TRANSIT", "运输中", Meaning::sub(Sub::Moving)),
    row("PU_PICKUP_SUCCESS", "揽收", Meaning::sub(Sub::Accepted)),
    row("SC_INBOUND_SUCCESS", "入库", Meaning::sub(Sub::ArrivedHub)),
    row("到件", "到件", Meaning::sub(Sub::ArrivedHub)),
    row("发件", "发件", Meaning::sub(Sub::DepartedHub)),
    row("快件取出", "快件取出", Meaning::sub(Sub::OnVehicle)),
    row("收件", "收件", Meaning::sub(Sub::Accepted)),
    row("改地址件", "改地址件", Meaning::exception(Reason::Address)),
    row("柜机代收", "柜机代收", Meaning::sub(Sub::Locker)),
    row("派件", "派件", Meaning::sub(Sub::OnVehicle)),
    row("派件入柜", "派件入柜", Meaning::sub(Sub::Locker)),
    row("留仓件", "留仓件", Meaning::sub(Sub::Station)),
    row("第三方代收", "第三方代收", Meaning::sub(Sub::Station)),
    row("第三方代派", "第三方代派", Meaning::sub(Sub::OnVehicle)),
    row("签收", "签收", Meaning::sub(Sub::Signed)),
    row("转同行", "转同行", Meaning::sub(Sub::HandedToPartner)),
    row("转邮", "转邮", Meaning::sub(Sub::HandedToPartner)),
    row("退回件", "退回件", Meaning::sub(Sub::OnTheWay)),
    row("问题件", "问题件", Meaning::exception(Reason::Other)),
    row("驿站代收", "驿站代收", Meaning::sub(Sub::Station)),
    row("驿站出库", "驿站出库", Meaning::sub(Sub::Station)),
];

#[cfg(test)]
#[path = "sto_tests.rs"]
mod tests;
