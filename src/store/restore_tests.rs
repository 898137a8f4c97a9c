//! Backup and restore together: what comes back, and what is refused.

use super::super::backup::{backup, backup_to_file};
use super::super::contract::{Fresh, memory, sled};
use super::super::{begin, prefix_end};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn vault() -> Vault {
    Vault::from_key([7; 32])
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

async fn put(store: &dyn Store, rows: impl IntoIterator<Item = (String, String)>) {
    for (key, value) in rows {
        let mut batch = Batch::default();
        batch.put(key, value);
        assert_eq!(store.commit(batch).await, Ok(Committed::Done));
    }
}

fn numbered(count: usize) -> impl Iterator<Item = (String, String)> {
    (0..count).map(|number| (format!("o/{number:04}"), format!("order {number}")))
}

async fn everything(store: &dyn Store) -> Vec<crate::store::Row> {
    store.scan(b"", &END_OF_KEYS, usize::MAX).await.unwrap()
}

async fn backed_up(store: &dyn Store) -> Vec<u8> {
    let mut file = Vec::new();
    let summary = backup(store, &mut file, now()).await.unwrap();
    assert_eq!(summary.bytes, file.len() as u64);
    assert_eq!(verify(&mut Cursor::new(&file), &vault()).unwrap(), summary);
    file
}

async fn filled(fresh: Fresh, rows: usize) -> Fresh {
    begin(&*fresh.store, &vault()).await.unwrap();
    put(&*fresh.store, numbered(rows)).await;
    fresh
}

#[tokio::test]
async fn all_rows_come_back_into_another_kind_of_store_and_no_others_stay() {
    let old = filled(memory(), 1_000).await;
    let file = backed_up(&*old.store).await;
    for new in [sled(), memory()] {
        let new = filled(new, 300).await;
        put(&*new.store, [("z/other".into(), "gone after it".into())]).await;
        restore(&mut Cursor::new(&file), &*new.store, &vault(), &[]).await.unwrap();
        assert_eq!(everything(&*new.store).await, everything(&*old.store).await);
        begin(&*new.store, &vault()).await.unwrap();
        assert_eq!(backed_up(&*new.store).await, file, "the same records give the same file");
    }
    let back = sled();
    restore(&mut Cursor::new(&file), &*back.store, &vault(), &[]).await.unwrap();
    assert_eq!(everything(&*back.store).await, everything(&*old.store).await, "also into an empty store");
}

#[tokio::test]
async fn a_file_cut_anywhere_or_bent_anywhere_changes_nothing() {
    let file = backed_up(&*filled(memory(), 5).await.store).await;
    let target = filled(memory(), 2).await;
    let before = everything(&*target.store).await;
    for length in 0..file.len() {
        let refused = restore(&mut Cursor::new(&file[..length]), &*target.store, &vault(), &[]).await;
        assert!(matches!(refused, Err(BackupError::Damaged(_))), "cut at {length}: {refused:?}");
    }
    for at in 0..file.len() {
        for bit in [1, 0x80] {
            let mut bent = file.clone();
            bent[at] ^= bit;
            let refused = restore(&mut Cursor::new(bent), &*target.store, &vault(), &[]).await;
            let changed_nothing = matches!(
                refused,
                Err(BackupError::Damaged(_)
                    | BackupError::Key(_)
                    | BackupError::Store(_)
                    | BackupError::File(_))
            );
            assert!(changed_nothing, "bent at {at}: {refused:?}");
        }
    }
    let longer = [file.as_slice(), b"x"].concat();
    let refused = restore(&mut Cursor::new(longer), &*target.store, &vault(), &[]).await;
    assert!(matches!(refused, Err(BackupError::Damaged(_))));
    assert_eq!(everything(&*target.store).await, before);
}

#[tokio::test]
async fn another_key_or_a_newer_version_is_named_before_anything_changes() {
    let mut file = backed_up(&*filled(memory(), 5).await.store).await;
    let target = memory();
    let wrong = restore(&mut Cursor::new(&file), &*target.store, &Vault::from_key([8; 32]), &[]).await;
    assert!(wrong.unwrap_err().to_string().contains("does not belong to this key"));
    file[12] = 9;
    let newer = verify(&mut Cursor::new(&file), &vault()).unwrap_err().to_string();
    assert!(newer.contains("newer Yishi"), "{newer}");
    file[8] = 2;
    let newer = verify(&mut Cursor::new(&file), &vault()).unwrap_err().to_string();
    assert!(newer.contains("file version is 2"), "{newer}");
    assert_eq!(everything(&*target.store).await, []);
}

#[tokio::test]
async fn erasures_after_the_backup_are_kept() {
    let store = filled(memory(), 3).await.store;
    put(&*store, [("erased/old".into(), "in the backup".into())]).await;
    let file = backed_up(&*store).await;
    put(&*store, [("erased/old".into(), "newer".into()), ("erased/new".into(), "later".into())]).await;
    restore(&mut Cursor::new(&file), &*store, &vault(), &[b"erased/"]).await.unwrap();
    let rows = store.scan(b"erased/", &prefix_end(b"erased/"), 9).await.unwrap();
    assert_eq!(rows, [(b"erased/new".to_vec(), "later".into()), (b"erased/old".to_vec(), "newer".into())]);
    assert_eq!(store.scan(b"o/", &prefix_end(b"o/"), 9).await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_interrupted_restore_is_noticed_and_can_be_done_again() {
    let file = backed_up(&*filled(memory(), 500).await.store).await;
    let store = filled(memory(), 10).await.store;
    // A crash in the middle: the mark is set, and only some rows are there.
    put(&*store, [(String::from_utf8(RESTORING_KEY.to_vec()).unwrap(), "restoring".into())]).await;
    let refused = begin(&*store, &vault()).await.unwrap_err().to_string();
    assert!(refused.contains("restore the backup again"), "{refused}");
    restore(&mut Cursor::new(&file), &*store, &vault(), &[]).await.unwrap();
    begin(&*store, &vault()).await.unwrap();
    assert_eq!(store.scan(b"o/", &prefix_end(b"o/"), 999).await.unwrap().len(), 500);
}

#[tokio::test]
async fn a_store_without_beginning_is_not_backed_up() {
    let store = memory().store;
    put(&*store, numbered(3)).await;
    assert!(matches!(backup(&*store, &mut Vec::new(), now()).await, Err(BackupError::Store(_))));
}

/// While two rows are moved about together, always in one batch, a backup shows them together, and as they were at
/// one moment.
async fn a_backup_under_load_is_of_one_moment(fresh: Fresh) {
    let Fresh { store, .. } = &fresh;
    begin(&**store, &vault()).await.unwrap();
    put(&**store, numbered(1_500)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Arc::new(tokio::sync::Barrier::new(5));
    let writers: Vec<_> = (0..4_usize)
        .map(|writer| {
            let (store, stop, begun) = (Arc::clone(store), Arc::clone(&stop), Arc::clone(&begun));
            tokio::spawn(async move {
                let mut round = 0_usize;
                while !stop.load(Ordering::Acquire) {
                    round += 1;
                    // A step of the count at one end of the keys, one at the other, a row that comes and one that goes.
                    let mut batch = Batch::default();
                    batch
                        .put(format!("a/{writer}"), round.to_string())
                        .put(format!("z/{writer}"), round.to_string());
                    batch.put(format!("m/{writer}/{}", round % 50), round.to_string());
                    batch.delete(format!("m/{writer}/{}", (round + 25) % 50));
                    assert_eq!(store.commit(batch).await, Ok(Committed::Done));
                    if round == 60 {
                        begun.wait().await;
                    }
                    // The memory store never waits, so its writers would never let go.
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    begun.wait().await;
    let mut files = Vec::new();
    for _ in 0..5 {
        files.push(backed_up(&**store).await);
    }
    stop.store(true, Ordering::Release);
    for writer in futures_util::future::join_all(writers).await {
        writer.unwrap();
    }
    for file in files {
        let back = memory().store;
        restore(&mut Cursor::new(&file), &*back, &vault(), &[]).await.unwrap();
        let rows: BTreeMap<String, String> = everything(&*back)
            .await
            .into_iter()
            .map(|(key, value)| {
                (String::from_utf8(key).unwrap(), String::from_utf8_lossy(&value).into_owned())
            })
            .collect();
        assert_eq!(rows.keys().filter(|key| key.starts_with("o/")).count(), 1_500);
        for writer in 0..4 {
            let round = rows.get(&format!("a/{writer}"));
            assert_eq!(
                round,
                rows.get(&format!("z/{writer}")),
                "writer {writer}: a batch is there whole or not"
            );
            let round = round.unwrap().parse::<usize>().unwrap();
            let expected: Vec<_> = (round.saturating_sub(24).max(1)..=round).collect();
            let prefix = format!("m/{writer}/");
            let mut found: Vec<usize> = rows
                .iter()
                .filter(|(key, _)| key.starts_with(&prefix))
                .map(|(_, round)| round.parse().unwrap())
                .collect();
            found.sort_unstable();
            assert_eq!(found, expected, "writer {writer}: exactly the rows of that moment");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_memory_under_load_is_of_one_moment() {
    a_backup_under_load_is_of_one_moment(memory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_sled_under_load_is_of_one_moment() {
    a_backup_under_load_is_of_one_moment(sled()).await;
}

#[tokio::test]
async fn a_backup_file_is_private_and_appears_whole() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yishi.backup");
    let store = filled(memory(), 10).await.store;
    let summary = backup_to_file(&*store, &path, now()).await.unwrap();
    assert_eq!(summary, Summary { entries: 12, bytes: std::fs::metadata(&path).unwrap().len(), time: now() });
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    store.close().await;
    assert!(backup_to_file(&*store, &path, now()).await.is_err());
    assert!(
        verify(&mut std::fs::File::open(&path).unwrap(), &vault()).is_ok(),
        "the earlier one is still there"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "and no draft");
}

proptest! {
    #[test]
    fn outside_bytes_are_refused_without_panic(bytes: Vec<u8>, after in 0..40_usize) {
        prop_assert!(verify(&mut Cursor::new(&bytes), &vault()).is_err());
        let header = [MAGIC.as_slice(), &[FILE_VERSION], &[0; 30]].concat();
        let with_header = [&header[..after.min(header.len())], &bytes].concat();
        prop_assert!(verify(&mut Cursor::new(&with_header), &vault()).is_err());
    }
}
