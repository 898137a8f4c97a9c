//! SF Express 顺丰 (丰桥, the Fengqiao open platform): asks where SF's own waybills are, takes its pushes, and creates
//! waybills.
//! Source: open.sf-express.com, service `EXP_RECE_SEARCH_ROUTES`; op-codes and errors of facts/carriers-cn 1.
//! Must never take an empty list of routes for "does not exist": a missing or wrong phone tail looks the same.

mod push;
mod token;
mod waybill;

use super::{
    Ask, Carrier, CarrierSpec, Code, Push, Step, Tracked, Waybill,
    body::{self, CURE_ALLOWED_ADDRESS, CURE_CREDENTIALS, CURE_PERMISSION, CURE_SETTINGS},
    china_time, meaning_of, refine, row,
};
use crate::model::{Account, Event, Meaning, Place, Raw, Reason, Sub};
use crate::wire::{Answer, Call, Cx, Refusal, TokenStep, sign};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The codec.
#[derive(Debug)]
pub struct Sf;

static SPEC: CarrierSpec = CarrierSpec {
    code: "sf",
    aggregator: false,
    serves: |carrier| carrier == "sf",
    secrets: &["checkword"],
    settings: &["partner_id"],
    base_url: "https://bspgw.sf-express.com",
    // Parcels shipped on the account's own contract answer without it; others come back empty, which
    // `maybe_needs_phone_tail` reports.
    needs_phone_tail: |_| false,
    batch: 10,
    per_second: 30,
    per_day: 3_000,
    min_interval_secs: 10 * 60,
    per_number_day: 48,
    codes: CODES,
    sureness: "documentation; signature verified with the vendor's own sample; op-codes from SDK and live traces",
};

impl Carrier for Sf {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["language", "auth", "monthly_card", "express_type", "pay_method"]
    }

    fn mistake(&self, account: &Account) -> Option<(&'static str, String)> {
        let known = ["digest", "oauth"];
        let wrong = !known.contains(&account.setting("auth", known[0]));
        wrong.then(|| ("auth", format!("must be one of {}", known.join(", "))))
    }

    fn token(&self, account: &Account) -> Option<&dyn TokenStep> {
        (account.setting("auth", "digest") == "oauth").then_some(self as &dyn TokenStep)
    }

    fn waybill(&self) -> Option<&dyn Waybill> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        if asks.is_empty() || asks.len() > SPEC.batch {
            return Err(Refusal::Unsupported);
        }
        if asks.iter().any(|ask| ask.number.is_empty() || ask.number.len() > 32) {
            return Err(Refusal::BadNumber);
        }
        // One tail for each number, in the same order; an unknown one stays empty.
        let tails: Vec<&str> = asks.iter().map(|ask| ask.phone_tail.as_deref().unwrap_or("")).collect();
        let any_tail = tails.iter().any(|tail| !tail.is_empty());
        let question = Question {
            language: cx.account.setting("language", "zh-CN"),
            tracking_type: "1",
            tracking_number: asks.iter().map(|ask| ask.number.as_str()).collect(),
            check_phone_no: any_tail.then(|| tails.join(",")),
            method_type: "1",
        };
        service(cx, "sf.search_routes", "EXP_RECE_SEARCH_ROUTES", &question)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let inner: Inner<Routes> = Inner::of(answer, cx.now)?;
        inner.refusal()?;
        let mut told: Vec<Routed> = inner.data.map(|data| data.waybills).unwrap_or_default();
        let tracked = asks
            .iter()
            .map(|ask| {
                let at = told.iter().position(|waybill| {
                    waybill.number.as_ref().is_some_and(|number| number.eq_ignore_ascii_case(&ask.number))
                });
                let routes = at.map(|at| told.swap_remove(at).routes).unwrap_or_default();
                tracked(ask, routes, cx.now)
            })
            .collect();
        Ok(Step::Done(tracked))
    }
}

