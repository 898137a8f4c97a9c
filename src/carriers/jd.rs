//! JD Logistics 京东物流 (the LOP gateway): asks where its waybills are, subscribes them, takes its
//! pushes, and creates waybills. Source: open.jdl.com (`orders/trace/query`, `trace/subscribe`, push of one scan); facts/carriers-cn 7. The parcel may
//! go on under a new number, which stands in a sentence only: must never lose it there.

mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, Code, News, Push, Step, Subscription, Told, Tracked, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_SETTINGS},
    china_time, meaning_of, refine, row, without_end,
};
use crate::model::when::CHINA;
use crate::model::{Account, Event, Meaning, Place, Raw, Reason, Sub};
use crate::wire::{Answer, Call, Cx, Proof, Refusal, Reply, Request, Unverified, Verified, sign};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Jd;

static SPEC: CarrierSpec = CarrierSpec {
    code: "jd",
    aggregator: false,
    serves: |carrier| carrier == "jd",
    secrets: &["app_secret"],
    settings: &["app_key", "customer_code"],
    base_url: "https://api.jdl.com",
    needs_phone_tail: |_| false,
    batch: 1,
    per_second: 10,
    per_day: 20_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "signature from the platform's own demo, codes from official pages by way of OLTS, pushes from a real sandbox \
               log; `lop_dn` differs from solution to solution; pushes carry no signature, so the unguessable address is \
               the proof, and their acknowledgement has one source; a merchant's token is fetched by hand; not yet asked \
               live",
};

impl Carrier for Jd {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["access_token?", "lop_dn", "algorithm", "order_origin", "push", "product_code", "settle_type"]
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn mistake(&self, account: &Account) -> Option<(&'static str, String)> {
        let known = ["md5-salt", "HMacSHA256", "HMacSHA512"];
        let wrong = !known.contains(&account.setting("algorithm", known[0]));
        wrong.then(|| ("algorithm", format!("must be one of {}", known.join(", "))))
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        call(cx, "jd.query", "/ecap/v1/orders/trace/query", &Question::of(cx, ask, None)?)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let said: Said<Traces> = body::json(answer, cx.now)?;
        let scans = said.data()?.map(|traces| traces.scans).unwrap_or_default();
        let other = |scan: &Scan| {
            scan.number.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&ask.number))
        };
        if scans.iter().any(other) {
            return Err(Refusal::Unreadable);
        }
        let events = scans.into_iter().map(|scan| scan.event(&ask.number, cx.now)).collect();
        Ok(Step::Done(vec![Tracked::of(SPEC.code, &ask.number, events)]))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

