//! How long reading a message takes, and that it does not grow with the number of phrases.
//! Run with `cargo bench --bench matcher`.

use yishi::conversation::{Matcher, intents};

fn main() {
    divan::main();
}

const MESSAGES: [&str; 4] = [
    "我的快递到哪了",
    "昨天付的款怎么还没有发货啊 能不能快点",
    "where is my parcel",
    "[订单编号123456789012] 今天能送到吗",
];

/// The built-in intents and `phrases` more of a merchant.
fn matcher(phrases: usize) -> Matcher {
    let mut all = intents::builtin().unwrap_or_default();
    let list: Vec<String> = (0..phrases).map(|number| format!("\"独家暗号{number}号\"")).collect();
    let own = format!("name = \"own\"\nanswer = \"own\"\n[words.zh]\nphrases = [{}]\n", list.join(","));
    if let Ok(own) = intents::parse("own.toml", &own) {
        all.push(own);
    }
    Matcher::new(&all).unwrap_or_else(|problems| unreachable!("{problems:?}"))
}

#[divan::bench(args = [20, 1_000, 10_000])]
fn read(bencher: divan::Bencher<'_, '_>, phrases: usize) {
    let matcher = matcher(phrases);
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % MESSAGES.len();
        matcher.read(divan::black_box(MESSAGES[at]))
    });
}

#[divan::bench(sample_count = 10)]
fn learn(bencher: divan::Bencher<'_, '_>) {
    let all = intents::builtin().unwrap_or_default();
    bencher.bench_local(|| Matcher::new(&all));
}
