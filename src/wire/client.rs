//! Carries calls over HTTPS (and mail, `mail.rs`). Every call has a connect limit, a total limit and a size cap; redirects are not
//! followed (they would carry signatures elsewhere). Must never log a URL, a header or a body: secrets are in them.

use super::mail::{self, MailServer};
use super::{Answer, Call, CallError, Method, Transport};
use std::time::Duration;

/// An answer's body beyond this is thrown away.
pub const LARGEST_ANSWER: usize = 4 << 20;
/// A vendor that does not take the connection within this is not there.
const CONNECT: Duration = Duration::from_secs(3);

/// The production transport.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    /// To vendors; takes the operator's proxy from the environment (`HTTPS_PROXY`).
    outside: reqwest::Client,
    /// To this machine (simulators), which no proxy could reach.
    loopback: reqwest::Client,
}

impl HttpTransport {
    /// Builds the client.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(CONNECT)
                .redirect(reqwest::redirect::Policy::none())
                .pool_idle_timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(32)
                .gzip(true)
                .referer(false)
                .user_agent(concat!("yishi/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            outside: builder().build()?,
            loopback: builder().no_proxy().tls_built_in_root_certs(false).build()?,
        })
    }

    async fn exchange(&self, call: Call, limit: Duration) -> Result<Answer, CallError> {
        // An address that cannot be read was never sent to.
        let url = reqwest::Url::parse(&call.url).map_err(|_| CallError::NotSent { until: None })?;
        if let (tls @ ("smtp" | "smtps"), Some(host)) = (url.scheme(), url.host_str()) {
            let (host, tls, loopback) =
                (host.trim_matches(['[', ']']).to_owned(), tls == "smtps", is_loopback(&url));
            let port = url.port().unwrap_or(if tls { 465 } else { 587 });
            return mail::send(&MailServer { host, port, tls, loopback }, &call, limit).await;
        }
        let client = if is_loopback(&url) { &self.loopback } else { &self.outside };
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut request = client.request(method, url).timeout(limit);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if call.method == Method::Post || !call.body.is_empty() {
            request = request.body(call.body);
        }
        let response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = read_body(response, call.operation).await?;
        Ok(Answer { status, headers, body })
    }
}

#[async_trait::async_trait]
impl Transport for HttpTransport {
    async fn send(&self, call: Call, limit: Duration) -> Result<Answer, CallError> {
        // reqwest's own limit counts from the start of the request; this one also covers all before it.
        tokio::time::timeout(limit, self.exchange(call, limit)).await.unwrap_or(Err(CallError::Unknown))
    }
}

/// Reads at most the cap. A longer body is answered as an empty one: no codec takes that for facts, and the vendor
/// did answer.
async fn read_body(mut response: reqwest::Response, operation: &str) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| CallError::Unknown)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            tracing::warn!(operation, "the answer is over the size cap and was thrown away");
            return Ok(Vec::new());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Whether anything can have arrived at the vendor.
fn failure(error: &reqwest::Error) -> CallError {
    if error.is_connect() || error.is_builder() {
        CallError::NotSent { until: None }
    } else {
        CallError::Unknown
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, http::HeaderMap, response::Redirect, routing};

    async fn serve(router: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_form_arrives_as_it_was_signed_and_the_answer_comes_back() {
        let echo = routing::post(|headers: HeaderMap, body: String| async move {
            let kind = headers["content-type"].to_str().unwrap().to_owned();
            ([("x-seen", kind)], body)
        });
        let base = serve(Router::new().route("/poll", echo)).await;
        let call =
            Call::form("test.form", format!("{base}/poll"), &[("param", r#"{"num":"顺"}"#), ("a b", "+")]);
        let sent = call.body.clone();
        let answer = HttpTransport::new().unwrap().send(call, LIMIT).await.unwrap();
        assert_eq!((answer.status, &answer.body), (200, &sent));
        assert_eq!(answer.header("x-seen"), Some("application/x-www-form-urlencoded; charset=UTF-8"));
    }

    #[tokio::test]
    async fn redirects_are_shown_and_not_followed() {
        let router = Router::new()
            .route("/from", routing::get(|| async { Redirect::temporary("/to") }))
            .route("/to", routing::get(|| async { "followed" }));
        let base = serve(router).await;
        let answer =
            HttpTransport::new().unwrap().send(Call::get("test.get", format!("{base}/from")), LIMIT).await;
        assert_eq!(answer.unwrap().status, 307);
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_off_and_thrown_away() {
        let endless = routing::get(|| async {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 1 << 16]));
            Body::from_stream(chunks)
        });
        let base = serve(Router::new().route("/", endless)).await;
        let answer = HttpTransport::new().unwrap().send(Call::get("test.get", base), LIMIT).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }

    #[tokio::test]
    async fn nothing_is_sent_where_nobody_listens_or_the_address_is_nonsense() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        for url in [format!("http://{address}/"), "nonsense".to_owned(), "ftp://127.0.0.1/".to_owned()] {
            let result = HttpTransport::new().unwrap().send(Call::get("test.get", url.clone()), LIMIT).await;
            assert_eq!(result, Err(CallError::NotSent { until: None }), "{url}");
        }
    }

    #[tokio::test]
    async fn a_vendor_that_says_nothing_leaves_the_effect_unknown() {
        let silent = routing::get(std::future::pending::<&'static str>);
        let base = serve(Router::new().route("/", silent)).await;
        let limit = Duration::from_millis(50);
        let result = HttpTransport::new().unwrap().send(Call::get("test.get", base), limit).await;
        assert_eq!(result, Err(CallError::Unknown));
    }
}
