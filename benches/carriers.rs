//! How long it takes to read an answer with 100 scans, per carrier. Goal: at most 200 µs in release.
//! `cargo bench --bench carriers`

use divan::{Bencher, black_box};
use serde_json::Value;
use std::path::Path;
use yishi::carriers::{Ask, CARRIERS, carrier};
use yishi::model::Account;
use yishi::wire::{Answer, Cx};

/// The binary's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// Codes of all carriers.
fn codes() -> Vec<&'static str> {
    CARRIERS.iter().map(|carrier| carrier.spec().code).collect()
}

/// The carrier's own fixture, its list of scans made 100 long, each with another sentence.
fn answer(code: &str) -> (Account, Ask, Answer) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/carriers").join(code);
    let read = |case: &str| -> Value {
        let text = std::fs::read_to_string(folder.join(format!("{case}.json"))).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    };
    let (setup, mut body) = (read("ask"), read("ok"));
    grow(&mut body);
    let text = |name: &str| setup[name].as_str().unwrap_or_default().to_owned();
    let ask = Ask { carrier: text("carrier"), number: text("number"), phone_tail: None };
    let settings = serde_json::from_value(setup["settings"].clone()).unwrap_or_default();
    (Account { settings, ..Account::default() }, ask, Answer::new(200, body.to_string()))
}

/// Where the carriers' sentences stand, but for names that hold a code elsewhere.
const WORDS: [&str; 12] = [
    "content",
    "context",
    "desc",
    "description",
    "eventDescription",
    "memo",
    "message",
    "opDesc",
    "operationRemark",
    "processInfo",
    "remark",
    "text",
];

fn grow(value: &mut Value) -> bool {
    match value {
        Value::Array(list) if list.len() > 1 && list.iter().all(Value::is_object) => {
            // As in life: one scan at either end, and hubs between them.
            let scans = list.clone();
            let hubs = scans[1..scans.len().max(3) - 1].iter().cycle().take(98);
            *list = scans.first().into_iter().chain(hubs).chain(scans.last()).cloned().collect();
            for (at, scan) in list.iter_mut().enumerate() {
                for name in WORDS {
                    if let Some(Value::String(text)) = scan.get_mut(name) {
                        // Each sentence another one, in its own language.
                        let tail =
                            if text.is_ascii() { format!(", stop {at}") } else { format!("，第{at}站") };
                        text.push_str(&tail);
                    }
                }
            }
            true
        }
        Value::Array(list) => list.iter_mut().any(grow),
        Value::Object(fields) => fields.values_mut().any(grow),
        Value::String(text) if text.starts_with('{') => {
            let mut inner: Value = serde_json::from_str(text).unwrap_or_default();
            let grown = grow(&mut inner);
            *text = inner.to_string();
            grown
        }
        _ => false,
    }
}

#[divan::bench(args = codes())]
fn read_100_scans(bencher: Bencher, code: &str) {
    let Some(adapter) = carrier(code) else { return };
    let (account, ask, answer) = answer(code);
    let cx = Cx { account: &account, token: None, now: jiff::Timestamp::UNIX_EPOCH, random: [0; 32] };
    let asks = [ask];
    bencher.bench(|| adapter.read_track(black_box(&cx), &asks, black_box(&answer)));
}
