//! YTO's waybills: created with their number, and cancelled.
//! Source: open.yto.net.cn, `privacy_create_adapter`, `korder_cancel_adapter`; facts/carriers-cn 4.3; the fields of
//! cancelling are from memory. How YTO answers an order id that it knows is not written anywhere: must never be tried out
//! by a program.

use super::{Other, Yto, adapter};
use crate::carriers::waybill::{CURE_ORDER_ADDRESS, CURE_ORDER_COLLECTED, CURE_ORDER_PHONE};
use crate::carriers::{
    Again, Cancelling, Created, Shipping, Waybill,
    body::{self, CURE_SETTINGS},
};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

impl Waybill for Yto {
    fn sureness(&self) -> &'static str {
        "needs `create_suffix`, `create_secret`, `cancel_suffix` and `cancel_secret` of the two interfaces; fields of creating \
         from SDKs, those of cancelling from memory; how a known order id is answered is not known; refusals are told apart \
         by their words"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let goods = shipping.goods.iter().map(|goods| json!({"name": goods.name, "quantity": goods.count}));
        let order = json!({
            "logisticsNo": shipping.order,
            "senderName": shipping.from.name.reveal(),
            "senderProvinceName": shipping.from.province,
            "senderCityName": shipping.from.city,
            "senderCountyName": shipping.from.district,
            "senderAddress": shipping.from.street.reveal(),
            "senderMobile": shipping.from.phone.reveal(),
            "recipientName": shipping.to.name.reveal(),
            "recipientProvinceName": shipping.to.province,
            "recipientCityName": shipping.to.city,
            "recipientCountyName": shipping.to.district,
            "recipientAddress": shipping.to.street.reveal(),
            "recipientMobile": shipping.to.phone.reveal(),
            "goods": goods.collect::<Vec<_>>(),
            "weight": shipping.kilograms(),
            "remark": shipping.remark.as_deref().unwrap_or(""),
            "productCode": shipping.product.as_deref().unwrap_or(cx.account.setting("product_code", "PK")),
        });
        ordering(cx, "yto.create_order", "privacy_create_adapter", "create", &order).map(Call::once)
    }

    fn read_created(&self, cx: &Cx, shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let order: Order = body::json(answer, cx.now)?;
        let Some(number) = order.mail_no else {
            order.other.refused()?;
            return Err(order.other.refusal().err().unwrap_or(Refusal::Unreadable));
        };
        if order.logistics_no.as_ref().is_some_and(|no| *no != shipping.order) {
            return Err(Refusal::Unreadable);
        }
        Ok(Created { number, sorting: order.short_address, ..Created::default() })
    }

    fn again(&self) -> Again<'_> {
        Again::Look
    }

    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal> {
        let order = json!({"logisticsNo": cancelling.order, "cancelDesc": cancelling.reason});
        ordering(cx, "yto.cancel_order", "korder_cancel_adapter", "cancel", &order)
    }

    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        let order: Order = body::json(answer, cx.now)?;
        match order.logistics_no {
            Some(_) if order.other.success.is_none() => Ok(()),
            _ => order.other.refused().and_then(|()| order.other.refusal()),
        }
    }
}

/// Suffix and secret are issued for each interface.
fn ordering(
    cx: &Cx,
    operation: &'static str,
    method: &str,
    name: &str,
    order: &Value,
) -> Result<Call, Refusal> {
    let suffix = cx.account.setting(&format!("{name}_suffix"), "");
    let secret = cx.account.secret(&format!("{name}_secret"));
    if suffix.is_empty() || secret.is_empty() {
        return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
    }
    adapter(cx, operation, method, suffix, secret, &order.to_string())
}

impl Other {
    /// What is wrong with the order itself: YTO says it in words only.
    fn refused(&self) -> Result<(), Refusal> {
        let message = self.message.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let cure = match self.success.as_deref() {
            Some(success) if success.eq_ignore_ascii_case("true") => return Ok(()),
            _ if has(&["已取消", "重复"]) => return Err(Refusal::AlreadyDone),
            _ if has(&["已揽收", "已取件"]) => CURE_ORDER_COLLECTED,
            _ if has(&["手机", "电话"]) => CURE_ORDER_PHONE,
            _ if has(&["地址", "省", "区县", "不可达"]) => CURE_ORDER_ADDRESS,
            _ => return Ok(()),
        };
        Err(Refusal::FixOrder { cure })
    }
}

/// The order, or YTO's refusal in its place.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default, deserialize_with = "body::loose")]
    mail_no: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    logistics_no: Option<String>,
    /// 三段码
    #[serde(default, deserialize_with = "body::loose")]
    short_address: Option<String>,
    #[serde(flatten)]
    other: Other,
}
