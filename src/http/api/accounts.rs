//! The carrier accounts that serve a shop: what is left of their day, what they cost, and what came of their calls.
//! Must never show another shop's own account, nor a number in full.

use super::{Caller, page_size, pairs, unstored};
use crate::carriers::carrier;
use crate::http::problem::{Kind, Problem};
use crate::model::Account;
use crate::store::records::CallLine;
use crate::text::mask;
use crate::wire::Limits;
use axum::Json;
use axum::extract::{Path, RawQuery};
use jiff::tz::Offset;
use serde_json::{Value, json};
use std::sync::Arc;

fn accounts(caller: &Caller) -> Vec<Arc<Account>> {
    let serves = |account: &Arc<Account>| match &account.shop {
        Some(own) => *own == caller.shop.id,
        None => account.setting("shops", "").split(',').any(|listed| listed.trim() == caller.shop.id),
    };
    let all = caller.intake.accounts.values().filter(|account| carrier(&account.kind).is_some());
    let mut accounts: Vec<Arc<Account>> = all.filter(|account| serves(account)).cloned().collect();
    accounts.sort_by_key(|account| account.name());
    accounts
}

/// `GET /api/v1/accounts`: the budget of each, today in the vendor's zone.
pub(super) async fn list(caller: Caller) -> Result<Json<Value>, Problem> {
    let mut shown = Vec::new();
    for account in accounts(&caller) {
        let Some(adapter) = carrier(&account.kind) else { continue };
        let spec = adapter.spec();
        let name = account.name();
        let book = caller.intake.records.day_book(&name).await.map_err(unstored)?;
        let zone: Offset = Limits::default().zone;
        let today = zone.to_datetime(caller.intake.clock.now()).date();
        let used = if book.day == Some(today) { book.used } else { 0 };
        let most = Limits { per_day: spec.per_day, ..Limits::default() }.under(&account).per_day;
        let cost: Option<f64> = account.setting("cost_per_call", "").parse().ok();
        let last = caller.intake.records.calls(&name, 1).await.map_err(unstored)?;
        shown.push(json!({
            "account": name,
            "house": account.shop.is_none(),
            "aggregator": spec.aggregator,
            "calls_today": used,
            "calls_a_day": most,
            "left_today": most.saturating_sub(used),
            "cost_today": cost.map(|cost| cost * f64::from(used)),
            "last_call": last.first().map(call),
        }));
    }
    Ok(Json(json!({ "accounts": shown })))
}

/// `GET /api/v1/accounts/{kind}/{account}/journal?limit=…`, newest first.
pub(super) async fn journal(
    caller: Caller,
    Path((kind, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let limit = page_size(&pairs(query), 100, 500)?;
    let account = accounts(&caller).into_iter().find(|account| account.kind == kind && account.id == id);
    let account = account.ok_or(Kind::NotFound)?;
    let calls = caller.intake.records.calls(&account.name(), limit).await.map_err(unstored)?;
    // A house account's numbers may be another shop's.
    Ok(Json(json!({ "calls": calls.iter().map(call).collect::<Vec<_>>() })))
}

fn call(line: &CallLine) -> Value {
    let masked = |number: &String| match number.split_once('/') {
        Some((carrier, number)) => format!("{carrier}/{}", mask::number(number)),
        None => mask::number(number),
    };
    json!({"at": line.at, "operation": line.operation, "number": line.number.as_ref().map(masked),
        "http_status": line.status, "ms": line.millis, "outcome": line.outcome, "cure": line.cure})
}
