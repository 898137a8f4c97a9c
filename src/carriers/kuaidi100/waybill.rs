//! Kuaidi100's electronic waybills 电子面单, for several carriers.
//! Source: api.kuaidi100.com, `label/order` with `method=order` and `cancel`; facts/aggregators 1.11; the fields beside
//! those named there are from memory. How a known order id is answered is not known: must never be tried out by a program.

use super::service::{Said, THROTTLED, service};
use super::{Kuaidi100, com_of};
use crate::carriers::waybill::{CURE_ORDER_ADDRESS, CURE_ORDER_COLLECTED, CURE_ORDER_PHONE};
use crate::carriers::{
    Again, Cancelling, Created, Party, Shipping, Waybill,
    body::{self, CURE_SETTINGS},
};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

const PATH: &str = "/label/order";

/// Its words beside those of all services.
const REFUSALS: &[(&[&str], Refusal)] = &[
    (&["partner", "客户编码", "账号"], Refusal::FixAccount { cure: CURE_SETTINGS }),
    THROTTLED,
    (&["已取消", "重复"], Refusal::AlreadyDone),
    (&["已揽收", "已取件"], Refusal::FixOrder { cure: CURE_ORDER_COLLECTED }),
    (&["手机", "电话"], Refusal::FixOrder { cure: CURE_ORDER_PHONE }),
    (&["地址", "省", "超区"], Refusal::FixOrder { cure: CURE_ORDER_ADDRESS }),
];

impl Waybill for Kuaidi100 {
    fn sureness(&self) -> &'static str {
        "needs `secret` and `partner_id` (with `partner_key`, `net`, … as the carrier wants them); address and signature from \
         the SDK, most fields from memory; how a known order id is answered is not known; refusals are told apart by their words"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let setting = |name: &str, usual| cx.account.setting(name, usual);
        let mut order = partner(cx, &shipping.carrier)?;
        for (name, value) in [
            ("orderId", json!(shipping.order)),
            ("recMan", party(&shipping.to)),
            ("sendMan", party(&shipping.from)),
            ("cargo", json!(shipping.goods_words())),
            ("count", json!(shipping.pieces)),
            ("weight", json!(shipping.kilograms())),
            ("payType", json!(setting("pay_type", "SHIPPER"))),
            ("expType", json!(shipping.product.as_deref().unwrap_or(setting("express_type", "标准快递")))),
            ("remark", json!(shipping.remark.as_deref().unwrap_or(""))),
            ("tempId", json!(setting("template", ""))),
            // Nothing is printed over there.
            ("printType", json!("NON")),
        ] {
            order[name] = value;
        }
        Ok(service(cx, "kuaidi100.create_order", PATH, "order", &order.to_string())?.once())
    }

    fn read_created(&self, cx: &Cx, _shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let said: Said<Order> = body::json(answer, cx.now)?;
        said.refusal(REFUSALS)?;
        let order = said.data.unwrap_or_default();
        let numbers = |text: Option<String>| -> Vec<String> {
            let text = text.unwrap_or_default();
            text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        Ok(Created {
            number: order.kuaidinum.ok_or(Refusal::Unreadable)?,
            children: numbers(order.child_num),
            return_number: order.return_num,
            vendor_order: order.kd_com_order_num,
            sorting: order.bulkpen,
            label: order.label,
        })
    }

    fn again(&self) -> Again<'_> {
        Again::Look
    }

    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal> {
        let mut order = partner(cx, &cancelling.carrier)?;
        order["kuaidinum"] = json!(cancelling.created.number);
        order["orderId"] = json!(cancelling.created.vendor_order.as_deref().unwrap_or(""));
        order["reason"] = json!(cancelling.reason);
        service(cx, "kuaidi100.cancel_order", PATH, "cancel", &order.to_string())
    }

    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        body::json::<Said<IgnoredAny>>(answer, cx.now)?.refusal(REFUSALS)
    }
}

/// The merchant's contract with the carrier.
fn partner(cx: &Cx, carrier: &str) -> Result<Value, Refusal> {
    let partner_id = cx.account.secret("partner_id");
    if partner_id.is_empty() {
        return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
    }
    Ok(json!({
        "kuaidicom": com_of(carrier).ok_or(Refusal::Unsupported)?,
        "partnerId": partner_id,
        "partnerKey": cx.account.secret("partner_key"),
        "partnerSecret": cx.account.secret("partner_secret"),
        "partnerName": cx.account.setting("partner_name", ""),
        "net": cx.account.setting("net", ""),
    }))
}

fn party(party: &Party) -> Value {
    json!({"name": party.name.reveal(), "mobile": party.phone.reveal(), "printAddr": party.whole_address()})
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default, deserialize_with = "body::loose")]
    kuaidinum: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    kd_com_order_num: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    child_num: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    return_num: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    bulkpen: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    label: Option<String>,
}
