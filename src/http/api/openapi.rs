//! `GET /api/openapi.json`: the description of the API and of the web chat's calls, for people and generators.
//! Must never describe a route that is not there, or leave one out.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// OpenAPI 3.1, written by hand and held to the routes by a test.
const DOCUMENT: &str = include_str!("openapi.json");

/// Needs no token: it says nothing of any shop.
pub(super) async fn document() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, DOCUMENT).into_response()
}
