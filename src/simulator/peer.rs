//! What one simulated carrier or aggregator is made of, and what all of them share: the book of subscriptions, and
//! the pushes that follow from it. Must never send anything by itself: whoever runs the simulator carries its pushes.

use super::timeline::Timeline;
use super::{Asked, PEERS, Simulator, lock};
use crate::wire::Answer;
use jiff::Timestamp;
use std::time::Duration;

/// One vendor, played.
pub(super) struct CarrierPeer {
    /// The adapter's code; the first part of every path of this peer, `/zto/…`.
    pub kind: &'static str,
    /// Settings of the account that it accepts; `{peer}` stands for this peer's address.
    pub settings: &'static [(&'static str, &'static str)],
    /// Its secrets. Everybody may know them: they open nothing but the simulator.
    pub secrets: &'static [(&'static str, &'static str)],
    /// Answers a request; `path` is what follows the kind, and the last argument may be raised to be slow.
    pub answer: fn(&Simulator, &Asked, &mut Duration) -> Answer,
    /// The vendor's push about one number, signed; none where it sends none.
    pub push: Option<fn(number: &str, carrier: &str, timeline: &Timeline) -> Pushed>,
}

/// A push as it goes to our hook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// What follows `?`, without it; empty: nothing.
    pub query: String,
    /// Lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// Exact bytes.
    pub body: Vec<u8>,
}

/// The peer of a path, and what follows its kind.
pub(super) fn of(path: &str) -> Option<(&'static CarrierPeer, &str)> {
    let (kind, _) = path.strip_prefix('/')?.split_once('/')?;
    let peer = PEERS.iter().find(|peer| peer.kind == kind)?;
    Some((peer, &path[kind.len() + 1..]))
}

impl Simulator {
    /// Notes that a vendor shall push news of a number. Returns whether that is new.
    pub(super) fn watch(&self, kind: &str, number: &str, callback: &str) -> bool {
        lock(&self.watched).insert((kind.to_owned(), number.to_owned()), callback.to_owned()).is_none()
    }

    /// Whether a vendor watches a number.
    pub(super) fn watches(&self, kind: &str, number: &str) -> bool {
        lock(&self.watched).contains_key(&(kind.to_owned(), number.to_owned()))
    }

    /// What is watched: vendor, number, the address that it was told (empty where its console holds it).
    pub fn watched(&self) -> Vec<(String, String, String)> {
        let watched = lock(&self.watched);
        watched.iter().map(|((kind, number), url)| (kind.clone(), number.clone(), url.clone())).collect()
    }

    /// The push that a vendor would send about a number of a carrier now.
    pub fn push(&self, kind: &str, carrier: &str, number: &str, now: Timestamp) -> Option<Pushed> {
        let peer = PEERS.iter().find(|peer| peer.kind == kind)?;
        Some(peer.push?(number, carrier, &self.clock.timeline(number, now)))
    }
}
