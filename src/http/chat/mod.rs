//! The web chat: a page of its own, a one-script widget for the shop's pages, and the calls behind both.
//! Takes a buyer's words in only when they are durable. Must never show a message to a token of another session.

#[cfg(test)]
mod browser_tests;
pub mod door;
pub mod engine;
mod events;
#[cfg(test)]
mod fake;
pub mod identity;
mod languages;
mod origin;
mod page;
pub mod session;
mod signed;
#[cfg(test)]
mod tests;

use super::problem::{self, Kind, Problem};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use door::{ChatDoor, Said};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Longest body of a call, in bytes.
pub const BODY_BYTES: usize = 16 * 1024;
/// Longest text of a message, in characters.
pub const TEXT_CHARS: usize = 2_000;
/// Longest text of a message, in bytes of UTF-8.
pub const TEXT_BYTES: usize = 4 * 1024;
/// Longest client id of a message, in characters.
pub const ID_CHARS: usize = 64;
/// Longest id of a choice, in characters.
pub const CHOICE_CHARS: usize = 128;

#[derive(Clone)]
struct Chat {
    door: Arc<dyn ChatDoor>,
    stop: CancellationToken,
}

/// Every route of the web chat. `stop` ends the event streams, so that the server can stop.
pub fn router(door: Arc<dyn ChatDoor>, stop: CancellationToken) -> Router {
    let chat = Chat { door, stop };
    let calls = Router::new()
        .route("/chat/{shop}/sessions", post(open_session))
        .route("/chat/{shop}/messages", post(take_message))
        .route("/chat/{shop}/events", get(events::stream))
        .route("/chat/{shop}/widget.json", get(page::widget_facts))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn_with_state(chat.clone(), origin::guard))
        .layer(DefaultBodyLimit::max(BODY_BYTES));
    Router::new()
        .route("/chat/{shop}", get(page::page))
        .route("/chat/-/{file}", get(page::asset))
        .route("/widget.js", get(page::widget_script))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .merge(calls)
        .with_state(chat)
}

#[derive(Deserialize, Default)]
struct SessionRequest {
    #[serde(default)]
    locale: Option<String>,
    #[serde(default)]
    identity: Option<String>,
}

/// `POST /chat/{shop}/sessions` → 201 `{"session","token"}`.
async fn open_session(
    State(chat): State<Chat>,
    Path(shop): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = whole(body)?;
    let request: SessionRequest =
        if body.trim_ascii().is_empty() { SessionRequest::default() } else { read(&body)? };
    let locale = languages::wanted(request.locale.as_deref(), &headers).into_iter().next();
    let identity = request.identity.filter(|identity| !identity.is_empty());
    let opened = chat.door.open(&shop, locale, identity).await?;
    let body = json!({"session": opened.session, "token": opened.token});
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

#[derive(Deserialize)]
struct MessageRequest {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    choice: Option<String>,
}

/// `POST /chat/{shop}/messages` → 202 `{"id"}` once it is durable.
async fn take_message(
    State(chat): State<Chat>,
    Path(shop): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let session = bearer(&headers)
        .and_then(|token| chat.door.verify_token(&shop, token))
        .ok_or(Kind::Unauthenticated)?;
    let request: MessageRequest = read(&whole(body)?)?;
    let id = request.id.unwrap_or_default();
    if !fits(&id, ID_CHARS) {
        return Err(Problem::field("/id", "1 to 64 characters, made by the client, new for each message"));
    }
    let said = match (request.text, request.choice) {
        (Some(text), None) => Said::Text(clean(&text)?),
        (None, Some(choice)) if fits(&choice, CHOICE_CHARS) => Said::Choice(choice),
        (None, Some(_)) => return Err(Problem::field("/choice", "the id of a choice: 1 to 128 characters")),
        _ => return Err(Problem::new(Kind::Invalid, "Exactly one of text and choice is needed.")),
    };
    chat.door.receive(&shop, &session, &id, said).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"id": id}))).into_response())
}

/// A buyer's text without control characters and outer white space, if something is left and it is not too long.
fn clean(text: &str) -> Result<String, Problem> {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = lines.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let kept = kept.trim();
    if kept.is_empty() {
        return Err(Problem::field("/text", "something to read"));
    }
    if kept.len() > TEXT_BYTES || kept.chars().count() > TEXT_CHARS {
        let limit = format!("At most {TEXT_CHARS} characters in {TEXT_BYTES} bytes of UTF-8.");
        return Err(Problem::new(Kind::TooLarge, limit));
    }
    Ok(kept.to_owned())
}

fn fits(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control)
}

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(Kind::TooLarge, format!("At most {BODY_BYTES} bytes."))
        } else {
            Kind::Malformed.into()
        }
    })
}

/// Reads a JSON object; members that we do not know are passed over.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // As a whole first: this also refuses what is nested too deeply inside members that we do not know.
    let json: Value = serde_json::from_slice(body)
        .map_err(|_| Problem::new(Kind::Malformed, "The body is not JSON, or too deeply nested."))?;
    serde_json::from_value(json).map_err(|_| {
        Problem::new(Kind::Invalid, "A JSON object is needed; one of its members has the wrong type.")
    })
}
