//! JD's waybills: created and cancelled.
//! Source: open.jdl.com, `orders/create`, `orders/cancel`; facts/carriers-cn 7.3; the fields of cancelling are from memory.
//! JD answers an order id that it knows with the first waybill: must never be taken for a second one.

use super::{Jd, Said, call, order_origin};
use crate::carriers::waybill::{CURE_ORDER_ADDRESS, CURE_ORDER_COLLECTED, CURE_ORDER_PHONE};
use crate::carriers::{Again, Cancelling, Created, Party, Shipping, Waybill, body};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

impl Waybill for Jd {
    fn sureness(&self) -> &'static str {
        "needs `access_token` as questions do; fields of creating from the SDK, those of cancelling from memory; a known order \
         id is answered with its first waybill; refusals are told apart by their words"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let number = |name: &str, usual: u8| cx.account.setting(name, "").parse().unwrap_or(usual);
        let product = shipping.product.as_deref().unwrap_or(cx.account.setting("product_code", "ed-m-0001"));
        // The weight is the whole parcel's: it stands at the first kind of goods.
        let weight = |at: usize| if at == 0 { shipping.kilograms() } else { 0.0 };
        let cargoes = shipping.goods.iter().enumerate().map(|(at, goods)| {
            json!({"name": goods.name, "quantity": goods.count, "weight": weight(at), "volume": 0})
        });
        let order = json!({
            "orderId": shipping.order,
            "orderOrigin": order_origin(cx),
            "customerCode": cx.account.setting("customer_code", ""),
            "settleType": number("settle_type", 3),
            "senderContact": contact(&shipping.from),
            "receiverContact": contact(&shipping.to),
            "productsReq": {"productCode": product},
            "cargoes": cargoes.collect::<Vec<_>>(),
            "remark": shipping.remark.as_deref().unwrap_or(""),
        });
        call(cx, "jd.create_order", "/ecap/v1/orders/create", &order).map(Call::once)
    }

    fn read_created(&self, cx: &Cx, _shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let said: Said<Order> = body::json(answer, cx.now)?;
        said.refused()?;
        let order = said.data()?.ok_or(Refusal::Unreadable)?;
        Ok(Created {
            number: order.waybill_code.ok_or(Refusal::Unreadable)?,
            vendor_order: order.order_code,
            ..Created::default()
        })
    }

    fn again(&self) -> Again<'_> {
        Again::Repeat
    }

    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal> {
        let order = json!({
            "waybillCode": cancelling.created.number,
            "orderCode": cancelling.created.vendor_order.as_deref().unwrap_or(""),
            "orderOrigin": order_origin(cx),
            "customerCode": cx.account.setting("customer_code", ""),
            "cancelReason": cancelling.reason,
            "cancelReasonCode": "1",
        });
        call(cx, "jd.cancel_order", "/ecap/v1/orders/cancel", &order)
    }

    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        let said: Said<IgnoredAny> = body::json(answer, cx.now)?;
        said.refused()?;
        said.data().map(|_| ())
    }
}

fn contact(party: &Party) -> Value {
    json!({"name": party.name.reveal(), "mobile": party.phone.reveal(), "fullAddress": party.whole_address()})
}

impl<T> Said<T> {
    /// What is wrong with the order itself: JD says it in words only.
    fn refused(&self) -> Result<(), Refusal> {
        if let Some(wrapped) = &self.response {
            return wrapped.content.refused();
        }
        let message = self.msg.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let cure = match self.code.as_deref() {
            None | Some("0") => return Ok(()),
            _ if has(&["已取消"]) => return Err(Refusal::AlreadyDone),
            _ if has(&["已揽收"]) => CURE_ORDER_COLLECTED,
            _ if has(&["手机", "电话"]) => CURE_ORDER_PHONE,
            _ if has(&["地址", "超区"]) => CURE_ORDER_ADDRESS,
            _ => return Ok(()),
        };
        Err(Refusal::FixOrder { cure })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default, deserialize_with = "body::loose")]
    order_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    waybill_code: Option<String>,
}
