//! A 17TRACK-shaped aggregator peer: numbers are registered once and read after that; checks the key, and signs its
//! pushes with code of its own. Source: facts/aggregators 4. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator, lock};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "demo-seventeen-track-key";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "seventeen-track",
    settings: &[],
    secrets: &[("key", KEY)],
    answer: Simulator::seventeen_track,
    push: Some(push),
};

/// The vendor's numbers of carriers.
const CARRIERS: [(&str, u32); 5] =
    [("yto", 190_157), ("zto", 190_455), ("dhl", 100_001), ("usps", 21_051), ("chinapost-intl", 3_011)];

impl Simulator {
    fn seventeen_track(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        if asked.header("17token") != KEY {
            return Answer::new(200, said(-18_010_002, json!({"errors": [{"code": -18_010_002}]})));
        }
        let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
        for item in asked.json().as_array().into_iter().flatten() {
            let (number, carrier) = (item["number"].as_str().unwrap_or(""), item["carrier"].clone());
            let refuse = |code: i64| json!({"number": number, "carrier": carrier, "error": {"code": code}});
            match asked.path {
                "/track/v2.4/register" if self.register(number, key(&carrier)) => {
                    self.watch("seventeen-track", number, "");
                    accepted.push(json!({"number": number, "carrier": carrier, "origin": 1}));
                }
                "/track/v2.4/register" => rejected.push(refuse(-18_019_901)),
                "/track/v2.4/changecarrier" => {
                    let (old, new) = (key(&item["carrier_old"]), key(&item["carrier_new"]));
                    match self.change_carrier(number, old, new) {
                        Ok(()) => accepted.push(json!({"number": number, "carrier": new})),
                        Err(code) => rejected.push(refuse(code)),
                    }
                }
                "/track/v2.4/gettrackinfo" if !self.registered(number).contains(&key(&carrier)) => {
                    rejected.push(refuse(-18_019_902));
                }
                "/track/v2.4/gettrackinfo" => {
                    let timeline = self.look_up(number, asked.now, delay);
                    match timeline.journey {
                        Journey::Error => rejected.push(refuse(-18_010_003)),
                        _ if timeline.seen.is_empty() => rejected.push(refuse(-18_019_909)),
                        _ => accepted.push(tell(number, &carrier, &timeline)),
                    }
                }
                _ => return Answer::new(404, ""),
            }
        }
        Answer::new(200, said(0, json!({"accepted": accepted, "rejected": rejected})))
    }

    /// Whether it is new: one number may stand under several carriers, and each costs.
    fn register(&self, number: &str, carrier: u64) -> bool {
        lock(&self.registered).insert((number.to_owned(), carrier))
    }

    fn change_carrier(&self, number: &str, old: u64, new: u64) -> Result<(), i64> {
        let mut registered = lock(&self.registered);
        if !registered.contains(&(number.to_owned(), old)) {
            return Err(-18_019_902);
        }
        if old == new || registered.contains(&(number.to_owned(), new)) {
            return Err(-18_019_801);
        }
        registered.remove(&(number.to_owned(), old));
        registered.insert((number.to_owned(), new));
        Ok(())
    }

    /// 17TRACK's numbers of the carriers under which a number stands there.
    pub fn registered(&self, number: &str) -> Vec<u64> {
        let registered = lock(&self.registered);
        registered.iter().filter(|(one, _)| one == number).map(|(_, carrier)| *carrier).collect()
    }
}

/// The vendor's number of a carrier; 0 where none is named.
fn key(carrier: &Value) -> u64 {
    carrier.as_u64().unwrap_or(0)
}

fn said(code: i64, data: Value) -> String {
    json!({"code": code, "data": data}).to_string()
}

fn tell(number: &str, carrier: &Value, timeline: &Timeline) -> Value {
    let scan = |seen: &Seen| {
        let city = seen.scan.city;
        json!({"time_utc": seen.time.to_string(), "time_iso": seen.time.to_string(), "description": seen.scan.text,
            "location": city.name, "stage": null, "sub_status": code(seen.scan.meaning),
            "address": {"country": city.country, "state": city.region, "city": city.name}})
    };
    let events: Vec<Value> = timeline.seen.iter().rev().map(scan).collect();
    let latest = timeline.seen.last().map(|seen| code(seen.scan.meaning));
    let main = latest.map(|code| code.split('_').next().unwrap_or(code));
    let expected =
        timeline.eta.map(|eta| json!({"source": "Official", "from": eta.to_string(), "to": eta.to_string()}));
    json!({"number": number, "carrier": carrier, "tag": null, "track_info": {
        "latest_status": {"status": main, "sub_status": latest},
        "time_metrics": {"estimated_delivery_date": expected},
        "tracking": {"providers": [{"provider": {"key": carrier}, "events": events}]}}})
}

fn push(number: &str, carrier: &str, timeline: &Timeline) -> Pushed {
    let key = CARRIERS.iter().find(|(code, _)| *code == carrier).map(|(_, key)| json!(key));
    let data = tell(number, &key.unwrap_or_default(), timeline);
    let body = json!({"event": "TRACKING_UPDATED", "data": data}).to_string();
    let signature = sign::sha256_hex(format!("{body}/{KEY}").as_bytes());
    let json = "application/json".to_owned();
    Pushed {
        query: String::new(),
        headers: vec![("content-type", json), ("sign", signature)],
        body: body.into_bytes(),
    }
}

fn code(meaning: Meaning) -> &'static str {
    let sub = meaning.sub;
    match meaning.status {
        Status::InfoReceived => "InfoReceived",
        Status::PickedUp => "InTransit_PickedUp",
        Status::InTransit => match sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "InTransit_Arrival",
            Some(Sub::DepartedHub) => "InTransit_Departure",
            Some(Sub::CustomsPresented | Sub::CustomsInspection) => "InTransit_CustomsProcessing",
            Some(Sub::CustomsReleased) => "InTransit_CustomsReleased",
            _ => "InTransit_Other",
        },
        Status::OutForDelivery => "OutForDelivery_Other",
        Status::AttemptFailed => "DeliveryFailure_Other",
        Status::ReadyForPickup => "AvailableForPickup_Other",
        Status::Delivered => "Delivered_Other",
        Status::Returning => "Exception_Returning",
        Status::Returned => "Exception_Returned",
        Status::Cancelled => "Exception_Cancel",
        Status::Lost => "Exception_Lost",
        Status::Exception => match meaning.reason {
            Some(Reason::Refused) => "Exception_Rejected",
            Some(Reason::Damaged) => "Exception_Damage",
            Some(Reason::CustomsHold) => "Exception_Security",
            _ => "Exception_Other",
        },
        Status::Unknown | Status::Expired => "InTransit_Other",
    }
}
