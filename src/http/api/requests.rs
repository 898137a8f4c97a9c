//! What waits for a person: requests that buyers made, and chats that a person takes over or gives back.
//! Must never show who a buyer is at the channel.

use super::read::{self, Fields};
use super::{Body, Caller, Segments, contended, masked_chat, page_size, pairs, segments, unstored};
use crate::http::problem::{Kind, Problem};
use crate::model::chat::{Mode, Told};
use crate::store::records::Request;
use crate::store::{Batch, Committed};
use crate::text::mask;
use axum::Json;
use axum::extract::RawQuery;
use serde_json::{Value, json};

/// How often a write that was overtaken is tried again.
const TRIES: usize = 5;

/// `GET /api/v1/requests?limit=…`, newest first.
pub(super) async fn list(caller: Caller, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let limit = page_size(&pairs(query), 100, 500)?;
    let requests = caller.intake.records.requests(&caller.shop.id, limit).await.map_err(unstored)?;
    let requests: Vec<Value> = requests.iter().map(|(id, request)| shown(id, request)).collect();
    Ok(Json(json!({ "requests": requests })))
}

fn shown(id: &str, request: &Request) -> Value {
    let line = |told: &Told| {
        let from = if told.buyer { "buyer" } else { "bot" };
        json!({"from": from, "at": told.at, "text": mask::sentence(&told.text)})
    };
    json!({
        "id": id,
        "at": request.at,
        "kind": request.kind,
        "order": request.order,
        "address": request.address.as_ref().map(masked_chat),
        "story": request.story.iter().map(line).collect::<Vec<_>>(),
        "done": request.done,
    })
}

/// `POST /api/v1/requests/{id}/done`: settled. Again changes nothing.
pub(super) async fn done(caller: Caller, path: Segments<String>) -> Result<Json<Value>, Problem> {
    let id = segments(path)?;
    let records = &caller.intake.records;
    for _ in 0..TRIES {
        let read = records.request(&caller.shop.id, &id).await.map_err(unstored)?.ok_or(Kind::NotFound)?;
        let mut request = read.value.clone().ok_or(Kind::NotFound)?;
        request.done = true;
        let mut batch = Batch::default();
        records.replace(&mut batch, &read, &request).map_err(unstored)?;
        if records.store().commit(batch).await.map_err(unstored)? == Committed::Done {
            return Ok(Json(shown(&id, &request)));
        }
    }
    Err(contended())
}

/// `POST /api/v1/chats/take`: a person talks from now on, and we are silent.
pub(super) async fn take(caller: Caller, Body(body): Body) -> Result<Json<Value>, Problem> {
    let since = caller.intake.clock.now();
    set_mode(&caller, &body, &Mode::Person { since }).await
}

/// `POST /api/v1/chats/release`: we answer again.
pub(super) async fn release(caller: Caller, Body(body): Body) -> Result<Json<Value>, Problem> {
    set_mode(&caller, &body, &Mode::Bot).await
}

async fn set_mode(caller: &Caller, body: &Value, mode: &Mode) -> Result<Json<Value>, Problem> {
    let (records, shop) = (&caller.intake.records, &caller.shop.id);
    let fields = Fields::new(body, "")?;
    // Whoever answers a request knows the chat only by the request.
    let address = match fields.text(&["request"], 64)? {
        Some(id) => {
            let request = records.request(shop, &id).await.map_err(unstored)?.and_then(|read| read.value);
            request.and_then(|request| request.address).ok_or(Kind::NotFound)?
        }
        None => read::chat(&fields)?,
    };
    if !read::is_own(caller, &address) {
        return Err(Kind::NotFound.into());
    }
    for _ in 0..TRIES {
        let read = records.chat(shop, &address).await.map_err(unstored)?;
        let mut chat = read.value.clone().ok_or(Kind::NotFound)?;
        chat.mode = mode.clone();
        let mut batch = Batch::default();
        records.replace(&mut batch, &read, &chat).map_err(unstored)?;
        if records.store().commit(batch).await.map_err(unstored)? == Committed::Done {
            let (name, since) = match mode {
                Mode::Person { since } => ("person", Some(since)),
                _ => ("bot", None),
            };
            return Ok(Json(json!({"chat": masked_chat(&address), "mode": name, "since": since})));
        }
    }
    Err(contended())
}
