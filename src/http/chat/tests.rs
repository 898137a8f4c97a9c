//! The calls of the web chat as a client meets them, over the router with an engine of paper.

use super::fake::FakeDoor;
use super::*;
use crate::model::{ChatMessage, From, Shown};
use axum::body::Body;
use axum::http::{Request, request};
use http_body_util::BodyExt;
use std::time::Duration;
use tower::ServiceExt;

struct Site {
    door: Arc<FakeDoor>,
    stop: CancellationToken,
    router: Router,
}

impl Site {
    fn new() -> Self {
        let door = FakeDoor::new();
        let stop = CancellationToken::new();
        Self { router: router(door.clone(), stop.clone()), door, stop }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn post(&self, path: &str, token: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = to("POST", path, token).body(body.into()).unwrap();
        json_of(self.send(request).await).await
    }

    /// Session and token.
    async fn open(&self, shop: &str) -> (String, String) {
        let (status, body) = self.post(&format!("/chat/{shop}/sessions"), "", "{}").await;
        assert_eq!(status, StatusCode::CREATED);
        (body["session"].as_str().unwrap().to_owned(), body["token"].as_str().unwrap().to_owned())
    }

    async fn listen(&self, path: &str, token: &str, last: Option<&str>) -> Listener {
        let mut request = to("GET", path, token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Listener { body: response.into_body(), rest: String::new() }
    }
}

fn to(method: &str, path: &str, token: &str) -> request::Builder {
    let builder = Request::builder().method(method).uri(path).header("host", "chat.example");
    if token.is_empty() { builder } else { builder.header("authorization", format!("Bearer {token}")) }
}

async fn json_of(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    if !status.is_success() {
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap();
    if !status.is_success() {
        assert_eq!(json["status"], status.as_u16());
        assert!(json["type"].as_str().unwrap().starts_with("urn:yishi:problem:"));
    }
    (status, json)
}

struct Listener {
    body: Body,
    rest: String,
}

impl Listener {
    /// The next frame up to an empty line; `None` when the stream has ended.
    async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.rest.split_once("\n\n") {
                let frame = frame.to_owned();
                self.rest = rest.to_owned();
                return Some(frame);
            }
            let next = tokio::time::timeout(Duration::from_secs(5), self.body.frame()).await;
            let bytes = next.expect("no event came").transpose().unwrap()?.into_data().unwrap();
            self.rest.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next message with its sequence number.
    async fn message(&mut self) -> Option<(u64, ChatMessage)> {
        loop {
            let frame = self.frame().await?;
            let field = |name: &str| {
                frame.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim_start())
            };
            if let (Some(id), Some(data), None) = (field("id:"), field("data:"), field("event:")) {
                return Some((id.parse().unwrap(), serde_json::from_str(data).unwrap()));
            }
        }
    }
}

#[tokio::test]
async fn a_question_is_taken_once_and_answered_in_the_stream() {
    let site = Site::new();
    let (_, token) = site.open("demo").await;
    let question = r#"{"id":"c-1","text":"我的快递到哪了","sent_by":"a newer client"}"#;
    for _ in 0..2 {
        let (status, body) = site.post("/chat/demo/messages", &token, question).await;
        assert_eq!((status, &body["id"]), (StatusCode::ACCEPTED, &json!("c-1")));
    }
    let mut stream = site.listen("/chat/demo/events", &token, None).await;
    let (first, own) = stream.message().await.unwrap();
    assert_eq!((first, own.id.as_str(), own.from), (1, "c-1", From::Buyer));
    let (second, answer) = stream.message().await.unwrap();
    assert_eq!((second, answer.from), (2, From::Bot));
    let parcel = answer.blocks.iter().find_map(|block| match block {
        Shown::Parcel { number, .. } => Some(number.as_str()),
        _ => None,
    });
    assert_eq!(parcel, Some("SF0000000000018"));

    // What comes later arrives in the open stream, and there was no second answer in between.
    let choice = r#"{"id":"c-2","choice":"o:2"}"#;
    assert_eq!(site.post("/chat/demo/messages", &token, choice).await.0, StatusCode::ACCEPTED);
    let (third, taken) = stream.message().await.unwrap();
    assert_eq!((third, taken.id.as_str()), (3, "c-2"));
    let Shown::Text { text } = &taken.blocks[0] else { panic!("a choice is shown as its label") };
    assert!(text.contains("功夫茶具"));
}

#[tokio::test]
async fn a_reload_resumes_after_the_last_event() {
    let site = Site::new();
    let (_, token) = site.open("demo").await;
    for number in 1..=3 {
        let body = json!({"id": format!("c-{number}"), "text": "hello"}).to_string();
        site.post("/chat/demo/messages", &token, body).await;
    }
    let mut stream = site.listen("/chat/demo/events", &token, Some("4")).await;
    assert_eq!(stream.message().await.unwrap().0, 5);
    let path = format!("/chat/demo/events?token={token}&after=5");
    let mut stream = site.listen(&path, "", None).await;
    assert_eq!(stream.message().await.unwrap().0, 6);
}

#[tokio::test]
async fn a_history_longer_than_a_page_comes_whole_then_ready_then_typing() {
    let site = Site::new();
    let (session, token) = site.open("demo").await;
    for number in 0..250 {
        let blocks = vec![Shown::Text { text: format!("line one\nline {number}") }];
        let message = ChatMessage {
            id: number.to_string(),
            at: jiff::Timestamp::UNIX_EPOCH,
            from: From::Staff,
            blocks,
        };
        site.door.push("demo", &session, message);
    }
    let mut stream = site.listen("/chat/demo/events?signals=1", &token, None).await;
    assert_eq!(stream.frame().await.unwrap(), "retry: 2000");
    for number in 1..=250 {
        assert_eq!(stream.message().await.unwrap().0, number);
    }
    assert_eq!(stream.frame().await.unwrap(), "event: ready\ndata: {}");
    site.door.typing("demo", &session, true);
    assert_eq!(stream.frame().await.unwrap(), "event: typing\ndata: {\"typing\":true}");
    // Who did not ask for signals gets messages only.
    let mut plain = site.listen("/chat/demo/events", &token, Some("250")).await;
    assert_eq!(plain.frame().await.unwrap(), "retry: 2000");
    site.post("/chat/demo/messages", &token, r#"{"id":"c","text":"hi"}"#).await;
    assert!(plain.frame().await.unwrap().starts_with("id: 251\n"));
}

#[tokio::test]
async fn streams_end_when_the_service_stops_and_when_the_session_is_erased() {
    let site = Site::new();
    let (session, token) = site.open("demo").await;
    let (_, other) = site.open("demo").await;
    let mut erased = site.listen("/chat/demo/events", &token, None).await;
    let mut stopped = site.listen("/chat/demo/events", &other, None).await;
    site.door.end("demo", &session);
    assert!(erased.message().await.is_none());
    let again = site.send(to("GET", "/chat/demo/events", &token).body(Body::empty()).unwrap()).await;
    assert_eq!(json_of(again).await.0, StatusCode::UNAUTHORIZED);
    site.stop.cancel();
    assert!(stopped.message().await.is_none());
}

#[tokio::test]
async fn nobody_reads_or_writes_without_the_token_of_this_shop() {
    let site = Site::new();
    let (_, foreign) = site.open("strict").await;
    for token in ["", "nonsense", "a.b", &foreign] {
        let (status, body) = site.post("/chat/demo/messages", token, r#"{"id":"1","text":"x"}"#).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(body["type"], "urn:yishi:problem:unauthenticated");
        let events = to("GET", "/chat/demo/events", token).body(Body::empty()).unwrap();
        let response = site.send(events).await;
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(json_of(response).await.0, StatusCode::UNAUTHORIZED);
    }
    for path in ["/chat/nowhere/sessions", "/chat/nowhere/messages"] {
        assert_eq!(site.post(path, &foreign, "{}").await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn identity_goes_to_the_engine_and_its_refusal_back() {
    let site = Site::new();
    let (status, body) = site.post("/chat/demo/sessions", "", r#"{"identity":"demo","locale":"en"}"#).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(site.door.identity_of(body["session"].as_str().unwrap()).as_deref(), Some("demo"));
    let (status, body) = site.post("/chat/demo/sessions", "", r#"{"identity":"forged.token"}"#).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["type"], "urn:yishi:problem:identity-refused");
    // No body at all is an anonymous session.
    assert_eq!(site.post("/chat/demo/sessions", "", "").await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn bad_messages_get_their_own_status_and_are_not_stored() {
    let site = Site::new();
    let (_, token) = site.open("demo").await;
    let text = |text: String| json!({"id": "1", "text": text}).to_string();
    let deep = format!(r#"{{"id":"1","text":"x","more":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let cases = [
        ("not json".to_owned(), 400),
        (r#"{"id":"1","text":"cut"#.to_owned(), 400),
        (deep, 400),
        ("[]".to_owned(), 422),
        (r#"{"id":7,"text":"x"}"#.to_owned(), 422),
        (r#"{"text":"x"}"#.to_owned(), 422),
        (r#"{"id":" ","text":"x"}"#.to_owned(), 422),
        (json!({"id": "i".repeat(65), "text": "x"}).to_string(), 422),
        (r#"{"id":"1\n","text":"x"}"#.to_owned(), 422),
        (r#"{"id":"1"}"#.to_owned(), 422),
        (r#"{"id":"1","text":"x","choice":"y"}"#.to_owned(), 422),
        (json!({"id": "1", "choice": "c".repeat(129)}).to_string(), 422),
        (text(" \u{0} \n".to_owned()), 422),
        (text("x".repeat(2001)), 413),
        (text("快".repeat(1366)), 413),
        (text("x".repeat(17_000)), 413),
    ];
    for (body, status) in cases {
        let shown: String = body.chars().take(60).collect();
        let (got, _) = site.post("/chat/demo/messages", &token, body).await;
        assert_eq!(got.as_u16(), status, "{shown}");
    }
    for allowed in
        [text("x".repeat(2000)), json!({"id": "i".repeat(64), "text": "快".repeat(1365)}).to_string()]
    {
        assert_eq!(site.post("/chat/demo/messages", &token, allowed).await.0, StatusCode::ACCEPTED);
    }
    let mut stream = site.listen("/chat/demo/events", &token, None).await;
    assert_eq!(stream.message().await.unwrap().1.id, "1");
    assert_eq!(stream.message().await.unwrap().1.from, From::Bot);
    assert_eq!(stream.message().await.unwrap().1.id.len(), 64);
}

#[tokio::test]
async fn control_characters_are_dropped_and_line_breaks_kept() {
    let site = Site::new();
    let (_, token) = site.open("demo").await;
    let body = json!({"id": "1", "text": "  one\r\ntwo\u{0}\u{7} "}).to_string();
    assert_eq!(site.post("/chat/demo/messages", &token, body).await.0, StatusCode::ACCEPTED);
    let mut stream = site.listen("/chat/demo/events", &token, None).await;
    let text = Shown::Text { text: "one\ntwo".into() };
    assert_eq!(stream.message().await.unwrap().1.blocks, [text]);
}

#[tokio::test]
async fn a_busy_engine_says_when_to_come_again() {
    let site = Site::new();
    let (_, token) = site.open("demo").await;
    *site.door.refuse_all.lock().unwrap() = Some(door::ChatError::TooMany { seconds: 7 });
    let request = to("POST", "/chat/demo/messages", &token).body(r#"{"id":"1","text":"x"}"#.into()).unwrap();
    let response = site.send(request).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "7");
}

#[tokio::test]
async fn only_listed_pages_may_call_and_they_get_cors() {
    let site = Site::new();
    let call = |method: &str, origin: &str| {
        to(method, "/chat/strict/sessions", "").header("origin", origin).body("{}".into()).unwrap()
    };
    let stranger = site.send(call("POST", "https://evil.example")).await;
    assert_eq!(json_of(stranger).await.0, StatusCode::FORBIDDEN);
    let own = site.send(call("POST", "https://chat.example")).await;
    assert_eq!(own.status(), StatusCode::CREATED);
    assert!(!own.headers().contains_key("access-control-allow-origin"));
    let listed = site.send(call("POST", "https://shop.example")).await;
    assert_eq!(listed.status(), StatusCode::CREATED);
    assert_eq!(listed.headers()["access-control-allow-origin"], "https://shop.example");
    let preflight = site.send(call("OPTIONS", "https://shop.example")).await;
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert!(preflight.headers()["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
    let refused = site.send(call("OPTIONS", "https://evil.example")).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_page_runs_no_inline_script_and_names_who_may_frame_it() {
    let site = Site::new();
    let get =
        |path: &str| to("GET", path, "").header("accept-language", "en-GB").body(Body::empty()).unwrap();
    let response = site.send(get("/chat/strict")).await;
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"));
    assert!(policy.ends_with("frame-ancestors 'self' https://shop.example"));
    let html = response.into_body().collect().await.unwrap().to_bytes();
    let html = String::from_utf8(html.to_vec()).unwrap();
    assert!(html.contains(r#"<html lang="en" dir="ltr">"#) && html.contains("Where is my parcel?"));
    assert!(!html.contains(" style=") && !html.contains(" onclick="));
    // Every file that it names is there, and may be kept for ever.
    let paths: Vec<&str> = html.split('"').filter(|text| text.starts_with("/chat/-/")).collect();
    assert!(paths.len() >= 3);
    for path in paths {
        let asset = site.send(get(path)).await;
        assert_eq!(asset.status(), StatusCode::OK, "{path}");
        assert!(asset.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    }
    let missing = site.send(get("/chat/-/page-000000000000.js")).await;
    assert_eq!(json_of(missing).await.0, StatusCode::NOT_FOUND);
    assert_eq!(json_of(site.send(get("/chat/nowhere")).await).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_widget_script_is_asked_for_anew_and_sent_only_when_it_changed() {
    let site = Site::new();
    let first = site.send(to("GET", "/widget.js", "").body(Body::empty()).unwrap()).await;
    assert_eq!(first.headers()["content-type"], "text/javascript; charset=utf-8");
    let tag = first.headers()["etag"].clone();
    let again = to("GET", "/widget.js", "").header("if-none-match", tag).body(Body::empty()).unwrap();
    assert_eq!(site.send(again).await.status(), StatusCode::NOT_MODIFIED);
    let facts = to("GET", "/chat/strict/widget.json?locale=en", "")
        .header("origin", "https://shop.example")
        .body(Body::empty())
        .unwrap();
    let (status, facts) = json_of(site.send(facts).await).await;
    assert_eq!((status, &facts["launcher"]), (StatusCode::OK, &json!("Where is my parcel?")));
    let wrong = site.send(to("DELETE", "/widget.js", "").body(Body::empty()).unwrap()).await;
    assert_eq!(json_of(wrong).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn any_body_is_taken_or_refused_but_never_a_fault(body in proptest::collection::vec(0u8.., 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let status = runtime.block_on(async {
            let site = Site::new();
            let (_, token) = site.open("demo").await;
            site.post("/chat/demo/messages", &token, body).await.0
        });
        proptest::prop_assert!(status.as_u16() < 500);
    }
}
