//! Parcels of orders: bound by number, shown with all that the carriers said.
//! Must never show a phone or a pickup code: those are the buyer's alone.

use super::read::{self, Fields};
use super::{Body, Caller, Segments, contended, segments, unstored};
use crate::carriers::recognize::normalize_number;
use crate::carriers::{carrier, names};
use crate::http::problem::{Kind, Problem};
use crate::model::order::{Buyer, Order, OrderStatus, Shipment};
use crate::model::{Event, Noted, Parcel};
use crate::store::records::Upserted;
use crate::text::mask;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// How often a binding that was overtaken is tried again.
const TRIES: usize = 5;

/// Yishi's code of a carrier, however it is named; where it is not, or by nobody's name, what the number tells.
pub(super) fn carrier_of(caller: &Caller, named: Option<&str>, number: &str) -> Option<String> {
    if let Some(code) = named.and_then(code_of) {
        return Some(code.to_owned());
    }
    let candidates = caller.intake.tracker.recognize(&caller.shop.id, number);
    candidates.into_iter().next().map(|best| best.carrier)
}

/// Our code for a carrier's code or name, also where we only speak to it and it stands in no table.
pub(super) fn code_of(name: &str) -> Option<&'static str> {
    let spoken = || carrier(&name.trim().to_ascii_lowercase()).map(|carrier| carrier.spec());
    let direct = || spoken().filter(|spec| !spec.aggregator).map(|spec| spec.code);
    names::by_any(name).map(|carrier| carrier.code).or_else(direct)
}

/// Has news of parcels fetched in the background, one after another, where nobody has asked about them yet.
pub(super) fn fetch(caller: &Caller, order: &Order, shipments: Vec<Shipment>) {
    // Long over: nobody asks, and a question costs money.
    let over = matches!(order.status, OrderStatus::Completed | OrderStatus::Closed);
    if shipments.is_empty() || over {
        return;
    }
    let (intake, shop, order) = (caller.intake.clone(), caller.shop.id.clone(), order.no.clone());
    caller.intake.tasks.spawn(async move {
        for shipment in shipments {
            if intake.stop.is_cancelled() {
                return;
            }
            let Shipment { carrier, number, .. } = shipment;
            let known = intake.records.parcel(&shop, &carrier, &number).await;
            let asked =
                known.is_ok_and(|read| read.value.is_some_and(|parcel| parcel.last_checked.is_some()));
            if !asked && intake.tracker.serves(&shop, &carrier) {
                intake.tracker.refresh(&shop, &order, &carrier, &number).await;
            }
        }
    });
}

/// `POST /api/v1/orders/{order}/parcels` → 201, or 200 where the order had it already.
pub(super) async fn bind(
    caller: Caller,
    path: Segments<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let no = segments(path)?;
    let (records, shop) = (&caller.intake.records, &caller.shop.id);
    let fields = Fields::new(&body, "")?;
    let old = records.order(shop, &no).await.map_err(unstored)?.value.ok_or(Kind::NotFound)?;
    let (carrier, number) = read::parcel(&caller, &fields, &["number", "tracking_no"], Some(&old))?;
    let new = add(&caller, &no, &carrier, &number).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({"carrier": carrier, "number": number, "order": old.no}))).into_response())
}

/// Binds a parcel to an order and has its news fetched. Returns whether the order did not have the number before.
pub(super) async fn add(caller: &Caller, no: &str, carrier: &str, number: &str) -> Result<bool, Problem> {
    let (records, shop) = (&caller.intake.records, &caller.shop.id);
    for _ in 0..TRIES {
        let old = records.order(shop, no).await.map_err(unstored)?.value.ok_or(Kind::NotFound)?;
        let same = |known: &Shipment| known.number.eq_ignore_ascii_case(number);
        let known = old.shipments.iter().any(same);
        if old.shipments.iter().any(|known| same(known) && known.carrier == carrier) {
            return Ok(false);
        }
        let now = caller.intake.clock.now();
        let (carrier, number) = (carrier.to_owned(), number.to_owned());
        let new = Shipment { carrier, number, shipped_at: (!known).then_some(now), items: Vec::new() };
        // Only what changes: the rest stays as it is then, and a newer order makes this one stale.
        let change =
            Order { shipments: vec![new.clone()], items: Vec::new(), buyer: Buyer::default(), ..old };
        if records.upsert_order(shop, &change, now).await.map_err(unstored)? != Upserted::Stale {
            fetch(caller, &change, vec![new]);
            return Ok(!known);
        }
    }
    Err(contended())
}

/// `GET /api/v1/parcels/{carrier}/{number}`.
pub(super) async fn show(caller: Caller, path: Segments<(String, String)>) -> Result<Json<Value>, Problem> {
    let (named, number) = segments(path)?;
    let code = code_of(&named).unwrap_or(&named);
    let number = normalize_number(&number);
    let parcel = caller.intake.records.parcel(&caller.shop.id, code, &number).await.map_err(unstored)?.value;
    Ok(Json(shown(&parcel.ok_or(Kind::NotFound)?)))
}

fn shown(parcel: &Parcel) -> Value {
    let state = &parcel.state;
    json!({
        "carrier": parcel.carrier,
        "number": parcel.number,
        "status": state.status,
        "sub": state.sub,
        "reason": state.reason,
        "progress": state.progress,
        "since": state.since,
        "delivered_at": state.delivered_at,
        "eta": parcel.eta.as_ref().map(|eta| {
            json!({"from": eta.from, "to": eta.to, "source": eta.source, "precision": eta.precision})
        }),
        "last_checked": parcel.last_checked,
        "answered_by": parcel.answered_by,
        "next_check": parcel.next_check,
        "troubles": parcel.troubles.iter().map(|trouble| trouble.kind).collect::<Vec<_>>(),
        "journal": parcel.journal.iter().map(noted).collect::<Vec<_>>(),
        "orders": parcel.orders,
        "events": parcel.events.iter().map(event).collect::<Vec<_>>(),
    })
}

/// One line of the parcel's journal.
fn noted(line: &Noted) -> Value {
    json!({"at": line.at, "account": line.by, "what": line.what, "outcome": line.outcome,
        "new_events": line.news, "status": line.status})
}

/// One event in the shape of the normalized model, without what only the buyer may know.
fn event(event: &Event) -> Value {
    let code = event.pickup.code.as_deref().filter(|code| !code.is_empty());
    let clean = |text: &String| {
        let text = code.map_or_else(|| text.clone(), |code| text.replace(code, "****"));
        mask::sentence(&text)
    };
    let mut place = event.place.clone();
    place.text = place.text.as_ref().map(clean);
    json!({
        "id": event.id,
        "seq": event.seq,
        "time": event.time,
        "status": event.status,
        "sub": event.sub,
        "reason": event.reason,
        "place": place,
        "raw": {
            "code": event.raw.code,
            "status": event.raw.status.as_ref().map(clean),
            "description": event.raw.description.as_ref().map(clean),
        },
        "courier": {
            "name": event.courier.name.as_deref().map(mask::name),
            "phone": event.courier.phone.as_deref().map(mask::phones),
        },
        "pickup": {"place": event.pickup.place.as_ref().map(clean), "until": event.pickup.until},
        "carrier": event.carrier,
        "number": event.number,
        "leg": event.leg,
        "source": event.source,
        "provider": event.provider,
        "received": event.received,
        "superseded": event.superseded,
        "signed_by": event.signed_by.as_deref().map(mask::name),
    })
}
