//! For the operator: alive, ready (and if not, why), and metrics. Must never show personal data.

use super::server::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::atomic::Ordering;

/// The process runs.
pub async fn healthy() -> &'static str {
    "ok\n"
}

/// Whether messages can be taken now; broken files on disk are named, but do not make it unready.
pub async fn ready(State(shared): State<Shared>) -> Response {
    let mut reasons = Vec::new();
    if let Err(error) = shared.intake.records.store().health() {
        reasons.push(error.to_string());
    }
    if shared.paused.load(Ordering::Relaxed) {
        reasons.push("paused for a restore".to_owned());
    }
    if shared.intake.stop.is_cancelled() {
        reasons.push("stopping".to_owned());
    }
    let problems: Vec<String> =
        shared.intake.words.problems().iter().map(|problem| problem.to_string()).collect();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "reasons": reasons, "problems": problems }))).into_response()
}

/// Prometheus text.
pub async fn metrics(State(shared): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (shared.metrics)()).into_response()
}
