//! J&T 极兔 (China): asks where its waybills are, subscribes them, and takes its pushes.
//! Source: open.jtexpress.com.cn (`logistics/trace`, `trace/subscribe`, push of `bizContent`); facts/carriers-cn 9.
//! Must never read China's scan numbers in another country's: 10 is "signed" here and "picked up" there.

use super::{
    Ask, Carrier, CarrierSpec, Code, News, Push, Step, Subscription, Told, Tracked,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_SETTINGS},
    china_time, meaning_of, refine, row, without_end,
};
use crate::model::{Event, Meaning, Place, Raw, Reason, Status, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Jt;

static SPEC: CarrierSpec = CarrierSpec {
    code: "jt",
    aggregator: false,
    serves: |carrier| carrier == "jt",
    secrets: &["private_key"],
    settings: &["api_account"],
    base_url: "https://openapi.jtexpress.com.cn/webopenplatformapi/api",
    needs_phone_tail: |_| false,
    batch: 30,
    per_second: 10,
    per_day: 50_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "from users of the official SDK and copies of official pages; scans come as Chinese words, the numbers are \
               the document's; rate limits in China are not known; other countries have other hosts and numbers and are \
               not served; not yet asked live",
};

impl Carrier for Jt {
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
        let numbers: Vec<&str> = asks.iter().map(|ask| ask.number.as_str()).collect();
        // A comma would make two numbers of one.
        if numbers.iter().any(|number| number.is_empty() || number.len() > 32 || number.contains(',')) {
            return Err(Refusal::BadNumber);
        }
        call(cx, "jt.query", "/logistics/trace", &Question { bill_codes: &numbers.join(",") })
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let said: Said<Vec<Parcel>> = body::json(answer, cx.now)?;
        let mut parcels = match said.refusal() {
            Ok(()) => said.data.ok_or(Refusal::Unreadable)?,
            Err(Refusal::NoDataYet) => Vec::new(),
            Err(refused) => return Err(refused),
        };
        let mut told = Vec::with_capacity(asks.len());
        for ask in asks {
            let found = parcels.iter().position(|parcel| parcel.is_about(&ask.number));
            let scans = found.map(|at| parcels.swap_remove(at).scans).unwrap_or_default();
            let events = scans.into_iter().map(|scan| scan.event(&ask.number, cx.now)).collect();
            told.push(Tracked::of(SPEC.code, &ask.number, events));
        }
        // Parcels that nobody asked about: the answer belongs to another question.
        if parcels.is_empty() { Ok(Step::Done(told)) } else { Err(Refusal::Unreadable) }
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Jt {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let key = cx.account.secret("private_key");
        let content = form_urlencoded::parse(&request.body).find(|(name, _)| name == "bizContent");
        let (_, content) = content.ok_or(Unverified::Malformed)?;
        let expected = digest(&content, key);
        let proof = sign::matches(expected.as_bytes(), request.header("digest").as_bytes());
        let proof = proof.filter(|_| !key.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(content.into_owned().into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let parcel: Parcel = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = parcel.number.ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let events = parcel.scans.into_iter().map(|scan| scan.event(&number, cx.now)).collect();
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, events))], ..Told::default() })
    }

    fn acknowledge(&self, cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let id = cx.now.as_millisecond();
        let body = match stored {
            true => format!(r#"{{"code":"1","msg":"success","data":"SUCCESS","requestId":"{id}"}}"#),
            false => format!(r#"{{"code":"0","msg":"fail","data":"FAIL","requestId":"{id}"}}"#),
        };
        Reply { status: 200, content_type: "application/json; charset=utf-8", body: body.into_bytes() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Jt {
    /// All fourteen kinds of scans. The address of pushes stands in the console.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        let nodes = (1..=14).map(|node| node.to_string()).collect::<Vec<_>>().join("&");
        let wish = Wish { waybill_code: &ask.number, trace_node: &nodes };
        call(cx, "jt.subscribe", "/trace/subscribe", &Wishes { id: &ask.number, list: [wish] })
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        // Its data is of no interest here.
        body::json::<Said<IgnoredAny>>(answer, cx.now)?.refusal()
    }
}

/// Base64 of the raw MD5 of content and key.
fn digest(content: &str, key: &str) -> String {
    sign::md5_base64([content, key].concat().as_bytes())
}

fn call(cx: &Cx, operation: &'static str, path: &str, content: &impl Serialize) -> Result<Call, Refusal> {
    // Signed and sent is the same string.
    let content = serde_json::to_string(content).map_err(|_| Refusal::Unsupported)?;
    let signed = digest(&content, cx.account.secret("private_key"));
    let url = format!("{}{path}", cx.account.setting("base_url", SPEC.base_url));
    let mut call = Call::form(operation, url, &[("bizContent", &content)]);
    call.headers.push(("apiaccount", cx.account.setting("api_account", "").to_owned()));
    call.headers.push(("timestamp", cx.now.as_millisecond().to_string()));
    call.headers.push(("digest", signed));
    Ok(call)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    bill_codes: &'a str,
}

#[derive(Serialize)]
struct Wishes<'a> {
    id: &'a str,
    list: [Wish<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wish<'a> {
    waybill_code: &'a str,
    trace_node: &'a str,
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Said<T> {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    msg: Option<String>,
    #[serde(default)]
    data: Option<T>,
}

impl<T> Said<T> {
    fn refusal(&self) -> Result<(), Refusal> {
        let message = self.msg.as_deref().unwrap_or("");
        match self.code.as_deref().unwrap_or("") {
            "" => Err(Refusal::Unreadable),
            "1" => Ok(()),
            "145003010" | "145003030" | "145003031" => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
            "145003012" => Err(Refusal::FixAccount { cure: CURE_PERMISSION }),
            "145003050" => Err(Refusal::BadNumber),
            "145003051" | "145003052" | "145003053" => Err(Refusal::FixAccount { cure: CURE_SETTINGS }),
            "999001030" | "145003060" | "145003061" | "145003062" | "145003063" | "145003064" => {
                Err(Refusal::NoDataYet)
            }
            _ if ["频繁", "限流"].iter().any(|word| message.contains(word)) => {
                Err(Refusal::Throttled { until: None })
            }
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

#[derive(Deserialize)]
struct Parcel {
    #[serde(default, rename = "billCode", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, rename = "details", deserialize_with = "body::list")]
    scans: Vec<Scan>,
}

impl Parcel {
    fn is_about(&self, number: &str) -> bool {
        self.number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(number))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    #[serde(default, deserialize_with = "body::loose")]
    scan_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    desc: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    scan_type: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    problem_type: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    scan_network_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    scan_network_province: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    scan_network_city: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    staff_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    staff_contact: Option<String>,
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.scan_time.as_deref());
        let known = self.scan_type.as_deref().and_then(|code| meaning_of(CODES, code));
        let problem = known.filter(|meaning| meaning.status == Status::Exception);
        let finer = problem.and(self.problem_type.as_deref()).and_then(problem_of);
        let meaning = finer.or(known).unwrap_or(Meaning::UNMAPPED);
        let raw = Raw { code: self.scan_type, status: self.problem_type, description: self.desc };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        event.place = Place {
            text: self.scan_network_name,
            city: without_end(self.scan_network_city, '市'),
            region: without_end(self.scan_network_province, '省'),
            country: Some("CN".into()),
            ..Place::default()
        };
        if event.status == Status::OutForDelivery {
            event.courier.name = self.staff_name;
            event.courier.phone = self.staff_contact;
        }
        refine(event)
    }
}

/// `problemType`: what the problem is.
fn problem_of(code: &str) -> Option<Meaning> {
    Some(match code.to_ascii_uppercase().as_str() {
        "A2" | "A14" | "A29" | "A35" => Meaning::exception(Reason::Refused),
        "A9" | "A10" => Meaning::exception(Reason::RecipientUnreachable),
        "A11" | "A13" | "A23" | "A34" => Meaning::sub(Sub::Other),
        "A3" | "A12" | "A15" | "A16" | "A19" => Meaning::exception(Reason::Address),
        "A17" | "A18" | "A21" => Meaning::sub(Sub::Station),
        "A4" | "A25" => Meaning::sub(Sub::OnTheWay),
        "A1" | "A26" | "A31" => Meaning::sub(Sub::BySender),
        _ => return None,
    })
}

/// `scanType` by number and by word, sorted as text. 9 leaves a collection point: the sentence says whether by the
/// buyer's hand. 13 says nothing.
static CODES: &[Code] = &[
    row("1", "快件揽收", Meaning::sub(Sub::Accepted)),
    row("10", "快件签收", Meaning::sub(Sub::Signed)),
    row("11", "问题件扫描", Meaning::exception(Reason::Other)),
    row("12", "安检扫描", Meaning::sub(Sub::Moving)),
    row("13", "其他", Meaning::UNMAPPED),
    row("14", "退件扫描", Meaning::sub(Sub::OnTheWay)),
    row("2", "入仓扫描", Meaning::sub(Sub::ArrivedHub)),
    row("3", "发件扫描", Meaning::sub(Sub::DepartedHub)),
    row("4", "到件扫描", Meaning::sub(Sub::ArrivedHub)),
    row("5", "出仓扫描", Meaning::sub(Sub::OnVehicle)),
    row("6", "入库扫描", Meaning::sub(Sub::Station)),
    row("7", "代理点收入扫描", Meaning::sub(Sub::Station)),
    row("8", "快件取出扫描", Meaning::sub(Sub::OnVehicle)),
    row("9", "出库扫描", Meaning::sub(Sub::Moving)),
    row("代理点收入扫描", "代理点收入扫描", Meaning::sub(Sub::Station)),
    row("入仓扫描", "入仓扫描", Meaning::sub(Sub::ArrivedHub)),
    row("入库扫描", "入库扫描", Meaning::sub(Sub::Station)),
    row("其他", "其他", Meaning::UNMAPPED),
    row("出仓扫描", "出仓扫描", Meaning::sub(Sub::OnVehicle)),
    row("出库扫描", "出库扫描", Meaning::sub(Sub::Moving)),
    row("到件扫描", "到件扫描", Meaning::sub(Sub::ArrivedHub)),
    row("发件扫描", "发件扫描", Meaning::sub(Sub::DepartedHub)),
    row("安检扫描", "安检扫描", Meaning::sub(Sub::Moving)),
    row("快件取出扫描", "快件取出扫描", Meaning::sub(Sub::OnVehicle)),
    row("快件揽收", "快件揽收", Meaning::sub(Sub::Accepted)),
    row("快件签收", "快件签收", Meaning::sub(Sub::Signed)),
    row("退件扫描", "退件扫描", Meaning::sub(Sub::OnTheWay)),
    row("问题件扫描", "问题件扫描", Meaning::exception(Reason::Other)),
];

#[cfg(test)]
#[path = "jt_tests.rs"]
mod tests;
