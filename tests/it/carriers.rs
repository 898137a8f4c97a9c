//! Conformance: every carrier of the registry plays the same cases from its own fixtures
//! (`tests/fixtures/carriers/<code>/<case>.json`). A carrier without fixtures fails here.
#![allow(clippy::unwrap_used, clippy::panic)]

use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use yishi::carriers::{Ask, CARRIERS, Carrier, Step, Tracked, carrier};
use yishi::model::{Account, Private, Status, Sub, fold};
use yishi::simulator::{PHONE_TAIL, Simulator};
use yishi::wire::sign::ProofKind;
use yishi::wire::{Answer, Call, Cx, Refusal, Request, Token};

/// A registry entry with its fixtures.
struct Subject {
    carrier: &'static dyn Carrier,
    account: Account,
    ask: Ask,
    folder: PathBuf,
    expect: Status,
    /// What a token-bearing vendor would have given.
    token: Token,
    /// Secrets that the vendor wants on the wire as they are (an API key in a header).
    sent: Vec<String>,
    /// Whether its answers name couriers.
    names_couriers: bool,
    /// The sentence under the codes of `unknown_codes.json`, and one of a delivery, in the vendor's language.
    neutral: String,
    signed: String,
    /// A number whose journey in the simulator has at least three scans.
    simulated_number: String,
    /// Whether push and query tell a scan in the same code and words; else the fold joins them.
    push_tells_alike: bool,
    /// HTTP status of a case where it is not 200.
    http: BTreeMap<String, u16>,
}

fn subjects() -> Vec<Subject> {
    CARRIERS.iter().map(|carrier| Subject::new(*carrier)).collect()
}

impl Subject {
    fn new(carrier: &'static dyn Carrier) -> Self {
        let code = carrier.spec().code;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/carriers").join(code);
        let text = std::fs::read_to_string(folder.join("ask.json"))
            .unwrap_or_else(|_| panic!("tests/fixtures/carriers/{code}/ask.json is missing"));
        let setup: Value = serde_json::from_str(&text).unwrap();
        let map = |name: &str| -> BTreeMap<String, String> {
            serde_json::from_value(setup.get(name).cloned().unwrap_or_default()).unwrap_or_default()
        };
        let text = |name: &str| setup.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            carrier,
            account: Account {
                id: "conformance".into(),
                kind: code.into(),
                shop: None,
                settings: map("settings"),
                secrets: map("secrets")
                    .into_iter()
                    .map(|(name, secret)| (name, Private::new(secret)))
                    .collect(),
            },
            ask: Ask {
                carrier: text("carrier").unwrap(),
                number: text("number").unwrap(),
                phone_tail: text("phone_tail"),
            },
            folder,
            expect: Status::named(&text("expect").unwrap()).unwrap(),
            token: Token { text: Private::new("conformance-token".into()), expires: Timestamp::MAX },
            sent: serde_json::from_value(setup.get("sent").cloned().unwrap_or_default()).unwrap_or_default(),
            names_couriers: setup.get("names_couriers") != Some(&Value::Bool(false)),
            simulated_number: text("simulated_number").or_else(|| text("number")).unwrap(),
            push_tells_alike: setup.get("push_tells_alike") != Some(&Value::Bool(false)),
            http: serde_json::from_value(setup.get("http").cloned().unwrap_or_default()).unwrap_or_default(),
            neutral: text("neutral").unwrap_or_else(|| "新的环节".into()),
            signed: text("signed").unwrap_or_else(|| "快件已签收，签收人：本人".into()),
        }
    }

    fn code(&self) -> &'static str {
        self.carrier.spec().code
    }

    fn body(&self, case: &str) -> Vec<u8> {
        let path = self.folder.join(format!("{case}.json"));
        std::fs::read(&path).unwrap_or_else(|_| panic!("{}: fixture {case}.json is missing", self.code()))
    }

    fn body_text(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.folder.join(name));
        text.unwrap_or_else(|_| panic!("{}: {name} is missing", self.code())).trim_end().to_owned()
    }

    fn read(&self, answer: &Answer) -> Result<Vec<Tracked>, Refusal> {
        let step = self.carrier.read_track(&self.cx(), std::slice::from_ref(&self.ask), answer)?;
        match step {
            Step::Done(all) => Ok(all),
            Step::Then(call) => panic!("{}: a further call {call:?} has no fixture", self.code()),
        }
    }

    /// The recorded answer of a case, with the HTTP status under which the vendor sends it.
    fn answer(&self, case: &str) -> Answer {
        Answer::new(self.http.get(case).copied().unwrap_or(200), self.body(case))
    }

    fn read_case(&self, case: &str) -> Result<Vec<Tracked>, Refusal> {
        self.read(&self.answer(case))
    }

    fn cx(&self) -> Cx<'_> {
        let now: Timestamp = "2026-03-02T02:00:00Z".parse().unwrap();
        Cx { account: &self.account, token: Some(&self.token), now, random: [5; 32] }
    }
}

