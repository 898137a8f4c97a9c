//! What a client is told when its request fails: RFC 9457 `application/problem+json` with a stable `type`.
//! Must never carry a secret, personal data, or the text of an inner error.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The stable kinds of failure. Clients match on [`Kind::uri`], never on wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 400: the body or a parameter is not even of the right syntax.
    Malformed,
    /// 401: the bearer token is missing, wrong or too old.
    Unauthenticated,
    /// 401: the identity token of the shop is wrong or too old.
    IdentityRefused,
    /// 403: understood and refused.
    Forbidden,
    /// 404: no such thing, or not yours.
    NotFound,
    /// 405: not by this method.
    MethodNotAllowed,
    /// 409: somebody else changed it first.
    Conflict,
    /// 413: more bytes or characters than this door takes.
    TooLarge,
    /// 415: not a content type that this door reads.
    UnsupportedMediaType,
    /// 422: readable, but a field is missing or out of its range.
    Invalid,
    /// 429: too many requests; `Retry-After` says when.
    TooMany,
    /// 500: a fault of our own.
    Internal,
    /// 502: a carrier or aggregator said no, or what it said cannot be read.
    Vendor,
    /// 503: not now; `Retry-After` says when.
    Unavailable,
}

impl Kind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::Malformed,
        Self::Unauthenticated,
        Self::IdentityRefused,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::TooMany,
        Self::Internal,
        Self::Vendor,
        Self::Unavailable,
    ];

    const fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => {
                (StatusCode::BAD_REQUEST, "urn:yishi:problem:malformed", "The request cannot be read")
            }
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "urn:yishi:problem:unauthenticated",
                "A valid bearer token is needed",
            ),
            Self::IdentityRefused => (
                StatusCode::UNAUTHORIZED,
                "urn:yishi:problem:identity-refused",
                "The identity token is wrong or expired",
            ),
            Self::Forbidden => (StatusCode::FORBIDDEN, "urn:yishi:problem:forbidden", "Not allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "urn:yishi:problem:not-found", "Not found"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "urn:yishi:problem:method-not-allowed",
                "This method is not allowed here",
            ),
            Self::Conflict => {
                (StatusCode::CONFLICT, "urn:yishi:problem:conflict", "It was changed in the meantime")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "urn:yishi:problem:too-large", "Too large"),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "urn:yishi:problem:unsupported-media-type",
                "This content type is not read here",
            ),
            Self::Invalid => {
                (StatusCode::UNPROCESSABLE_ENTITY, "urn:yishi:problem:invalid", "A field is missing or wrong")
            }
            Self::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "urn:yishi:problem:too-many-requests", "Too many requests")
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "urn:yishi:problem:internal", "A fault of our own")
            }
            Self::Vendor => (StatusCode::BAD_GATEWAY, "urn:yishi:problem:vendor", "The vendor refused"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "urn:yishi:problem:unavailable", "Not available now")
            }
        }
    }

    /// HTTP status.
    pub const fn status(self) -> StatusCode {
        self.facts().0
    }

    /// The `type` member: stable, the only thing to match on.
    pub const fn uri(self) -> &'static str {
        self.facts().1
    }

    /// The `title` member.
    pub const fn title(self) -> &'static str {
        self.facts().2
    }
}

/// One failure, ready to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    errors: Vec<(String, String)>,
    retry_after: Option<u64>,
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self { kind, detail: None, errors: Vec::new(), retry_after: None }
    }
}

impl Problem {
    /// A problem with one sentence on this occurrence: what to do, never what was inside.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::from(kind) }
    }

    /// A field that is missing or wrong: JSON pointer (`/text`) and what it must be.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::from(Kind::Invalid).and_field(pointer, detail)
    }

    /// One more such field.
    pub fn and_field(mut self, pointer: &str, detail: impl Into<String>) -> Self {
        self.errors.push((format!("#{pointer}"), detail.into()));
        self
    }

    /// The fields of another problem beside its own; of very many only the first hundred.
    pub fn and(mut self, other: Self) -> Self {
        self.errors.extend(other.errors);
        self.errors.truncate(100);
        self
    }

    /// When to come again, in seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The JSON body.
    pub fn to_json(&self) -> Value {
        let mut body = json!({
            "type": self.kind.uri(),
            "title": self.kind.title(),
            "status": self.kind.status().as_u16(),
        });
        if let Some(detail) = &self.detail {
            body["detail"] = json!(detail);
        }
        if !self.errors.is_empty() {
            body["errors"] = self
                .errors
                .iter()
                .map(|(pointer, detail)| json!({"pointer": pointer, "detail": detail}))
                .collect();
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == Kind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// For `Router::fallback`: no such route.
pub async fn not_found() -> Problem {
    Kind::NotFound.into()
}

/// For `Router::method_not_allowed_fallback`.
pub async fn method_not_allowed() -> Problem {
    Kind::MethodNotAllowed.into()
}

/// For `MapResponseLayer`: refusals that the framework words itself (an address that is not UTF-8, a body over the limit)
/// come in our own form too.
pub fn worded(response: Response) -> Response {
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("text/plain")));
    let status = response.status();
    if !plain || !status.is_client_error() {
        return response;
    }
    let known = Kind::ALL.iter().find(|kind| kind.status() == status);
    Problem::from(known.copied().unwrap_or(Kind::Malformed)).into_response()
}

/// For `CatchPanicLayer`: a fault of our own; its text may hold anything, so it is neither shown nor logged.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request panicked");
    Problem::from(Kind::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_its_own_type_and_a_failing_status() {
        let types: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.uri()).collect();
        assert_eq!(types.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.status().is_client_error() || kind.status().is_server_error());
        }
    }

    #[tokio::test]
    async fn the_answer_is_problem_json_with_the_fields_and_when_to_retry() {
        let response = Problem::field("/id", "1 to 64 characters").into_response();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["type"], "urn:yishi:problem:invalid");
        assert_eq!(body["status"], 422);
        assert_eq!(body["errors"][0]["pointer"], "#/id");

        let response = Problem::from(Kind::TooMany).retry_after(30).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "30");
    }
}
