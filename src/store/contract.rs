//! The contract of a store as tests, the same for every store: one line at the end of this file adds another.
//! Must never test what only one store can do (that stands beside it).

use super::memory::MemoryStore;
use super::sled::{Durability, SledOptions, SledStore};
use super::*;
use proptest::prelude::*;
use std::sync::Arc;

/// An empty store and what has to live as long.
pub(super) struct Fresh {
    pub(super) store: Arc<dyn Store>,
    _folder: Option<tempfile::TempDir>,
}

fn memory() -> Fresh {
    Fresh { store: Arc::new(MemoryStore::default()), _folder: None }
}

fn sled() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let options = SledOptions {
        min_free_disk: 0,
        durability: Durability::Process,
        ..SledOptions::at(folder.path().join("store"))
    };
    Fresh { store: Arc::new(SledStore::open(&options).unwrap()), _folder: Some(folder) }
}

async fn put(store: &dyn Store, key: &str, value: &str) {
    let mut batch = Batch::default();
    batch.put(key, value.to_owned());
    assert_eq!(store.commit(batch).await, Ok(Committed::Done));
}

fn text(rows: Vec<Row>) -> String {
    let show =
        |(key, value): &Row| format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value));
    rows.iter().map(show).collect::<Vec<_>>().join(" ")
}

async fn keeps_what_was_put(store: Arc<dyn Store>) {
    assert_eq!(store.get(b"a").await.unwrap(), None);
    put(&*store, "a", "1").await;
    assert_eq!(store.get(b"a").await.unwrap().unwrap(), "1");
    put(&*store, "a", "").await;
    assert_eq!(store.get(b"a").await.unwrap().unwrap(), "", "an empty value is a value");
    let mut batch = Batch::default();
    batch.delete("a").delete("never there");
    assert_eq!(store.commit(batch).await, Ok(Committed::Done));
    assert_eq!(store.get(b"a").await.unwrap(), None);
}

async fn scans_in_key_order_both_ways(store: Arc<dyn Store>) {
    for key in ["o/2", "o/10", "o/1", "p/1", "o", "n/9"] {
        put(&*store, key, "v").await;
    }
    let end = prefix_end(b"o/");
    assert_eq!(text(store.scan(b"o/", &end, 9).await.unwrap()), "o/1=v o/10=v o/2=v");
    assert_eq!(text(store.scan_back(b"o/", &end, 2).await.unwrap()), "o/2=v o/10=v");
    assert_eq!(text(store.scan(b"o/1", b"o/2", 9).await.unwrap()), "o/1=v o/10=v", "the end is not included");
    assert_eq!(text(store.scan_back(b"o/1", b"o/2", 9).await.unwrap()), "o/10=v o/1=v");
    assert_eq!(text(store.scan(b"o/", &end, 0).await.unwrap()), "");
    assert_eq!(text(store.scan(b"p", b"o", 9).await.unwrap()), "", "a range turned round is empty");
    assert_eq!(text(store.scan_back(b"p", b"o", 9).await.unwrap()), "");
    assert_eq!(store.scan(b"", &[0xff], 99).await.unwrap().len(), 6);
}

async fn long_scans_are_whole(store: Arc<dyn Store>) {
    for chunk in (0..1_000_u32).collect::<Vec<_>>().chunks(MAX_KEYS) {
        let mut batch = Batch::default();
        for number in chunk {
            batch.put(number.to_be_bytes(), vec![7; 500]);
        }
        assert_eq!(store.commit(batch).await, Ok(Committed::Done));
    }
    let forward = store.scan(b"", &[0xff], 5_000).await.unwrap();
    assert_eq!(forward.len(), 1_000);
    let mut back = store.scan_back(b"", &[0xff], 5_000).await.unwrap();
    back.reverse();
    assert_eq!(forward, back);
}

