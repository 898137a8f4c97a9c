//! What an answer costs to put into words: `cargo bench --bench replies`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use yishi::model::status::{Status, Sub};
use yishi::model::{Block, Card, Choice, Line, Shown};
use yishi::replies::lint::typical_answer;
use yishi::replies::{Catalog, Context, Source, keys};

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    "2026-03-02T01:30:00Z".parse().unwrap_or_default()
}

/// Five lines, a card with five scans, three choices.
fn answer(status: Status) -> Vec<Block> {
    let mut blocks: Vec<Block> = typical_answer(status, now()).into_iter().map(Block::Text).collect();
    blocks.push(Block::Text(keys::sample_line("order-and-others", now())));
    let scan = |hours: i64| keys::sample_scan(now() - SignedDuration::from_hours(hours));
    blocks.push(Block::Parcel(Box::new(Card {
        carrier: "sf".into(),
        number: "SF0000000000018".into(),
        status,
        sub: Some(Sub::ArrivedHub),
        reason: None,
        eta: None,
        events: [1, 9, 14, 25, 60].map(scan).to_vec(),
    })));
    let choice =
        |at: usize| Choice { id: format!("o:{at}"), label: keys::sample_line("choice-order", now()) };
    blocks.push(Block::Choices(Line::new("choose-other"), (0..3).map(choice).collect()));
    blocks
}

fn said(bencher: divan::Bencher, catalog: &Catalog, locale: &str, blocks: &[Block]) {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    let ctx = Context { shop: "tea", locale, zone: &zone, now: now() };
    bencher.bench(|| -> Vec<Shown> { catalog.render(divan::black_box(&ctx), divan::black_box(blocks)) });
}

#[divan::bench(args = ["zh-CN", "zh-TW", "en"])]
fn typical(bencher: divan::Bencher, locale: &str) {
    said(bencher, &Catalog::builtin(), locale, &answer(Status::InTransit));
}

#[divan::bench]
fn with_a_shops_own_texts(bencher: divan::Bencher) {
    let own = "thanks = 谢谢\nfresh = { $age }更新（{ $source }）\nnext-in-transit = 请您放心\n";
    let source = Source::new("shops/tea/locales/zh-CN/own.ftl".as_ref(), own.to_owned());
    let (catalog, _) = Catalog::load(&source.into_iter().collect::<Vec<_>>(), None);
    said(bencher, &catalog, "zh-CN", &answer(Status::InTransit));
}

#[divan::bench]
fn one_short_line(bencher: divan::Bencher) {
    said(bencher, &Catalog::builtin(), "zh-CN", &[Block::Text(Line::new("thanks"))]);
}
