//! Two ways to reach the peers: over loopback HTTP (the demo) and as a [`Transport`] without any socket (tests).
//! Delays are real in both. Must never listen by itself: whoever serves the router chooses the address.

use super::{Simulator, lock, telegram};
use crate::wire::{Answer, Call, CallError, Transport};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl Simulator {
    /// Answers after the peer's delay; a long poll waits for news.
    pub async fn respond(
        &self,
        path_and_query: &str,
        headers: &[(String, String)],
        body: &[u8],
        clock: &Clock,
    ) -> Answer {
        if !telegram::is_poll(path_and_query) {
            let simulated = self.answer(path_and_query, headers, body, clock());
            tokio::time::sleep(simulated.delay).await;
            return simulated.answer;
        }
        let poller = {
            let mut state = lock(&self.telegram);
            state.pollers += 1;
            state.pollers
        };
        self.news.notify_waiters();
        let mut deadline = None;
        loop {
            let mut news = pin!(self.news.notified());
            // Registered before the question, so that nothing slips in between.
            news.as_mut().enable();
            if lock(&self.telegram).pollers != poller {
                return telegram::conflict();
            }
            let simulated = self.answer(path_and_query, headers, body, clock());
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + simulated.delay);
            if simulated.delay.is_zero() {
                return simulated.answer;
            }
            if tokio::time::timeout_at(deadline, news).await.is_err() {
                return simulated.answer;
            }
        }
    }
}

/// All peers as one router, for loopback.
pub fn router(simulator: Arc<Simulator>) -> Router {
    Router::new().fallback(serve).layer(DefaultBodyLimit::max(1 << 20)).with_state(simulator)
}

async fn serve(
    State(simulator): State<Arc<Simulator>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let clock: Clock = Arc::new(Timestamp::now);
    let answer = simulator.respond(path, &headers, &body, &clock).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json; charset=UTF-8")], answer.body).into_response()
}

/// Carries calls to the simulator's function instead of a socket.
#[derive(Clone)]
pub struct SimulatedTransport {
    simulator: Arc<Simulator>,
    clock: Clock,
}

impl std::fmt::Debug for SimulatedTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedTransport")
    }
}

impl SimulatedTransport {
    /// `clock` is the test's own.
    pub fn new(simulator: Arc<Simulator>, clock: Clock) -> Self {
        Self { simulator, clock }
    }
}

#[async_trait::async_trait]
impl Transport for SimulatedTransport {
    async fn send(&self, call: Call, limit: Duration) -> Result<Answer, CallError> {
        let path = call.url.split_once("://").map_or(call.url.as_str(), |(_, rest)| rest);
        let path = path.find('/').map_or("/", |at| &path[at..]);
        let headers: Vec<(String, String)> =
            call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let answer = self.simulator.respond(path, &headers, &call.body, &self.clock);
        tokio::time::timeout(limit, answer).await.map_err(|_| CallError::Unknown)
    }
}
