//! A large schedule on sled: how long it takes to pick 1,000 parcels that are due, what one check costs (an empty
//! answer kept, the next check planned, durable), and the memory of it all.
//! `cargo bench --bench schedule -- 1000000` (10,000 parcels without a number; a second number is the store's cache in MB).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Instant;
use yishi::model::Parcel;
use yishi::store::records::Records;
use yishi::store::sled::{Durability, SledOptions, SledStore};
use yishi::store::{Batch, Store};
use yishi::vault::Vault;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PICKED: usize = 1_000;

fn main() {
    let mut numbers = std::env::args().filter_map(|text| text.parse::<usize>().ok());
    let (count, cache_mb) = (numbers.next().unwrap_or(10_000), numbers.next());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(count, cache_mb));
}

async fn run(count: usize, cache_mb: Option<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SledOptions {
        durability: Durability::Process,
        min_free_disk: 0,
        ..SledOptions::at(folder.path().join("store"))
    };
    if let Some(cache_mb) = cache_mb {
        options.cache_bytes = (cache_mb as u64) << 20;
    }
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&options).unwrap());
    let records = Records::new(store.clone(), Arc::new(Vault::from_key([7; 32])));
    let now: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
    let started = Instant::now();
    for chunk in (0..count).collect::<Vec<_>>().chunks(4_096) {
        let writes = chunk.iter().map(|at| write(&records, *at, now));
        futures_util::future::join_all(writes).await;
    }
    println!("{count} parcels written in {:.1} s", started.elapsed().as_secs_f64());
    let mut picks: Vec<f64> = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let due = records.due_checks("shop", now, PICKED).await.unwrap();
        picks.push(started.elapsed().as_secs_f64() * 1e3);
        assert_eq!(due.len(), PICKED.min(count / 10));
    }
    picks.sort_by(f64::total_cmp);
    println!("picking {PICKED} due parcels: {:.2} ms", picks[2]);
    let due = records.due_checks("shop", now, PICKED).await.unwrap();
    let started = Instant::now();
    for chunk in due.chunks(64) {
        let checks = chunk.iter().map(|due| async {
            let read = records.parcel(&due.shop, &due.carrier, &due.number).await.unwrap();
            let mut parcel = read.value.clone().unwrap();
            parcel.last_checked = Some(now);
            parcel.checks += 1;
            parcel.next_check = Some(now + SignedDuration::from_hours(2));
            let mut batch = Batch::default();
            records.put_parcel(&mut batch, &due.shop, &read, &parcel).unwrap();
            let _ = records.store().commit(batch).await.unwrap();
        });
        futures_util::future::join_all(checks).await;
    }
    println!("one check, kept: {:.0} µs", started.elapsed().as_secs_f64() * 1e6 / due.len() as f64);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    println!("memory: {}", resident.trim_start_matches("VmRSS:").trim());
    store.close().await;
}

/// One in ten is due, the others later.
async fn write(records: &Records, at: usize, now: Timestamp) {
    let wait = if at.is_multiple_of(10) { -60 } else { 60 + (at % 7_200) as i64 };
    let parcel = Parcel {
        carrier: "yto".into(),
        number: format!("YT88{at:011}"),
        orders: vec![format!("A{at}")],
        next_check: Some(now + SignedDuration::from_secs(wait)),
        first_seen: Some(now),
        ..Parcel::default()
    };
    let read = records.parcel("shop", &parcel.carrier, &parcel.number).await.unwrap();
    let mut batch = Batch::default();
    records.put_parcel(&mut batch, "shop", &read, &parcel).unwrap();
    let _ = records.store().commit(batch).await.unwrap();
}
