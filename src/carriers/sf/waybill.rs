//! SF's waybills: created, found again by the merchant's order id, cancelled.
//! Source: open.sf-express.com, `EXP_RECE_CREATE_ORDER`, `EXP_RECE_SEARCH_ORDER_RESP`, `EXP_RECE_UPDATE_ORDER`;
//! facts/carriers-cn 1.3. Must never create an order twice: SF refuses a known order id with 8016.

use super::{Inner, Sf, service};
use crate::carriers::waybill::{
    CURE_ORDER, CURE_ORDER_ADDRESS, CURE_ORDER_COLLECTED, CURE_ORDER_GOODS, CURE_ORDER_PHONE,
};
use crate::carriers::{
    Again, Cancelling, Created, FindWaybill, Party, Shipping, Waybill,
    body::{self, CURE_SETTINGS},
};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

impl Waybill for Sf {
    fn sureness(&self) -> &'static str {
        "needs `monthly_card` where the contract has one; fields and codes from the documentation; a result code 3 of the filter (not \
         serviceable) is from memory"
    }

    fn create(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let number = |name: &str, usual: u16| cx.account.setting(name, "").parse().unwrap_or(usual);
        // 1: SF's standard express. The merchant's contract says which products it may use.
        let product = shipping.product.as_deref().and_then(|product| product.parse().ok());
        let goods = shipping.goods.iter().map(|goods| json!({"name": goods.name, "count": goods.count}));
        let order = json!({
            "language": cx.account.setting("language", "zh-CN"),
            "orderId": shipping.order,
            "monthlyCard": cx.account.setting("monthly_card", ""),
            "payMethod": number("pay_method", 1),
            "expressTypeId": product.unwrap_or_else(|| number("express_type", 1)),
            "isReturnRoutelabel": 1,
            "parcelQty": shipping.pieces,
            "totalWeight": shipping.kilograms(),
            "cargoDetails": goods.collect::<Vec<_>>(),
            "contactInfoList": [contact(1, &shipping.from), contact(2, &shipping.to)],
            "remark": shipping.remark.as_deref().unwrap_or(""),
        });
        service(cx, "sf.create_order", "EXP_RECE_CREATE_ORDER", &order).map(Call::once)
    }

    fn read_created(&self, cx: &Cx, shipping: &Shipping, answer: &Answer) -> Result<Created, Refusal> {
        let inner: Inner<Order> = Inner::of(answer, cx.now)?;
        if let Some(refused) = inner.error_code.as_deref().and_then(refused) {
            return Err(refused);
        }
        inner.refusal()?;
        let order = inner.data.ok_or(Refusal::Unreadable)?;
        if order.id.as_ref().is_some_and(|id| *id != shipping.order) {
            return Err(Refusal::Unreadable);
        }
        // 3: SF does not go there. It still gives a number, which nobody may stick on a parcel.
        if order.filter_result.as_deref() == Some("3") {
            return Err(Refusal::FixOrder { cure: CURE_ORDER_ADDRESS });
        }
        order.created().ok_or(Refusal::Unreadable)
    }

    fn again(&self) -> Again<'_> {
        Again::Ask(self)
    }

    fn cancel(&self, cx: &Cx, cancelling: &Cancelling) -> Result<Call, Refusal> {
        let order = json!({"orderId": cancelling.order, "dealType": 2});
        service(cx, "sf.cancel_order", "EXP_RECE_UPDATE_ORDER", &order)
    }

    fn read_cancelled(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        let inner: Inner<IgnoredAny> = Inner::of(answer, cx.now)?;
        match inner.error_code.as_deref() {
            Some("8037") => Err(Refusal::AlreadyDone),
            Some("8168") => Err(Refusal::FixOrder { cure: CURE_ORDER_COLLECTED }),
            Some("8018" | "6150" | "8024") => Err(Refusal::FixOrder { cure: CURE_ORDER }),
            _ => inner.refusal(),
        }
    }
}

impl FindWaybill for Sf {
    fn find(&self, cx: &Cx, shipping: &Shipping) -> Result<Call, Refusal> {
        let question = json!({"searchType": "1", "orderId": shipping.order});
        service(cx, "sf.search_order", "EXP_RECE_SEARCH_ORDER_RESP", &question)
    }

    fn read_found(&self, cx: &Cx, answer: &Answer) -> Result<Option<Created>, Refusal> {
        let inner: Inner<Order> = Inner::of(answer, cx.now)?;
        match inner.refusal() {
            Ok(()) => inner.data.and_then(Order::created).map(Some).ok_or(Refusal::Unreadable),
            Err(Refusal::NoDataYet) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// 1 sender, 2 receiver.
fn contact(contact_type: u8, party: &Party) -> Value {
    json!({
        "contactType": contact_type,
        "contact": party.name.reveal(),
        "mobile": party.phone.reveal(),
        "country": party.country,
        "province": party.province,
        "city": party.city,
        "county": party.district,
        "address": party.street.reveal(),
        "postCode": party.postal.as_deref().unwrap_or(""),
    })
}

/// What is wrong with the order itself.
fn refused(code: &str) -> Option<Refusal> {
    let number: u32 = code.parse().unwrap_or(0);
    let cure = match number {
        8016 => return Some(Refusal::AlreadyDone),
        20036 | 8057 => return Some(Refusal::FixAccount { cure: CURE_SETTINGS }),
        1010..=1016 | 1020..=1038 | 6200..=6207 => CURE_ORDER_ADDRESS,
        8196 => CURE_ORDER_PHONE,
        20035 => CURE_ORDER_GOODS,
        8096 | 8117 | 8067 => CURE_ORDER,
        _ => return None,
    };
    Some(Refusal::FixOrder { cure })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default, rename = "orderId", deserialize_with = "body::loose")]
    id: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    filter_result: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    dest_code: Option<String>,
    #[serde(default, rename = "waybillNoInfoList", deserialize_with = "body::list")]
    waybills: Vec<Numbered>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Numbered {
    /// 1 master, 2 child, 3 signed receipt's way back.
    #[serde(default, deserialize_with = "body::loose")]
    waybill_type: Option<String>,
    #[serde(default, deserialize_with = "body::loose")]
    waybill_no: Option<String>,
}

impl Order {
    fn created(self) -> Option<Created> {
        let mut created = Created { vendor_order: self.id, sorting: self.dest_code, ..Created::default() };
        for waybill in self.waybills {
            let Some(number) = waybill.waybill_no else { continue };
            match waybill.waybill_type.as_deref() {
                Some("1") => created.number = number,
                Some("2") => created.children.push(number),
                Some("3") => created.return_number = Some(number),
                _ => {}
            }
        }
        (!created.number.is_empty()).then_some(created)
    }
}
