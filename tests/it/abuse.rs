//! Hostile bytes at every door, through the real router and over real sockets: a clear 4xx, no panic, nothing stored,
//! and nothing told or logged that the sender could use.

use crate::logs::Logs;
use crate::privacy::{line_with, secrets};
use crate::trips::wechat::{Follower, follower};
use crate::world::{API_TOKENS, Door, JSON, Reply, Session, World, person, within};
use axum::http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use yishi::simulator::keys;
use yishi::store::records::Kind;

const TELEGRAM_SECRET: (&str, &str) = ("x-telegram-bot-api-secret-token", keys::TELEGRAM_WEBHOOK_SECRET);

/// Every row, to see that nothing was written.
/// All rows once nothing moves, but for what our own background checks write: they go on beside.
async fn rows(world: &World) -> Vec<yishi::store::Row> {
    world.checked().await;
    let mut rows = world.intake.records.store().scan(&[], &[0xff; 8], 1_000_000).await.unwrap();
    let ours = [Kind::Journal, Kind::Asked, Kind::Budget, Kind::Check, Kind::Parcel].map(|kind| kind as u8);
    rows.retain(|(key, _)| !ours.contains(&key[0]));
    rows
}

#[track_caller]
fn clear(reply: &Reply, what: &str) {
    assert!((400..500).contains(&reply.status), "{what}: {} {}", reply.status, reply.text());
    for secret in secrets() {
        assert!(!reply.text().contains(&secret), "{what}: {}", reply.text());
    }
    assert!(reply.body.len() < 1_000, "{what}: a short answer, not {} bytes", reply.body.len());
    assert_eq!(reply.json()["status"], reply.status, "{what}");
    assert!(reply.json()["type"].as_str().unwrap().starts_with("urn:yishi:problem:"), "{what}");
}

/// A service with something worth stealing, and an open session in it.
async fn prey() -> (World, Session) {
    let world = World::new().await;
    let anna = person("wechat", "demo", "o-anna");
    world.synced("demo", "A1001", "青瓷茶具", &[("yto", "YT8816042739501")], &[anna]).await;
    let session = Session::stranger(&world).await;
    (world, session)
}

