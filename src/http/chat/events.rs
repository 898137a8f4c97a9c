//! `GET /chat/{shop}/events`: everything said in a session, from the start or after `Last-Event-ID`, then live.
//! Must never skip a message, and must end at once when the service stops.

use super::door::{ChatDoor, Stir};
use super::{Chat, bearer};
use crate::http::problem::{Kind, Problem};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A silent stream says so this often: proxies cut what is silent for a minute.
const PING: Duration = Duration::from_secs(20);
/// How long a client waits before it comes again.
const RETRY: Duration = Duration::from_secs(2);
/// Messages read at once.
const PAGE: usize = 100;

#[derive(Deserialize, Default)]
pub(super) struct Options {
    #[serde(default)]
    token: Option<String>,
    /// For `EventSource`, which cannot set `Last-Event-ID` on its first request.
    #[serde(default)]
    after: Option<String>,
    /// Also send `event: ready` when caught up and `event: typing`: our own page asks for them.
    #[serde(default)]
    signals: Option<String>,
}

/// The stream.
pub(super) async fn stream(
    State(chat): State<Chat>,
    Path(shop): Path<String>,
    options: Result<Query<Options>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(options) = options.map_err(|_| Problem::from(Kind::Malformed))?;
    let token = bearer(&headers).or(options.token.as_deref()).ok_or(Kind::Unauthenticated)?;
    let session = chat.door.verify_token(&shop, token).ok_or(Kind::Unauthenticated)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let cursor = last.or(options.after.as_deref()).and_then(|id| id.trim().parse().ok()).unwrap_or(0);
    // The first page is read before the answer starts, so that an ended session is a 401 and not an empty stream.
    let mut watch = chat.door.watch(&shop, &session);
    let seen = *watch.borrow_and_update();
    let messages = chat.door.after(&shop, &session, cursor, PAGE).await?;
    let mut listening = Listening {
        door: chat.door,
        shop,
        session,
        watch,
        stop: chat.stop,
        cursor,
        queue: VecDeque::from([Event::default().retry(RETRY)]),
        signals: options.signals.is_some_and(|value| value != "0"),
        seen,
        full: messages.len() >= PAGE,
        ready: false,
        typing: false,
    };
    listening.take(messages);
    let events = stream::unfold(listening, |mut listening| async move {
        listening.next().await.map(|event| (Ok::<_, Infallible>(event), listening))
    });
    let headers = [("x-accel-buffering", "no"), ("cache-control", "no-store, no-transform")];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(PING).text("ping"))).into_response())
}

struct Listening {
    door: Arc<dyn ChatDoor>,
    shop: String,
    session: String,
    watch: watch::Receiver<Stir>,
    stop: CancellationToken,
    cursor: u64,
    queue: VecDeque<Event>,
    signals: bool,
    /// The stir that the last read covers.
    seen: Stir,
    /// The last page was full: there may be more.
    full: bool,
    ready: bool,
    typing: bool,
}

impl Listening {
    fn take(&mut self, messages: Vec<(u64, crate::model::ChatMessage)>) {
        for (sequence, message) in messages {
            self.cursor = sequence;
            if let Ok(json) = serde_json::to_string(&message) {
                self.queue.push_back(Event::default().id(sequence.to_string()).data(json));
            }
        }
        if self.full {
            return;
        }
        if self.signals && !self.ready {
            self.queue.push_back(Event::default().event("ready").data("{}"));
        }
        self.ready = true;
        if self.signals && self.typing != self.seen.typing {
            self.typing = self.seen.typing;
            let data = if self.typing { r#"{"typing":true}"# } else { r#"{"typing":false}"# };
            self.queue.push_back(Event::default().event("typing").data(data));
        }
    }

    /// The next event; `None` when the service stops or the session is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            if !self.full {
                tokio::select! {
                    biased;
                    () = self.stop.cancelled() => return None,
                    changed = self.watch.changed() => changed.ok()?,
                }
            }
            // Marked as seen before the read: what comes in between wakes us again.
            let stir = *self.watch.borrow_and_update();
            let messages = if self.full || stir.news != self.seen.news {
                self.door.after(&self.shop, &self.session, self.cursor, PAGE).await.ok()?
            } else {
                Vec::new()
            };
            self.seen = stir;
            self.full = messages.len() >= PAGE;
            self.take(messages);
        }
    }
}
