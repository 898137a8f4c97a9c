//! Yunda 韵达: asks where its waybills are, subscribes them, and takes its pushes.
//! Source: open.yundaex.com (`logictis/query`, spelled so, `logictis/subscribe`); facts/carriers-cn 5. A number that was
//! not subscribed may have nothing to tell. Must never take "left the collection point" for a delivery.

use super::{
    Ask, Carrier, CarrierSpec, Code, News, Push, Step, Subscription, Told, Tracked,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION},
    china_time,
    header::add_header,
    meaning_of, refine, row, without_end,
};
use crate::model::{Event, Meaning, Place, Raw, Reason, Status, Sub};
use crate::wire::{Answer, Call, Cx, Proof, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Yunda;

static SPEC: CarrierSpec = CarrierSpec {
    code: "yunda",
    aggregator: false,
    serves: |carrier| carrier == "yunda",
    secrets: &["app_secret"],
    settings: &["app_key"],
    base_url: "https://openapi.yundaex.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 10,
    per_day: 20_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "signature of questions from four SDKs, status words from the official page; the page shows two paths \
               (`query_path`); the signature of pushes could not be reproduced (`push_proof = \"secret_path\"` trusts \
               the unguessable address instead) and their acknowledgement is a superset; error codes are not known, so \
               refusals are told apart by their words; not yet asked live",
};

impl Carrier for Yunda {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["query_path", "subscribe_path", "push", "push_proof"]
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let path = cx.account.setting("query_path", "openapi/outer/logictis/query");
        call(cx, "yunda.query", path, ask, &Question { mailno: &ask.number })
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said = body::json(answer, cx.now)?;
        said.refusal()?;
        let told = said.data.unwrap_or_default();
        if told.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number)) {
            return Err(Refusal::Unreadable);
        }
        let mut events: Vec<Event> =
            told.steps.into_iter().map(|step| step.event(&ask.number, cx.now)).collect();
        add_header(&mut events, told.status.as_deref(), whole, cx.now);
        Ok(Step::Done(vec![Tracked::of(SPEC.code, &ask.number, events)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Yunda {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let pushed: Pushed = serde_json::from_slice(&request.body).map_err(|_| Unverified::Malformed)?;
        let secret = cx.account.secret("app_secret");
        let proof = match cx.account.setting("push_proof", "sign") {
            "secret_path" => Proof::secret_path(),
            _ => {
                let (expected, given) = (signature(&pushed.data, secret), pushed.sign.to_ascii_lowercase());
                let proof = sign::matches(expected.as_bytes(), given.as_bytes());
                proof.filter(|_| !secret.is_empty()).ok_or(Unverified::BadSignature)?
            }
        };
        Ok(Verified::new(pushed.data.into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let scan: Scan = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = scan.number.clone().ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let events = vec![scan.event(&number, cx.now)];
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, events))], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let (status, body) = match stored {
            true => (200, r#"{"result":true,"code":"0000","message":"success"}"#),
            false => (503, r#"{"result":false,"code":"9999","message":"busy"}"#),
        };
        Reply { status, content_type: "application/json; charset=utf-8", body: body.into() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Yunda {
    /// The address of pushes is agreed with Yunda.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        let path = cx.account.setting("subscribe_path", "openapi/outer/logictis/subscribe");
        let wish = Wish { orderid: &ask.number, mailno: &ask.number };
        call(cx, "yunda.subscribe", path, ask, &Wishes { orders: [wish] })
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        body::json::<Said>(answer, cx.now)?.refusal()
    }
}

/// Lower hex of `md5(body + "_" + secret)`.
fn signature(body: &str, secret: &str) -> String {
    sign::md5_hex([body, "_", secret].concat().as_bytes())
}

fn call(
    cx: &Cx,
    operation: &'static str,
    path: &str,
    ask: &Ask,
    body: &impl Serialize,
) -> Result<Call, Refusal> {
    if ask.number.is_empty() || ask.number.len() > 32 {
        return Err(Refusal::BadNumber);
    }
    // Signed and sent is the same string.
    let body = serde_json::to_string(body).map_err(|_| Refusal::Unsupported)?;
    let signed = signature(&body, cx.account.secret("app_secret"));
    let url = format!("{}/{}", cx.account.setting("base_url", SPEC.base_url), path.trim_start_matches('/'));
    let mut call = Call::json(operation, url, body.into_bytes());
    call.headers.push(("app-key", cx.account.setting("app_key", "").to_owned()));
    call.headers.push(("sign", signed));
    call.headers.push(("req-time", cx.now.as_millisecond().to_string()));
    Ok(call)
}

#[derive(Serialize)]
struct Question<'a> {
    mailno: &'a str,
}

#[derive(Serialize)]
struct Wishes<'a> {
    orders: [Wish<'a>; 1],
}

#[derive(Serialize)]
struct Wish<'a> {
    orderid: &'a str,
    mailno: &'a str,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    result: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    message: Option<String>,
    #[serde(default)]
    data: Option<Parcel>,
}

impl Said {
    fn refusal(&self) -> Result<(), Refusal> {
        let message = self.message.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match self.result.as_deref() {
            Some(result) if result.eq_ignore_ascii_case("true") => Ok(()),
            None => Err(Refusal::Unreadable),
            _ if has(&["签名", "sign", "app-key", "appKey"]) => {
                Err(Refusal::FixAccount { cure: CURE_CREDENTIALS })
            }
            _ if has(&["权限", "未授权", "白名单"]) => {
                Err(Refusal::FixAccount { cure: CURE_PERMISSION })
            }
            _ if has(&["频繁", "限流", "超过"]) => Err(Refusal::Throttled { until: None }),
            _ if has(&["重复", "已订阅"]) => Err(Refusal::AlreadyDone),
            _ if has(&["单号", "mailno"]) => Err(Refusal::BadNumber),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

/// Without a step, its own `result` is false.
#[derive(Deserialize, Default)]
struct Parcel {
    #[serde(default, rename = "mailno", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    steps: Vec<Scan>,
}

#[derive(Deserialize)]
struct Pushed {
    data: String,
    #[serde(default)]
    sign: String,
}

/// One step of an answer, or a whole push.
#[derive(Deserialize)]
struct Scan {
    #[serde(default, rename = "mailno", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    action: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    description: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    station_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    city: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    phone: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    signer: Option<String>,
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.time.as_deref());
        let known = self.action.as_deref().and_then(|code| meaning_of(CODES, code));
        let raw = Raw { code: self.action, status: None, description: self.description };
        let mut event =
            Event::new(SPEC.code, number, SPEC.code, time, known.unwrap_or(Meaning::UNMAPPED), raw, now);
        let city = without_end(self.city, '市');
        let text = self.station_name.or_else(|| city.clone());
        event.place = Place { text, city, country: Some("CN".into()), ..Place::default() };
        if event.status == Status::OutForDelivery {
            event.courier.phone = self.phone;
        }
        event.signed_by = self.signer;
        refine(event)
    }
}

/// The words for the whole parcel.
fn whole(code: &str) -> Option<Meaning> {
    Some(match code {
        "GOT" => Meaning::sub(Sub::Accepted),
        "TRANSIT" => Meaning::sub(Sub::Moving),
        "SIGNED" => Meaning::sub(Sub::Signed),
        "RETURN" => Meaning::sub(Sub::OnTheWay),
        "SIGNFAIL" => Meaning::exception(Reason::Other),
        _ => return None,
    })
}

/// `action`, sorted as text. `OTHER` says nothing: what was true before stays true.
static CODES: &[Code] = &[
    row("ACCEPT", "接单", Meaning::sub(Sub::Accepted)),
    row("ARRIVAL", "到件", Meaning::sub(Sub::ArrivedHub)),
    row("CLEARANCE_FAIL", "清关失败", Meaning::exception(Reason::CustomsHold)),
    row("CLEARANCE_FINISH", "清关完成", Meaning::sub(Sub::CustomsReleased)),
    row("CLEARANCE_START", "清关开始", Meaning::sub(Sub::CustomsPresented)),
    row("DEPARTURE", "发件", Meaning::sub(Sub::DepartedHub)),
    row("GOT", "揽收", Meaning::sub(Sub::Accepted)),
    row("INBOUND", "入库", Meaning::sub(Sub::Station)),
    row("ISSUE", "问题件", Meaning::exception(Reason::Other)),
    row("OTHER", "其他", Meaning::UNMAPPED),
    row("OUTBOUND", "出库", Meaning::sub(Sub::OnVehicle)),
    row("OVERSEA_ARRIVAL", "国外到件", Meaning::sub(Sub::ArrivedHub)),
    row("OVERSEA_DEPARTURE", "国外发件", Meaning::sub(Sub::DepartedHub)),
    row("OVERSEA_IN", "国外入库", Meaning::sub(Sub::ArrivedHub)),
    row("OVERSEA_OUT", "国外出库", Meaning::sub(Sub::DepartedHub)),
    row("REJECTION", "拒签", Meaning::exception(Reason::Refused)),
    row("RETURN", "退件", Meaning::sub(Sub::OnTheWay)),
    row("SENT", "派件", Meaning::sub(Sub::OnVehicle)),
    row("SIGNED", "签收", Meaning::sub(Sub::Signed)),
    row("SIGNFAIL", "签收失败", Meaning::sub(Sub::Other)),
    row("TRANSFER", "转件", Meaning::sub(Sub::HandedToPartner)),
];

#[cfg(test)]
#[path = "yunda_tests.rs"]
mod tests;