fn status(tracked: &Tracked) -> Status {
    fold(tracked.events.clone(), Default::default()).0.status
}

#[test]
fn a_registry_code_is_unique_and_finds_its_carrier() {
    let codes: BTreeSet<&str> = CARRIERS.iter().map(|carrier| carrier.spec().code).collect();
    assert_eq!(codes.len(), CARRIERS.len());
    for code in codes {
        assert_eq!(carrier(code).map(|carrier| carrier.spec().code), Some(code));
    }
    assert!(carrier("nobody").is_none());
}

#[test]
fn every_fixture_folder_belongs_to_a_carrier() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/carriers");
    for folder in std::fs::read_dir(root).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(carrier(&name).is_some(), "tests/fixtures/carriers/{name} belongs to no carrier");
    }
}

#[test]
fn the_spec_is_complete() {
    for subject in subjects() {
        let (code, spec) = (subject.code(), subject.carrier.spec());
        assert!((spec.serves)(&subject.ask.carrier), "{code} does not serve its own sample");
        assert!(!(spec.serves)("nobody"), "{code} serves everybody");
        assert!(spec.base_url.starts_with("https://") && !spec.base_url.ends_with('/'), "{code}");
        assert!(spec.batch >= 1 && spec.per_second >= 1 && spec.per_day >= 1, "{code}");
        assert!(spec.min_interval_secs >= 60 && spec.per_number_day >= 1, "{code}");
        assert!(!spec.sureness.is_empty(), "{code}");
        assert!(spec.codes.is_sorted_by(|a, b| a.code < b.code), "{code}: the table is not sorted");
        for name in spec.secrets {
            assert!(subject.account.secrets.contains_key(*name), "{code}: ask.json has no secret {name}");
        }
        for name in spec.settings {
            assert!(subject.account.settings.contains_key(*name), "{code}: ask.json has no setting {name}");
        }
    }
}

#[test]
fn the_question_goes_to_the_configured_address_and_names_no_secret() {
    for mut subject in subjects() {
        subject.account.settings.insert("base_url".into(), "http://127.0.0.1:9".into());
        let asks = [subject.ask.clone()];
        let call = subject.carrier.track(&subject.cx(), &asks).unwrap();
        let code = subject.code();
        assert!(call.url.starts_with("http://127.0.0.1:9/"), "{code}");
        assert!(call.operation.starts_with(code), "{code}: {}", call.operation);
        assert!(call.repeatable, "{code}: a question may be repeated");
        let again = subject.carrier.track(&subject.cx(), &asks).unwrap();
        assert!(call == again, "{code}: the same context gives the same call");
        // A signed call never carries the secret itself; nothing printable shows it or the number.
        let shown = format!("{call:?}");
        let wire = format!("{}{:?}{}", call.url, call.headers, String::from_utf8_lossy(&call.body));
        for (name, secret) in &subject.account.secrets {
            assert!(!shown.contains(secret.reveal()), "{code}");
            let sent = wire.contains(secret.reveal());
            assert_eq!(sent, subject.sent.contains(name), "{code}: {name} on the wire");
            assert!(!format!("{:?}", subject.account).contains(secret.reveal()), "{code}");
        }
        assert!(!shown.contains(&subject.ask.number), "{code}");
    }
}