async fn a_batch_is_lost_whole_when_anything_read_has_changed(store: Arc<dyn Store>) {
    put(&*store, "a", "1").await;
    let mut wrong = Batch::default();
    wrong.expect("a", Some("1".into())).expect("b", Some("x".into())).put("a", "2").put("c", "3");
    assert_eq!(store.commit(wrong).await, Ok(Committed::Lost));
    assert_eq!(text(store.scan(b"", &[0xff], 9).await.unwrap()), "a=1", "nothing of it was written");
    let mut right = Batch::default();
    right.expect("a", Some("1".into())).expect("b", None).put("a", "2").put("b", "3");
    assert_eq!(store.commit(right.clone()).await, Ok(Committed::Done));
    assert_eq!(store.commit(right).await, Ok(Committed::Lost), "the same again is too late");
    let mut gone = Batch::default();
    gone.expect("b", Some("3".into())).delete("b");
    assert_eq!(store.commit(gone.clone()).await, Ok(Committed::Done));
    assert_eq!(store.commit(gone).await, Ok(Committed::Lost));
    let mut only_asks = Batch::default();
    only_asks.expect("a", Some("2".into()));
    assert_eq!(store.commit(only_asks).await, Ok(Committed::Done));
}

async fn the_last_write_to_a_key_in_a_batch_counts(store: Arc<dyn Store>) {
    let mut batch = Batch::default();
    batch.put("a", "1").delete("a").put("a", "2").put("b", "1").delete("b");
    assert_eq!(store.commit(batch).await, Ok(Committed::Done));
    assert_eq!(text(store.scan(b"", &[0xff], 9).await.unwrap()), "a=2");
}

async fn no_update_is_lost_between_many_writers(store: Arc<dyn Store>) {
    const TASKS: usize = 16;
    const EACH: usize = 20;
    let tasks = (0..TASKS).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            // Two counters that must stay equal: shared by all, so that nearly every round meets another writer.
            for round in 0..EACH {
                loop {
                    let one = store.get(b"one").await.unwrap();
                    let two = store.get(b"two").await.unwrap();
                    let count = |value: &Option<Bytes>| -> u64 {
                        value
                            .as_ref()
                            .map_or(0, |digits| std::str::from_utf8(digits).unwrap().parse().unwrap())
                    };
                    let (next_one, next_two) = (count(&one) + 1, count(&two) + 1);
                    let mut batch = Batch::default();
                    batch.expect("one", one).expect("two", two);
                    batch.put("one", next_one.to_string()).put("two", next_two.to_string());
                    batch.put(format!("log/{task}/{round}"), "done");
                    if store.commit(batch).await.unwrap() == Committed::Done {
                        break;
                    }
                }
            }
        })
    });
    for task in futures_util::future::join_all(tasks).await {
        task.unwrap();
    }
    let total = (TASKS * EACH).to_string();
    assert_eq!(store.get(b"one").await.unwrap().unwrap(), total);
    assert_eq!(store.get(b"two").await.unwrap().unwrap(), total);
    assert_eq!(store.scan(b"log/", &prefix_end(b"log/"), 9_999).await.unwrap().len(), TASKS * EACH);
}

async fn a_batch_over_the_limits_is_refused_whole(store: Arc<dyn Store>) {
    let mut many = Batch::default();
    (0..=MAX_KEYS).for_each(|number| {
        many.put(format!("k{number}"), "v");
    });
    assert!(matches!(store.commit(many).await, Err(StoreError::TooLarge { keys: 41, .. })));
    let mut long = Batch::default();
    long.put("a", "v").put("b", vec![0; MAX_VALUE_BYTES + 1]);
    assert!(matches!(store.commit(long).await, Err(StoreError::TooLarge { .. })));
    let mut wide = Batch::default();
    wide.put("a", "v").put(vec![1; MAX_KEY_BYTES + 1], "v");
    assert!(matches!(store.commit(wide).await, Err(StoreError::TooLarge { .. })));
    assert_eq!(text(store.scan(b"", &[0xff], 9).await.unwrap()), "");
}

