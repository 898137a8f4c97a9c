//! What the store and the vault cost: `cargo bench --bench store [-- ORDERS FOLDER]` (100,000 orders by default, in a
//! new folder below the system's temporary one; a real disk tells more than a memory disk).
//!
//! Prints commits per second and CPU per key with 64 buyers at once, the speed of an import, then from a fresh
//! process the time to reopen, and the memory at rest.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yishi::store::backup::backup_to_file;
use yishi::store::restore::{restore, verify};
use yishi::store::sled::{Durability, SledOptions, SledStore};
use yishi::store::{Batch, Committed, Store, begin};
use yishi::vault::Vault;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MEASURED: Duration = Duration::from_secs(3);
/// The rows of one order: the order, its parcel, the buyer's binding, two indexes.
const SIZES: [usize; 5] = [900, 900, 600, 300, 300];

fn main() -> anyhow::Result<()> {
    // As the server does: mimalloc asks for huge pages, which turn 9 MB in use into 43 MB resident.
    rustix::thread::disable_transparent_huge_pages(true)?;
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["reopen", orders, folder] => runtime.block_on(reopen(orders.parse()?, Path::new(folder))),
        [orders, folder] => runtime.block_on(everything(orders.parse()?, folder.into())),
        [orders] => runtime.block_on(everything(orders.parse()?, temporary())),
        _ => runtime.block_on(everything(100_000, temporary())),
    }
}

fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("yishi-bench-{}", std::process::id()))
}

fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

async fn everything(orders: usize, folder: PathBuf) -> anyhow::Result<()> {
    vault();
    let runs = [
        (1, Durability::Power, 0),
        (64, Durability::Power, 0),
        (64, Durability::Process, 0),
        (64, Durability::Power, 100),
    ];
    for (buyers, durability, other) in runs {
        let folder = folder.join("turns");
        let options = SledOptions { durability, ..SledOptions::at(&folder) };
        say(format_args!(
            "{buyers} buyers, durability {durability:?}, a turn: one read, {other} µs of other work, 2 keys of 600 B:"
        ));
        turns(buyers, other, Arc::new(SledStore::open(&options)?)).await?;
        say(format_args!("  {} MB on disk", on_disk(&folder)));
        std::fs::remove_dir_all(&folder)?;
    }
    import(orders, &folder).await?;
    for _ in 0..2 {
        let this = std::env::current_exe()?;
        std::process::Command::new(this)
            .args(["reopen", &orders.to_string()])
            .arg(folder.join("orders"))
            .status()?;
    }
    take_back(orders, &folder).await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn vault() {
    let vault = Vault::from_key([1; 32]);
    let plain = vec![b'x'; 1024];
    let sealed = vault.seal(b"row", &plain);
    time("vault: seal 1 KiB", || vault.seal(b"row", &plain));
    time("vault: open 1 KiB", || vault.open(b"row", &sealed));
    time("vault: index", || vault.index("shop", "phone", "13800000000"));
    time("vault: sign", || vault.sign("session", b"shop/buyer/1700000000"));
}

fn time<T>(name: &str, mut work: impl FnMut() -> T) {
    const TIMES: u32 = 100_000;
    let started = Instant::now();
    for _ in 0..TIMES {
        std::hint::black_box(work());
    }
    say(format_args!("{name}: {:.2} µs", started.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)));
}

/// Buyers ask again and again: each turn reads its dialog and commits two keys.
async fn turns(buyers: usize, other: u64, store: Arc<SledStore>) -> anyhow::Result<()> {
    let (started, cpu) = (Instant::now(), cpu());
    let tasks = (0..buyers).map(|buyer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            let mut number = 0_u64;
            while started.elapsed() < MEASURED {
                number += 1;
                let asked = Instant::now();
                work(other);
                // A buyer of many: dialogs are spread as they are in a shop.
                let dialog = key(b"d", (number as usize * buyers + buyer) % 5_000);
                let read = store.get(&dialog).await?;
                let mut batch = Batch::default();
                batch.expect(dialog.clone(), read).put(dialog, filled(number, 600));
                batch.put(key(b"i", number as usize * buyers + buyer), filled(number, 600));
                anyhow::ensure!(store.commit(batch).await? == Committed::Done);
                taken.push(asked.elapsed());
            }
            anyhow::Ok(taken)
        })
    });
    let mut taken = Vec::new();
    for buyer in futures_util::future::join_all(tasks).await {
        taken.extend(buyer??);
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), self::cpu() - cpu);
    taken.sort_unstable();
    let commits = taken.len() as f64;
    say(format_args!(
        "  {:.0} commits/s, p50 {:?}, p99 {:?}, {:.1} µs CPU a turn ({:.0} % of a CPU)",
        commits / seconds,
        taken[taken.len() / 2],
        taken[taken.len() * 99 / 100],
        cpu * 1e6 / commits,
        cpu / seconds * 100.0
    ));
    store.close().await;
    Ok(())
}

