//! The REST API for a shop's own systems: orders in, parcels and requests out, chats taken over and given back.
//! Must never show one shop's records to another shop's token, nor a full phone or name to anybody.

mod accounts;
mod exceptions;
mod links;
mod openapi;
mod orders;
mod parcels;
mod read;
mod requests;
mod waybills;

use super::chat::bearer;
use super::problem::{Kind, Problem};
use super::server::Shared;
use crate::intake::Intake;
use crate::model::{ChatAddress, Shop};
use crate::store::StoreError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post, put};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use subtle::ConstantTimeEq;

/// Every route of the API, method and path: what the OpenAPI document must describe.
pub const ROUTES: &[(&str, &str)] = &[
    ("get", "/api/openapi.json"),
    ("get", "/api/v1/orders"),
    ("post", "/api/v1/orders"),
    ("get", "/api/v1/orders/{order}"),
    ("put", "/api/v1/orders/{order}"),
    ("post", "/api/v1/orders/{order}/parcels"),
    ("post", "/api/v1/orders/{order}/links"),
    ("post", "/api/v1/orders/{order}/waybills"),
    ("post", "/api/v1/waybills/{id}/cancel"),
    ("get", "/api/v1/parcels/{carrier}/{number}"),
    ("get", "/api/v1/accounts"),
    ("get", "/api/v1/accounts/{kind}/{account}/journal"),
    ("get", "/api/v1/exceptions"),
    ("post", "/api/v1/exceptions/{id}"),
    ("get", "/api/v1/requests"),
    ("post", "/api/v1/requests/{id}/done"),
    ("post", "/api/v1/chats/take"),
    ("post", "/api/v1/chats/release"),
];

/// The routes themselves.
pub fn router() -> Router<Shared> {
    Router::new()
        .route("/api/openapi.json", get(openapi::document))
        .route("/api/v1/orders", get(orders::list).post(orders::batch))
        .route("/api/v1/orders/{order}", put(orders::put).get(orders::show))
        .route("/api/v1/orders/{order}/parcels", post(parcels::bind))
        .route("/api/v1/orders/{order}/links", post(links::create))
        .route("/api/v1/orders/{order}/waybills", post(waybills::create))
        .route("/api/v1/waybills/{id}/cancel", post(waybills::cancel))
        .route("/api/v1/parcels/{carrier}/{number}", get(parcels::show))
        .route("/api/v1/accounts", get(accounts::list))
        .route("/api/v1/accounts/{kind}/{account}/journal", get(accounts::journal))
        .route("/api/v1/exceptions", get(exceptions::list))
        .route("/api/v1/exceptions/{id}", post(exceptions::change))
        .route("/api/v1/requests", get(requests::list))
        .route("/api/v1/requests/{id}/done", post(requests::done))
        .route("/api/v1/chats/take", post(requests::take))
        .route("/api/v1/chats/release", post(requests::release))
}

/// Who calls: the shop whose bearer token came.
struct Caller {
    intake: Arc<Intake>,
    shop: Arc<Shop>,
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or(Kind::Unauthenticated)?;
        let shop = shop_of(&shared.intake, token).ok_or(Kind::Unauthenticated)?;
        if shared.paused.load(Ordering::Relaxed) {
            return Err(Problem::from(Kind::Unavailable).retry_after(5));
        }
        Ok(Self { intake: shared.intake.clone(), shop })
    }
}

/// The shop of a token. Every token of every shop is compared, so that the time taken tells nothing.
fn shop_of(intake: &Intake, token: &str) -> Option<Arc<Shop>> {
    let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    let mut found = None;
    for shop in intake.shops.values() {
        for known in &shop.api_tokens {
            if bool::from(digest.ct_eq(known)) {
                found = Some(shop.clone());
            }
        }
    }
    found
}

/// A body of JSON, whatever stands in it.
struct Body(Value);

impl FromRequest<Shared> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Kind::UnsupportedMediaType, "Send application/json."));
        }
        let bytes = Bytes::from_request(request, shared).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(Kind::TooLarge, "Send fewer orders at once.")
            } else {
                Kind::Malformed.into()
            }
        })?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|_| Problem::new(Kind::Malformed, "The body is not JSON, or too deeply nested."))?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

type Segments<T> = Result<Path<T>, PathRejection>;

fn segments<T>(path: Segments<T>) -> Result<T, Problem> {
    path.map(|Path(segments)| segments).map_err(|_| Problem::new(Kind::Malformed, "The path is not UTF-8."))
}

/// What the client is told when the store says no.
fn unstored(error: StoreError) -> Problem {
    if matches!(error, StoreError::TooLarge { .. }) {
        return Problem::new(
            Kind::TooLarge,
            "One order takes at most 8 KiB: fewer or shorter fields, please.",
        );
    }
    tracing::error!(%error, "a call of the API could not use the store");
    Problem::from(Kind::Unavailable).retry_after(5)
}

/// Too much changed at once: the same call again will do.
fn contended() -> Problem {
    Problem::new(Kind::Conflict, "It changes too fast; send it again.").retry_after(1)
}

/// A chat as others may see it: enough to tell two people apart, too little to write to them.
fn masked_chat(address: &ChatAddress) -> Value {
    let id: String = address.id.reveal().chars().take(2).chain("****".chars()).collect();
    json!({"kind": address.kind, "account": address.account, "id": id})
}

/// How many rows a page has: `limit`, from 1 to `most`.
fn page_size(query: &[(String, String)], usual: usize, most: usize) -> Result<usize, Problem> {
    let Some(given) = parameter(query, "limit") else { return Ok(usual) };
    match given.parse() {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Problem::new(Kind::Invalid, format!("limit must be a number from 1 to {most}."))),
    }
}

fn pairs(query: Option<String>) -> Vec<(String, String)> {
    let query = query.unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).take(16).map(|(k, v)| (k.into_owned(), v.into_owned())).collect()
}

fn parameter<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