/// Bodies that no door takes.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let xml = |inner: &str| {
        format!(
            "<xml><ToUserName>g</ToUserName><FromUserName>o-anna</FromUserName><CreateTime>1</CreateTime>{inner}</xml>"
        )
    };
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let bomb = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE xml [<!ENTITY l0 \"lol\">{laughs}]>{}",
        xml("<MsgType>text</MsgType><Content>&l9;</Content><MsgId>1</MsgId>")
    );
    let file = format!(
        "<!DOCTYPE xml [<!ENTITY f SYSTEM \"file:///etc/hostname\">]>{}",
        xml("<MsgType>text</MsgType><Content>&f;</Content><MsgId>2</MsgId>")
    );
    let question = xml("<MsgType>text</MsgType><Content>催一下快递</Content><MsgId>3</MsgId>");
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let json = r#"{"id":"1","text":"催一下快递","update_id":1}"#;
    vec![
        ("nothing", Vec::new()),
        ("spaces", vec![b' '; 100]),
        ("zeros", vec![0; 1_000]),
        ("a billion laughs", bomb.into_bytes()),
        ("an external entity", file.into_bytes()),
        ("a cut XML", question.as_bytes()[..question.len() / 2].to_vec()),
        ("XML in UTF-16", utf16(&question)),
        ("XML in GBK", encoding_rs::GBK.encode(&question).0.into_owned()),
        ("XML that goes deep", format!("<xml>{}", "<a>".repeat(100_000)).into_bytes()),
        ("XML with a million fields", xml(&"<a>1</a>".repeat(100_000)).into_bytes()),
        ("JSON that goes deep", "[".repeat(100_000).into_bytes()),
        (
            "JSON that goes deep in a field",
            format!("{{\"update_id\":1,\"x\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000)).into_bytes(),
        ),
        ("a cut JSON", json.as_bytes()[..json.len() - 3].to_vec()),
        ("JSON in UTF-16", utf16(json)),
        ("JSON in GBK", encoding_rs::GBK.encode(json).0.into_owned()),
        ("half a surrogate", br#"{"id":"1","text":"\ud83d","update_id":1}"#.to_vec()),
        ("a number for a name", br#"{"id":1,"text":2,"identity":3,"update_id":"4"}"#.to_vec()),
        ("a list", br#"[1,2,3]"#.to_vec()),
        ("a form with many fields", "a=1&".repeat(200_000).into_bytes()),
        ("two megabytes", vec![b'a'; 2 << 20]),
        ("a compressed body", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63]),
    ]
}

fn wechat_path(follower: &Follower, signed: bool) -> String {
    let signature = if signed { follower.sign() } else { "0".repeat(40) };
    format!("/hooks/wechat/{}?signature={signature}&timestamp={}&nonce=77", follower.account, follower.time)
}

#[tokio::test]
async fn hostile_bodies_are_refused_at_every_door() {
    let (logs, _guard) = Logs::listen();
    let (world, session) = prey().await;
    let door = world.door();
    let before = rows(&world).await;
    let bearer = format!("Bearer {}", session.token);
    let api = format!("Bearer {}", API_TOKENS[0].1);
    let wechat = follower(&world, "demo", "o-anna");
    let safe = follower(&world, "safe", "o-anna");
    let compat = follower(&world, "compat", "o-anna");
    for (name, body) in hostile() {
        // Signed: WeChat's signature covers no body.
        for follower in [&wechat, &safe, &compat] {
            let reply = door.post(&wechat_path(follower, true), &[], body.clone()).await;
            clear(&reply, &format!("wechat {}: {name}", follower.account));
        }
        let reply = door.post("/hooks/telegram/demo", &[JSON, TELEGRAM_SECRET], body.clone()).await;
        clear(&reply, &format!("telegram: {name}"));
        let headers = [JSON, ("authorization", bearer.as_str())];
        let reply = door.post("/chat/demo/messages", &headers, body.clone()).await;
        clear(&reply, &format!("messages: {name}"));
        if !body.trim_ascii().is_empty() && !name.starts_with("a cut XML") {
            // Members that a session does not know are passed over.
            let reply = door.post("/chat/demo/sessions", &[JSON], body.clone()).await;
            if reply.status != 201 {
                clear(&reply, &format!("sessions: {name}"));
            } else {
                assert!(name == "half a surrogate", "sessions: {name} opened one");
            }
        }
        let api = [JSON, ("authorization", api.as_str())];
        for (method, path) in [
            (Method::POST, "/api/v1/orders"),
            (Method::PUT, "/api/v1/orders/A1001"),
            (Method::POST, "/api/v1/orders/A1001/parcels"),
        ] {
            // Members that an order does not know are passed over too, and a batch is answered one by one.
            if matches!((&method, name), (&Method::PUT, "a number for a name") | (&Method::POST, "a list")) {
                continue;
            }
            let reply = door.call(method, path, &api, body.clone()).await.unwrap();
            clear(&reply, &format!("{path}: {name}"));
        }
        // Unsigned.
        for (path, status) in [
            ("/api/v1/orders".to_owned(), 401),
            ("/api/v1/orders/A1001/parcels".to_owned(), 401),
            (wechat_path(&wechat, false), 403),
            ("/hooks/wechat/demo".to_owned(), 403),
            ("/hooks/telegram/demo".to_owned(), 403),
            ("/chat/demo/messages".to_owned(), 401),
            ("/hooks/wechat/nobody".to_owned(), 404),
            ("/hooks/nothing/demo".to_owned(), 404),
            ("/chat/nobody/sessions".to_owned(), 404),
        ] {
            let reply = door.post(&path, &[], body.clone()).await;
            clear(&reply, &format!("unsigned {path}: {name}"));
            let too_large = matches!(reply.status, 400 | 413);
            assert!(reply.status == status || too_large, "{path} {name}: {}", reply.status);
        }
    }
    world.quiet().await;
    assert_eq!(rows(&world).await, before, "nothing was stored");
    let log = logs.text();
    assert!(!log.contains("panick"), "{}", line_with(&log, "panick"));
    for secret in secrets() {
        assert!(!log.contains(&secret), "a secret is logged: {}", line_with(&log, &secret));
    }
    assert!(!log.contains("催一下快递"), "what was sent is logged");
}

#[tokio::test]
async fn hostile_addresses_methods_and_queries_are_refused() {
    let (world, session) = prey().await;
    let door = world.door();
    let before = rows(&world).await;
    let wechat = follower(&world, "demo", "o-anna");
    let many = "&p=1".repeat(15_000);
    for path in [
        "/hooks/wechat/demo%00",
        "/hooks/wechat/..%2f..%2fetc",
        "/hooks/wechat/%ff%fe",
        "/hooks/wechat/",
        "/hooks",
        "/hooks/wechat/demo/more",
        "/chat/..%2fdemo",
        "/chat/%00",
        "/chat/demo%0d%0aset-cookie:x/sessions",
        "/nothing",
        "/chat/-/..%2f..%2fCargo.toml",
        "/chat/-/nothing.js",
        "//",
        "/api/v1/nothing",
    ] {
        clear(&door.get(path, &[]).await, path);
    }
    for query in [
        "signature=%ff",
        "signature[]=1",
        "&&&===",
        "signature=1&signature=2",
        "timestamp=99999999999999999999",
        many.as_str(),
    ] {
        let reply =
            door.post(&format!("/hooks/wechat/demo?{query}"), &[], wechat.text_body(1, "催一下快递")).await;
        assert_eq!(reply.status, 403, "{}", &query[..query.len().min(40)]);
    }
    // What is appended to a good query changes nothing, and what stands before it does not count.
    let good = wechat_path(&wechat, true);
    let reply = door.post(&format!("{good}{many}"), &[], wechat.text_body(2, "你好")).await;
    assert!(reply.status == 200 && reply.text().contains("小店 demo"), "{}", reply.text());
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        for path in ["/hooks/wechat/demo", "/healthz", "/chat/demo/messages"] {
            let reply = door.call(method.clone(), path, &[], Vec::new()).await.unwrap();
            assert!(
                reply.status == 405 || (method == Method::OPTIONS && reply.status < 500),
                "{method} {path}: {}",
                reply.status
            );
        }
    }
    for token in
        ["", "x", "x.y", "a.b.c", &"a".repeat(100_000), "%00", "eyJzIjoiIn0.AAAA", &session.token[1..]]
    {
        let reply =
            door.get(&format!("/chat/demo/events?token={}", &token[..token.len().min(60_000)]), &[]).await;
        assert_eq!(reply.status, 401, "{}", &token[..token.len().min(40)]);
    }
    let after = rows(&world).await;
    assert_eq!(after.len(), before.len(), "only the greeting changed Anna's own conversation");
}

#[tokio::test]
async fn fields_of_a_message_are_held_to_their_limits() {
    let (world, mut session) = prey().await;
    let before = rows(&world).await;
    let long = "字".repeat(2_001);
    for (body, status) in [
        (json!({"id": "", "text": "hi"}), 422),
        (json!({"text": "hi"}), 422),
        (json!({"id": "x".repeat(65), "text": "hi"}), 422),
        (json!({"id": "a\u{0}b", "text": "hi"}), 422),
        (json!({"id": "1"}), 422),
        (json!({"id": "1", "text": "hi", "choice": "i:track"}), 422),
        (json!({"id": "1", "text": "   \u{0}\u{7}"}), 422),
        (json!({"id": "1", "choice": "c".repeat(129)}), 422),
        (json!({"id": "1", "text": long}), 413),
    ] {
        let reply = session.post(body.clone()).await;
        clear(&reply, &body.to_string()[..60.min(body.to_string().len())].replace('字', "z"));
        assert_eq!(reply.status, status, "{reply:?}");
    }
    assert_eq!(rows(&world).await, before);
    // What is only strange is read.
    let answer = session.says("\u{202e}我的快递\u{200b}到哪了\u{feff}").await;
    answer.has("订单号");
    for text in [
        "<script>alert(1)</script>",
        "{{7*7}} ${7*7} %s %n",
        "'; DROP TABLE orders; --",
        "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "{ $parcel }",
        "𝕎𝕙𝕖𝕣𝕖",
    ] {
        let answer = session.says(text).await;
        answer.lacks("<script").lacks("YT8816042739501");
    }
}

#[tokio::test]
async fn one_who_floods_is_slowed_down_and_nobody_else() {
    let (world, session) = prey().await;
    let mut refused = None;
    for n in 0..60 {
        let reply = session.post(json!({"id": format!("f{n}"), "text": "你好"})).await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("a flood is refused");
    clear(&refused, "flood");
    assert!(refused.headers.contains_key("retry-after"));
    Session::stranger(&world).await.says("你好").await.has("小店 demo");
}

/// Raw bytes over a socket; what comes back until the other side closes or falls silent.
async fn raw(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    within(async {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        // The other side may hang up in the middle of it.
        let _ = socket.write_all(bytes).await;
        let _ = socket.shutdown().await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
}

#[tokio::test]
async fn broken_http_is_refused_and_the_service_goes_on() {
    let (world, _session) = prey().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let before = rows(&world).await;
    let flood: String = (0..20_000).map(|n| format!("x-h{n}: v\r\n")).collect();
    let long = "a".repeat(2_000_000);
    let wechat = follower(&world, "demo", "o-anna");
    let path = wechat_path(&wechat, true);
    for (name, request) in [
        ("a flood of headers", format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{flood}\r\n")),
        ("an endless header", format!("GET /healthz HTTP/1.1\r\nhost: {long}\r\n\r\n")),
        ("an endless address", format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n")),
        (
            "a million parameters",
            format!("GET /healthz?{} HTTP/1.1\r\nhost: x\r\n\r\n", "p=1&".repeat(1_000_000)),
        ),
        ("no HTTP", "\u{16}\u{3}\u{1}nonsense\r\n\r\n".to_owned()),
        (
            "two lengths",
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
        ),
        ("a length that is none", format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n")),
        (
            "a body that is cut",
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n<xml>"),
        ),
        (
            "a broken chunk",
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n<xml>\r\n"),
        ),
        (
            "a huge length",
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n<xml>"),
        ),
    ] {
        let answer = raw(address, request.as_bytes()).await;
        assert!(!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 5"), "{name}: {answer}");
    }
    assert_eq!(rows(&world).await, before);
    assert_eq!(Door::http(&format!("http://{address}")).get("/healthz", &[]).await.status, 200);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs bytes of any kind, and broken forms of `good`, against `check`.
fn any_bytes(good: &str, mut check: impl FnMut(Vec<u8>)) {
    let good = good.as_bytes().to_vec();
    let mutated = (proptest::collection::vec((0..good.len(), any::<u8>()), 1..6), 0..good.len()).prop_map(
        move |(changes, cut)| {
            let mut body = good.clone();
            for (at, byte) in changes {
                body[at] = byte;
            }
            if cut % 3 == 0 {
                body.truncate(cut);
            }
            body
        },
    );
    let noise = proptest::collection::vec(any::<u8>(), 0..300);
    let strategy = prop_oneof![3 => mutated, 1 => noise];
    let config = Config { cases: 150, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let check = std::cell::RefCell::new(&mut check);
    TestRunner::new(config)
        .run(&strategy, |body| {
            (check.borrow_mut())(body);
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_bytes_at_the_hooks_are_answered_or_refused() {
    let runtime = runtime();
    let (world, _session) = runtime.block_on(prey());
    let wechat = follower(&world, "demo", "o-mallory");
    let safe = follower(&world, "safe", "o-mallory");
    any_bytes(&wechat.text_body(1, "YT8816042739501 到哪了"), |body| {
        for follower in [&wechat, &safe] {
            let reply = runtime.block_on(world.door().post(&wechat_path(follower, true), &[], body.clone()));
            assert!(reply.status < 500 && !reply.text().contains("运输中"), "{reply:?}");
        }
    });
    let update = json!({"update_id": 1, "message": {"message_id": 1, "date": 1, "text": "到哪了",
        "chat": {"id": 9, "type": "private", "first_name": "M"}, "from": {"id": 9, "is_bot": false, "first_name": "M"}}});
    any_bytes(&update.to_string(), |body| {
        let reply =
            runtime.block_on(world.door().post("/hooks/telegram/demo", &[JSON, TELEGRAM_SECRET], body));
        assert!(reply.status < 500, "{reply:?}");
    });
}

#[test]
fn any_bytes_at_the_web_chat_are_answered_or_refused() {
    let runtime = runtime();
    let (world, session) = runtime.block_on(prey());
    let bearer = format!("Bearer {}", session.token);
    any_bytes(r#"{"id":"m1","text":"我的快递到哪了"}"#, |body| {
        let headers = [JSON, ("authorization", bearer.as_str())];
        let reply = runtime.block_on(world.door().post("/chat/demo/messages", &headers, body));
        assert!(reply.status < 500, "{reply:?}");
    });
    let exp = yishi::wire::Clock::now(world.clock.as_ref()).as_second() + 60;
    let identity = crate::world::identity("demo", &json!({"sub": "m", "exp": exp, "orders": ["A1001"]}));
    any_bytes(&json!({"locale": "zh-CN", "identity": identity}).to_string(), |body| {
        let reply = runtime.block_on(world.door().post("/chat/demo/sessions", &[JSON], body));
        assert!(reply.status < 500, "{reply:?}");
    });
    let order = json!({"order_no": "A1009", "status": "shipped", "buyer": {"phone": "13900006688"},
        "shipments": [{"carrier": "yto", "number": "YT8816042739509"}]});
    let api = format!("Bearer {}", API_TOKENS[0].1);
    any_bytes(&json!([order]).to_string(), |body| {
        let headers = [JSON, ("authorization", api.as_str())];
        let reply = runtime.block_on(world.door().post("/api/v1/orders", &headers, body));
        assert!(reply.status < 500, "{reply:?}");
    });
    any_bytes(&session.token, |token| {
        if token == session.token.as_bytes() {
            return;
        }
        let query: String = form_urlencoded::byte_serialize(&token).collect();
        let reply = runtime.block_on(world.door().get(&format!("/chat/demo/events?token={query}"), &[]));
        assert_eq!(reply.status, 401, "{reply:?}");
    });
}