/// A call of one service of the gateway, signed, or with the account's token.
fn service(
    cx: &Cx,
    operation: &'static str,
    service_code: &str,
    question: &impl Serialize,
) -> Result<Call, Refusal> {
    let msg_data = serde_json::to_string(question).map_err(|_| Refusal::Unsupported)?;
    let timestamp = cx.now.as_millisecond().to_string();
    let proof = match cx.token {
        Some(token) => ("accessToken", token.text.reveal().clone()),
        None => ("msgDigest", msg_digest(&msg_data, &timestamp, cx.account.secret("checkword"))),
    };
    let request_id = request_id(&cx.random);
    let url = format!("{}/std/service", cx.account.setting("base_url", SPEC.base_url));
    let fields = [
        ("partnerID", cx.account.setting("partner_id", "")),
        ("requestID", request_id.as_str()),
        ("serviceCode", service_code),
        ("timestamp", timestamp.as_str()),
        (proof.0, proof.1.as_str()),
        ("msgData", msg_data.as_str()),
    ];
    Ok(Call::form(operation, url, &fields))
}

/// `base64(md5(URLEncoder(msgData + timestamp + checkword)))`.
fn msg_digest(msg_data: &str, timestamp: &str, checkword: &str) -> String {
    sign::md5_base64(sign::form_encode(&[msg_data, timestamp, checkword].concat()).as_bytes())
}

/// A version 4 UUID from the context's random bytes.
fn request_id(random: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    language: &'a str,
    tracking_type: &'a str,
    tracking_number: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check_phone_no: Option<String>,
    method_type: &'a str,
}

#[derive(Deserialize)]
struct Outer {
    #[serde(default, rename = "apiResultCode", deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, rename = "apiResultData", deserialize_with = "body::loose")]
    data: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Inner<T> {
    #[serde(default, deserialize_with = "body::loose")]
    success: Option<String>,
    #[serde(default, rename = "errorCode", deserialize_with = "body::loose")]
    error_code: Option<String>,
    #[serde(default, rename = "msgData")]
    data: Option<T>,
}

impl<T: DeserializeOwned> Inner<T> {
    /// The result inside of the gateway's answer: JSON inside a string.
    fn of(answer: &Answer, now: Timestamp) -> Result<Self, Refusal> {
        let outer: Outer = body::json(answer, now)?;
        gateway(outer.code.as_deref())?;
        let inner = outer.data.ok_or(Refusal::Unreadable)?;
        serde_json::from_str(&inner).map_err(|_| Refusal::Unreadable)
    }

    /// The business result. Success is `success` true and S0000.
    fn refusal(&self) -> Result<(), Refusal> {
        let success = self.success.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let code = self.error_code.as_deref();
        Err(match code {
            Some("S0000") if success => return Ok(()),
            Some("S0001" | "S0002" | "8003" | "8013") => Refusal::Unsupported,
            Some("8017" | "8191" | "8247") => Refusal::BadNumber,
            Some("8018" | "6150" | "8024") => Refusal::NoDataYet,
            Some("8119" | "6126" | "8114" | "8179" | "8256") => Refusal::FixAccount { cure: CURE_PERMISSION },
            // S0003 runtime error, 8177 capacity control, and whatever is new.
            Some(_) => Refusal::Retry { after: None },
            None => Refusal::Unreadable,
        })
    }
}

#[derive(Deserialize)]
struct Routes {
    #[serde(default, rename = "routeResps", deserialize_with = "body::list")]
    waybills: Vec<Routed>,
}

#[derive(Deserialize)]
struct Routed {
    #[serde(default, rename = "mailNo", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    routes: Vec<Route>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Route {
    #[serde(default, deserialize_with = "body::loose")]
    accept_time: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    accept_address: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    remark: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    op_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    reason_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    first_status_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    first_status_name: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    secondary_status_name: Option<String>,
}

/// The gateway's own codes; A1000 only says that the question arrived.
fn gateway(code: Option<&str>) -> Result<(), Refusal> {
    Err(match code {
        Some("A1000") => return Ok(()),
        // Expired timestamp or OAuth failure: rebuild and ask once more.
        Some("A1002" | "A1011") => Refusal::TokenExpired,
        Some("A1003") => Refusal::FixAccount { cure: CURE_ALLOWED_ADDRESS },
        Some("A1004") => Refusal::FixAccount { cure: CURE_PERMISSION },
        Some("A1005") => Refusal::Throttled { until: None },
        Some("A1006" | "A1008") => Refusal::FixAccount { cure: CURE_CREDENTIALS },
        Some("A1001" | "A1010") => Refusal::FixAccount { cure: CURE_SETTINGS },
        // A1007 duplicate request id, A1009 backend down, A1099 system, and whatever is new.
        Some(_) => Refusal::Retry { after: None },
        None => Refusal::Unreadable,
    })
}

fn tracked(ask: &Ask, routes: Vec<Route>, now: Timestamp) -> Tracked {
    let maybe_needs_phone_tail = routes.is_empty();
    let events = routes.into_iter().map(|route| route.event(&ask.number, now)).collect();
    Tracked {
        carrier: SPEC.code.to_owned(),
        number: ask.number.clone(),
        events,
        eta: None,
        maybe_needs_phone_tail,
    }
}

impl Route {
    fn event(self, number: &str, now: Timestamp) -> Event {
        let time = china_time(self.accept_time.as_deref());
        let meaning = self.meaning();
        // 648 and 631 send the parcel on under a new number, written into the remark.
        let renumbered = matches!(self.op_code.as_deref(), Some("648" | "631"))
            .then(|| other_number(self.remark.as_deref().unwrap_or(""), number))
            .flatten();
        let raw = Raw {
            code: self.op_code,
            status: self.secondary_status_name.or(self.first_status_name),
            description: self.remark,
        };
        let mut event = Event::new(SPEC.code, number, SPEC.code, time, meaning, raw, now);
        event.place = Place {
            city: self.accept_address.as_deref().and_then(city),
            text: self.accept_address,
            ..Place::default()
        };
        event.renumbered = renumbered;
        refine(event)
    }

