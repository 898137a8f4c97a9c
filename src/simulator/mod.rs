//! Scripted vendors and channel peers, so that everything can be tried with no account and no key: a function from a
//! request to an answer, served over loopback HTTP for the demo and called directly by tests.
//! It checks every signature with code of its own. Must never use an adapter, and never serve real buyers.

mod aftership;
mod cainiao;
mod demo;
mod deppon;
mod dhl;
mod ems;
mod fedex;
mod http_json;
mod jd;
pub mod journeys;
mod jt;
mod kdniao;
mod kuaidi100;
mod own;
mod peer;
mod script;
mod server;
mod seventeen_track;
mod sf;
mod sto;
mod telegram;
mod timeline;
mod ups;
mod usps;
mod waybills;
mod wechat;
mod yanwen;
mod yto;
mod yunda;
mod zto;

pub use demo::DemoParcel;
pub use journeys::Journey;
pub use peer::Pushed;
pub use server::{Clock, SimulatedTransport, router};
pub use waybills::Given;

use crate::model::when::CHINA;
use crate::wire::Answer;
use jiff::Timestamp;
use peer::CarrierPeer;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use timeline::{ScriptClock, Seen, Timeline};

/// The carriers and aggregators that are played; each file is one vendor. Of two that serve one number, the first is
/// asked first.
static PEERS: &[CarrierPeer] = &[
    kuaidi100::PEER,
    sf::PEER,
    own::PEER,
    kdniao::PEER,
    aftership::PEER,
    cainiao::PEER,
    deppon::PEER,
    dhl::PEER,
    ems::PEER,
    fedex::PEER,
    http_json::PEER,
    jd::PEER,
    jt::PEER,
    seventeen_track::PEER,
    sto::PEER,
    ups::PEER,
    usps::PEER,
    yanwen::PEER,
    yto::PEER,
    yunda::PEER,
    zto::PEER,
];

/// The credentials that the channel peers accept (a carrier's stand in its own file). Everybody may know them: they open nothing but the simulator.
pub mod keys {
    /// WeChat's appid.
    pub const WECHAT_APPID: &str = "wxdemo0000000001";
    /// WeChat's appsecret.
    pub const WECHAT_SECRET: &str = "demo-wechat-secret";
    /// The token that signs WeChat's posts to us.
    pub const WECHAT_TOKEN: &str = "demo-token";
    /// Telegram's bot token.
    pub const TELEGRAM_TOKEN: &str = "1000000001:DEMO-token-of-the-simulated-bot";
    /// The secret that Telegram's webhook posts carry.
    pub const TELEGRAM_WEBHOOK_SECRET: &str = "demo-telegram-secret";
}

/// The phone of every simulated receiver ends so: SF and ZTO want to hear it.
pub const PHONE_TAIL: &str = "6688";

/// How slow the slow carrier is.
const SLOW: Duration = Duration::from_secs(12);
/// Questions are counted for this many numbers.
const COUNTED_NUMBERS: usize = 100_000;

/// What a peer answers, and after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// The answer.
    pub answer: Answer,
    /// How long it takes.
    pub delay: Duration,
}

/// A fault of every carrier at once, switched on by a test or by `POST /simulated/outage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// 503 at once.
    Down,
    /// Everything takes this long.
    Slow(Duration),
}

/// All peers in one.
#[derive(Debug)]
pub struct Simulator {
    clock: ScriptClock,
    started: Timestamp,
    outage: Mutex<Option<Outage>>,
    asked: Mutex<HashMap<String, u32>>,
    watched: Mutex<BTreeMap<(String, String), String>>,
    waybills: Mutex<Vec<Given>>,
    registered: Mutex<BTreeSet<(String, u64)>>,
    alerts: Mutex<Vec<serde_json::Value>>,
    wechat: Mutex<wechat::State>,
    telegram: Mutex<telegram::State>,
    /// Wakes long polls.
    news: tokio::sync::Notify,
}

impl Simulator {
    /// Journeys began before `started`; from there on scripts run at `speed`.
    pub fn new(started: Timestamp, speed: f64) -> Self {
        Self {
            clock: ScriptClock::new(started, speed),
            started,
            outage: Mutex::default(),
            asked: Mutex::default(),
            watched: Mutex::default(),
            waybills: Mutex::default(),
            registered: Mutex::default(),
            alerts: Mutex::default(),
            wechat: Mutex::default(),
            telegram: Mutex::default(),
            news: tokio::sync::Notify::new(),
        }
    }

