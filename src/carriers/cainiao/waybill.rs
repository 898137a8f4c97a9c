//! Cainiao's electronic waybills 电子面单, for several carriers with one authorization.
//! Source: link.cainiao.com, `TMS_WAYBILL_GET`, `TMS_WAYBILL_DISCARD`; facts/carriers-cn 8; the fields below the first
//! level are from memory. One package id has one number however often it is asked for: must never send another id.

use super::{Cainiao, call, cp_code};
use crate::carriers::waybill::{CURE_ORDER, CURE_ORDER_ADDRESS, CURE_ORDER_PHONE};
use crate::carriers::{
    Again, Cancelling, Created, Party, Shipping, Waybill,
    body::{self, CURE_CREDENTIALS, CURE_PERMISSION, CURE_SETTINGS},
};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

impl Waybill for Cainiao {
    fn sureness(&self) -> &'static str {
        "needs `waybill_token`, which the merchant grants on a page of Cainiao's; names of the interfaces from SDKs, fields below \
         the first level from memory; that one package id has one number is from memory, too"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let items = shipping.goods.iter().map(|goods| json!({"name": goods.name, "count": goods.count}));
        let order = json!({
            "cpCode": cp_code(cx, &shipping.carrier),
            "productCode": shipping.product,
            "sender": party(&shipping.from),
            "tradeOrderInfoDtos": [{
                "objectId": "1",
                "orderInfo": {
                    "orderChannelsType": cx.account.setting("channel", "OTHERS"),
                    "tradeOrderList": [shipping.order],
                },
                "packageInfo": {
                    "id": shipping.order,
                    "items": items.collect::<Vec<_>>(),
                    "weight": shipping.grams,
                },
                "recipient": party(&shipping.to),
                "templateUrl": cx.account.setting("template_url", ""),
            }],
        });
        Ok(ordering(cx, "cainiao.waybill_get", "TMS_WAYBILL_GET", &order)?.once())
    }

    fn read_created(&self, cx: &Cx, _shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let said: Said = body::json(answer, cx.now)?;
        said.refusal()?;
        let order = said.waybills.into_iter().next().ok_or(Refusal::Unreadable)?;
        Ok(Created {
            number: order.waybill_code.ok_or(Refusal::Unreadable)?,
            label: order.print_data,
            ..Created::default()
        })
    }

    fn again(&self) -> Again<'_> {
        Again::Repeat
    }

    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal> {
        let order = json!({
            "cpCode": cp_code(cx, &cancelling.carrier),
            "waybillCode": cancelling.created.number,
        });
        ordering(cx, "cainiao.waybill_discard", "TMS_WAYBILL_DISCARD", &order)
    }

    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        body::json::<Said>(answer, cx.now)?.refusal()
    }
}

/// Waybills go with the token that the merchant granted, in the place of the resource code.
fn ordering(cx: &Cx, operation: &'static str, msg_type: &str, order: &Value) -> Result<Call, Refusal> {
    let token = cx.account.secret("waybill_token");
    if token.is_empty() {
        return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
    }
    Ok(call(cx, operation, msg_type, token, &order.to_string(), &[]))
}

fn party(party: &Party) -> Value {
    json!({
        "name": party.name.reveal(),
        "mobile": party.phone.reveal(),
        "address": {
            "province": party.province,
            "city": party.city,
            "district": party.district,
            "detail": party.street.reveal(),
        },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default, deserialize_with = "body::loose")]
    success: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    error_msg: Option<String>,
    #[serde(default, rename = "waybillCloudPrintResponseList", deserialize_with = "body::list")]
    waybills: Vec<Order>,
}

impl Said {
    fn refusal(&self) -> Result<(), Refusal> {
        let message = self.error_msg.as_deref().unwrap_or("");
        let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let fix_account = |cure| Err(Refusal::FixAccount { cure });
        let fix_order = |cure| Err(Refusal::FixOrder { cure });
        match self.success.as_deref() {
            None => Err(Refusal::Unreadable),
            Some(success) if success.eq_ignore_ascii_case("true") => Ok(()),
            _ if has(&["签名", "digest", "sign"]) => fix_account(CURE_CREDENTIALS),
            _ if has(&["权限", "授权", "未订购", "未开通"]) => fix_account(CURE_PERMISSION),
            _ if has(&["流控", "频繁", "限流"]) => Err(Refusal::Throttled { until: None }),
            _ if has(&["已取消", "已作废"]) => Err(Refusal::AlreadyDone),
            _ if has(&["手机", "电话"]) => fix_order(CURE_ORDER_PHONE),
            _ if has(&["地址", "省", "区"]) => fix_order(CURE_ORDER_ADDRESS),
            _ if has(&["面单号", "参数"]) => fix_order(CURE_ORDER),
            _ => Err(Refusal::Retry { after: None }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default, deserialize_with = "body::loose")]
    waybill_code: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    print_data: Option<String>,
}