#[test]
fn no_refusal_and_no_answer_prints_a_secret() {
    for subject in subjects() {
        for case in
            ["ok", "empty", "not_found", "bad_credentials", "expired_token", "throttled", "vendor_error"]
        {
            let answer = subject.answer(case);
            let shown = match subject.read(&answer) {
                Ok(_) => format!("{answer:?}"),
                Err(refusal) => format!("{answer:?} {refusal:?} {refusal}"),
            };
            for secret in subject.account.secrets.values() {
                assert!(!shown.contains(secret.reveal()), "{} {case}", subject.code());
            }
            assert!(!shown.contains(&subject.ask.number), "{} {case}: {shown}", subject.code());
        }
    }
}

#[test]
fn nothing_to_ask_and_too_much_to_ask_are_refused() {
    for subject in subjects() {
        let code = subject.code();
        assert!(subject.carrier.track(&subject.cx(), &[]).is_err(), "{code}");
        let many = vec![subject.ask.clone(); subject.carrier.spec().batch + 1];
        assert!(subject.carrier.track(&subject.cx(), &many).is_err(), "{code}");
        let nothing = Ask { number: String::new(), ..subject.ask.clone() };
        assert!(subject.carrier.track(&subject.cx(), &[nothing]).is_err(), "{code}");
    }
}

#[test]
fn ok_tells_the_parcel() {
    for subject in subjects() {
        let told = subject.read_case("ok").unwrap();
        let [tracked] = told.as_slice() else { panic!("{}: one parcel", subject.code()) };
        let code = subject.code();
        assert_eq!(
            (&tracked.carrier, &tracked.number),
            (&subject.ask.carrier, &subject.ask.number),
            "{code}"
        );
        assert_eq!(status(tracked), subject.expect, "{code}");
        for event in &tracked.events {
            assert_eq!((event.provider.as_str(), &event.number), (code, &subject.ask.number));
            assert_eq!(event.id, event.compute_id(), "{code}");
            assert!(event.time.utc.is_some() && !event.description().is_empty(), "{code}");
            assert_ne!(event.status, Status::Unknown, "{code}: {:?}", event.raw.code);
        }
        let couriers = tracked.events.iter().any(|event| event.courier.phone.is_some());
        assert_eq!(couriers, subject.names_couriers, "{code}: the courier");
    }
}

#[test]
fn empty_and_not_found_bring_no_event() {
    for subject in subjects() {
        for case in ["empty", "not_found"] {
            match subject.read_case(case) {
                Ok(told) => assert!(told.iter().all(|parcel| parcel.events.is_empty()), "{}", subject.code()),
                Err(Refusal::NoDataYet | Refusal::BadNumber) => {}
                Err(other) => panic!("{} {case}: {other:?}", subject.code()),
            }
        }
    }
}

#[test]
fn each_refusal_is_read_by_what_to_do() {
    for subject in subjects() {
        let code = subject.code();
        let refusal = |case: &str| subject.read_case(case).unwrap_err();
        assert!(matches!(refusal("bad_credentials"), Refusal::FixAccount { .. }), "{code}");
        let expired = refusal("expired_token");
        assert!(matches!(expired, Refusal::TokenExpired | Refusal::FixAccount { .. }), "{code}");
        assert!(matches!(refusal("throttled"), Refusal::Throttled { .. }), "{code}");
        assert!(matches!(refusal("vendor_error"), Refusal::Retry { .. }), "{code}");
    }
}

#[test]
fn http_errors_are_read_by_what_to_do() {
    for subject in subjects() {
        let refusal = |status: u16, body: &[u8]| subject.read(&Answer::new(status, body)).unwrap_err();
        for status in [500, 502, 503, 504] {
            let got = refusal(status, b"<html>Bad Gateway</html>");
            assert!(matches!(got, Refusal::Retry { .. }), "{} {status}", subject.code());
        }
        assert!(matches!(refusal(429, b""), Refusal::Throttled { .. }), "{}", subject.code());
        assert!(matches!(refusal(403, b""), Refusal::FixAccount { .. }), "{}", subject.code());
        assert!(subject.read(&Answer::new(302, subject.body("ok"))).is_err(), "{}", subject.code());
    }
}

