//! What vendors see of us: how often, how fast, and never twice what must be sent once.

use super::ledger::{LedgerDown, Note, Reservation, Reserved};
use super::*;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

type Vendor = dyn Fn(usize, &Call) -> Result<Answer, CallError> + Send + Sync;

/// A vendor played by a function: the how-many-eth call, and what it asks. Holds its door shut where told to.
struct Played {
    vendor: Box<Vendor>,
    calls: AtomicUsize,
    seen: Mutex<Vec<(Timestamp, String)>>,
    clock: Arc<ManualClock>,
    door: Option<Arc<Notify>>,
}

#[async_trait::async_trait]
impl Transport for Played {
    async fn send(&self, call: Call, _limit: Duration) -> Result<Answer, CallError> {
        let count = self.calls.fetch_add(1, SeqCst) + 1;
        self.seen.lock().unwrap().push((self.clock.now(), call.url.clone()));
        match &self.door {
            Some(door) => door.notified().await,
            None => tokio::task::yield_now().await,
        }
        (self.vendor)(count, &call)
    }
}

struct Stage {
    wire: Wire,
    played: Arc<Played>,
    clock: Arc<ManualClock>,
    ledger: Arc<MemoryLedger>,
    account: Account,
}

fn start() -> Timestamp {
    "2026-03-02T01:00:00Z".parse().unwrap()
}

fn stage_with(
    door: Option<Arc<Notify>>,
    vendor: impl Fn(usize, &Call) -> Result<Answer, CallError> + Send + Sync + 'static,
) -> Stage {
    let clock = Arc::new(ManualClock::new(start()));
    let played = Arc::new(Played {
        vendor: Box::new(vendor),
        calls: AtomicUsize::new(0),
        seen: Mutex::default(),
        clock: clock.clone(),
        door,
    });
    let ledger = Arc::new(MemoryLedger::default());
    let wire = Wire::new(played.clone(), ledger.clone(), clock.clone());
    let mut account = Account { id: "kd-1".into(), kind: "kuaidi100".into(), ..Account::default() };
    account.secrets.insert("key".into(), Private::new("TOP-SECRET-KEY".into()));
    Stage { wire, played, clock, ledger, account }
}

fn stage(vendor: impl Fn(usize, &Call) -> Result<Answer, CallError> + Send + Sync + 'static) -> Stage {
    stage_with(None, vendor)
}

fn text(body: &str) -> Result<Answer, CallError> {
    Ok(Answer::new(200, body))
}

/// A codec: the token goes into the address, "expired" and broken bodies are told apart.
fn read(_: &Cx, answer: &Answer) -> Result<Step<String>, Refusal> {
    match std::str::from_utf8(&answer.body).unwrap() {
        "expired" => Err(Refusal::TokenExpired),
        "no data" => Err(Refusal::NoDataYet),
        "busy" => Err(Refusal::Retry { after: None }),
        "<html>" => Err(Refusal::Unreadable),
        "more" => Ok(Step::Then(Call::get("test.more", "https://vendor.example/more".into()))),
        text => Ok(Step::Done(text.to_owned())),
    }
}

fn query(cx: &Cx) -> Result<Call, Refusal> {
    let token = cx.token.map_or("none", |token| token.text.reveal());
    Ok(Call::get(
        "test.query",
        format!("https://vendor.example/q?token={token}&key={}", cx.account.secret("key")),
    ))
}

fn message(cx: &Cx) -> Result<Call, Refusal> {
    query(cx).map(Call::once)
}

impl Stage {
    fn ask<'a>(&'a self, limits: Limits, number: Option<&'a str>) -> Exchange<'a> {
        Exchange { account: &self.account, limits, number, token: None, limit: Duration::from_secs(15) }
    }

    async fn query(&self) -> Result<String, Failure> {
        self.wire.exchange(&self.ask(Limits::default(), None), &query, &read).await
    }

    fn calls(&self) -> usize {
        self.played.calls.load(SeqCst)
    }
}

const NEVER_LEFT: CallError = CallError::NotSent { until: None };

