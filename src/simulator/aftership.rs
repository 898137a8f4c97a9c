//! An AfterShip-shaped aggregator peer: numbers are made known once and read after that; checks the key, and signs its
//! webhooks with code of its own. Source: facts/aggregators 5. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "demo-aftership-key";
const WEBHOOK_SECRET: &str = "demo-aftership-webhook";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "aftership",
    settings: &[],
    secrets: &[("api_key", KEY), ("webhook_secret", WEBHOOK_SECRET)],
    answer: Simulator::aftership,
    push: Some(push),
};

/// The vendor's names of carriers.
const SLUGS: [(&str, &str); 5] = [
    ("sf", "sf-express-cn"),
    ("yto", "yto"),
    ("dhl", "dhl"),
    ("usps", "usps"),
    ("chinapost-intl", "china-post"),
];

impl Simulator {
    fn aftership(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        if asked.header("as-api-key") != KEY {
            return refuse(401);
        }
        if asked.path != "/tracking/2026-07/trackings" {
            return refuse(404);
        }
        if let Some(number) = asked.query("tracking_numbers") {
            let slug = asked.query("slug").unwrap_or_default();
            let timeline = self.look_up(&number, asked.now, delay);
            if timeline.journey == Journey::Error {
                return refuse(500);
            }
            let watched = self.watches("aftership", &number);
            let trackings: Vec<Value> =
                watched.then(|| tell(&number, &slug, &timeline)).into_iter().collect();
            return say(200, 200, json!({"trackings": trackings}));
        }
        let body = asked.json();
        let text = |name: &str| body[name].as_str().unwrap_or("");
        let (number, slug) = (text("tracking_number"), text("slug"));
        match self.watch("aftership", number, "") {
            true => say(
                201,
                201,
                json!({"tracking_number": number, "slug": slug, "tag": "Pending", "checkpoints": []}),
            ),
            false => refuse(4003),
        }
    }
}

fn say(status: u16, code: u16, data: Value) -> Answer {
    Answer::new(status, json!({"meta": {"code": code}, "data": data}).to_string())
}

fn refuse(code: u16) -> Answer {
    say(if code >= 4000 { 400 } else { code }, code, json!({}))
}

fn tell(number: &str, slug: &str, timeline: &Timeline) -> Value {
    let checkpoint = |seen: &Seen| {
        let city = seen.scan.city;
        json!({"checkpoint_time": seen.time.to_string(), "message": seen.scan.text, "location": city.name,
            "city": city.name, "state": city.region, "country_region": city.country, "subtag": code(seen.scan.meaning),
            "tag": tag(seen.scan.meaning)})
    };
    let checkpoints: Vec<Value> = timeline.seen.iter().map(checkpoint).collect();
    let last = timeline.seen.last().map(|seen| seen.scan.meaning);
    let expected = timeline.eta.map(|eta| json!({"type": "specific", "datetime": eta.to_string()}));
    json!({"tracking_number": number, "slug": slug, "tag": last.map_or("Pending", tag),
        "subtag": last.map(code), "checkpoints": checkpoints, "latest_estimated_delivery": expected})
}

fn push(number: &str, carrier: &str, timeline: &Timeline) -> Pushed {
    let slug = SLUGS.iter().find(|(code, _)| *code == carrier).map_or(carrier, |(_, slug)| slug);
    let body = json!({"ts": 1_772_400_000, "event": "tracking_update",
        "event_id": "00000000-0000-4000-8000-000000000001", "is_tracking_first_tag": false,
        "msg": tell(number, slug, timeline)})
    .to_string();
    let signature = sign::base64(&sign::hmac_sha256(WEBHOOK_SECRET.as_bytes(), body.as_bytes()));
    let headers = vec![("content-type", "application/json".to_owned()), ("aftership-hmac-sha256", signature)];
    Pushed { query: String::new(), headers, body: body.into_bytes() }
}

fn tag(meaning: Meaning) -> &'static str {
    code(meaning).split('_').next().unwrap_or("Pending")
}

fn code(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived => "InfoReceived_001",
        Status::PickedUp => "InTransit_002",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "InTransit_003",
            Some(Sub::DepartedHub) => "InTransit_007",
            Some(Sub::CustomsPresented | Sub::CustomsInspection) => "InTransit_006",
            Some(Sub::CustomsReleased) => "InTransit_005",
            _ => "InTransit_001",
        },
        Status::OutForDelivery => "OutForDelivery_001",
        Status::AttemptFailed => "AttemptFail_001",
        Status::ReadyForPickup => "AvailableForPickup_001",
        Status::Delivered => match meaning.sub {
            Some(Sub::Collected) => "Delivered_002",
            _ => "Delivered_001",
        },
        Status::Returning => "Exception_010",
        Status::Returned => "Exception_011",
        Status::Lost => "Exception_013",
        Status::Cancelled => "Exception_020",
        Status::Exception => match meaning.reason {
            Some(Reason::Refused) => "Exception_003",
            Some(Reason::CustomsHold) => "Exception_004",
            _ => "Exception_001",
        },
        Status::Unknown | Status::Expired => "InTransit_001",
    }
}
