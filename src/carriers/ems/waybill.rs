//! The post's waybills: created.
//! Source: api.ems.com.cn, 020003; facts/carriers-cn 6.1. How an order is found again or cancelled is not known: must never
//! be guessed.

use super::{Ems, Said, call};
use crate::carriers::waybill::{CURE_ORDER_ADDRESS, CURE_ORDER_GOODS, CURE_ORDER_PHONE};
use crate::carriers::{Again, Cancelling, Created, Party, Shipping, Waybill, body};
use crate::model::when::CHINA;
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

impl Waybill for Ems {
    fn sureness(&self) -> &'static str {
        "fields from the SDKs; how an order is found again or cancelled is not known, so neither is offered; refusals are told \
         apart by their words"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let cargo =
            |goods: &crate::carriers::Goods| json!({"cargoName": goods.name, "cargoQuantity": goods.count});
        let order = json!([{
            "ecommerceUserId": cx.account.setting("sender_no", ""),
            "logisticsOrderNo": shipping.order,
            "createdTime": CHINA.to_datetime(cx.now).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            // 1 documents, 3 goods.
            "contentsAttribute": "3",
            // 10: 电商标快.
            "bizProductNo": shipping.product.as_deref().unwrap_or(cx.account.setting("product", "10")),
            "weight": shipping.grams,
            "sender": party(&shipping.from),
            "receiver": party(&shipping.to),
            "cargos": shipping.goods.iter().map(cargo).collect::<Vec<_>>(),
        }]);
        call(cx, "ems.create_order", "020003", &order).map(Call::once)
    }

    fn read_created(&self, cx: &Cx, _shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let said: Said<Orders> = body::json(answer, cx.now)?;
        if said.code.as_deref() != Some("00000") {
            if let Some(refused) = refused(said.message.as_deref().unwrap_or("")) {
                return Err(refused);
            }
            said.refusal()?;
        }
        let order = match said.body {
            Some(Orders::One(order)) => Some(order),
            Some(Orders::Many(orders)) => orders.into_iter().next(),
            None => None,
        };
        let number = order.and_then(|order| order.waybill_no).ok_or(Refusal::Unreadable)?;
        Ok(Created { number, ..Created::default() })
    }

    fn again(&self) -> Again<'_> {
        Again::Look
    }

    fn cancel(&self, _cx: &Cx, _cancelling: &Cancelling) -> Result<Call, Refusal> {
        Err(Refusal::Unsupported)
    }

    fn read_cancelled(&self, _cx: &Cx, _answer: &Answer) -> Result<(), Refusal> {
        Err(Refusal::Unsupported)
    }
}

fn party(party: &Party) -> Value {
    json!({
        "name": party.name.reveal(),
        "mobile": party.phone.reveal(),
        "prov": party.province,
        "city": party.city,
        "county": party.district,
        "address": party.street.reveal(),
    })
}

/// What is wrong with the order itself: the post says it in words only.
fn refused(message: &str) -> Option<Refusal> {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let cure = match () {
        () if has(&["重复"]) => return Some(Refusal::AlreadyDone),
        () if has(&["手机", "电话", "mobile"]) => CURE_ORDER_PHONE,
        () if has(&["地址", "省", "county", "address"]) => CURE_ORDER_ADDRESS,
        () if has(&["内件", "cargo"]) => CURE_ORDER_GOODS,
        () => return None,
    };
    Some(Refusal::FixOrder { cure })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Orders {
    Many(Vec<Order>),
    One(Order),
}

#[derive(Deserialize)]
struct Order {
    #[serde(default, rename = "waybillNo", deserialize_with = "body::loose")]
    waybill_no: Option<String>,
}
