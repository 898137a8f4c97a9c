//! KDNiao's electronic waybills 电子面单, for several carriers.
//! Source: kdniao.com, 1007 (order) and 1147 (cancel); facts/aggregators 2.3; the fields are from memory. A known order id
//! (106) comes with its first waybill: must never be taken for a second one.

use super::{KdNiao, call, code_of};
use crate::carriers::waybill::{CURE_ORDER, CURE_ORDER_ADDRESS, CURE_ORDER_COLLECTED, CURE_ORDER_PHONE};
use crate::carriers::{
    Again, Cancelling, Created, Goods, Party, Shipping, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_QUOTA},
};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

impl Waybill for KdNiao {
    fn sureness(&self) -> &'static str {
        "needs `customer_name`, `customer_password`, `month_code` or `send_site` as the carrier wants them; the interface's \
         numbers from the documentation, the fields from memory; a known order id (106) comes with its first waybill"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let setting = |name: &str, usual| cx.account.setting(name, usual);
        let number = |name: &str, usual: u8| setting(name, "").parse().unwrap_or(usual);
        let product = shipping.product.as_deref().and_then(|product| product.parse().ok());
        let goods = |goods: &Goods| json!({"GoodsName": goods.name, "Goodsquantity": goods.count});
        let order = json!({
            "OrderCode": shipping.order,
            "ShipperCode": code_of(&shipping.carrier).ok_or(Refusal::Unsupported)?,
            "CustomerName": setting("customer_name", ""),
            "CustomerPwd": cx.account.secret("customer_password"),
            "MonthCode": setting("month_code", ""),
            "SendSite": setting("send_site", ""),
            // 1 sender, 2 receiver, 3 by the month.
            "PayType": number("pay_type", 3),
            "ExpType": product.unwrap_or_else(|| number("express_type", 1)),
            "Sender": party(&shipping.from),
            "Receiver": party(&shipping.to),
            "Commodity": shipping.goods.iter().map(goods).collect::<Vec<_>>(),
            "Quantity": shipping.pieces,
            "Weight": shipping.kilograms(),
            "Remark": shipping.remark.as_deref().unwrap_or(""),
            "IsReturnPrintTemplate": "1",
        });
        call(cx, "kdniao.create_order", "/api/EOrderService", "1007", &order).map(Call::once)
    }

    fn read_created(&self, cx: &Cx, _shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let said: Said = body::json(answer, cx.now)?;
        if said.code.as_deref() != Some("106") {
            said.refusal()?;
        }
        let order = said.order.unwrap_or_default();
        match (order.logistic_code, said.code.as_deref()) {
            (Some(number), _) => Ok(Created {
                number,
                vendor_order: order.kdn_order_code,
                sorting: order.mark_destination,
                label: said.print_template,
                ..Created::default()
            }),
            (None, Some("106")) => Err(Refusal::AlreadyDone),
            (None, _) => Err(Refusal::Unreadable),
        }
    }

    fn again(&self) -> Again<'_> {
        Again::Repeat
    }

    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal> {
        let order = json!({
            "OrderCode": cancelling.order,
            "ShipperCode": code_of(&cancelling.carrier).ok_or(Refusal::Unsupported)?,
            "ExpNo": cancelling.created.number,
            "CustomerName": cx.account.setting("customer_name", ""),
            "CustomerPwd": cx.account.secret("customer_password"),
        });
        call(cx, "kdniao.cancel_order", "/api/EOrderService", "1147", &order)
    }

    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        body::json::<Said>(answer, cx.now)?.refusal()
    }
}

fn party(party: &Party) -> Value {
    json!({
        "Name": party.name.reveal(),
        "Mobile": party.phone.reveal(),
        "ProvinceName": party.province,
        "CityName": party.city,
        "ExpAreaName": party.district,
        "Address": party.street.reveal(),
        "PostCode": party.postal.as_deref().unwrap_or(""),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    success: Option<String>,
    #[serde(default, rename = "ResultCode", deserialize_with = "body::loose")]
    code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    reason: Option<String>,
    #[serde(default)]
    order: Option<Order>,
    #[serde(default, deserialize_with = "body::loose")]
    print_template: Option<String>,
}

impl Said {
    fn refusal(&self) -> Result<(), Refusal> {
        let reason = self.reason.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        let fix_account = |cure| Err(Refusal::FixAccount { cure });
        let fix_order = |cure| Err(Refusal::FixOrder { cure });
        match self.success.as_deref() {
            None => Err(Refusal::Unreadable),
            Some(success) if success.eq_ignore_ascii_case("true") => Ok(()),
            _ if has(&["非法参数", "签名", "CustomerPwd", "密码"]) => fix_account(CURE_CREDENTIALS),
            _ if has(&["套餐", "未开通", "权限"]) => fix_account(CURE_PERMISSION),
            _ if has(&["余额", "单号不足"]) => fix_account(CURE_QUOTA),
            _ if has(&["频繁", "超过"]) => Err(Refusal::Throttled { until: None }),
            _ if has(&["已取消"]) => Err(Refusal::AlreadyDone),
            _ if has(&["已揽收"]) => fix_order(CURE_ORDER_COLLECTED),
            _ if has(&["手机", "电话", "Mobile"]) => fix_order(CURE_ORDER_PHONE),
            _ if has(&["地址", "省", "区", "Address"]) => fix_order(CURE_ORDER_ADDRESS),
            _ if has(&["不存在", "订单"]) => fix_order(CURE_ORDER),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Order {
    #[serde(default, deserialize_with = "body::loose")]
    logistic_code: Option<String>,
    #[serde(default, rename = "KDNOrderCode", deserialize_with = "body::loose")]
    kdn_order_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    mark_destination: Option<String>,
}
