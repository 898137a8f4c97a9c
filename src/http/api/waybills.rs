//! One-click ship 一键发货: a waybill is created at a carrier or an aggregator, bound to its order, and cancelled again.
//! The same call twice creates one waybill. Must never echo a name, phone or address.

use super::read::{self, Fields};
use super::{Body, Caller, Segments, parcels, segments, unstored};
use crate::carriers::{Goods, Party, Shipping};
use crate::http::problem::{Kind, Problem};
use crate::model::order::Order;
use crate::model::{Line, Private};
use crate::tracking::{NotDone, Shipped};
use crate::wire::Refusal;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Kinds of goods in one parcel.
const GOODS: usize = 50;
/// The heaviest parcel that anybody carries this way: a tonne.
const GRAMS: u32 = 1_000_000;
/// SF takes no more.
const PIECES: u32 = 307;

/// `POST /api/v1/orders/{order}/waybills` → 201, or 200 where it was created before.
pub(super) async fn create(
    caller: Caller,
    path: Segments<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let no = segments(path)?;
    let (intake, shop) = (&caller.intake, &caller.shop.id);
    let order = intake.records.order(shop, &no).await.map_err(unstored)?.value.ok_or(Kind::NotFound)?;
    let fields = Fields::new(&body, "")?;
    let shipping = shipping(&fields, &order)?;
    let (account, again) = (fields.text(&["account"], 128)?, fields.flag("again")?);
    let (id, code) = (shipping.order.clone(), shipping.carrier.clone());
    let shipped = intake.tracker.ship(shop, &order.no, account.as_deref(), shipping, again).await;
    let shipped = shipped.map_err(|no| refused(&caller, &code, no))?;
    parcels::add(&caller, &order.no, &shipped.carrier, &shipped.created.number).await?;
    let status = if shipped.new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(&id, &shipped))).into_response())
}

/// `POST /api/v1/waybills/{id}/cancel`.
pub(super) async fn cancel(
    caller: Caller,
    path: Segments<String>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let id = segments(path)?;
    let reason = Fields::new(&body, "")?.text(&["reason"], 100)?.unwrap_or_default();
    let cancelled = caller.intake.tracker.cancel_waybill(&caller.shop.id, &id, &reason).await;
    let cancelled = cancelled.map_err(|no| refused(&caller, "", no))?;
    let mut shown = shown(&id, &cancelled);
    shown["cancelled"] = json!(true);
    Ok(Json(shown))
}

fn shipping(fields: &Fields, order: &Order) -> Result<Shipping, Problem> {
    let named = fields.needed(&["carrier"], 64)?;
    let carrier = parcels::code_of(&named)
        .ok_or_else(|| Problem::field(&fields.pointer("carrier"), "a carrier's code or name"))?;
    let goods = goods(fields, order)?;
    if goods.is_empty() {
        return Err(Problem::field(
            &fields.pointer("goods"),
            "what is in the parcel; the order names nothing",
        ));
    }
    let id = fields.text(&["id"], 64)?.unwrap_or_else(|| order.no.clone());
    let pieces = fields.number("pieces", 1, PIECES)?.unwrap_or(1);
    let grams = fields.number("grams", 1, GRAMS)?;
    Ok(Shipping {
        carrier: carrier.to_owned(),
        order: id,
        from: party(fields, "from")?,
        to: party(fields, "to")?,
        goods,
        grams: grams.ok_or_else(|| Problem::field(&fields.pointer("grams"), "the whole weight in grams"))?,
        pieces,
        product: fields.text(&["product"], 64)?,
        remark: fields.text(&["remark"], 200)?,
    })
}

/// As named, else what the order holds.
fn goods(fields: &Fields, order: &Order) -> Result<Vec<Goods>, Problem> {
    let named = fields.list("goods", GOODS)?;
    if named.is_empty() {
        let titled = order.items.iter().filter(|item| !item.title.is_empty());
        return Ok(titled.map(|item| Goods { name: item.title.clone(), count: item.qty }).collect());
    }
    let read = |goods: &Fields| {
        Ok(Goods {
            name: goods.needed(&["name"], 100)?,
            count: goods.number("count", 1, 1_000_000)?.unwrap_or(1),
        })
    };
    named.iter().map(read).collect()
}

fn party<'a>(fields: &Fields<'a>, name: &'a str) -> Result<Party, Problem> {
    let party = fields.object(name)?;
    let phone = party.needed(&["phone"], 40)?;
    let whole = read::phone(&phone).and_then(|(whole, _)| whole);
    let rule = "a whole phone number";
    let country = party.text(&["country"], 2)?;
    Ok(Party {
        name: Private::new(party.needed(&["name"], 100)?),
        phone: Private::new(whole.ok_or_else(|| Problem::field(&party.pointer("phone"), rule))?),
        province: party.needed(&["province"], 64)?,
        city: party.needed(&["city"], 64)?,
        district: party.text(&["district"], 64)?.unwrap_or_default(),
        street: Private::new(party.needed(&["street"], 200)?),
        country: country.unwrap_or_else(|| "CN".to_owned()),
        postal: party.text(&["postal"], 16)?,
    })
}

fn shown(id: &str, shipped: &Shipped) -> Value {
    let created = &shipped.created;
    json!({
        "id": id,
        "account": shipped.account,
        "carrier": shipped.carrier,
        "number": created.number,
        "children": created.children,
        "return_number": created.return_number,
        "vendor_order": created.vendor_order,
        "sorting": created.sorting,
        "label": created.label,
    })
}

/// What the shop's system is told, with the cure in the shop's language where a person must do something.
fn refused(caller: &Caller, carrier: &str, no: NotDone) -> Problem {
    let now = caller.intake.clock.now();
    let cure = |key: &str| caller.intake.words.sentence(&caller.shop, now, &Line::new(key));
    match no {
        NotDone::NoAccount => Problem::field(
            "/carrier",
            format!("a carrier for which the shop has an account that creates waybills, unlike {carrier}"),
        ),
        NotDone::Refused(Refusal::FixOrder { cure: key }) => Problem::new(Kind::Invalid, cure(key.0)),
        NotDone::Refused(Refusal::FixAccount { cure: key }) => Problem::new(Kind::Vendor, cure(key.0)),
        NotDone::Refused(Refusal::Unsupported) => {
            Problem::new(Kind::Vendor, "The vendor offers no way to do this; do it in its console.")
        }
        NotDone::Refused(refusal) => Problem::new(Kind::Vendor, format!("The vendor says: {refusal}.")),
        NotDone::NotSent(until) => {
            let wait = until.map_or(5, |until| until.duration_since(now).as_secs().clamp(1, 86_400) as u64);
            Problem::from(Kind::Unavailable).retry_after(wait)
        }
        NotDone::Unsure => Problem::new(
            Kind::Conflict,
            "Whether the vendor has done it is not known. The same call again asks it where it can be asked; where that \
             does not help, look into its console, and send \"again\": true if there is no such order.",
        ),
        NotDone::NoSuch => Kind::NotFound.into(),
        NotDone::Gone => Problem::new(
            Kind::Conflict,
            "There is no such waybill any more; order another one with a new id.",
        ),
        NotDone::Down => Problem::from(Kind::Unavailable).retry_after(5),
    }
}
