//! Orders in, one or many at a time, and out again. What is older than what is stored changes nothing.
//! Must never answer with a whole name, phone or address: the shop has them, a leaked token shall not.

use super::read::{self, Fields};
use super::{Body, Caller, Segments, masked_chat, page_size, pairs, parameter, parcels, segments, unstored};
use crate::http::problem::{Kind, Problem};
use crate::model::order::{Buyer, Order, Shipment};
use crate::store::StoreError;
use crate::store::records::{Kind as Row, Upserted};
use crate::text::mask;
use axum::Json;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Orders of one batch, at most.
const BATCH: usize = 500;
/// Orders of a batch that are stored at the same time.
const IN_FLIGHT: usize = 64;

/// `PUT /api/v1/orders/{order}` → 201 or 200 with the order as it is stored.
pub(super) async fn put(
    caller: Caller,
    path: Segments<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let path = segments(path)?;
    let (no, outcome) = take(&caller, &body, "", Some(&path)).await?;
    let stored = caller.intake.records.order(&caller.shop.id, &no).await.map_err(unstored)?.value;
    let mut shown = shown(&stored.ok_or(Kind::NotFound)?);
    if outcome == Upserted::Stale {
        shown["stale"] = json!(true);
    }
    let status = if outcome == Upserted::Created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown)).into_response())
}

/// `POST /api/v1/orders` → 200 with one result for each order, also where some are rejected; with `?atomic=true`
/// 422, and none is stored, where one is.
pub(super) async fn batch(
    caller: Caller,
    RawQuery(query): RawQuery,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let atomic = match parameter(&pairs(query), "atomic") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::new(Kind::Invalid, "atomic must be true or false.")),
    };
    let (orders, at) = match (&body, body.get("orders")) {
        (Value::Array(orders), _) => (orders, ""),
        (_, Some(Value::Array(orders))) => (orders, "/orders"),
        _ => return Err(Problem::field("/orders", "an array of orders")),
    };
    if orders.len() > BATCH {
        return Err(Problem::new(Kind::TooLarge, format!("At most {BATCH} orders at once.")));
    }
    let pointer = |index: usize| format!("{at}/{index}");
    if atomic {
        let mut refused: Option<Problem> = None;
        for (index, order) in orders.iter().enumerate() {
            let Err(problem) = judge(&caller, order, &pointer(index)).await else { continue };
            if problem.kind() == Kind::Unavailable {
                return Err(problem);
            }
            let none = || Problem::new(Kind::Invalid, "Nothing was stored, since these orders cannot be.");
            refused = Some(refused.unwrap_or_else(none).and(problem));
        }
        if let Some(problem) = refused {
            return Err(problem);
        }
    }
    // Side by side, since each waits for the disk; but what comes twice in one batch comes one after the other.
    let mut lanes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, order) in orders.iter().enumerate() {
        lanes.entry(number(order).unwrap_or_default().to_uppercase()).or_default().push(index);
    }
    let one = |index: usize, order| {
        let (caller, at) = (&caller, pointer(index));
        async move {
            let result = match take(caller, order, &at, None).await {
                Ok((no, outcome)) => json!({"index": index, "order_no": no, "status": name(outcome)}),
                // Nothing more can be stored now: the whole batch again is safe.
                Err(problem) if problem.kind() == Kind::Unavailable => return Err(problem),
                Err(problem) => {
                    let (no, problem) = (number(order), problem.to_json());
                    json!({"index": index, "order_no": no, "status": "rejected", "problem": problem})
                }
            };
            Ok((index, result))
        }
    };
    let one = &one;
    let lanes: Vec<_> = lanes
        .into_values()
        .map(|lane| async move {
            let mut results = Vec::with_capacity(lane.len());
            for index in lane {
                results.push(one(index, &orders[index]).await?);
            }
            Ok::<_, Problem>(results)
        })
        .collect();
    let results: Vec<Vec<(usize, Value)>> =
        futures_util::stream::iter(lanes).buffer_unordered(IN_FLIGHT).try_collect().await?;
    let mut results: Vec<(usize, Value)> = results.into_iter().flatten().collect();
    results.sort_by_key(|(index, _)| *index);
    let results: Vec<Value> = results.into_iter().map(|(_, result)| result).collect();
    Ok(Json(json!({ "results": results })))
}

/// The order's number where it can be read at all.
fn number(order: &Value) -> Option<String> {
    let (fields, _) = Fields::new(order, "").ok()?.unwrapped().ok()?;
    read::order_no(&fields, None).ok()
}

fn name(outcome: Upserted) -> &'static str {
    match outcome {
        Upserted::Created => "created",
        Upserted::Updated => "updated",
        Upserted::Stale => "stale",
    }
}

/// Whether an order could be stored now.
async fn judge(caller: &Caller, body: &Value, at: &str) -> Result<(), Problem> {
    let (order, _) = understood(caller, body, at, None).await?;
    match caller.intake.records.judge_order(&caller.shop.id, &order).await {
        Ok(_) => Ok(()),
        Err(StoreError::TooLarge { .. }) => Err(Problem::field(at, "an order of at most 8 KiB")),
        Err(error) => Err(unstored(error)),
    }
}