impl Push for Jd {
    fn verify(&self, _cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let scan: Scan = serde_json::from_slice(&request.body).map_err(|_| Unverified::Malformed)?;
        if scan.number.is_none() {
            return Err(Unverified::Malformed);
        }
        Ok(Verified::new(request.body.clone(), Proof::secret_path()))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let scan: Scan = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = scan.number.clone().ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let events = vec![scan.event(&number, cx.now)];
        Ok(Told { parcels: vec![News::of(Tracked::of(SPEC.code, &number, events))], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let (status, body) = match stored {
            true => (200, r#"{"code":"200","msg":null}"#),
            false => (503, r#"{"code":"500","msg":"busy"}"#),
        };
        Reply { status, content_type: "application/json; charset=utf-8", body: body.into() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Jd {
    /// Without a subscription JD sends nothing. The address of pushes stands in the console.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        let mobile = Some(ask.phone_tail.as_deref().unwrap_or(""));
        call(cx, "jd.subscribe", "/ecap/v1/orders/trace/subscribe", &Question::of(cx, ask, mobile)?)
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        // The data is a sentence here.
        body::json::<Said<IgnoredAny>>(answer, cx.now)?.data().map(|_| ())
    }
}

/// What is signed: the secret at both ends, names and values in this order between them.
fn signature(
    algorithm: &str,
    secret: &str,
    token: &str,
    key: &str,
    path: &str,
    body: &str,
    time: &str,
) -> String {
    let parts = [
        secret,
        "access_token",
        token,
        "app_key",
        key,
        "method",
        path,
        "param_json",
        body,
        "timestamp",
        time,
        "v",
        "2.0",
        secret,
    ];
    let content = parts.concat();
    match algorithm {
        "HMacSHA256" => sign::base64(&sign::hmac_sha256(secret.as_bytes(), content.as_bytes())),
        "HMacSHA512" => sign::base64(&sign::hmac_sha512(secret.as_bytes(), content.as_bytes())),
        _ => sign::md5_hex_upper(content.as_bytes()),
    }
}

fn call(cx: &Cx, operation: &'static str, path: &str, argument: &impl Serialize) -> Result<Call, Refusal> {
    // Signed and sent is the same string: a list of arguments.
    let body = serde_json::to_string(&[argument]).map_err(|_| Refusal::Unsupported)?;
    let (key, token) = (cx.account.setting("app_key", ""), cx.account.secret("access_token"));
    let algorithm = cx.account.setting("algorithm", "md5-salt");
    let time = CHINA.to_datetime(cx.now).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let signed = signature(algorithm, cx.account.secret("app_secret"), token, key, path, &body, &time);
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("LOP-DN", cx.account.setting("lop_dn", "ECAP")),
            ("app_key", key),
            ("access_token", token),
            ("timestamp", &time),
            ("v", "2.0"),
            ("algorithm", algorithm),
            ("sign", &signed),
        ])
        .finish();
    let url = format!("{}{path}?{query}", cx.account.setting("base_url", SPEC.base_url));
    let mut call = Call::json(operation, url, body.into_bytes());
    call.headers.push(("lop-tz", "8".to_owned()));
    Ok(call)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    waybill_code: &'a str,
    order_origin: u8,
    customer_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<&'a str>,
}

impl<'a> Question<'a> {
    fn of(cx: &Cx<'a>, ask: &'a Ask, mobile: Option<&'a str>) -> Result<Self, Refusal> {
        let question = Self {
            waybill_code: &ask.number,
            order_origin: order_origin(cx),
            customer_code: cx.account.setting("customer_code", ""),
            mobile,
        };
        (1..=50).contains(&ask.number.len()).then_some(question).ok_or(Refusal::BadNumber)
    }
}

/// 0 person to person, 1 merchant to person, 2 person to merchant, 4 and 5 others.
fn order_origin(cx: &Cx) -> u8 {
    cx.account.setting("order_origin", "1").parse().unwrap_or(1)
}

/// The gateway's refusal, the answer, or the answer two levels down.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Said<T> {
    #[serde(default)]
    error_response: Option<Mistake>,
    #[serde(default)]
    response: Option<Wrapped<T>>,
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    msg: Option<String>,
    #[serde(default)]
    data: Option<T>,
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Wrapped<T> {
    content: Box<Said<T>>,
}

#[derive(Deserialize)]
struct Mistake {
    #[serde(default, deserialize_with = "body::loose")]
    code: Option<String>,
}

#[derive(Deserialize)]
struct Traces {
    #[serde(rename = "traceDetails", deserialize_with = "body::list")]
    scans: Vec<Scan>,
}

impl<T> Said<T> {
    fn data(self) -> Result<Option<T>, Refusal> {
        if let Some(mistake) = self.error_response {
            return Err(gateway(mistake.code.as_deref().unwrap_or("")));
        }
        if let Some(wrapped) = self.response {
            return wrapped.content.data();
        }
        let message = self.msg.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match self.code.as_deref() {
            Some("0") => Ok(self.data),
            None => Err(Refusal::Unreadable),
            _ if has(&["PIN与商家编码", "customerCode"]) => {
                Err(Refusal::FixAccount { cure: CURE_SETTINGS })
            }
            _ if has(&["无权", "权限"]) => Err(Refusal::FixAccount { cure: CURE_PERMISSION }),
            _ if has(&["不存在", "无数据", "未查询到"]) => Err(Refusal::NoDataYet),
            _ if has(&["手机"]) => Err(Refusal::NeedPhoneTail),
            _ if has(&["重复", "已订阅"]) => Err(Refusal::AlreadyDone),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

/// The gateway's codes, as the older platform named them.
fn gateway(code: &str) -> Refusal {
    match code {
        "2" => Refusal::Throttled { until: None },
        "11" | "12" | "18" | "19" | "20" | "21" => Refusal::FixAccount { cure: CURE_CREDENTIALS },
        "4" | "5" | "14" | "15" => Refusal::FixAccount { cure: CURE_SETTINGS },
        "24" => Refusal::FixAccount { cure: CURE_PERMISSION },
        // 7, 8: our clock is off by more than six minutes.
        _ => Refusal::Retry { after: None },
    }
}

/// One scan of an answer, or a whole push.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    #[serde(default, rename = "waybillCode", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    state: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    category: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    operation_title: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    operation_remark: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    operation_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    operate_site: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    route_province_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    route_city_name: Option<String>,
}

impl Scan {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.operation_time.as_deref());
        let known = |code: &Option<String>| code.as_deref().and_then(|code| meaning_of(CODES, code));
        let meaning = known(&self.state).or_else(|| known(&self.category)).unwrap_or(Meaning::UNMAPPED);
        let renumbered = (self.state.as_deref() == Some("200020"))
            .then(|| self.operation_remark.as_deref().and_then(|text| other_number(text, number)))
            .flatten();
        let raw = Raw {
            code: self.state.or_else(|| self.category.clone()),
            status: self.category,
            description: self.operation_remark.or(self.operation_title),
        };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        event.place = Place {
            text: self.operate_site,
            city: without_end(self.route_city_name, '市'),
            region: without_end(self.route_province_name, '省'),
            country: None,
            ..Place::default()
        };
        event.renumbered = renumbered;
        refine(event)
    }
}

/// The number of JD's in a sentence that is not the parcel's own.
fn other_number(text: &str, own: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_uppercase);
    words.filter(|word| word.starts_with("JD") && word.len() >= 10).find(|word| *word != own)
}

/// `state`, and `category` for states without a row, sorted as text. 700, 200002 and 200039 say nothing of the way.
static CODES: &[Code] = &[
    row("100", "下单", Meaning::sub(Sub::LabelCreated)),
    row("10010", "下单", Meaning::sub(Sub::LabelCreated)),
    row("10032", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("10033", "到达营业部", Meaning::sub(Sub::ArrivedDestinationCity)),
    row("10034", "妥投", Meaning::sub(Sub::Signed)),
    row("10035", "拒收", Meaning::exception(Reason::Refused)),
    row("10042", "妥投", Meaning::sub(Sub::Signed)),
    row("10054", "运输", Meaning::sub(Sub::Moving)),
    row("11000", "派送", Meaning::sub(Sub::OnVehicle)),
    row("200001", "揽收", Meaning::sub(Sub::Accepted)),
    row("200002", "消息", Meaning::UNMAPPED),
    row("200003", "再投", Meaning::sub(Sub::Other)),
    row("200004", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("200006", "运输", Meaning::sub(Sub::Moving)),
    row("200007", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("200008", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("200009", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("200010", "取消", Meaning::sub(Sub::BySender)),
    row("200011", "运输", Meaning::sub(Sub::Moving)),
    row("200012", "运输", Meaning::sub(Sub::Moving)),
    row("200013", "运输", Meaning::sub(Sub::Moving)),
    row("200017", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("200018", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("200019", "运输", Meaning::sub(Sub::Moving)),
    row("200020", "换单", Meaning::sub(Sub::Redirected)),
    row("200023", "再投", Meaning::sub(Sub::Other)),
    row("200030", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("200031", "再投", Meaning::sub(Sub::Other)),
    row("200032", "异常", Meaning::exception(Reason::Other)),
    row("200033", "退回签收", Meaning::sub(Sub::ToSender)),
    row("200034", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("200035", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("200036", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("200037", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("200039", "消息", Meaning::UNMAPPED),
    row("200040", "运输", Meaning::sub(Sub::Moving)),
    row("200050", "到达营业部", Meaning::sub(Sub::ArrivedDestinationCity)),
    row("200051", "待取", Meaning::sub(Sub::Station)),
    row("200052", "揽收失败", Meaning::sub(Sub::PickupFailed)),
    row("200053", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("200054", "退回签收", Meaning::sub(Sub::ToSender)),
    row("200055", "运输", Meaning::sub(Sub::Moving)),
    row("200056", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("200057", "待取", Meaning::sub(Sub::Station)),
    row("200058", "运输", Meaning::sub(Sub::Moving)),
    row("200059", "揽收失败", Meaning::sub(Sub::PickupFailed)),
    row("200060", "退回", Meaning::sub(Sub::OnTheWay)),
    row("200061", "运输", Meaning::sub(Sub::Moving)),
    row("200062", "下单", Meaning::sub(Sub::LabelCreated)),
    row("200063", "下单", Meaning::sub(Sub::LabelCreated)),
    row("200064", "揽收失败", Meaning::sub(Sub::PickupFailed)),
    row("200067", "揽收失败", Meaning::sub(Sub::PickupFailed)),
    row("200068", "拒收", Meaning::exception(Reason::Refused)),
    row("200069", "再投", Meaning::sub(Sub::Other)),
    row("200070", "异常", Meaning::exception(Reason::Other)),
    row("200071", "下单", Meaning::sub(Sub::LabelCreated)),
    row("200072", "运输", Meaning::sub(Sub::Moving)),
    row("200075", "到达营业部", Meaning::sub(Sub::ArrivedDestinationCity)),
    row("200076", "运输", Meaning::sub(Sub::Moving)),
    row("200077", "运输", Meaning::sub(Sub::Moving)),
    row("390", "揽收任务分配", Meaning::sub(Sub::PickupScheduled)),
    row("403", "暂存", Meaning::exception(Reason::Other)),
    row("420", "揽收", Meaning::sub(Sub::Accepted)),
    row("430", "运输", Meaning::sub(Sub::Moving)),
    row("440", "派送", Meaning::sub(Sub::OnVehicle)),
    row("480", "拦截", Meaning::sub(Sub::Intercepted)),
    row("500", "终止", Meaning::exception(Reason::Other)),
    row("510", "妥投", Meaning::sub(Sub::Signed)),
    row("530", "拒收", Meaning::exception(Reason::Refused)),
    row("690", "取消", Meaning::sub(Sub::BySender)),
    row("700", "退款", Meaning::UNMAPPED),
];

#[cfg(test)]
#[path = "jd_tests.rs"]
mod tests;