    /// Answers one request. Header names are lower case; `path_and_query` starts with the peer's name.
    pub fn answer(
        &self,
        path_and_query: &str,
        headers: &[(String, String)],
        body: &[u8],
        now: Timestamp,
    ) -> Simulated {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let asked = Asked { path, query, headers, body, now };
        match path {
            "/simulated/outage" => at_once(self.switch_outage(&asked)),
            "/simulated/asked" => at_once(Answer::new(200, json!(*lock(&self.asked)).to_string())),
            _ if path.starts_with("/alerts/") => at_once(self.alert(&asked)),
            _ if path.starts_with("/wechat/") => at_once(self.wechat(&asked)),
            _ if path.starts_with("/telegram/") => self.telegram(&asked),
            _ => match peer::of(path) {
                Some((peer, rest)) => self.as_carrier(&Asked { path: rest, ..asked }, peer.answer),
                None => at_once(Answer::new(404, "")),
            },
        }
    }

    /// A merchant's group chat: takes whatever a robot is told, in whichever of their forms.
    fn alert(&self, asked: &Asked) -> Answer {
        lock(&self.alerts).push(asked.json());
        Answer::new(200, r#"{"errcode":0,"code":0,"ok":true}"#)
    }

    /// What the merchants' group chats were told, oldest first.
    pub fn alerts(&self) -> Vec<serde_json::Value> {
        lock(&self.alerts).clone()
    }

    /// How often a number was asked for, by whichever shape.
    pub fn times_asked(&self, number: &str) -> u32 {
        lock(&self.asked).get(number).copied().unwrap_or(0)
    }

    /// Breaks all carriers, or mends them.
    pub fn set_outage(&self, outage: Option<Outage>) {
        *lock(&self.outage) = outage;
    }

    /// `answer` says beside its answer how long its numbers take.
    fn as_carrier(&self, asked: &Asked, answer: fn(&Self, &Asked, &mut Duration) -> Answer) -> Simulated {
        let mut delay = Duration::ZERO;
        let outage = *lock(&self.outage);
        match outage {
            Some(Outage::Down) => return at_once(Answer::new(503, "<html>Service Unavailable</html>")),
            Some(Outage::Slow(slow)) => delay = slow,
            None => {}
        }
        Simulated { answer: answer(self, asked, &mut delay), delay }
    }

    /// What is known of a number that is asked for now.
    fn look_up(&self, number: &str, now: Timestamp, delay: &mut Duration) -> Timeline {
        self.note_asked(number);
        let timeline = self.clock.timeline(number, now);
        if timeline.journey == Journey::Timeout {
            *delay = (*delay).max(SLOW);
        }
        timeline
    }

    /// `{"mode":"down"|"slow"|"up"}`
    fn switch_outage(&self, asked: &Asked) -> Answer {
        let mode: serde_json::Value = serde_json::from_slice(asked.body).unwrap_or_default();
        let outage = match mode.get("mode").and_then(|mode| mode.as_str()) {
            Some("down") => Some(Outage::Down),
            Some("slow") => Some(Outage::Slow(SLOW)),
            Some("up") => None,
            _ => return Answer::new(400, r#"{"error":"mode is down, slow or up"}"#),
        };
        self.set_outage(outage);
        Answer::new(200, "{}")
    }

    fn note_asked(&self, number: &str) {
        let mut asked = lock(&self.asked);
        if asked.len() < COUNTED_NUMBERS || asked.contains_key(number) {
            *asked.entry(number.to_owned()).or_default() += 1;
        }
    }

    /// Scans as a vendor lists them: newest first; shuffled anew at each question, or each twice, where the journey
    /// says so.
    fn scramble<'a>(&self, number: &str, timeline: &'a Timeline) -> Vec<&'a Seen> {
        let mut seen: Vec<&Seen> = timeline.seen.iter().rev().collect();
        match timeline.journey {
            Journey::Disorder => {
                let salt = u64::from(self.times_asked(number));
                for at in (1..seen.len()).rev() {
                    let other = journeys::draw(number, 1_000 + salt * 64 + at as u64, at as u64 + 1);
                    seen.swap(at, other as usize);
                }
            }
            Journey::Double => seen = seen.into_iter().flat_map(|seen| [seen, seen]).collect(),
            _ => {}
        }
        seen
    }
}

/// One request to a peer.
struct Asked<'a> {
    path: &'a str,
    query: &'a str,
    headers: &'a [(String, String)],
    body: &'a [u8],
    now: Timestamp,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.body).into_owned().collect()
    }

    fn query(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }
}

fn at_once(answer: Answer) -> Simulated {
    Simulated { answer, delay: Duration::ZERO }
}

/// A peer keeps answering after a panic elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `2026-03-02 09:14:00`, as Chinese vendors write it.
fn china_time(time: Timestamp) -> String {
    CHINA.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