/// Reads one order, and what is stored of it.
async fn understood(
    caller: &Caller,
    body: &Value,
    at: &str,
    path: Option<&str>,
) -> Result<(Order, Option<Order>), Problem> {
    let (fields, source) = Fields::new(body, at)?.unwrapped()?;
    let no = read::order_no(&fields, path)?;
    let old = caller.intake.records.order(&caller.shop.id, &no).await.map_err(unstored)?.value;
    Ok((read::order(caller, &fields, no, source, old.as_ref())?, old))
}

/// Reads and stores one order, and has news of its new parcels fetched.
async fn take(
    caller: &Caller,
    body: &Value,
    at: &str,
    path: Option<&str>,
) -> Result<(String, Upserted), Problem> {
    let (order, old) = understood(caller, body, at, path).await?;
    let (records, now) = (&caller.intake.records, caller.intake.clock.now());
    let outcome = records.upsert_order(&caller.shop.id, &order, now).await.map_err(unstored)?;
    if outcome != Upserted::Stale {
        let before = old.map(|old| old.shipments).unwrap_or_default();
        let same = |new: &Shipment, old: &Shipment| new.carrier == old.carrier && new.number == old.number;
        let new = order.shipments.iter().filter(|new| !before.iter().any(|old| same(new, old)));
        parcels::fetch(caller, &order, new.cloned().collect());
    }
    Ok((order.no, outcome))
}

/// `GET /api/v1/orders/{order}`.
pub(super) async fn show(caller: Caller, path: Segments<String>) -> Result<Json<Value>, Problem> {
    let no = segments(path)?;
    let order = caller.intake.records.order(&caller.shop.id, &no).await.map_err(unstored)?.value;
    Ok(Json(shown(&order.ok_or(Kind::NotFound)?)))
}

/// `GET /api/v1/orders?phone=…` or `?cursor=…&limit=…`, in no particular order.
pub(super) async fn list(caller: Caller, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let query = pairs(query);
    let limit = page_size(&query, 50, 200)?;
    let (records, shop) = (&caller.intake.records, &caller.shop.id);
    if let Some(phone) = parameter(&query, "phone") {
        let whole = read::phone(phone).and_then(|(whole, _)| whole);
        let whole =
            whole.ok_or_else(|| Problem::new(Kind::Invalid, "phone must be a whole phone number."))?;
        let mut orders = Vec::new();
        for no in records.orders_by_phone(shop, &whole).await.map_err(unstored)? {
            let order = records.order(shop, &no).await.map_err(unstored)?.value;
            // A phone that was corrected or erased since leads nowhere.
            let still =
                |order: &Order| order.buyer.phone.as_ref().is_some_and(|phone| *phone.reveal() == whole);
            orders.extend(order.filter(still).map(|order| shown(&order)));
        }
        return Ok(Json(json!({"orders": orders, "next": null})));
    }
    // A cursor is the end of a key only: it cannot lead into another shop's rows.
    let prefix = records.prefix(Row::Order, shop);
    let cursor = match parameter(&query, "cursor") {
        None => None,
        Some(text) => {
            let end = hex::decode(text).ok().filter(|end| end.len() == 16);
            let end =
                end.ok_or_else(|| Problem::new(Kind::Invalid, "cursor must be the next of an answer."))?;
            Some([prefix.as_slice(), &end].concat())
        }
    };
    let page = records.orders(shop, cursor, limit).await.map_err(unstored)?;
    let last = page.last().filter(|_| page.len() == limit);
    let next = last.and_then(|(key, _)| key.get(prefix.len()..)).map(hex::encode);
    let orders: Vec<Value> = page.iter().map(|(_, order)| shown(order)).collect();
    Ok(Json(json!({"orders": orders, "next": next})))
}

/// An order as it is answered, people masked.
fn shown(order: &Order) -> Value {
    let shipments = order.shipments.iter().map(|shipment| {
        json!({
            "carrier": shipment.carrier,
            "tracking_no": shipment.number,
            "shipped_at": shipment.shipped_at,
            "items": shipment.items,
        })
    });
    json!({
        "order_no": order.no,
        "status": order.status,
        "updated_at": order.updated_at,
        "created_at": order.created_at,
        "paid_at": order.paid_at,
        "ship_by": order.ship_by,
        "buyer": buyer(&order.buyer),
        "items": order.items,
        "shipments": shipments.collect::<Vec<_>>(),
        "refund": order.refund,
        "platform": order.platform,
    })
}

fn buyer(buyer: &Buyer) -> Value {
    let tail = buyer.phone_last4.as_ref().map(|tail| format!("****{}", tail.reveal()));
    let phone = buyer.phone.as_ref().map(|phone| masked(phone.reveal())).or(tail);
    json!({
        "external_id": buyer.external_id.as_deref().map(mask::phones),
        "name": buyer.name.as_ref().map(|name| mask::name(name.reveal())),
        "phone": phone,
        "chat": buyer.chat.iter().map(masked_chat).collect::<Vec<_>>(),
    })
}

/// Digits with the middle hidden: `138****1234`; of a short number only its end is shown.
fn masked(digits: &str) -> String {
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or("");
    let end = digits.len();
    match end {
        11.. => format!("{}****{}", part(0..3), part(end - 4..end)),
        7..11 => format!("****{}", part(end - 2..end)),
        _ => "****".to_owned(),
    }
}
