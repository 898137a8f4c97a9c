//! ZTO's waybills: created and cancelled.
//! Source: open.zto.com, `zto.open.createOrder`, `zto.open.cancelPreOrder`; facts/carriers-cn 2.3. How ZTO answers an
//! order id that it knows is not written anywhere: must never be tried out by a program.

use super::{Said, Zto, call};
use crate::carriers::waybill::{CURE_ORDER, CURE_ORDER_ADDRESS, CURE_ORDER_COLLECTED, CURE_ORDER_PHONE};
use crate::carriers::{Again, Cancelling, Created, Shipping, Waybill, body};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

impl Waybill for Zto {
    fn sureness(&self) -> &'static str {
        "needs `account_id` and `account_password` of the electronic waybill account; fields from the documentation and the SDK; \
         what `cancel_type` 1 to 7 mean stands in the console; how a known order id is answered is not known; refusals are \
         told apart by their words"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let setting = |name: &str, usual| cx.account.setting(name, usual);
        let goods = shipping.goods.iter().map(|goods| json!({"name": goods.name, "quantity": goods.count}));
        let order = json!({
            // 1 group customer, 2 other; 1 an electronic waybill, 2 a collection by appointment.
            "partnerType": setting("partner_type", "2"),
            "orderType": setting("order_type", "1"),
            "partnerOrderCode": shipping.order,
            "accountInfo": {
                "accountId": setting("account_id", ""),
                "accountPassword": cx.account.secret("account_password"),
                "type": 1,
            },
            // Empty: ZTO gives the number.
            "billCode": "",
            "senderInfo": {
                "senderName": shipping.from.name.reveal(),
                "senderMobile": shipping.from.phone.reveal(),
                "senderProvince": shipping.from.province,
                "senderCity": shipping.from.city,
                "senderDistrict": shipping.from.district,
                "senderAddress": shipping.from.street.reveal(),
            },
            "receiveInfo": {
                "receiverName": shipping.to.name.reveal(),
                "receiverMobile": shipping.to.phone.reveal(),
                "receiverProvince": shipping.to.province,
                "receiverCity": shipping.to.city,
                "receiverDistrict": shipping.to.district,
                "receiverAddress": shipping.to.street.reveal(),
            },
            "summaryInfo": {"quantity": shipping.pieces},
            "orderItems": goods.collect::<Vec<_>>(),
            "remark": shipping.remark.as_deref().unwrap_or(""),
        });
        call(cx, "zto.create_order", "zto.open.createOrder", &order).map(Call::once)
    }

    fn read_created(&self, cx: &Cx, _shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let said: Said<Order> = body::json(answer, cx.now)?;
        if let Some(refused) = said.refused() {
            return Err(refused);
        }
        said.refusal()?;
        let order = said.result.ok_or(Refusal::Unreadable)?;
        Ok(Created {
            number: order.bill_code.ok_or(Refusal::Unreadable)?,
            vendor_order: order.order_code,
            sorting: order.big_mark_info.and_then(|info| info.mark),
            ..Created::default()
        })
    }

    fn again(&self) -> Again<'_> {
        Again::Look
    }

    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal> {
        let order = json!({
            // 1 to 7, the reason; which is which stands in the console only.
            "cancelType": cx.account.setting("cancel_type", "1"),
            "orderCode": cancelling.created.vendor_order.as_deref().unwrap_or(""),
            "billCode": cancelling.created.number,
        });
        call(cx, "zto.cancel_order", "zto.open.cancelPreOrder", &order)
    }

    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        let said: Said<IgnoredAny> = body::json(answer, cx.now)?;
        match said.refused() {
            Some(refused) => Err(refused),
            None => said.refusal(),
        }
    }
}

impl<T> Said<T> {
    /// What is wrong with the order itself: ZTO says it in words only.
    fn refused(&self) -> Option<Refusal> {
        if self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("true")) {
            return None;
        }
        let message = self.message.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let cure = match () {
            () if has(&["已取消", "重复"]) => return Some(Refusal::AlreadyDone),
            () if has(&["已揽收", "已收件"]) => CURE_ORDER_COLLECTED,
            () if has(&["手机", "电话"]) => CURE_ORDER_PHONE,
            () if has(&["地址", "省", "区县", "不可达"]) => CURE_ORDER_ADDRESS,
            () if has(&["订单"]) => CURE_ORDER,
            () => return None,
        };
        Some(Refusal::FixOrder { cure })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default, deserialize_with = "body::loose")]
    bill_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    order_code: Option<String>,
    #[serde(default)]
    big_mark_info: Option<BigMark>,
}

#[derive(Deserialize)]
struct BigMark {
    #[serde(default, deserialize_with = "body::loose")]
    mark: Option<String>,
}
