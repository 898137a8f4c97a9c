//! Conformance over every channel: each recorded request is read as its fixture says, and nothing that was changed,
//! cut, blown up or signed by nobody is. A new channel passes by bringing fixtures: `tests/fixtures/channels/<kind>/`.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use yishi::channels::{CHANNELS, Channel, Inbound, What};
use yishi::model::{Account, Private, Shown, ShownChoice};
use yishi::wire::{Cx, Refusal, Request, Token, Unverified};

/// Channels that have no `/hooks/` door: their own trips prove them.
const NOT_HOOKED: &[&str] = &["webchat"];

/// One recorded request and what must be read of it.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    now: jiff::Timestamp,
    settings: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    request: Recorded,
    /// `{"handshake": body}`, `{"messages": […]}` or `{"refused": "bad_signature" | "malformed"}`.
    expect: Value,
    #[serde(skip)]
    name: String,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Recorded {
    method: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Case {
    fn account(&self, kind: &str) -> Account {
        let mut account = Account { id: "fixture".into(), kind: kind.into(), ..Account::default() };
        account.settings.clone_from(&self.settings);
        account.settings.insert("base_url".into(), "http://127.0.0.1:9".into());
        account.secrets = self.secrets.iter().map(|(k, v)| (k.clone(), Private::new(v.clone()))).collect();
        account
    }

    fn request(&self) -> Request {
        let pairs =
            |map: &BTreeMap<String, String>| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        Request {
            get: self.request.method == "GET",
            query: pairs(&self.request.query),
            headers: pairs(&self.request.headers),
            body: self.request.body.clone().into_bytes(),
        }
    }

    fn accepted(&self) -> bool {
        self.expect.get("refused").is_none()
    }

    fn read(
        &self,
        channel: &dyn Channel,
        account: &Account,
        request: &Request,
    ) -> Result<Inbound, Unverified> {
        let cx = Cx { account, token: None, now: self.now, random: [3; 32] };
        channel.verify(&cx, request).and_then(|verified| channel.read(account, request, &verified))
    }
}

fn cases(kind: &str) -> Vec<Case> {
    let folder = format!("{}/tests/fixtures/channels/{kind}", env!("CARGO_MANIFEST_DIR"));
    let mut cases: Vec<Case> = std::fs::read_dir(&folder)
        .unwrap_or_else(|_| panic!("{kind} has no fixtures: {folder}"))
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut case: Case =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            case.name = format!("{kind}/{}", path.file_stem().unwrap().to_string_lossy());
            case
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Every channel with its cases.
fn all() -> impl Iterator<Item = (&'static dyn Channel, Vec<Case>)> {
    let hooked = CHANNELS.iter().copied().filter(|channel| !NOT_HOOKED.contains(&channel.spec().kind));
    hooked.map(|channel| (channel, cases(channel.spec().kind)))
}

/// Every case that is let in.
fn let_in() -> impl Iterator<Item = (&'static dyn Channel, Case)> {
    all().flat_map(|(channel, cases)| {
        cases.into_iter().filter(Case::accepted).map(move |case| (channel, case)).collect::<Vec<_>>()
    })
}

/// What was read, in the words of the fixtures.
fn told(outcome: &Result<Inbound, Unverified>) -> Value {
    let what = |what: &What| match what {
        What::Text(text) => serde_json::json!({ "text": text }),
        What::Choice(id) => serde_json::json!({ "choice": id }),
        What::Joined(scene) => serde_json::json!({ "joined": scene }),
        What::Left => "left".into(),
        What::Other => "other".into(),
    };
    match outcome {
        Err(Unverified::BadSignature) => serde_json::json!({ "refused": "bad_signature" }),
        Err(Unverified::Malformed) => serde_json::json!({ "refused": "malformed" }),
        Ok(Inbound::Handshake(reply)) => {
            assert_eq!(reply.status, 200);
            serde_json::json!({ "handshake": String::from_utf8_lossy(&reply.body) })
        }
        Ok(Inbound::Messages(messages)) => {
            let messages: Vec<Value> = messages
                .iter()
                .map(|message| {
                    let mut told = serde_json::json!({
                        "key": message.key, "from": message.from, "what": what(&message.what),
                        "reply_to": message.reply_to,
                    });
                    if let Some(locale) = &message.locale {
                        told["locale"] = locale.clone().into();
                    }
                    told
                })
                .collect();
            serde_json::json!({ "messages": messages })
        }
    }
}

#[test]
fn every_recorded_request_is_read_as_its_fixture_says() {
    for (channel, cases) in all() {
        let kind = channel.spec().kind;
        assert!(cases.iter().any(Case::accepted), "{kind}: a fixture of a message is missing");
        assert!(cases.iter().any(|case| !case.accepted()), "{kind}: a fixture of a refusal is missing");
        for case in cases {
            let account = case.account(kind);
            let outcome = case.read(channel, &account, &case.request());
            assert_eq!(told(&outcome), case.expect, "{}: {}", case.name, case.about);
            // Nothing is kept between requests: a platform's retry reads the same, with the same dedupe key.
            assert_eq!(case.read(channel, &account, &case.request()), outcome, "{}", case.name);
        }
    }
}

#[test]
fn without_its_secrets_an_account_lets_nobody_in() {
    for (channel, case) in let_in() {
        let mut account = case.account(channel.spec().kind);
        assert!(channel.lacks(&account).is_empty(), "{}: the fixture's account is complete", case.name);
        account.secrets.values_mut().for_each(|secret| *secret = Private::new(String::new()));
        assert!(!channel.lacks(&account).is_empty(), "{}", case.name);
        assert!(case.read(channel, &account, &case.request()).is_err(), "{}: empty secrets", case.name);
        account.secrets.clear();
        assert!(case.read(channel, &account, &case.request()).is_err(), "{}: no secrets", case.name);
    }
}

#[test]
fn an_unsigned_or_mis_signed_request_is_refused() {
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let good = case.request();
        let whole = case.read(channel, &account, &good);
        let bare = Request { query: Vec::new(), headers: Vec::new(), ..good.clone() };
        assert_eq!(case.read(channel, &account, &bare), Err(Unverified::BadSignature), "{}", case.name);

        // One pair at a time: gone, emptied, changed at its end, doubled by a forgery in front.
        let mut refused = 0;
        let changes: [fn(&str) -> Option<String>; 3] = [
            |_| None,
            |_| Some(String::new()),
            |value| Some(format!("{}~", &value[..value.len().max(1) - 1])),
        ];
        for at in 0..good.query.len() + good.headers.len() {
            for change in changes {
                let mut request = good.clone();
                let in_query = at < good.query.len();
                let (pairs, at) = if in_query {
                    (&mut request.query, at)
                } else {
                    (&mut request.headers, at - good.query.len())
                };
                let (name, value) = pairs[at].clone();
                // The one value that is sent back, and that no signature covers.
                if name == "echostr" {
                    continue;
                }
                match change(&value) {
                    None => drop(pairs.remove(at)),
                    Some(changed) => pairs[at].1 = changed,
                }
                let outcome = case.read(channel, &account, &request);
                assert!(outcome.is_err() || outcome == whole, "{}: {name} changed what is read", case.name);
                refused += usize::from(outcome == Err(Unverified::BadSignature));
            }
        }
        assert!(refused >= 3, "{}: something is signed", case.name);
    }
}

#[test]
fn with_another_secret_nothing_else_is_read() {
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let whole = case.read(channel, &account, &case.request());
        let mut refused = 0;
        for (name, secret) in &case.secrets {
            let mut other = account.clone();
            other.secrets.insert(name.clone(), Private::new(format!("{}Q", &secret[1..])));
            let outcome = case.read(channel, &other, &case.request());
            assert!(outcome.is_err() || outcome == whole, "{}: {name}", case.name);
            refused += usize::from(outcome.is_err());
        }
        assert!(refused >= 1, "{}: no secret matters", case.name);
    }
}

