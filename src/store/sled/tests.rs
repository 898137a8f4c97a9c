//! What only a store on disk can do wrong: lose acknowledged rows when it is killed, open damaged files, hide why it
//! does not open.

use super::*;
use crate::store::{MAX_VALUE_BYTES, prefix_end};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

fn options(folder: &Path) -> SledOptions {
    SledOptions { min_free_disk: 0, ..SledOptions::at(folder.join("store")) }
}

async fn put(store: &SledStore, key: &str, value: impl Into<Bytes>) -> Result<Committed, StoreError> {
    let mut batch = Batch::default();
    batch.put(key, value);
    store.commit(batch).await
}

fn refusal(folder: &Path) -> String {
    match SledStore::open(&options(folder)) {
        Err(StoreError::Unusable(why)) => why,
        other => panic!("opened or failed otherwise: {other:?}"),
    }
}

#[tokio::test]
async fn rows_are_there_after_closing_and_after_dropping() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3_u8 {
        let store = SledStore::open(&options(folder.path())).unwrap();
        assert_eq!(store.scan(b"", &[0xff], 9).await.unwrap().len(), usize::from(round));
        assert_eq!(put(&store, &round.to_string(), "v").await, Ok(Committed::Done));
        if round == 0 {
            store.close().await;
        }
    }
}

#[tokio::test]
async fn commits_that_were_queued_before_closing_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SledStore::open(&options(folder.path())).unwrap());
    let keys: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    let commits = futures_util::future::join_all(keys.iter().map(|key| put(&store, key, "v")));
    let (answers, ()) = tokio::join!(commits, store.close());
    assert!(answers.iter().all(|answer| *answer == Ok(Committed::Done)), "{answers:?}");
    let store = SledStore::open(&options(folder.path())).unwrap();
    assert_eq!(store.scan(b"", &[0xff], 99).await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_second_process_is_told_about_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&options(folder.path())).unwrap();
    assert!(refusal(folder.path()).contains("in use by another process"));
    store.close().await;
    assert!(SledStore::open(&options(folder.path())).is_ok());
}

#[tokio::test]
async fn a_start_that_was_killed_while_opening_does_not_stop_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&options(folder.path())).unwrap();
    assert_eq!(put(&store, "a", "1").await, Ok(Committed::Done));
    drop(store);
    std::fs::write(folder.path().join("store/snap.FFFFFFFFFFFFFFFF.generating"), b"half").unwrap();
    let store = SledStore::open(&options(folder.path())).unwrap();
    assert_eq!(store.get(b"a").await.unwrap().unwrap(), "1");
}

#[tokio::test]
async fn a_damaged_store_names_the_remedy_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&options(folder.path())).unwrap();
    assert_eq!(put(&store, "a", "1").await, Ok(Committed::Done));
    drop(store);
    drop(SledStore::open(&options(folder.path())).unwrap());
    let snapshot = std::fs::read_dir(folder.path().join("store")).unwrap();
    let snapshot = snapshot.map(|entry| entry.unwrap().path());
    let snapshot = snapshot.filter(|path| path.to_string_lossy().contains("snap.")).next().unwrap();
    let mut bytes = std::fs::read(&snapshot).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&snapshot, &bytes).unwrap();
    assert!(refusal(folder.path()).contains("restore the newest backup"));
    assert_eq!(std::fs::read(&snapshot).unwrap(), bytes);
}

#[test]
fn a_path_that_cannot_be_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("store"), b"a file").unwrap();
    assert!(refusal(folder.path()).contains("/store"));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_but_not_reads_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&options(folder.path())).unwrap();
    assert_eq!(put(&store, "a", "1").await, Ok(Committed::Done));
    drop(store);
    let full = SledOptions { min_free_disk: u64::MAX, ..options(folder.path()) };
    let store = SledStore::open(&full).unwrap();
    assert_eq!(store.health(), Err(StoreError::DiskFull));
    assert_eq!(put(&store, "b", "1").await, Err(StoreError::DiskFull));
    assert_eq!(store.get(b"b").await, Ok(None));
    assert_eq!(store.get(b"a").await.unwrap().unwrap(), "1");
    let mut delete = Batch::default();
    delete.delete("a");
    assert_eq!(store.commit(delete).await, Ok(Committed::Done));
}

