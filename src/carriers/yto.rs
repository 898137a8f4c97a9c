//! YTO 圆通 (the open adapters): asks where its waybills are, subscribes them, takes its pushes, and creates waybills.
//! Source: open.yto.net.cn (`track_query_adapter`, `subscribe_adapter`, push of `UpdateInfo`); facts/carriers-cn 4.
//! Key and address suffix are issued for each interface: must never use one for the other.

mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, Code, News, Push, Step, Subscription, Told, Tracked, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_SETTINGS},
    china_time, meaning_of, refine, row, without_end,
};
use crate::model::{Event, Meaning, Place, Raw, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Yto;

static SPEC: CarrierSpec = CarrierSpec {
    code: "yto",
    aggregator: false,
    serves: |carrier| carrier == "yto",
    secrets: &["query_secret"],
    settings: &["customer_code", "query_suffix"],
    base_url: "https://openapi.yto.net.cn:11443",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 10,
    per_day: 20_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "signature verified with a public test request; event names from a DTO of the official page; error codes \
               are hardly known, so refusals are told apart by their words; not yet asked live",
};

impl Carrier for Yto {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &[
            "push",
            "subscribe_suffix",
            "subscribe_client",
            "subscribe_secret?",
            "push_secret?",
            "create_suffix",
            "create_secret?",
            "cancel_suffix",
            "cancel_secret?",
            "product_code",
        ]
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        if ask.number.is_empty() || ask.number.len() > 32 {
            return Err(Refusal::BadNumber);
        }
        let param =
            serde_json::to_string(&Number { number: &ask.number }).map_err(|_| Refusal::Unsupported)?;
        let (suffix, secret) = (cx.account.setting("query_suffix", ""), cx.account.secret("query_secret"));
        adapter(cx, "yto.query", "track_query_adapter", suffix, secret, &param)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let scans = match body::json(answer, cx.now)? {
            Said::Scans(scans) if !scans.is_empty() => scans,
            Said::Scans(_) => return Err(Refusal::Unreadable),
            Said::Other(other) => {
                other.refusal()?;
                Vec::new()
            }
        };
        let other = |scan: &Scan| {
            scan.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number))
        };
        if scans.iter().any(|scan| other(scan) || scan.time.is_none()) {
            return Err(Refusal::Unreadable);
        }
        let events = scans.into_iter().map(|scan| scan.event(&ask.number, cx.now)).collect();
        Ok(Step::Done(vec![Tracked::of(SPEC.code, &ask.number, events)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Yto {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let secret = cx.account.secret("push_secret");
        let field = |name: &str| {
            form_urlencoded::parse(&request.body).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let xml = field("logistics_interface").ok_or(Unverified::Malformed)?;
        let given = field("data_digest").unwrap_or_default();
        let expected = sign::md5_base64([xml.as_ref(), secret].concat().as_bytes());
        let proof = sign::matches(expected.as_bytes(), given.as_bytes());
        let proof = proof.filter(|_| !secret.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(xml.into_owned().into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let text = std::str::from_utf8(payload).map_err(|_| Refusal::Unreadable)?;
        let update: Update = body::xml(text)?;
        let number = update.number.clone().filter(|number| !number.is_empty()).ok_or(Refusal::Unreadable)?;
        let number = number.to_ascii_uppercase();
        let event = update.event(&number, cx.now);
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, vec![event]))], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, request: &Request, stored: bool) -> Reply {
        let xml = form_urlencoded::parse(&request.body).find(|(key, _)| key == "logistics_interface");
        let update: Option<Update> = xml.and_then(|(_, xml)| body::xml(&xml).ok());
        let order = update.and_then(|update| update.order).unwrap_or_default();
        let order = quick_xml::escape::escape(order.as_str());
        let reason = if stored { "" } else { "busy" };
        let body = format!(
            "<Response><logisticProviderID>YTO</logisticProviderID><txLogisticID>{order}</txLogisticID>\
             <success>{stored}</success><reason>{reason}</reason></Response>"
        );
        Reply { status: 200, content_type: "text/xml; charset=utf-8", body: body.into_bytes() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Yto {
    /// The address of pushes stands in the console.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        let client_id = cx.account.setting("subscribe_client", "");
        if client_id.is_empty() {
            return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
        }
        let inner = serde_json::to_string(&Watched { client_id, waybill_no: &ask.number });
        let inner = inner.map_err(|_| Refusal::Unsupported)?;
        let wish = Wish { client_id, logistics_interface: &inner, msg_type: "online" };
        let param = serde_json::to_string(&wish).map_err(|_| Refusal::Unsupported)?;
        let (suffix, secret) =
            (cx.account.setting("subscribe_suffix", ""), cx.account.secret("subscribe_secret"));
        adapter(cx, "yto.subscribe", "subscribe_adapter", suffix, secret, &param)
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        body::json::<Other>(answer, cx.now)?.refusal()
    }
}

/// `base64(md5(param + method + version + secret))`.
fn signature(param: &str, method: &str, secret: &str) -> String {
    sign::md5_base64([param, method, "v1", secret].concat().as_bytes())
}

fn adapter(
    cx: &Cx,
    operation: &'static str,
    method: &str,
    suffix: &str,
    secret: &str,
    param: &str,
) -> Result<Call, Refusal> {
    let customer = cx.account.setting("customer_code", "");
    let url =
        format!("{}/open/{method}/v1/{suffix}/{customer}", cx.account.setting("base_url", SPEC.base_url));
    let timestamp = cx.now.as_millisecond().to_string();
    let sign = signature(param, method, secret);
    let body = Adapter { timestamp: &timestamp, param, sign: &sign, format: "JSON" };
    Ok(Call::json(operation, url, serde_json::to_vec(&body).map_err(|_| Refusal::Unsupported)?))
}

#[derive(Serialize)]
struct Adapter<'a> {
    timestamp: &'a str,
    param: &'a str,
    sign: &'a str,
    format: &'a str,
}

#[derive(Serialize)]
struct Number<'a> {
    #[serde(rename = "NUMBER")]
    number: &'a str,
}

#[derive(Serialize)]
struct Wish<'a> {
    client_id: &'a str,
    logistics_interface: &'a str,
    msg_type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Watched<'a> {
    client_id: &'a str,
    waybill_no: &'a str,
}

/// A list of scans; an object where there is none, or where YTO refuses.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Scans(Vec<Scan>),
    Other(Other),
}