#[test]
fn a_truncated_body_is_never_a_message() {
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let good = case.request();
        for end in 0..good.body.len() {
            let request = Request { body: good.body[..end].to_vec(), ..good.clone() };
            assert!(case.read(channel, &account, &request).is_err(), "{} cut at {end}", case.name);
        }
    }
}

#[test]
fn a_changed_byte_never_panics() {
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let good = case.request();
        for at in 0..good.body.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut request = good.clone();
                request.body[at] ^= flip;
                let _ = case.read(channel, &account, &request);
            }
        }
    }
}

#[test]
fn oversized_deep_foreign_and_self_growing_bodies_are_malformed() {
    let declared = "<!DOCTYPE xml [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let good = case.request();
        if good.get {
            continue;
        }
        let body = &good.body;
        let middle = body.len() / 2;
        let bodies: Vec<(&str, Vec<u8>)> = vec![
            ("padded to 16 MiB", [body.clone(), vec![b' '; 16 << 20]].concat()),
            ("16 MiB of nothing", vec![0; 16 << 20]),
            ("empty", Vec::new()),
            ("GBK", [&body[..middle], b"\xce\xd2\xb5\xc4".as_slice(), &body[middle..]].concat()),
            ("UTF-16", String::from_utf8_lossy(body).encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("entities", [declared.as_bytes(), body].concat()),
            ("deep XML", [b"<xml>".as_slice(), "<a>".repeat(20_000).as_bytes()].concat()),
            ("deep JSON", format!("{{\"update_id\":1,\"a\":{}", "[".repeat(60_000)).into_bytes()),
            ("two documents", [body.as_slice(), body].concat()),
        ];
        for (name, body) in bodies {
            let request = Request { body, ..good.clone() };
            assert!(case.read(channel, &account, &request).is_err(), "{}: {name}", case.name);
        }
    }
}

