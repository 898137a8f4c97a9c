//! Every route of the service in one list, with its limits. Turns HTTP into values and back, no more.

use super::chat::{door::ChatDoor, router as chat_router};
use super::{api, hooks, operate, problem};
use crate::intake::Intake;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::util::MapResponseLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// What the routes share.
#[derive(Clone)]
pub struct Shared {
    /// The engine.
    pub intake: Arc<Intake>,
    /// Renders the metrics.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Paused for a restore: doors answer 503.
    pub paused: Arc<std::sync::atomic::AtomicBool>,
}

/// No request takes longer, streams apart.
const LONGEST: Duration = Duration::from_secs(30);

/// All routes. Layers come in one tuple, outermost first: each `.layer` of its own is a box more for every request.
/// `max_body`: largest inbound body in bytes.
pub fn router(shared: Shared, chat: Arc<dyn ChatDoor>, max_body: usize, stop: CancellationToken) -> Router {
    let timed = Router::new()
        .route("/hooks/{kind}/{account}", get(hooks::hook).post(hooks::hook))
        .route("/readyz", get(operate::ready))
        .route("/metrics", get(operate::metrics))
        .merge(api::router())
        .layer((
            TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, LONGEST),
            DefaultBodyLimit::max(max_body),
        ))
        .with_state(shared);
    Router::new()
        .route("/healthz", get(operate::healthy))
        .merge(timed)
        .merge(chat_router(chat, stop))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer((CatchPanicLayer::custom(problem::panicked), MapResponseLayer::new(problem::worded)))
}
