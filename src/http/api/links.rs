//! A link by which a buyer comes to their order without typing anything: the scene of a WeChat code, the start parameter
//! of a Telegram link. Whoever has it may see the order, so it ends.

use super::read::Fields;
use super::{Body, Caller, Segments, segments, unstored};
use crate::http::problem::{Kind, Problem};
use axum::Json;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Days that a link lasts, where the shop says nothing else, and at most.
const DAYS: (u32, u32) = (30, 365);

/// `POST /api/v1/orders/{order}/links` with `{"days"?}` → 201.
pub(super) async fn create(
    caller: Caller,
    path: Segments<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let no = segments(path)?;
    let (records, shop) = (&caller.intake.records, &caller.shop.id);
    let order = records.order(shop, &no).await.map_err(unstored)?.value.ok_or(Kind::NotFound)?;
    let days = Fields::new(&body, "")?.number("days", 1, DAYS.1)?.unwrap_or(DAYS.0);
    let end = caller.intake.clock.now() + SignedDuration::from_hours(i64::from(days) * 24);
    // A link ends with a minute.
    let until = Timestamp::from_second(end.as_second() / 60 * 60).unwrap_or(end);
    let link = records.link(shop, &order.no, until);
    Ok((StatusCode::CREATED, Json(json!({"order": order.no, "link": link, "until": until}))))
}
