//! Kuaidi100's pickup codes 取件码: registered with the receiver's phone, announced by an unsigned push, then fetched.
//! Source: api.kuaidi100.com (qujianmaapi), official SDK; facts/aggregators 1.10. Refusals are told apart by their words,
//! since hardly a code is known. Must never let the unsigned push tell anything but that there is a code.

use super::service::{Said, THROTTLED, service};
use super::{Kuaidi100, SPEC, com_of};
use crate::carriers::waybill::CURE_ORDER_PHONE;
use crate::carriers::{CodeReady, PickupCodes, Receiver, Tracked, body};
use crate::model::when::CHINA;
use crate::model::{Event, Meaning, Pickup, Raw, Sub, When, ZoneSource};
use crate::wire::{Answer, Call, Cx, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether the merchant wants codes: they cost, and their push proves itself by its address alone.
pub(super) fn is_wanted(cx: &Cx) -> bool {
    cx.account.setting("pickup_codes", "false") == "true" && !cx.account.secret("secret").is_empty()
}

/// Its words beside those of all services.
const REFUSALS: &[(&[&str], Refusal)] = &[
    THROTTLED,
    (&["重复", "已注册", "已登记", "已订阅"], Refusal::AlreadyDone),
    (&["手机", "电话"], Refusal::FixOrder { cure: CURE_ORDER_PHONE }),
    (&["不支持"], Refusal::Unsupported),
    (&["未查询到", "暂无", "无取件码"], Refusal::NoDataYet),
];

impl PickupCodes for Kuaidi100 {
    fn register(&self, cx: &Cx, receiver: &Receiver, callback: &str) -> Result<Call, Refusal> {
        let param = param(receiver, Some(callback))?;
        service(cx, "kuaidi100.register_code", "/pickupCode/register", "pickupCodeRegister", &param)
    }

    fn read_registered(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        body::json::<Said<Found>>(answer, cx.now)?.refusal(REFUSALS)
    }

    fn fetch(&self, cx: &Cx, receiver: &Receiver) -> Result<Call, Refusal> {
        let param = param(receiver, None)?;
        service(cx, "kuaidi100.fetch_code", "/pickupCode/query", "pickupCodeQuery", &param)
    }

    fn read_code(
        &self,
        cx: &Cx,
        receiver: &Receiver,
        ready: Timestamp,
        answer: &Answer,
    ) -> Result<Tracked, Refusal> {
        let said: Said<Found> = body::json(answer, cx.now)?;
        said.refusal(REFUSALS)?;
        let found = said.data.unwrap_or_default();
        // An answer about another parcel is nobody's business here.
        if found.kuaidinum.as_ref().is_some_and(|number| !number.eq_ignore_ascii_case(&receiver.number)) {
            return Err(Refusal::Unreadable);
        }
        let code = found.pick_up_code.ok_or(Refusal::NoDataYet)?;
        let place = match (found.pick_up_station, &found.pick_up_address) {
            (Some(station), Some(address)) if !address.contains(&station) => {
                Some(format!("{station} {address}"))
            }
            (station, address) => address.clone().or(station),
        };
        let locker = place.as_ref().is_some_and(|place| place.contains('柜'));
        let meaning = Meaning::sub(if locker { Sub::Locker } else { Sub::Station });
        let time = When::at(ready, CHINA, ZoneSource::Carrier);
        let (carrier, number) = (receiver.carrier.as_str(), receiver.number.as_str());
        // It has no sentence of its own, and no code of the status table.
        let mut event = Event::new(carrier, number, SPEC.code, time, meaning, Raw::default(), cx.now);
        event.place.text = found.pick_up_address;
        event.pickup = Pickup { code: Some(code), place, until: None };
        Ok(Tracked::of(carrier, number, vec![event]))
    }
}

fn param(receiver: &Receiver, callback: Option<&str>) -> Result<String, Refusal> {
    let wish = Wish {
        kuaidicom: com_of(&receiver.carrier).ok_or(Refusal::Unsupported)?,
        kuaidinum: &receiver.number,
        receiver_phone: mobile(receiver.phone.reveal())
            .ok_or(Refusal::FixOrder { cure: CURE_ORDER_PHONE })?,
        callback_url: callback,
    };
    serde_json::to_string(&wish).map_err(|_| Refusal::Unsupported)
}

/// Stations know mobile phones of China only; a privacy number with its extension is none.
fn mobile(phone: &str) -> Option<&str> {
    let phone = phone.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(phone);
    let whole =
        phone.len() == 11 && phone.starts_with('1') && phone.bytes().all(|byte| byte.is_ascii_digit());
    whole.then_some(phone)
}

/// The unsigned push.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Flag {
    #[serde(deserialize_with = "body::loose")]
    kuaidinum: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    pick_up_code_flag: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    timestamp: Option<String>,
}

