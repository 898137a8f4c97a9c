//! The simulated carrier's own endpoint: simple JSON, signed over the body. It speaks Yishi's status names.
//! Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator};
use crate::model::when::CHINA;
use crate::model::{Meaning, Place};
use crate::wire::{Answer, sign};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// How far the caller's clock may be off.
const STALE: SignedDuration = SignedDuration::from_mins(5);

const CLIENT: &str = "demo";
const KEY: &str = "demo-simulated-key";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "simulated",
    settings: &[("client", CLIENT)],
    secrets: &[("key", KEY)],
    answer: Simulator::own,
    push: Some(push),
};

impl Simulator {
    fn own(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        match asked.path {
            "/track" => self.own_track(asked, delay),
            "/subscribe" => self.own_subscribe(asked),
            _ => Answer::new(404, ""),
        }
    }

    /// `POST /subscribe`
    fn own_subscribe(&self, asked: &Asked) -> Answer {
        if !is_signed(asked) {
            return refuse("bad_signature");
        }
        let wish = asked.json();
        let text = |name: &str| wish.get(name).and_then(Value::as_str).unwrap_or("");
        if text("client") != CLIENT {
            return refuse("unknown_client");
        }
        match self.watch("simulated", text("number"), text("callback")) {
            true => Answer::new(200, "{}"),
            false => refuse("known"),
        }
    }

    /// `POST /track`
    fn own_track(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        if !is_signed(asked) {
            return refuse("bad_signature");
        }
        let Ok(question) = serde_json::from_slice::<Value>(asked.body) else { return refuse("bad_request") };
        if question.get("client").and_then(Value::as_str) != Some(CLIENT) {
            return refuse("unknown_client");
        }
        let at: Option<Timestamp> =
            question.get("at").and_then(Value::as_str).and_then(|text| text.parse().ok());
        if at.is_none_or(|at| at.duration_since(asked.now).abs() > STALE) {
            return refuse("stale");
        }
        let numbers = question.get("numbers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if numbers.is_empty() || numbers.len() > 20 {
            return refuse("bad_request");
        }
        let mut parcels = Vec::new();
        for number in numbers.iter().filter_map(Value::as_str) {
            if !number.starts_with("SIM") {
                return refuse("bad_number");
            }
            let timeline = self.look_up(number, asked.now, delay);
            match timeline.journey {
                Journey::Error => return Answer::new(500, json!({"error": "internal"}).to_string()),
                Journey::NoData => {}
                _ => parcels.push(tell(number, &timeline, self.scramble(number, &timeline))),
            }
        }
        Answer::new(200, json!({"parcels": parcels}).to_string())
    }
}

fn is_signed(asked: &Asked) -> bool {
    let expected = hex::encode(sign::hmac_sha256(KEY.as_bytes(), asked.body));
    sign::matches(expected.as_bytes(), asked.header("x-signature").as_bytes()).is_some()
}

/// All scans so far, oldest last, as `/track` tells them.
fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let mut parcel = tell(number, timeline, timeline.seen.iter().rev().collect());
    let over = timeline.seen.last().is_some_and(|seen| seen.scan.meaning.status.is_final());
    parcel["watch"] = if over { "ended" } else { "on" }.into();
    let body = json!({"parcels": [parcel]}).to_string().into_bytes();
    let signature = hex::encode(sign::hmac_sha256(KEY.as_bytes(), &body));
    Pushed { query: String::new(), headers: vec![("x-signature", signature)], body }
}

fn refuse(error: &str) -> Answer {
    Answer::new(200, json!({"error": error}).to_string())
}

fn tell(number: &str, timeline: &Timeline, seen: Vec<&Seen>) -> Value {
    let events: Vec<Value> = seen
        .into_iter()
        .map(|seen| {
            let scan = &seen.scan;
            let mut event = json!({"time": offset_time(seen.time), "code": said(scan.meaning), "text": scan.text,
                "place": place(seen)});
            if let Some((name, phone)) = &scan.courier {
                event["courier"] = json!({"name": name, "phone": phone});
            }
            if let Some((code, station)) = &scan.pickup {
                event["pickup"] = json!({"code": code, "place": station});
            }
            if let Some(signed_by) = scan.signed_by {
                event["signed_by"] = signed_by.into();
            }
            event
        })
        .collect();
    let mut parcel = json!({"number": number, "events": events});
    if let Some((from, to)) = timeline.eta.and_then(window) {
        parcel["eta"] = json!({"from": from.to_string(), "to": to.to_string(), "precision": "window"});
    }
    parcel
}

/// With its offset: `2026-03-02T09:14:00+08:00`.
fn offset_time(time: Timestamp) -> String {
    CHINA.to_datetime(time).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// The simulated carrier promises three hours.
pub(super) fn window(eta: Timestamp) -> Option<(Timestamp, Timestamp)> {
    Some((
        eta.checked_sub(SignedDuration::from_hours(2)).ok()?,
        eta.checked_add(SignedDuration::from_hours(1)).ok()?,
    ))
}

/// Where a scan stands.
pub(super) fn place(seen: &Seen) -> Place {
    let city = seen.scan.city;
    let text = if city.country == "CN" { format!("{}市", city.name) } else { city.name.to_owned() };
    Place {
        text: Some(text),
        city: Some(city.name.to_owned()),
        region: Some(city.region.to_owned()),
        country: Some(city.country.to_owned()),
        ..Place::default()
    }
}

/// `in_transit/arrived_hub`, `exception/refused`.
pub(super) fn said(meaning: Meaning) -> String {
    let finer = meaning.sub.map(|sub| sub.name()).or(meaning.reason.map(|reason| reason.name()));
    match finer {
        Some(finer) => format!("{}/{finer}", meaning.status),
        None => meaning.status.name().to_owned(),
    }
}