    /// Op-code, else SF's own first status, else nothing: then the remark decides.
    fn meaning(&self) -> Meaning {
        let code = self.op_code.as_deref().unwrap_or("");
        if code == "70" && self.reason_code.as_deref() == Some("46") {
            return Meaning::sub(Sub::BySender);
        }
        meaning_of(CODES, code)
            .or_else(|| first_status(self.first_status_code.as_deref()?))
            .unwrap_or(Meaning::UNMAPPED)
    }
}

/// `firstStatusCode`, as far as observed; 5, 6, 11 and 13 are families of several meanings.
fn first_status(code: &str) -> Option<Meaning> {
    Some(match code {
        "1" => Meaning::sub(Sub::Accepted),
        "2" | "10" => Meaning::sub(Sub::Moving),
        "3" => Meaning::sub(Sub::OnVehicle),
        "4" => Meaning::sub(Sub::Signed),
        "7" => Meaning::sub(Sub::PickupScheduled),
        _ => return None,
    })
}

/// `深圳市` → `深圳`; an address that names more than a city gives none.
fn city(address: &str) -> Option<String> {
    let name = address.strip_suffix('市').unwrap_or(address);
    let plain = (2..=6).contains(&name.chars().count()) && !name.contains(['省', '市', '区', '县']);
    plain.then(|| name.to_owned())
}

/// Another number of the family `SF` + 13 digits than `own`.
fn other_number(text: &str, own: &str) -> Option<String> {
    text.match_indices("SF").find_map(|(at, _)| {
        let number = text.get(at..at + 15)?;
        let whole = text.as_bytes().get(at + 15).is_none_or(|b| !b.is_ascii_digit());
        let fits = number.bytes().skip(2).all(|b| b.is_ascii_digit());
        (whole && fits && number != own).then(|| number.to_owned())
    })
}

/// Op-codes, sorted as text. Codes that only inform (84 re-weighed, 135 note, 75, 98, 140, 646) stand nowhere here:
/// they are kept and change nothing.
static CODES: &[Code] = &[
    row("10", "离开", Meaning::sub(Sub::DepartedHub)),
    row("105", "航班起飞", Meaning::sub(Sub::LineHaul)),
    row("106", "航班落地", Meaning::sub(Sub::ArrivedHub)),
    row("11", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("122", "派送", Meaning::sub(Sub::OnVehicle)),
    row("123", "派往顺丰店", Meaning::sub(Sub::OnVehicle)),
    row("125", "投入丰巢柜", Meaning::sub(Sub::Locker)),
    row("126", "快递员从柜中取回", Meaning::sub(Sub::OnVehicle)),
    row("127", "寄件客户投柜", Meaning::sub(Sub::DroppedOff)),
    row("128", "客户从柜中取件", Meaning::sub(Sub::Collected)),
    row("129", "快递员从柜中取件", Meaning::sub(Sub::Accepted)),
    row("130", "到达顺丰店", Meaning::sub(Sub::Counter)),
    row("131", "柜中取件失败", Meaning::sub(Sub::Other)),
    row("136", "运输中", Meaning::sub(Sub::Moving)),
    row("137", "运输中", Meaning::sub(Sub::Moving)),
    row("138", "客户自寄", Meaning::sub(Sub::DroppedOff)),
    row("14", "清关放行", Meaning::sub(Sub::CustomsReleased)),
    row("141", "预售备货", Meaning::sub(Sub::LabelCreated)),
    row("147", "运输中", Meaning::sub(Sub::Moving)),
    row("15", "海关查验", Meaning::sub(Sub::CustomsInspection)),
    row("151", "安装分配", Meaning::sub(Sub::PickupScheduled)),
    row("152", "安装预约", Meaning::sub(Sub::PickupScheduled)),
    row("153", "安装改约", Meaning::sub(Sub::PickupScheduled)),
    row("154", "安装改派", Meaning::sub(Sub::PickupScheduled)),
    row("16", "已申报待审", Meaning::sub(Sub::CustomsPresented)),
    row("17", "待清关", Meaning::sub(Sub::CustomsPresented)),
    row("18", "海关扣留", Meaning::exception(Reason::CustomsHold)),
    row("186", "运输中", Meaning::sub(Sub::Moving)),
    row("187", "运输中", Meaning::sub(Sub::Moving)),
    row("188", "收件", Meaning::sub(Sub::Accepted)),
    row("190", "运输中", Meaning::sub(Sub::Moving)),
    row("201", "仓库拣货", Meaning::sub(Sub::AwaitingPickup)),
    row("202", "仓库出库", Meaning::sub(Sub::AwaitingPickup)),
    row("204", "派送途中", Meaning::sub(Sub::OnVehicle)),
    row("205", "仓库接单", Meaning::sub(Sub::AwaitingPickup)),
    row("206", "仓库审核", Meaning::sub(Sub::AwaitingPickup)),
    row("211", "派送", Meaning::sub(Sub::OnVehicle)),
    row("212", "派送", Meaning::sub(Sub::OnVehicle)),
    row("214", "收件", Meaning::sub(Sub::Accepted)),
    row("215", "已退还客户", Meaning::sub(Sub::ToSender)),
    row("30", "装车离开", Meaning::sub(Sub::DepartedHub)),
    row("302", "运输中", Meaning::sub(Sub::Moving)),
    row("3036", "运输中", Meaning::sub(Sub::Moving)),
    row("304", "运输中", Meaning::sub(Sub::Moving)),
    row("31", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("310", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("33", "派件异常原因", Meaning::sub(Sub::Other)),
    row("34", "滞留件出仓", Meaning::sub(Sub::OnVehicle)),
    row("36", "封车离开", Meaning::sub(Sub::DepartedHub)),
    row("405", "船舶离港", Meaning::sub(Sub::LineHaul)),
    row("406", "船舶到港", Meaning::sub(Sub::ArrivedHub)),
    row("407", "运输中", Meaning::sub(Sub::Moving)),
    row("41", "交接收件", Meaning::sub(Sub::Accepted)),
    row("43", "入库", Meaning::sub(Sub::Accepted)),
    row("44", "派件出仓", Meaning::sub(Sub::OnVehicle)),
    row("46", "交接收件", Meaning::sub(Sub::Accepted)),
    row("47", "派送", Meaning::sub(Sub::OnVehicle)),
    row("50", "已收件", Meaning::sub(Sub::Accepted)),
    row("501", "运输中", Meaning::sub(Sub::Moving)),
    row("51", "子件收件", Meaning::sub(Sub::Accepted)),
    row("54", "上门收件", Meaning::sub(Sub::Accepted)),
    row("570", "列车发车", Meaning::sub(Sub::LineHaul)),
    row("571", "列车到达", Meaning::sub(Sub::ArrivedHub)),
    row("604", "清关", Meaning::sub(Sub::CustomsPresented)),
    row("605", "到达口岸", Meaning::sub(Sub::ArrivedHub)),
    row("606", "清关完成", Meaning::sub(Sub::CustomsReleased)),
    row("607", "代理收件", Meaning::sub(Sub::Accepted)),
    row("611", "异常", Meaning::exception(Reason::Other)),
    row("612", "清关", Meaning::sub(Sub::CustomsPresented)),
    row("613", "已放行待缴税", Meaning::exception(Reason::PaymentDue)),
    row("614", "清关延误", Meaning::exception(Reason::CustomsHold)),
    row("619", "检疫", Meaning::sub(Sub::CustomsInspection)),
    row("620", "检疫", Meaning::sub(Sub::CustomsInspection)),
    row("621", "检疫", Meaning::sub(Sub::CustomsInspection)),
    row("623", "数据放行", Meaning::sub(Sub::CustomsReleased)),
    row("626", "交第三方承运", Meaning::sub(Sub::HandedToPartner)),
    row("627", "交第三方承运", Meaning::sub(Sub::HandedToPartner)),
    row("630", "派送", Meaning::sub(Sub::OnVehicle)),
    row("631", "新单退回", Meaning::sub(Sub::OnTheWay)),
    row("632", "柜体交接", Meaning::sub(Sub::Locker)),
    row("633", "收件", Meaning::sub(Sub::Accepted)),
    row("634", "派送", Meaning::sub(Sub::OnVehicle)),
    row("642", "待取件", Meaning::sub(Sub::Station)),
    row("643", "待取件", Meaning::sub(Sub::Station)),
    row("647", "寄件人准备中", Meaning::sub(Sub::LabelCreated)),
    row("648", "已退回或转寄，新单号", Meaning::sub(Sub::OnTheWay)),
    row("649", "代理转运", Meaning::sub(Sub::HandedToPartner)),
    row("651", "收件", Meaning::sub(Sub::Accepted)),
    row("655", "收件", Meaning::sub(Sub::Accepted)),
    row("658", "派送", Meaning::sub(Sub::OnVehicle)),
    row("66", "中转滞留", Meaning::exception(Reason::Stuck)),
    row("660", "已退还客户", Meaning::sub(Sub::ToSender)),
    row("677", "派送", Meaning::sub(Sub::OnVehicle)),
    row("678", "到达驿站", Meaning::sub(Sub::Station)),
    row("679", "驿站完成", Meaning::sub(Sub::LockerSigned)),
    row("70", "派送不成功", Meaning::sub(Sub::Other)),
    row("700", "收件", Meaning::sub(Sub::Accepted)),
    row("701", "收件", Meaning::sub(Sub::Accepted)),
    row("72", "异常", Meaning::exception(Reason::Other)),
    row("77", "中转滞留", Meaning::exception(Reason::Stuck)),
    row("80", "已签收", Meaning::sub(Sub::Signed)),
    row("8000", "签收图片", Meaning::sub(Sub::Signed)),
    row("833", "异常", Meaning::exception(Reason::Other)),
    row("844", "派送", Meaning::sub(Sub::OnVehicle)),
    row("850", "收件", Meaning::sub(Sub::Accepted)),
    row("851", "收件", Meaning::sub(Sub::Accepted)),
    row("86", "运输中", Meaning::sub(Sub::Moving)),
    row("87", "运输中", Meaning::sub(Sub::Moving)),
    row("870", "派送不成功", Meaning::sub(Sub::Other)),
    row("88", "运输中", Meaning::sub(Sub::Moving)),
    row("880", "派送", Meaning::sub(Sub::OnVehicle)),
    row("89", "到达", Meaning::sub(Sub::ArrivedHub)),
    row("900", "预约", Meaning::sub(Sub::PickupScheduled)),
    row("921", "运输中", Meaning::sub(Sub::Moving)),
    row("933", "派送", Meaning::sub(Sub::OnVehicle)),
    row("934", "异常", Meaning::exception(Reason::Other)),
    row("935", "签收", Meaning::sub(Sub::Signed)),
    row("950", "收件", Meaning::sub(Sub::Accepted)),
    row("96", "运输中", Meaning::sub(Sub::Moving)),
    row("97", "签收", Meaning::sub(Sub::Signed)),
    row("99", "应客户要求转寄", Meaning::sub(Sub::OnTheWay)),
];

#[cfg(test)]
#[path = "sf_tests.rs"]
mod tests;
