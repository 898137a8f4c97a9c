//! How fast a WeChat question is answered from the store, durably, beside a bare axum handler that only reads the
//! body and returns a reply of the same size. Servers on one CPU, load on another, distinct buyers, one run:
//! `cargo bench --bench wechat`. Needs `taskset` (util-linux) for the pinning.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;

/// Distinct buyers, each with an order; `YISHI_BENCH_BUYERS` changes it.
static BUYERS: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| {
    std::env::var("YISHI_BENCH_BUYERS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
});
const QUESTIONS: usize = 20_000;

fn main() {
    if std::env::var("YISHI_BENCH_BARE").is_ok() {
        return bare_server();
    }
    if std::env::var("YISHI_BENCH_LOAD").is_err() {
        // The load goes to the second CPU.
        let me = std::env::current_exe().unwrap();
        let status = pinned("1", me.to_str().unwrap()).env("YISHI_BENCH_LOAD", "1").status().unwrap();
        std::process::exit(status.code().unwrap_or(1));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(compare());
}

fn pinned(cpu: &str, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cpu, program]);
    command
}

/// Reads the body, answers with as many bytes as Yishi does.
fn bare_server() {
    let size: usize = std::env::var("YISHI_BENCH_BARE").unwrap().parse().unwrap();
    let body = "x".repeat(size);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let handler = move |_: axum::body::Bytes| {
            let body = body.clone();
            async move { ([("content-type", "application/xml; charset=utf-8")], body) }
        };
        let router = axum::Router::new().route("/hooks/{kind}/{account}", axum::routing::post(handler));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        axum::serve(listener, router).await.unwrap();
    });
}

/// A child process that prints its address; ended when dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

/// Hundredths of a second of processor time that a process has taken.
fn ticks(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum()
}

impl Server {
    /// `count` questions, and how many microseconds of processor time each took in the server.
    async fn load(&self, name: &str, count: usize) -> (Load, f64) {
        let before = ticks(self.child.id());
        let load = load(self.address, name, count).await;
        (load, (ticks(self.child.id()) - before) * 10_000.0 / count as f64)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the server ended").unwrap();
            if let Some(at) = line.find("http://") {
                let rest = &line[at + 7..];
                break rest[..rest.find('/').unwrap_or(rest.len())].parse().unwrap();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn compare() {
    let mut command = pinned("0", env!("CARGO_BIN_EXE_yishi"));
    command.args(["demo", "--listen", "127.0.0.1:0", "--orders", &BUYERS.to_string()]);
    let yishi = Server::start(command);
    let probe = load(yishi.address, "probe", 64).await;
    let mut command = pinned("0", std::env::current_exe().unwrap().to_str().unwrap());
    command.env("YISHI_BENCH_BARE", probe.reply_bytes.to_string());
    let bare = Server::start(command);
    load(bare.address, "warm", 2_000).await;
    let mut ratios = Vec::new();
    println!("reply of {} bytes, {CONNECTIONS} connections, {} buyers", probe.reply_bytes, *BUYERS);
    for round in 0..ROUNDS {
        let (plain, plain_cost) = bare.load(&format!("b{round}"), QUESTIONS).await;
        let (answers, cost) = yishi.load(&format!("y{round}"), QUESTIONS).await;
        let ratio = answers.per_second / plain.per_second;
        println!(
            "bare {:>7.0}/s {plain_cost:>4.0} µs p99 {:>5.2} ms   yishi {:>7.0}/s {cost:>4.0} µs p50 {:>5.2} ms p99 {:>5.2} ms   \
             ratio {ratio:.3}",
            plain.per_second,
            plain.p99.as_secs_f64() * 1e3,
            answers.per_second,
            answers.p50.as_secs_f64() * 1e3,
            answers.p99.as_secs_f64() * 1e3,
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("ratio, median of {ROUNDS}: {:.3}", ratios[ROUNDS / 2]);
}

struct Load {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    reply_bytes: usize,
}

/// `count` questions of distinct buyers over keep-alive connections.
async fn load(address: SocketAddr, name: &str, count: usize) -> Load {
    let requests: Arc<Vec<Vec<u8>>> = Arc::new((0..count).map(|i| request(name, i)).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (requests, next) = (requests.clone(), next.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut buffer = vec![0; 16 * 1024];
                let mut times = Vec::new();
                let mut bytes = 0;
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.get(at) else { break };
                    let sent = Instant::now();
                    stream.write_all(request).await.unwrap();
                    bytes = reply(&mut stream, &mut buffer).await;
                    times.push(sent.elapsed());
                }
                (times, bytes)
            })
        })
        .collect();
    let mut times = Vec::with_capacity(count);
    let mut reply_bytes = 0;
    for task in tasks {
        let (mine, bytes) = task.await.unwrap();
        times.extend(mine);
        reply_bytes = reply_bytes.max(bytes);
    }
    let took = started.elapsed();
    times.sort_unstable();
    Load {
        per_second: count as f64 / took.as_secs_f64(),
        p50: times[count / 2],
        p99: times[count * 99 / 100],
        reply_bytes,
    }
}

/// Reads one reply; its body's length.
async fn reply(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let text = &buffer[..filled];
        let Some(head) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let header = std::str::from_utf8(&text[..head]).unwrap().to_ascii_lowercase();
        assert!(header.starts_with("http/1.1 200"), "{header}");
        let length = header.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().trim().parse().unwrap();
        if filled >= head + 4 + length {
            let body = &text[head + 4..];
            assert!(length == body.len() && length > 64, "no answer: {}", String::from_utf8_lossy(body));
            return length;
        }
    }
}

fn request(name: &str, i: usize) -> Vec<u8> {
    let (timestamp, nonce) = ("1772326900", "415670741");
    let signature = yishi::wire::sign::sorted_sha1(&["demo-token", timestamp, nonce]);
    let id = name.bytes().fold(7u64, |id, byte| id.wrapping_mul(31) + u64::from(byte)) * 1_000_000 + i as u64;
    let body = format!(
        "<xml><ToUserName><![CDATA[gh_demo]]></ToUserName><FromUserName><![CDATA[buyer{:06}]]></FromUserName>\
         <CreateTime>{timestamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>\
         <Content><![CDATA[我的快递到哪了]]></Content><MsgId>{id}</MsgId></xml>",
        i % *BUYERS
    );
    format!(
        "POST /hooks/wechat/demo?signature={signature}&timestamp={timestamp}&nonce={nonce}&openid=o HTTP/1.1\r\n\
         host: demo\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
