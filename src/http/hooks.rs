//! `/hooks/{kind}/{account}`: raw bytes in, the platform's exact answer out.

use super::problem::{Kind, Problem};
use super::server::Shared;
use crate::intake::Door;
use crate::wire::{Request, Unverified};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::atomic::Ordering;

/// Pairs of a query that are read; what comes after is nobody's.
const PAIRS: usize = 64;

/// Takes one inbound call.
pub async fn hook(
    State(shared): State<Shared>,
    Path((kind, account)): Path<(String, String)>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if shared.paused.load(Ordering::Relaxed) {
        return Problem::from(Kind::Unavailable).retry_after(5).into_response();
    }
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or("").as_bytes()).take(PAIRS);
    let request = Request {
        get: method == Method::GET,
        query: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        headers: headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: body.into(),
    };
    // Boxed: a turn's state is large, and every layer above would move it.
    match Box::pin(shared.intake.hook(&kind, &account, &request)).await {
        Door::Reply(reply) => {
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
            (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body).into_response()
        }
        Door::NotFound => Problem::from(Kind::NotFound).into_response(),
        Door::Refused(Unverified::BadSignature) => {
            Problem::new(Kind::Forbidden, "The signature is wrong, missing or too old.").into_response()
        }
        Door::Refused(Unverified::Malformed) => {
            Problem::new(Kind::Malformed, "The body cannot be read.").into_response()
        }
        Door::Unavailable(error) => {
            tracing::error!(%error, "a message could not be stored");
            Problem::from(Kind::Unavailable).retry_after(5).into_response()
        }
    }
}
