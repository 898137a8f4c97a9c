//! 17TRACK's pushes: a number is registered, news of it comes signed.
//! Source: api.17track.net (v2.4, register and webhook); facts/aggregators 3. Must never take a push whose signature is
//! wrong.

use super::refusals::refusal;
use super::{Said, SeventeenTrack, Tracking, call};
use crate::carriers::{Ask, News, Push, Subscription, Told, Watch, body, names, plain_acknowledgement};
use crate::wire::{Answer, Call, Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use serde::Deserialize;

impl Push for SeventeenTrack {
    /// `sign` is the SHA-256 of body, slash and key.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let key = cx.account.secret("key");
        let expected = sign::sha256_hex(&[&request.body, b"/".as_slice(), key.as_bytes()].concat());
        let proof =
            sign::matches(expected.as_bytes(), request.header("sign").to_ascii_lowercase().as_bytes());
        let proof = proof.filter(|_| !key.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(request.body.clone(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let watch = match pushed.event.as_str() {
            "TRACKING_UPDATED" => Watch::On,
            "TRACKING_STOPPED" => Watch::Lapsed,
            _ => return Ok(Told::default()),
        };
        let item = pushed.data.ok_or(Refusal::Unreadable)?;
        let number = item.number.clone().ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let known = item.carrier.as_deref().and_then(names::by_seventeen_track);
        let tracked = item.tracked(known.map_or("", |carrier| carrier.code), &number, cx.now);
        Ok(Told { parcels: vec![News { watch, ..News::of(tracked) }], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        plain_acknowledgement(stored, "OK")
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for SeventeenTrack {
    /// The address of pushes stands in the console.
    fn subscribe(&self, cx: &Cx, ask: &Ask, _callback: &str) -> Result<Call, Refusal> {
        call(cx, "seventeen-track.register", "register", std::slice::from_ref(ask))
    }

    fn read_subscribed(&self, cx: &Cx, ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        let data = body::json::<Said>(answer, cx.now)?.data()?;
        match data.rejected.iter().find(|one| one.is_about(ask)) {
            Some(rejected) => Err(refusal(rejected.code())),
            None if data.accepted.iter().any(|one| one.is_about(&ask.number)) => Ok(()),
            None => Err(Refusal::Unreadable),
        }
    }
}

#[derive(Deserialize)]
struct Pushed {
    event: String,
    #[serde(default)]
    data: Option<Tracking>,
}