#[test]
fn a_hundred_thousand_parameters_change_nothing() {
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let mut request = case.request();
        let whole = case.read(channel, &account, &request);
        let many = || (0..100_000).map(|n| (format!("p{n}"), "v".to_owned()));
        request.query.extend(many());
        request.headers.extend(many());
        assert_eq!(case.read(channel, &account, &request), whole, "{}", case.name);
    }
}

#[test]
fn answers_go_where_the_account_says_and_to_people_once() {
    let shown = [
        Shown::Text { text: "派送中 <b> ]]> & \u{0}".into() },
        Shown::Choices {
            text: "哪一单?".into(),
            choices: vec![ShownChoice { id: "o1".into(), label: "台灯".into() }],
        },
    ];
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let request = case.request();
        let Ok(Inbound::Messages(messages)) = case.read(channel, &account, &request) else { continue };
        assert_eq!(channel.acknowledge().status, 200);
        let token = Token { text: Private::new("fixtureAccessToken".into()), expires: case.now };
        let cx = Cx { account: &account, token: Some(&token), now: case.now, random: [3; 32] };
        for message in &messages {
            match channel.write(&cx, &request, message, &shown) {
                Ok(reply) => {
                    assert_eq!(reply.status, 200, "{}", case.name);
                    assert!(!reply.body.is_empty() && !reply.body.contains(&0), "{}", case.name);
                }
                Err(refusal) => {
                    assert_eq!(
                        (refusal, channel.spec().deadline_ms),
                        (Refusal::Unsupported, 0),
                        "{}",
                        case.name
                    );
                }
            }
            let calls = channel.send(&cx, &message.from, Some(message), &shown).unwrap();
            assert!(calls.iter().any(|call| !call.repeatable), "{}: a message is sent once", case.name);
            for call in &calls {
                assert!(call.url.starts_with("http://127.0.0.1:9/"), "{}: base_url", case.name);
                assert!(std::str::from_utf8(&call.body).is_ok(), "{}", case.name);
            }
        }
    }
}

#[test]
fn nothing_private_is_in_a_debug_text() {
    for (channel, case) in let_in() {
        let account = case.account(channel.spec().kind);
        let request = case.request();
        let token = Token { text: Private::new("fixtureAccessToken".into()), expires: case.now };
        let cx = Cx { account: &account, token: Some(&token), now: case.now, random: [3; 32] };
        let verified = channel.verify(&cx, &request).unwrap();
        let inbound = channel.read(&account, &request, &verified).unwrap();
        let mut debug = format!("{cx:?} {request:?} {verified:?}");
        let mut private: Vec<String> = case.secrets.values().cloned().collect();
        private.push("fixtureAccessToken".into());
        if let Inbound::Messages(messages) = &inbound {
            debug += &format!("{messages:?}");
            for message in messages {
                private.push(message.from.clone());
                if let What::Text(text) = &message.what {
                    private.push(text.clone());
                }
                let shown = [Shown::Text { text: "private-words".into() }];
                let calls = channel.send(&cx, &message.from, Some(message), &shown).unwrap();
                debug += &format!("{calls:?}");
                private.push("private-words".into());
            }
        }
        if let Some(step) = channel.token() {
            debug += &format!("{:?}", step.fetch(&cx));
        }
        debug += &format!("{:?}", channel.hello(&cx, &[]));
        for private in private.iter().filter(|text| text.chars().count() > 3) {
            assert!(!debug.contains(private.as_str()), "{}: {private:?} in {debug}", case.name);
        }
    }
}