/// Keeps a CPU busy for about so many microseconds, as the rest of a turn does.
fn work(microseconds: u64) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_micros(microseconds) {
        std::hint::spin_loop();
    }
}

async fn import(orders: usize, folder: &Path) -> anyhow::Result<()> {
    let store = Arc::new(SledStore::open(&SledOptions::at(folder.join("orders")))?);
    begin(&*store, &Vault::from_key([1; 32])).await?;
    let (started, cpu) = (Instant::now(), cpu());
    let lanes = (0..8).map(|lane| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for first in (lane * 8..orders).step_by(8 * 8) {
                let mut batch = Batch::default();
                for order in first..(first + 8).min(orders) {
                    for (part, size) in SIZES.iter().enumerate() {
                        batch.put(key(&[b'a' + part as u8], order), filled(order as u64, *size));
                    }
                }
                anyhow::ensure!(store.commit(batch).await? == Committed::Done);
            }
            anyhow::Ok(())
        })
    });
    for lane in futures_util::future::join_all(lanes).await {
        lane??;
    }
    let seconds = started.elapsed().as_secs_f64();
    say(format_args!(
        "import: {orders} orders of 5 keys in {seconds:.1} s, {:.0} orders/s, {:.1} µs CPU a key, {} MB in memory",
        orders as f64 / seconds,
        (self::cpu() - cpu) * 1e6 / orders as f64 / 5.0,
        memory("VmRSS")
    ));
    let copying = Instant::now();
    let file = folder.join("backup");
    let summary = backup_to_file(&*store, &file, jiff::Timestamp::now()).await?;
    say(format_args!("backup: {} MB in {:.1} s", summary.bytes >> 20, copying.elapsed().as_secs_f64()));
    let closing = Instant::now();
    store.close().await;
    say(format_args!(
        "close: {:.2} s, {} MB on disk",
        closing.elapsed().as_secs_f64(),
        on_disk(&folder.join("orders"))
    ));
    Ok(())
}

/// Over a store that holds other rows.
async fn take_back(orders: usize, folder: &Path) -> anyhow::Result<()> {
    let vault = Vault::from_key([1; 32]);
    let store = SledStore::open(&SledOptions::at(folder.join("orders")))?;
    let mut file = std::fs::File::open(folder.join("backup"))?;
    let verifying = Instant::now();
    let summary = verify(&mut file, &vault)?;
    say(format_args!("verify: {} entries in {:.1} s", summary.entries, verifying.elapsed().as_secs_f64()));
    let restoring = Instant::now();
    restore(&mut file, &store, &vault, &[]).await?;
    say(format_args!(
        "restore over {orders} orders: {:.1} s, {} MB in memory, {} MB on disk",
        restoring.elapsed().as_secs_f64(),
        memory("VmRSS"),
        on_disk(&folder.join("orders"))
    ));
    store.close().await;
    Ok(())
}

async fn reopen(orders: usize, folder: &Path) -> anyhow::Result<()> {
    let before = memory("VmRSS");
    let started = Instant::now();
    let store = SledStore::open(&SledOptions::at(folder))?;
    let opened = started.elapsed();
    let at_rest = memory("VmRSS");
    let asked = Instant::now();
    let gets = orders.min(10_000);
    for order in 0..gets {
        anyhow::ensure!(store.get(&key(b"a", order)).await?.is_some_and(|value| value.len() == SIZES[0]));
    }
    say(format_args!(
        "reopen: {:.2} s; memory {before} MB before, {at_rest} MB at rest, {} MB after {gets} gets of {:.1} µs, peak {} MB",
        opened.as_secs_f64(),
        memory("VmRSS"),
        asked.elapsed().as_secs_f64() * 1e6 / gets as f64,
        memory("VmHWM")
    ));
    store.close().await;
    Ok(())
}

/// Prefix, shop, and an index that looks random, as the vault makes them.
fn key(prefix: &[u8], number: usize) -> Vec<u8> {
    let mixed = (number as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    [prefix, b"/shop/".as_slice(), &mixed.to_be_bytes()].concat()
}

/// Sealed bytes do not compress and never repeat.
fn filled(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1;
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// Seconds of CPU that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// A line of the process's status, in MB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    found.and_then(|text| text.split_whitespace().nth(1)).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0)
        / 1024
}

fn on_disk(store: &Path) -> u64 {
    std::fs::metadata(store.join("db")).map_or(0, |metadata| metadata.len() >> 20)
}