#[tokio::test]
async fn the_largest_values_side_by_side_make_no_blob_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&options(folder.path())).unwrap();
    for round in 0..3_u8 {
        for chunk in (0..200_u32).collect::<Vec<_>>().chunks(20) {
            let mut batch = Batch::default();
            for number in chunk {
                batch.put(number.to_be_bytes(), vec![round; MAX_VALUE_BYTES]);
            }
            assert_eq!(store.commit(batch).await, Ok(Committed::Done));
        }
    }
    assert_eq!(std::fs::read_dir(folder.path().join("store/blobs")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_failure_is_final_and_told_by_health() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(&options(folder.path())).unwrap();
    store.shared.broke(&"input/output error");
    let told = store.health().unwrap_err();
    assert!(told.to_string().contains("input/output error"));
    assert_eq!(put(&store, "a", "1").await, Err(told));
}

const CHILD: &str = "YISHI_TEST_CHILD_STORE";
const TASKS: usize = 8;

/// Not a test by itself: the process that [`nothing_acknowledged_is_lost_when_killed`] kills.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(SledStore::open(&options(Path::new(&folder))).unwrap());
        let tasks = (0..TASKS).map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let head = format!("head/{task}");
                loop {
                    let read = store.get(head.as_bytes()).await.unwrap();
                    let number = read.as_ref().map_or(0, |digits| parse(digits)) + 1;
                    let mut batch = Batch::default();
                    batch.expect(head.clone(), read).put(head.clone(), number.to_string());
                    batch.put(format!("one/{task}/{number:08}"), vec![b'x'; 600]);
                    batch.put(format!("two/{task}/{number:08}"), vec![b'x'; 300]);
                    assert_eq!(store.commit(batch).await, Ok(Committed::Done));
                    writeln!(std::io::stdout().lock(), "acknowledged {task} {number}").unwrap();
                }
            })
        });
        futures_util::future::join_all(tasks).await;
    });
}

fn parse(digits: &[u8]) -> u64 {
    std::str::from_utf8(digits).unwrap().parse().unwrap()
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<usize, u64> = BTreeMap::new();
    for round in 0..10_u32 {
        // Sometimes at once (while it opens), else in the middle of its work.
        let lines = if round % 4 == 3 { 0 } else { 200 + rand::random_range(0..1_500) };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::sled::tests::child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = Vec::new();
        // The harness says a line of its own before; nothing else ends this loop but the child's end.
        heard.push(told.next().unwrap().unwrap());
        heard.extend(told.by_ref().take(lines).map(Result::unwrap));
        child.kill().unwrap();
        heard.extend(told.map_while(Result::ok));
        child.wait().unwrap();
        for line in &heard {
            let words: Vec<_> = line.split(' ').collect();
            if let ["acknowledged", task, number] = words[..] {
                let (task, number) = (task.parse().unwrap(), number.parse().unwrap_or(0));
                let highest = acknowledged.entry(task).or_default();
                *highest = number.max(*highest);
            }
        }
        let store = SledStore::open(&options(folder.path())).unwrap();
        for task in 0..TASKS {
            let head = store.get(format!("head/{task}").as_bytes()).await.unwrap();
            let head = head.map_or(0, |digits| parse(&digits));
            let acknowledged = acknowledged.get(&task).copied().unwrap_or(0);
            assert!(head >= acknowledged, "task {task} was told {acknowledged}, the store has {head}");
            for half in ["one", "two"] {
                let prefix = format!("{half}/{task}/").into_bytes();
                let rows = store.scan(&prefix, &prefix_end(&prefix), usize::MAX).await.unwrap();
                let numbers: Vec<_> = rows.iter().map(|(key, _)| parse(&key[prefix.len()..])).collect();
                assert_eq!(numbers, (1..=head).collect::<Vec<_>>(), "batches are whole and in order");
            }
        }
        store.close().await;
    }
    assert!(acknowledged.values().sum::<u64>() > 1_000, "the children did some work: {acknowledged:?}");
}