#[tokio::test]
async fn an_answer_is_read_and_written_into_the_journal() {
    let stage = stage(|_, _| text("delivered"));
    let ask = stage.ask(Limits::default(), Some("zto/1"));
    assert_eq!(stage.wire.exchange(&ask, &query, &read).await.unwrap(), "delivered");
    let notes = stage.ledger.notes();
    assert_eq!((notes[0].operation, notes[0].status, notes[0].outcome), ("test.query", Some(200), "ok"));
    assert_eq!(notes[0].number.as_deref(), Some("zto/1"));
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    let unwell: [fn(usize) -> Result<Answer, CallError>; 4] = [
        |count| if count < 3 { Ok(Answer::new(503, "<html>")) } else { text("here") },
        |count| if count < 3 { Err(CallError::Unknown) } else { text("here") },
        |count| if count < 3 { text("busy") } else { text("here") },
        |count| if count < 3 { Ok(Answer::new(500, "busy")) } else { text("here") },
    ];
    for vendor in unwell {
        let asked = stage(move |count, _| vendor(count));
        assert_eq!((asked.query().await, asked.calls()), (Ok("here".into()), 3));
        let told = stage(move |count, _| vendor(count));
        let ask = told.ask(Limits::default(), None);
        assert!(told.wire.exchange(&ask, &message, &read).await.is_err());
        assert_eq!(told.calls(), 1, "a message to a person is sent once");
    }
    // What never left may be sent again, whatever it is.
    let stage = stage(|count, _| if count < 3 { Err(NEVER_LEFT) } else { text("here") });
    let ask = stage.ask(Limits::default(), None);
    assert_eq!(stage.wire.exchange(&ask, &message, &read).await, Ok("here".into()));
}

#[tokio::test]
async fn a_no_is_not_asked_again_and_three_tries_are_enough() {
    let no = stage(|_, _| text("no data"));
    assert_eq!((no.query().await, no.calls()), (Err(Refusal::NoDataYet.into()), 1));
    let down = stage(|_, _| Err(CallError::Unknown));
    assert_eq!((down.query().await, down.calls()), (Err(CallError::Unknown.into()), 3));
}

#[tokio::test]
async fn a_vendor_that_says_when_is_not_asked_before_and_nobody_waits_in_vain() {
    let later = |_: usize, _: &Call| {
        let mut answer = Answer::new(503, "<html>");
        answer.headers.push(("retry-after".into(), "60".into()));
        Ok(answer)
    };
    let stage = stage(later);
    let after = Some(SignedDuration::from_secs(60));
    assert_eq!((stage.query().await, stage.calls()), (Err(Refusal::Retry { after }.into()), 1));
    assert_eq!(stage.clock.now(), start());
}

#[tokio::test]
async fn a_throttled_account_is_quiet_until_it_may_speak() {
    let stage = stage(|count, _| {
        let mut answer =
            Answer::new(if count == 1 { 429 } else { 200 }, if count == 1 { "<html>" } else { "here" });
        answer.headers.push(("retry-after".into(), "30".into()));
        Ok(answer)
    });
    let until = Some("2026-03-02T01:00:30Z".parse().unwrap());
    assert_eq!(stage.query().await, Err(Refusal::Throttled { until }.into()));
    assert_eq!(stage.query().await, Err(CallError::NotSent { until }.into()));
    stage.clock.advance(Duration::from_secs(30));
    assert_eq!(stage.query().await, Ok("here".into()));
}

