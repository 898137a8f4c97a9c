//! Which web pages may hold the chat and call it: the service's own, and the origins that the shop listed.
//! Must never let a page that is not listed read an answer.

use super::Chat;
use super::door::ChatShop;
use crate::http::problem::{Kind, Problem};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Who calls, as far as the browser tells.
#[derive(Debug, PartialEq, Eq)]
enum Caller {
    /// Our own page, or no browser at all: no cookie is ever used, so a token is all that counts.
    Own,
    /// A page that the shop listed.
    Listed(HeaderValue),
    /// Any other page.
    Stranger,
}

fn caller(allowed: &[String], headers: &HeaderMap) -> Caller {
    let Some(origin) = headers.get(header::ORIGIN) else { return Caller::Own };
    let text = origin.to_str().unwrap_or("null");
    let host = text.split_once("://").map_or("", |(_, host)| host);
    // A page cannot forge these headers without our leave (the preflight below), so a proxy's word is good enough.
    let ours = ["host", "x-forwarded-host"]
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .any(|name| !host.is_empty() && name.eq_ignore_ascii_case(host));
    if ours {
        Caller::Own
    } else if allowed.iter().any(|listed| {
        listed == "*" || (text != "null" && listed.trim_end_matches('/').eq_ignore_ascii_case(text))
    }) {
        Caller::Listed(origin.clone())
    } else {
        Caller::Stranger
    }
}

/// Guards the calls: 404 without such a shop, 403 for pages that are not listed, and CORS for those that are.
pub(super) async fn guard(
    State(chat): State<Chat>,
    Path(shop): Path<String>,
    request: Request,
    next: Next,
) -> Response {
    let Some(shop) = chat.door.shop(&shop, &[]) else { return Problem::from(Kind::NotFound).into_response() };
    let preflight = request.method() == Method::OPTIONS;
    match caller(&shop.allowed_origins, request.headers()) {
        Caller::Listed(origin) => {
            let mut response =
                if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
            if preflight {
                let allow = [
                    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
                    (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id"),
                    (header::ACCESS_CONTROL_MAX_AGE, "7200"),
                ];
                for (name, value) in allow {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            response
        }
        Caller::Stranger if !shop.allowed_origins.is_empty() => {
            Problem::new(Kind::Forbidden, "The shop has not listed this origin in allowed_origins.")
                .into_response()
        }
        // Without a list, a strange page gets no CORS header and so reads nothing.
        Caller::Own | Caller::Stranger => next.run(request).await,
    }
}

/// `frame-ancestors` of the page: ourselves, and what the shop listed.
pub(super) fn frame_ancestors(shop: &ChatShop) -> String {
    let mut ancestors = String::from("'self'");
    for origin in &shop.allowed_origins {
        // A character that would end the directive cannot be part of an origin.
        if origin == "*" || origin.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'\''))
        {
            ancestors.push(' ');
            ancestors.push_str(origin.trim_end_matches('/'));
        }
    }
    ancestors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called_from(origin: &str, allowed: &[&str]) -> Caller {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "chat.example:8080".parse().unwrap());
        if !origin.is_empty() {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        caller(&allowed.iter().map(|&one| one.to_owned()).collect::<Vec<_>>(), &headers)
    }

    #[test]
    fn only_our_own_and_listed_pages_are_let_in() {
        let shop = ["https://shop.example/"];
        assert_eq!(called_from("", &shop), Caller::Own);
        assert_eq!(called_from("http://chat.example:8080", &shop), Caller::Own);
        assert!(matches!(called_from("https://shop.example", &shop), Caller::Listed(_)));
        for origin in [
            "https://shop.example.evil.example",
            "http://shop.example",
            "https://evil.example",
            "null",
            "://",
        ] {
            assert_eq!(called_from(origin, &shop), Caller::Stranger, "{origin}");
        }
        assert!(matches!(called_from("https://any.example", &["*"]), Caller::Listed(_)));
        assert_eq!(called_from("https://any.example", &[]), Caller::Stranger);
    }

    #[test]
    fn a_listed_origin_cannot_add_a_directive() {
        let shop = ChatShop {
            allowed_origins: vec!["https://shop.example/".into(), "https://x; script-src *".into()],
            ..ChatShop::default()
        };
        assert_eq!(frame_ancestors(&shop), "'self' https://shop.example");
    }
}