#[derive(Deserialize)]
struct Other {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    success: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    message: Option<String>,
}

impl Other {
    fn refusal(&self) -> Result<(), Refusal> {
        let message = self.message.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match (self.code.as_deref(), self.success.as_deref()) {
            (None, None) => Err(Refusal::Unreadable),
            // 1001: nothing found.
            (_, Some(success)) if success.eq_ignore_ascii_case("true") => Ok(()),
            _ if has(&["签名", "sign"]) => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
            _ if has(&["权限", "白名单", "未授权"]) => {
                Err(Refusal::FixAccount { cure: CURE_PERMISSION })
            }
            _ if has(&["频繁", "限流", "超过"]) => Err(Refusal::Throttled { until: None }),
            _ if has(&["单号"]) => Err(Refusal::BadNumber),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

#[derive(Deserialize)]
struct Scan {
    #[serde(default, rename = "waybill_No", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, rename = "upload_Time", deserialize_with = "body::loose")]
    time: Option<String>,
    #[serde(default, rename = "infoContent", deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, rename = "processInfo", deserialize_with = "body::loose")]
    words: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    district: Option<String>,
}

/// One scan of a push.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    #[serde(default, rename = "mailNo")]
    number: Option<String>,
    #[serde(default, rename = "txLogisticID")]
    order: Option<String>,
    #[serde(default)]
    info_content: Option<String>,
    #[serde(default)]
    accept_time: Option<String>,
    #[serde(default)]
    remark: Option<String>,
    #[serde(default)]
    city: Option<String>,
    #[serde(default)]
    org_name: Option<String>,
    #[serde(default)]
    signed_name: Option<String>,
    #[serde(default)]
    delivery_name: Option<String>,
    #[serde(default)]
    contact_info: Option<String>,
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        event(number, now, self.time, self.code, self.words, self.city, self.district)
    }
}

impl Update {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let some =
            |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let (time, code, words) = (some(self.accept_time), some(self.info_content), some(self.remark));
        let mut event = event(number, now, time, code, words, some(self.city), some(self.org_name));
        event.courier.name = event.courier.name.take().or(some(self.delivery_name));
        event.courier.phone = event.courier.phone.take().or(some(self.contact_info));
        event.signed_by = event.signed_by.take().or(some(self.signed_name));
        event
    }
}

fn event(
    number: &str,
    now: Timestamp,
    time: Option<String>,
    code: Option<String>,
    words: Option<String>,
    city: Option<String>,
    text: Option<String>,
) -> Event {
    let time = china_time(time.as_deref());
    let meaning = code.as_deref().and_then(|code| meaning_of(CODES, code)).unwrap_or(Meaning::UNMAPPED);
    let raw = Raw { code, status: None, description: words };
    let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
    let city = without_end(city, '市');
    event.place =
        Place { text: text.or_else(|| city.clone()), city, country: Some("CN".into()), ..Place::default() };
    refine(event)
}

/// `infoContent`, sorted as text.
static CODES: &[Code] = &[
    row("ACCEPT", "接单", Meaning::sub(Sub::LabelCreated)),
    row("AIRPICK", "航空提货", Meaning::sub(Sub::ArrivedHub)),
    row("AIRSEND", "航空发货", Meaning::sub(Sub::LineHaul)),
    row("ARRIVAL", "到件", Meaning::sub(Sub::ArrivedHub)),
    row("DEPARTURE", "发件", Meaning::sub(Sub::DepartedHub)),
    row("FAILED", "派送失败", Meaning::sub(Sub::Other)),
    row("FORWARDING", "转寄", Meaning::sub(Sub::Redirected)),
    row("GOT", "揽收", Meaning::sub(Sub::Accepted)),
    row("INBOUND", "入库", Meaning::sub(Sub::Station)),
    row("NOT_SEND", "揽收失败", Meaning::sub(Sub::PickupFailed)),
    row("ORDER_BOOKING", "预约", Meaning::sub(Sub::PickupScheduled)),
    row("SENT_SCAN", "派件", Meaning::sub(Sub::OnVehicle)),
    row("SIGNED", "签收", Meaning::sub(Sub::Signed)),
    row("TMS_RETURN", "退回", Meaning::sub(Sub::OnTheWay)),
];

#[cfg(test)]
#[path = "yto_tests.rs"]
mod tests;