async fn a_closed_store_says_so(store: Arc<dyn Store>) {
    put(&*store, "a", "1").await;
    assert_eq!(store.health(), Ok(()));
    store.close().await;
    store.close().await;
    assert_eq!(store.get(b"a").await, Err(StoreError::Closed));
    assert_eq!(store.scan(b"", &[0xff], 1).await, Err(StoreError::Closed));
    assert_eq!(store.scan_back(b"", &[0xff], 1).await, Err(StoreError::Closed));
    assert_eq!(store.commit(Batch::default()).await, Err(StoreError::Closed));
    assert_eq!(store.health(), Err(StoreError::Closed));
}

/// One step of a random life: a batch (few keys, so that they meet), or a scan.
#[derive(Debug, Clone)]
enum Step {
    Commit { expects: Vec<(u8, Option<u8>)>, writes: Vec<(u8, Option<u8>)> },
    Scan { from: u8, to: u8, limit: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::option::of(0..3_u8);
    prop_oneof![
        4 => (prop::collection::vec((0..24_u8, value()), 0..2), prop::collection::vec((0..24_u8, value()), 0..12))
            .prop_map(|(expects, writes)| Step::Commit { expects, writes }),
        1 => (0..26_u8, 0..26_u8, 0..30_usize).prop_map(|(from, to, limit)| Step::Scan { from, to, limit }),
    ]
}

/// Keys of different lengths, some the prefix of others, some with 0x00 and 0xff.
fn key(number: u8) -> Vec<u8> {
    match number % 4 {
        0 => vec![number],
        1 => vec![number - 1, 0],
        2 => vec![number - 2, 0xff],
        _ => [b"long/".as_slice(), &[number], &[0xff; 40]].concat(),
    }
}

/// Large enough that leaves split and pages leave the cache.
fn value(kind: u8) -> Bytes {
    Bytes::from(vec![kind; 200 * usize::from(kind)])
}

/// The same steps leave the same rows and answers as in the simplest store there is.
async fn behaves_like_memory(store: &dyn Store, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let model = MemoryStore::default();
    for step in steps {
        match step {
            Step::Commit { expects, writes } => {
                let rows = |from: Vec<(u8, Option<u8>)>| {
                    from.into_iter().map(|(number, kind)| (key(number), kind.map(value))).collect::<Vec<_>>()
                };
                let batch = Batch { expects: rows(expects), writes: rows(writes) };
                prop_assert_eq!(store.commit(batch.clone()).await, model.commit(batch).await);
            }
            Step::Scan { from, to, limit } => {
                let (from, to) = (key(from), key(to));
                prop_assert_eq!(store.scan(&from, &to, limit).await, model.scan(&from, &to, limit).await);
                prop_assert_eq!(
                    store.scan_back(&from, &to, limit).await,
                    model.scan_back(&from, &to, limit).await
                );
            }
        }
    }
    let all = model.scan(&[], &[0xff; 300], 999).await;
    prop_assert_eq!(store.scan(&[], &[0xff; 300], 999).await, all.clone());
    for (key, value) in all.unwrap_or_default() {
        prop_assert_eq!(store.get(&key).await, Ok(Some(value)));
    }
    Ok(())
}

macro_rules! contract {
    ($store:ident: $($test:ident)*) => {
        mod $store {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let fresh = super::$store();
                    super::$test(fresh.store).await;
                }
            )*

            #[test]
            fn random_lives_are_like_memory() {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                let lives = prop::collection::vec(step(), 1..120);
                proptest!(ProptestConfig::with_cases(24), |(steps in lives)| {
                    let fresh = super::$store();
                    runtime.block_on(behaves_like_memory(&*fresh.store, steps))?;
                });
            }
        }
    };
    ($($store:ident)*) => { $(contract! { $store:
        keeps_what_was_put
        scans_in_key_order_both_ways
        long_scans_are_whole
        a_batch_is_lost_whole_when_anything_read_has_changed
        the_last_write_to_a_key_in_a_batch_counts
        no_update_is_lost_between_many_writers
        a_batch_over_the_limits_is_refused_whole
        a_closed_store_says_so
    })* };
}

contract! { memory sled }
