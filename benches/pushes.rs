//! How many pushes a second are applied, not only taken: Kuaidi100-shaped, ten events each, every one for another
//! parcel, over 64 connections; server on one CPU, load on another. A push is applied before it is acknowledged, so no
//! backlog is left when the last answer is here. `cargo bench --bench pushes`. Needs `taskset` (util-linux).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use common::acknowledged;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const CONNECTIONS: usize = 64;
const PUSHES: usize = 12_000;
const EVENTS: usize = 10;

fn main() {
    if std::env::var("YISHI_BENCH_LOAD").is_err() {
        // The load goes to the second CPU.
        let me = std::env::current_exe().unwrap();
        let status = pinned("1", me.to_str().unwrap()).env("YISHI_BENCH_LOAD", "1").status().unwrap();
        std::process::exit(status.code().unwrap_or(1));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

fn pinned(cpu: &str, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cpu, program]);
    command
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(orders: usize) -> (Server, SocketAddr) {
    let mut command = pinned("0", env!("CARGO_BIN_EXE_yishi"));
    command.args(["demo", "--listen", "127.0.0.1:0", "--orders", &orders.to_string()]);
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
    (Server(child), address)
}

async fn run() {
    // Five of nine ordinary orders travel with a carrier that Kuaidi100 answers for.
    let simulator = yishi::simulator::Simulator::new(jiff::Timestamp::now(), 1.0);
    let parcels = (0..).map(|i| simulator.ordinary(i)).filter(|parcel| parcel.provider == "kuaidi100");
    let numbers: Vec<(String, &str)> =
        parcels.take(PUSHES).map(|parcel| (parcel.number, com(parcel.carrier))).collect();
    let (_server, address) = start(PUSHES * 3 / 2 + 100);
    let requests: Arc<Vec<Vec<u8>>> =
        Arc::new(numbers.iter().enumerate().map(|(i, (number, com))| request(i, number, com)).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (requests, next) = (requests.clone(), next.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut times = Vec::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.get(at) else { break };
                    let sent = Instant::now();
                    stream.write_all(request).await.unwrap();
                    acknowledged(&mut stream).await;
                    times.push(sent.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times: Vec<Duration> = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let took = started.elapsed();
    times.sort_unstable();
    println!(
        "{PUSHES} pushes of {EVENTS} events: {:.0} applied a second, p50 {:.2} ms, p99 {:.2} ms",
        PUSHES as f64 / took.as_secs_f64(),
        times[PUSHES / 2].as_secs_f64() * 1e3,
        times[PUSHES * 99 / 100].as_secs_f64() * 1e3,
    );
}

fn com(carrier: &str) -> &'static str {
    yishi::carriers::names::by_code(carrier).unwrap().kuaidi100
}

fn request(i: usize, number: &str, com: &str) -> Vec<u8> {
    let china = jiff::tz::Offset::constant(8);
    let now = jiff::Timestamp::now();
    let data: Vec<serde_json::Value> = (0..EVENTS)
        .map(|at| {
            let time = now - jiff::SignedDuration::from_mins(at as i64 * 47 + 3);
            let time = china.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string();
            serde_json::json!({"time": time, "ftime": time, "status": "干线", "statusCode": "1002", "location": "",
                "context": format!("快件离开【{i}号转运中心】，发往【{at}号转运中心】"),
                "areaCode": "CN330100000000", "areaName": "浙江,杭州市"})
        })
        .collect();
    let result = serde_json::json!({"message": "ok", "state": "0", "status": "200", "condition": "F00",
        "ischeck": "0", "com": com, "nu": number, "data": data});
    let param = serde_json::json!({"status": "polling", "billstatus": "", "message": "", "autoCheck": "0",
        "comOld": "", "comNew": "", "lastResult": result})
    .to_string();
    let sign = yishi::wire::sign::md5_hex_upper(format!("{param}demo-kuaidi100-salt").as_bytes());
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sign", sign.as_str()), ("param", param.as_str())])
        .finish();
    format!(
        "POST /hooks/kuaidi100/demo HTTP/1.1\r\nhost: yishi\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