impl Flag {
    /// Of a body or a payload that is one.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let flag: Self = serde_json::from_slice(body).ok()?;
        (flag.kuaidinum.is_some() && flag.pick_up_code_flag.is_some()).then_some(flag)
    }

    /// Itself and nothing else of what the sender wrote.
    pub(super) fn payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What it tells, where it says that there is a code.
    pub(super) fn ready(self) -> Option<CodeReady> {
        let there = self.pick_up_code_flag.is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        let number = self.kuaidinum.filter(|_| there)?.to_ascii_uppercase();
        let since = self.timestamp.as_deref().and_then(|text| When::parse(text, Some(CHINA)));
        Some(CodeReady { number, since: since.and_then(|when| when.utc) })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wish<'a> {
    kuaidicom: &'a str,
    kuaidinum: &'a str,
    receiver_phone: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Found {
    #[serde(deserialize_with = "body::loose")]
    kuaidinum: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    pick_up_code: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    pick_up_address: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    pick_up_station: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carriers::Push;
    use crate::model::{Account, Private, Status};
    use crate::wire::{Request, Unverified};
    use std::collections::BTreeMap;

    const NUMBER: &str = "YT9988776655443";

    fn with_cx<T>(wanted: &str, run: impl FnOnce(&Cx) -> T) -> T {
        let secrets = [("key", "YSKEY0001"), ("secret", "YSSECRET77"), ("salt", "yishi-salt-01")];
        let account = Account {
            settings: [("pickup_codes".to_owned(), wanted.to_owned())].into(),
            secrets: secrets.map(|(name, value)| (name.to_owned(), Private::new(value.to_owned()))).into(),
            ..Account::default()
        };
        let now = "2026-03-03T04:00:00Z".parse().unwrap();
        run(&Cx { account: &account, token: None, now, random: [7; 32] })
    }

    fn receiver(phone: &str) -> Receiver {
        Receiver { carrier: "yto".into(), number: NUMBER.into(), phone: Private::new(phone.into()) }
    }

    fn read(body: &str) -> Result<Tracked, Refusal> {
        let ready = "2026-03-03T03:00:00Z".parse().unwrap();
        let read =
            |cx: &Cx| Kuaidi100.read_code(cx, &receiver("13800006688"), ready, &Answer::new(200, body));
        with_cx("true", read)
    }

    #[test]
    fn the_phone_goes_into_the_body_and_only_a_whole_mobile() {
        let call =
            with_cx("true", |cx| Kuaidi100.register(cx, &receiver("8613800006688"), "http://shop.example/h"));
        let call = call.unwrap();
        assert_eq!(call.url, "https://api.kuaidi100.com/pickupCode/register");
        let form: BTreeMap<_, _> = form_urlencoded::parse(&call.body).into_owned().collect();
        assert_eq!(form["method"], "pickupCodeRegister");
        assert_eq!(
            form["param"],
            r#"{"kuaidicom":"yuantong","kuaidinum":"YT9988776655443","receiverPhone":"13800006688","callbackUrl":"http://shop.example/h"}"#
        );
        for phone in ["6688", "075512345678", "138000066885678", "1380000668x", ""] {
            let refused = with_cx("true", |cx| Kuaidi100.fetch(cx, &receiver(phone)));
            assert!(matches!(refused, Err(Refusal::FixOrder { .. })), "{phone}");
        }
    }

    #[test]
    fn a_code_comes_with_its_place_and_the_time_that_it_was_ready() {
        let told = read(
            r#"{"code":200,"success":true,"message":"success","data":{"kuaidicom":"yuantong","kuaidinum":"YT9988776655443",
            "pickUpCode":"6-2-1034","pickUpAddress":"幸福路1号","pickUpStation":"幸福驿站","statusDesc":"待取件"}}"#,
        );
        let event = told.unwrap().events.remove(0);
        assert_eq!((event.status, event.sub), (Status::ReadyForPickup, Some(Sub::Station)));
        assert_eq!(event.pickup.code.as_deref(), Some("6-2-1034"));
        assert_eq!(event.pickup.place.as_deref(), Some("幸福驿站 幸福路1号"));
        assert_eq!(event.time.utc, "2026-03-03T03:00:00Z".parse().ok());
        assert!(event.raw.description.is_none());
    }

    #[test]
    fn what_is_no_code_is_none() {
        assert_eq!(read(r#"{"code":200,"data":{"pickUpCode":""}}"#), Err(Refusal::NoDataYet));
        assert_eq!(read(r#"{"code":200,"data":null}"#), Err(Refusal::NoDataYet));
        let other = r#"{"code":200,"data":{"kuaidinum":"YT1","pickUpCode":"1"}}"#;
        assert_eq!(read(other), Err(Refusal::Unreadable));
        assert!(matches!(
            read(r#"{"code":10000,"message":"验证签名失败"}"#),
            Err(Refusal::FixAccount { .. })
        ));
        assert!(matches!(read(r#"{"code":10003,"message":"?"}"#), Err(Refusal::Retry { .. })));
        assert_eq!(read("{}"), Err(Refusal::Unreadable));
    }

    #[test]
    fn an_unsigned_push_tells_of_a_code_and_of_nothing_else() {
        let body = r#"{"kuaidicom":"yuantong","kuaidinum":"yt9988776655443","pickUpCodeFlag":"true","timestamp":"2026-03-03 11:00:00",
            "status":"polling","lastResult":{"message":"ok","state":"3","status":"200","com":"yuantong","nu":"YT9988776655443",
            "data":[{"time":"2026-03-02 08:41:12","context":"已签收","statusCode":"3"}]}}"#;
        let request = Request { body: body.as_bytes().to_vec(), ..Request::default() };
        let told = with_cx("true", |cx| {
            let verified = Kuaidi100.verify(cx, &request).unwrap();
            Kuaidi100.read(cx, verified.payload()).unwrap()
        });
        assert!(told.parcels.is_empty());
        let since = "2026-03-03T03:00:00Z".parse().ok();
        assert_eq!(told.codes, vec![CodeReady { number: NUMBER.into(), since }]);
        let refused = with_cx("false", |cx| Kuaidi100.verify(cx, &request).map(|_| ()));
        assert_eq!(refused, Err(Unverified::Malformed));
        let not_yet = br#"{"kuaidinum":"YT1","pickUpCodeFlag":"false"}"#;
        assert_eq!(with_cx("true", |cx| Kuaidi100.read(cx, not_yet)), Ok(Default::default()));
    }
}