#[test]
fn a_broken_body_is_never_half_an_answer() {
    for subject in subjects() {
        let code = subject.code();
        let ok = subject.body("ok");
        let end = ok.iter().rposition(|byte| !byte.is_ascii_whitespace()).unwrap();
        for cut in 0..end {
            assert!(subject.read(&Answer::new(200, &ok[..cut])).is_err(), "{code}: cut at {cut}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for body in [
            "",
            "null",
            "[]",
            "0",
            "\"\"",
            "{}",
            "<!doctype html><html><body>系统维护中</body></html>",
            "{\"data\":",
            "\u{0}\u{0}",
            deep.as_str(),
        ] {
            let got = subject.read(&Answer::new(200, body));
            assert!(got.is_err(), "{code}: {:.40} gave {got:?}", body);
        }
    }
}

#[test]
fn gbk_says_the_same_as_utf_8() {
    for subject in subjects() {
        let ok = String::from_utf8(subject.body("ok")).unwrap();
        if ok.is_ascii() {
            continue;
        }
        let (gbk, _, lossy) = encoding_rs::GBK.encode(&ok);
        assert!(!lossy && gbk.as_ref() != ok.as_bytes(), "{}", subject.code());
        let mut answer = Answer::new(200, gbk.into_owned());
        answer.headers.push(("content-type".into(), "application/json; charset=GBK".into()));
        assert_eq!(subject.read(&answer), subject.read_case("ok"), "{}", subject.code());
    }
}

#[test]
fn numbers_for_strings_say_the_same() {
    for subject in subjects() {
        assert_eq!(subject.read_case("numbers"), subject.read_case("ok"), "{}", subject.code());
    }
}

#[test]
fn unknown_codes_are_kept_and_never_delivered() {
    for subject in subjects() {
        let told = subject.read_case("unknown_codes").unwrap();
        let scans: Vec<_> = told[0].events.iter().filter(|event| !event.header).collect();
        assert!(scans.len() >= 4, "{}: every scan is kept", subject.code());
        for event in scans {
            let shown = (event.status, event.sub, event.raw.code.as_deref());
            assert_eq!(
                (shown.0, shown.1),
                (Status::Unknown, Some(Sub::Unmapped)),
                "{} {shown:?}",
                subject.code()
            );
        }
        assert_ne!(status(&told[0]), Status::Delivered, "{}", subject.code());
    }
}

#[test]
fn a_sentence_never_makes_a_delivery_of_an_unknown_code() {
    for subject in subjects() {
        let body = String::from_utf8(subject.body("unknown_codes")).unwrap();
        let signed = body.replace(&subject.neutral, &subject.signed);
        assert_ne!(signed, body, "{}", subject.code());
        let told = subject.read(&Answer::new(200, signed)).unwrap();
        let coded = told[0].events.iter().filter(|event| event.raw.code.is_some());
        assert!(coded.clone().count() >= 3, "{}", subject.code());
        for event in coded {
            assert_ne!(event.status, Status::Delivered, "{} {:?}", subject.code(), event.raw.code);
        }
    }
}

#[test]
fn ten_thousand_scans_are_read() {
    for subject in subjects() {
        let mut body: Value = serde_json::from_slice(&subject.body("ok")).unwrap();
        assert!(grow(&mut body, 10_000), "{}: ok.json has no list of scans", subject.code());
        let told = subject.read(&Answer::new(200, body.to_string())).unwrap();
        let scans = told[0].events.iter().filter(|event| !event.header).count();
        assert_eq!(scans, 10_000, "{}", subject.code());
    }
}

/// Makes the longest list of objects `length` long, also where the JSON stands inside a string (SF).
fn grow(value: &mut Value, length: usize) -> bool {
    match value {
        Value::Array(list) if list.len() > 1 && list.iter().all(Value::is_object) => {
            let scan = list[0].clone();
            list.resize(length, scan);
            true
        }
        Value::Array(list) => list.iter_mut().any(|value| grow(value, length)),
        Value::Object(fields) => fields.values_mut().any(|value| grow(value, length)),
        Value::String(text) if text.starts_with('{') => {
            let mut inner: Value = serde_json::from_str(text).unwrap();
            let grown = grow(&mut inner, length);
            *text = inner.to_string();
            grown
        }
        _ => false,
    }
}

#[test]
fn the_same_answer_read_twice_gives_the_same_events() {
    for subject in subjects() {
        assert_eq!(subject.read_case("ok"), subject.read_case("ok"), "{}", subject.code());
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        for subject in subjects() {
            let _ = subject.read(&Answer::new(200, body.clone()));
        }
    }

    /// One byte of a real answer changed: read or refused, and never another parcel's.
    #[test]
    fn a_flipped_byte_is_survived(at in 0_usize..4_000, byte in proptest::prelude::any::<u8>()) {
        for subject in subjects() {
            let mut body = subject.body("ok");
            let at = at % body.len();
            body[at] = byte;
            if let Ok(told) = subject.read(&Answer::new(200, body)) {
                proptest::prop_assert!(told.iter().all(|parcel| parcel.number == subject.ask.number));
            }
        }
    }
}

/// A recorded push: query, headers, an empty line, the body; each as it stands in `push.txt`.
fn request(subject: &Subject, name: &str) -> Request {
    let path = subject.folder.join(name);
    let text = std::fs::read(&path).unwrap_or_else(|_| panic!("{}: {name} is missing", subject.code()));
    let at = text.windows(2).position(|two| two == b"\n\n").unwrap();
    let head = std::str::from_utf8(&text[..at]).unwrap();
    let mut lines = head.lines();
    let query = lines.next().unwrap().strip_prefix('?').unwrap_or("");
    let body = text[at + 2..].strip_suffix(b"\n").unwrap_or(&text[at + 2..]).to_vec();
    Request {
        get: false,
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body,
    }
}

/// Carriers that push, with their recorded push.
fn pushing() -> Vec<(Subject, Request)> {
    let pushing = subjects().into_iter().filter(|subject| subject.carrier.push().is_some());
    pushing
        .map(|subject| {
            let request = request(&subject, "push.txt");
            (subject, request)
        })
        .collect()
}

#[test]
fn a_push_is_proved_read_and_acknowledged_in_the_vendors_words() {
    for (subject, request) in pushing() {
        let (code, push) = (subject.code(), subject.carrier.push().unwrap());
        let verified = push.verify(&subject.cx(), &request).unwrap_or_else(|no| panic!("{code}: {no}"));
        let told = push.read(&subject.cx(), verified.payload()).unwrap_or_else(|no| panic!("{code}: {no}"));
        assert!(told.parcels.iter().any(|news| news.tracked.number == subject.ask.number), "{code}");
        for event in told.parcels.iter().flat_map(|news| &news.tracked.events) {
            assert_eq!(event.id, event.compute_id(), "{code}");
            assert_eq!(event.provider, code);
        }
        // The same push again says the same: nothing can count twice.
        let again = push.verify(&subject.cx(), &request).unwrap();
        assert_eq!(push.read(&subject.cx(), again.payload()).unwrap(), told, "{code}");
        let acknowledged = push.acknowledge(&subject.cx(), &request, true);
        let expected = subject.body_text("push_ack.txt");
        assert_eq!(String::from_utf8_lossy(&acknowledged.body), expected, "{code}");
        assert_eq!(acknowledged.status, 200, "{code}");
        let refused = push.acknowledge(&subject.cx(), &request, false);
        assert!(refused != acknowledged, "{code}: a push that was not stored must come again");
    }
}

#[test]
fn a_mis_signed_push_is_refused_at_the_door() {
    for (subject, request) in pushing() {
        let (code, push) = (subject.code(), subject.carrier.push().unwrap());
        if push.verify(&subject.cx(), &request).unwrap().proof().kind() == ProofKind::SecretPath {
            continue;
        }
        let mut stranger = Subject::new(subject.carrier);
        for secret in stranger.account.secrets.values_mut() {
            *secret = Private::new(format!("{}x", secret.reveal()));
        }
        assert!(push.verify(&stranger.cx(), &request).is_err(), "{code}: another secret");
        for secret in stranger.account.secrets.values_mut() {
            *secret = Private::new(String::new());
        }
        assert!(push.verify(&stranger.cx(), &request).is_err(), "{code}: an empty secret");
        let unsigned = Request { headers: Vec::new(), ..request.clone() };
        let bare = Request { body: b"{}".to_vec(), ..unsigned.clone() };
        assert!(push.verify(&subject.cx(), &bare).is_err(), "{code}: nothing signed");
    }
}

#[test]
fn a_broken_push_does_no_harm() {
    for (subject, request) in pushing() {
        let push = subject.carrier.push().unwrap();
        for cut in 0..request.body.len() {
            let broken = Request { body: request.body[..cut].to_vec(), ..request.clone() };
            if let Ok(verified) = push.verify(&subject.cx(), &broken) {
                let _ = push.read(&subject.cx(), verified.payload());
            }
        }
        for payload in [&b""[..], b"null", b"[]", b"{}", b"<x/>", b"\xff\xfe", b"a=b&c", b"{\"Data\":[null]}"]
        {
            let told = push.read(&subject.cx(), payload);
            assert!(told.is_err() || told.is_ok_and(|told| told.parcels.is_empty()), "{}", subject.code());
        }
    }
}

/// What the simulator's peer answers to a call.
pub(crate) fn played(simulator: &Simulator, call: &Call, now: Timestamp) -> Answer {
    let path = call.url.split_once("://").unwrap().1;
    let path = &path[path.find('/').unwrap()..];
    let headers: Vec<(String, String)> =
        call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    simulator.answer(path, &headers, &call.body, now).answer
}

/// The adapter and the simulator's peer were written from the vendor's text and share no code: each proves the other.
#[test]
fn the_simulator_speaks_the_vendors_format_and_its_push_tells_the_same() {
    let now: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
    let simulator = Simulator::new(now, 1.0);
    for account in Simulator::accounts("http://127.0.0.1:9") {
        let Some(carrier) = carrier(&account.kind) else { continue };
        let (code, subject) = (carrier.spec().code, Subject::new(carrier));
        let mut cx = Cx { account: &account, token: None, now, random: [7; 32] };
        let token = carrier.token(&account).map(|step| {
            let call = step.fetch(&cx).unwrap();
            step.read(&cx, &played(&simulator, &call, now)).unwrap()
        });
        cx.token = token.as_ref();
        let ask = Ask {
            number: subject.simulated_number.clone(),
            phone_tail: Some(PHONE_TAIL.into()),
            ..subject.ask.clone()
        };
        let asks = [ask.clone()];
        let tell = || {
            let mut call = carrier.track(&cx, &asks).unwrap();
            loop {
                match carrier.read_track(&cx, &asks, &played(&simulator, &call, now)).unwrap() {
                    Step::Done(mut told) => break told.remove(0),
                    Step::Then(next) => call = next,
                }
            }
        };
        // A vendor that must register a number first knows nothing of it at the first question.
        let told = Some(tell()).filter(|told| !told.events.is_empty()).unwrap_or_else(tell);
        assert!(told.events.len() >= 3, "{code}: {} scans of {}", told.events.len(), ask.number);
        assert!(told.events.iter().all(|event| event.status != Status::Unknown), "{code}: {:?}", told.events);
        let Some(push) = carrier.push() else { continue };
        if let Some(subscription) = push.subscription() {
            let call = subscription.subscribe(&cx, &ask, "http://127.0.0.1:9/hooks/x/y").unwrap();
            let answer = played(&simulator, &call, now);
            match subscription.read_subscribed(&cx, &ask, &answer) {
                Ok(()) | Err(Refusal::AlreadyDone) => {}
                Err(other) => panic!("{code}: not subscribed: {other:?}"),
            }
        }
        let pushed = simulator.push(code, &ask.carrier, &ask.number, now);
        let pushed = pushed.unwrap_or_else(|| panic!("{code}: the peer sends no push"));
        let request = Request {
            get: false,
            query: form_urlencoded::parse(pushed.query.as_bytes()).into_owned().collect(),
            headers: pushed.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: pushed.body,
        };
        let verified =
            push.verify(&cx, &request).unwrap_or_else(|no| panic!("{code}: the peer's push: {no}"));
        let news = push.read(&cx, verified.payload()).unwrap().parcels.remove(0);
        assert_eq!(news.tracked.number, ask.number, "{code}");
        let asked: BTreeSet<&str> = told.events.iter().map(|event| event.id.as_str()).collect();
        let both = news.tracked.events.iter().filter(|event| asked.contains(event.id.as_str())).count();
        assert_eq!(both >= 1, subject.push_tells_alike, "{code}: push and poll tell one fact in two ways");
    }
}