#[tokio::test]
async fn a_vendor_that_is_down_is_left_alone_and_others_are_not() {
    let stage = stage(|count, call| match call.operation {
        _ if count > 6 => text("back"),
        "test.query" => Err(CallError::Unknown),
        _ => text("other"),
    });
    let ask = stage.ask(Limits::default(), None);
    for _ in 0..5 {
        assert_eq!(stage.wire.exchange(&ask, &message, &read).await, Err(CallError::Unknown.into()));
    }
    let until = Some("2026-03-02T01:01:00Z".parse().unwrap());
    assert_eq!(stage.wire.exchange(&ask, &message, &read).await, Err(CallError::NotSent { until }.into()));
    assert_eq!(stage.calls(), 5);
    let other = Account { id: "kd-2".into(), ..stage.account.clone() };
    let elsewhere = |_: &Cx| Ok(Call::get("test.other", "https://other.example".into()));
    let other_ask = Exchange { account: &other, ..ask };
    assert_eq!(stage.wire.exchange(&other_ask, &elsewhere, &read).await, Ok("other".into()));
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.wire.exchange(&ask, &message, &read).await, Ok("back".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_asks_at_once_break_no_cap() {
    let stage = stage(|_, _| text("here"));
    let day = Limits { per_day: 100, concurrency: 2_000, ..Limits::default() };
    let numbers: Vec<String> = (0..1_000).map(|index| format!("zto/{index}")).collect();
    let asks: Vec<Exchange> = numbers.iter().map(|number| stage.ask(day, Some(number))).collect();
    let answers = join_all(asks.iter().map(|ask| stage.wire.exchange(ask, &query, &read))).await;
    assert_eq!((answers.iter().filter(|answer| answer.is_ok()).count(), stage.calls()), (100, 100));
    // The budget's day is the vendor's: midnight in China.
    let until = Some("2026-03-02T16:00:00Z".parse().unwrap());
    assert_eq!(answers.last(), Some(&Err(CallError::NotSent { until }.into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_asks_for_one_number_keep_its_interval_and_its_cap() {
    let interval =
        Limits { min_interval: Duration::from_secs(1_800), concurrency: 2_000, ..Limits::default() };
    let cap = Limits { per_number_day: 40, concurrency: 2_000, ..Limits::default() };
    for (limits, expected, hint) in [(interval, 1, "2026-03-02T01:30:00Z"), (cap, 40, "2026-03-03T01:00:00Z")]
    {
        let stage = stage(|_, _| text("here"));
        let ask = stage.ask(limits, Some("zto/1"));
        let answers = join_all((0..1_000).map(|_| stage.wire.exchange(&ask, &query, &read))).await;
        assert_eq!(
            (answers.iter().filter(|answer| answer.is_ok()).count(), stage.calls()),
            (expected, expected)
        );
        let until = Some(hint.parse().unwrap());
        assert!(answers.contains(&Err(CallError::NotSent { until }.into())));
    }
}

#[tokio::test]
async fn calls_are_spaced_as_the_vendor_allows() {
    let stage = stage(|_, _| text("here"));
    let ask = stage.ask(Limits { per_second: 10, ..Limits::default() }, None);
    for _ in 0..35 {
        assert_eq!(stage.wire.exchange(&ask, &query, &read).await, Ok("here".into()));
    }
    let seen = stage.played.seen.lock().unwrap().clone();
    for (index, (first, _)) in seen.iter().enumerate() {
        let second = *first + Duration::from_secs(1);
        assert!(seen[index..].iter().filter(|(at, _)| *at < second).count() <= 10);
    }
    assert_eq!(stage.clock.now(), start() + Duration::from_millis(3_400));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_would_wait_too_long_for_a_turn_is_told_at_once() {
    let stage = stage(|_, _| text("here"));
    let ask = stage.ask(Limits { per_second: 10, concurrency: 2_000, ..Limits::default() }, None);
    let answers = join_all((0..1_000).map(|_| stage.wire.exchange(&ask, &query, &read))).await;
    // Fifteen seconds of patience, ten a second.
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!((1..=151).contains(&made), "{made}");
    assert_eq!(stage.calls(), made);
}

#[tokio::test]
async fn a_call_that_never_left_costs_nothing() {
    let stage = stage(|count, _| if count <= 3 { Err(NEVER_LEFT) } else { text("here") });
    let limits = Limits { per_day: 1, min_interval: Duration::from_secs(1_800), ..Limits::default() };
    let ask = stage.ask(limits, Some("zto/1"));
    assert_eq!(stage.wire.exchange(&ask, &query, &read).await, Err(NEVER_LEFT.into()));
    assert_eq!(stage.wire.exchange(&ask, &query, &read).await, Ok("here".into()));
    assert!(stage.wire.exchange(&ask, &query, &read).await.is_err());
    assert_eq!(stage.calls(), 4);
}

#[tokio::test]
async fn further_calls_are_made_but_not_without_end() {
    let paged = stage(|count, _| text(if count < 4 { "more" } else { "all" }));
    assert_eq!((paged.query().await, paged.calls()), (Ok("all".into()), 4));
    let endless = stage(|_, _| text("more"));
    assert_eq!((endless.query().await, endless.calls()), (Err(Refusal::Unreadable.into()), 6));
}

/// Tokens of the test vendor: numbered, good for two hours.
struct Numbered;
static NUMBERED: Numbered = Numbered;

impl TokenStep for Numbered {
    fn fetch(&self, _: &Cx) -> Result<Call, Refusal> {
        Ok(Call::get("test.token", "https://vendor.example/token".into()))
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<Token, Refusal> {
        let text = String::from_utf8(answer.body.clone()).map_err(|_| Refusal::Unreadable)?;
        Ok(Token { text: Private::new(text), expires: cx.now + Duration::from_secs(7_200) })
    }
}

/// Gives tokens T1, T2, …; takes only the newest.
fn token_vendor() -> impl Fn(usize, &Call) -> Result<Answer, CallError> + Send + Sync + 'static {
    let given = AtomicUsize::new(0);
    move |_, call| {
        if call.operation == "test.token" {
            return text(&format!("T{}", given.fetch_add(1, SeqCst) + 1));
        }
        let good = call.url.contains(&format!("token=T{}&", given.load(SeqCst)));
        text(if good { "here" } else { "expired" })
    }
}

impl Stage {
    fn token_ask(&self) -> Exchange<'_> {
        Exchange {
            token: Some(&NUMBERED),
            ..self.ask(Limits { concurrency: 500, ..Limits::default() }, None)
        }
    }

    fn fetches(&self) -> usize {
        self.played.seen.lock().unwrap().iter().filter(|(_, url)| url.ends_with("/token")).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_fetched_once_however_many_ask() {
    let stage = stage(token_vendor());
    let ask = stage.token_ask();
    let answers = join_all((0..100).map(|_| stage.wire.exchange(&ask, &query, &read))).await;
    assert!(answers.iter().all(|answer| answer == &Ok("here".to_owned())), "{answers:?}");
    assert_eq!(stage.fetches(), 1);
    // Near its end it is renewed before it fails.
    stage.clock.advance(Duration::from_secs(7_150));
    assert_eq!(stage.wire.exchange(&ask, &query, &read).await, Ok("here".into()));
    assert_eq!(stage.fetches(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_token_is_renewed_once_for_all_who_found_out() {
    let stage = stage(token_vendor());
    let old = Token { text: Private::new("T0".into()), expires: start() + Duration::from_secs(9_000) };
    stage.ledger.put_token(&stage.account.name(), &old).await.unwrap();
    // The vendor has ended T0 early: it knows nothing but T1, once that is fetched.
    let ask = stage.token_ask();
    let _ = (stage.played.vendor)(0, &Call::get("test.token", String::new()));
    let answers = join_all((0..100).map(|_| stage.wire.exchange(&ask, &message, &read))).await;
    assert!(answers.iter().all(|answer| answer == &Ok("here".to_owned())), "{answers:?}");
    assert_eq!(stage.fetches(), 1);
    let kept = stage.ledger.token(&stage.account.name()).await.unwrap().unwrap();
    assert_eq!(kept.text.reveal(), "T2");
}

#[tokio::test]
async fn a_vendor_that_calls_every_token_expired_is_asked_twice_and_no_more() {
    let stage = stage(|_, call| text(if call.operation == "test.token" { "T" } else { "expired" }));
    let result = stage.wire.exchange(&stage.token_ask(), &query, &read).await;
    assert_eq!(result, Err(Refusal::TokenExpired.into()));
    assert_eq!((stage.calls(), stage.fetches()), (4, 2));
}

#[tokio::test]
async fn a_token_outlives_a_restart_and_an_asker_who_leaves() {
    let door = Arc::new(Notify::new());
    let stage = stage_with(Some(door.clone()), token_vendor());
    {
        let ask = stage.token_ask();
        let mut leaving = Box::pin(stage.wire.exchange(&ask, &query, &read));
        // Runs until the token's call is under way, then the asker goes away.
        while stage.fetches() == 0 {
            assert!(futures_util::FutureExt::now_or_never(&mut leaving).is_none());
            tokio::task::yield_now().await;
        }
    }
    door.notify_one();
    while stage.ledger.token(&stage.account.name()).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let restarted = Wire::new(stage.played.clone(), stage.ledger.clone(), stage.clock.clone());
    door.notify_one();
    assert_eq!(restarted.exchange(&stage.token_ask(), &query, &read).await, Ok("here".into()));
    assert_eq!(stage.fetches(), 1);
}

/// A ledger that cannot write.
struct Broken;

#[async_trait::async_trait]
impl Ledger for Broken {
    async fn reserve(&self, _: &Reservation) -> Result<Reserved, LedgerDown> {
        Err(LedgerDown("the disk is full".into()))
    }
    async fn settle(&self, _: &Reservation, _: Option<Timestamp>) -> Result<(), LedgerDown> {
        Err(LedgerDown("the disk is full".into()))
    }
    async fn token(&self, _: &str) -> Result<Option<Token>, LedgerDown> {
        Ok(None)
    }
    async fn put_token(&self, _: &str, _: &Token) -> Result<(), LedgerDown> {
        Err(LedgerDown("the disk is full".into()))
    }
    async fn note(&self, _: Note) {}
}

#[tokio::test]
async fn nothing_is_sent_on_the_word_of_a_broken_ledger_nor_with_a_token_that_is_not_kept() {
    let stage = stage(token_vendor());
    let wire = Wire::new(stage.played.clone(), Arc::new(Broken), stage.clock.clone());
    let budget = stage.ask(Limits { per_day: 9, ..Limits::default() }, None);
    assert_eq!(wire.exchange(&budget, &query, &read).await, Err(NEVER_LEFT.into()));
    assert_eq!(stage.calls(), 0);
    assert_eq!(wire.exchange(&stage.token_ask(), &query, &read).await, Err(NEVER_LEFT.into()));
    assert_eq!((stage.calls(), stage.fetches()), (1, 1));
}

/// Collects log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_name_the_operation_and_hold_no_address_no_secret_and_no_number() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let stage = stage(|count, call| match count {
        1..=5 => Err(CallError::Unknown),
        _ => text(if call.operation == "test.token" { "TOKEN-TEXT" } else { "BODY-TEXT" }),
    });
    for _ in 0..4 {
        let ask = Exchange { number: Some("zto/7312345678901"), ..stage.token_ask() };
        let _ = stage.wire.exchange(&ask, &query, &read).await;
        stage.clock.advance(Duration::from_secs(200));
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("test.query") && text.contains("kd-1") && text.contains("breaker opened"),
        "{text}"
    );
    for secret in ["TOP-SECRET-KEY", "TOKEN-TEXT", "BODY-TEXT", "vendor.example", "7312345678901"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn an_exchange_can_be_spawned() {
    let stage = stage(|_, _| text("here"));
    let (wire, account) = (stage.wire.clone(), stage.account.clone());
    let trip = tokio::spawn(async move {
        let limit = Duration::from_secs(1);
        let ask = Exchange { account: &account, limits: Limits::default(), number: None, token: None, limit };
        wire.exchange(&ask, &query, &read).await
    });
    assert_eq!(trip.await.unwrap(), Ok("here".into()));
}

#[test]
fn an_accounts_own_ceiling_only_lowers() {
    let mut account = Account::default();
    assert_eq!(Limits::default().under(&account).per_day, 0);
    account.settings.insert("per_day".into(), "50".into());
    let vendor = |per_day| Limits { per_day, ..Limits::default() }.under(&account).per_day;
    assert_eq!((vendor(0), vendor(20), vendor(100)), (50, 20, 50));
}
