//! A USPS-shaped carrier peer: a token for a client, one piece a call, the time in GMT beside the local one.
//! Source: facts/carriers-intl 6. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::Seen;
use super::{Asked, CarrierPeer, Simulator};
use crate::model::Status;
use crate::model::when::CHINA;
use crate::wire::Answer;
use serde_json::{Value, json};
use std::time::Duration;

const CLIENT: &str = "demo-usps-client";
const SECRET: &str = "demo-usps-secret";
const TOKEN: &str = "demo-usps-token";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "usps",
    settings: &[],
    secrets: &[("client_id", CLIENT), ("client_secret", SECRET)],
    answer: Simulator::usps,
    push: None,
};

impl Simulator {
    fn usps(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let say = |status: u16, body: Value| Answer::new(status, body.to_string());
        if asked.path == "/oauth2/v3/token" {
            let body = asked.json();
            return match body["client_id"] == CLIENT && body["client_secret"] == SECRET {
                true => say(200, json!({"access_token": TOKEN, "expires_in": 28_799})),
                false => say(401, json!({"error": "invalid_client"})),
            };
        }
        if asked.header("authorization") != format!("Bearer {TOKEN}") {
            return say(401, json!({"error": {"code": "401"}}));
        }
        let number = asked.path.strip_prefix("/tracking/v3/tracking/").unwrap_or("");
        let timeline = self.look_up(number, asked.now, delay);
        match timeline.journey {
            Journey::Error => say(500, json!({"error": {"code": "500"}})),
            _ if timeline.seen.is_empty() => say(404, json!({"error": {"code": "404"}})),
            _ => say(
                200,
                json!({"trackingNumber": number, "statusCategory": timeline.seen.last().map(category),
                    "trackingEvents": timeline.seen.iter().rev().map(scan).collect::<Vec<_>>()}),
            ),
        }
    }
}

fn category(seen: &Seen) -> &'static str {
    match seen.scan.meaning.status {
        Status::InfoReceived => "Pre-Shipment",
        Status::PickedUp => "Accepted",
        Status::OutForDelivery => "Out for Delivery",
        Status::Delivered => "Delivered",
        Status::ReadyForPickup => "Available for Pickup",
        Status::AttemptFailed => "Delivery Attempt",
        Status::Returning | Status::Returned => "Return to Sender",
        Status::Exception | Status::Lost => "Alert",
        _ => "In Transit",
    }
}

fn scan(seen: &Seen) -> Value {
    let code = match seen.scan.meaning.status {
        Status::InfoReceived => "GX",
        Status::PickedUp => "03",
        Status::OutForDelivery => "OF",
        Status::Delivered => "01",
        Status::ReadyForPickup => "14",
        Status::AttemptFailed => "02",
        Status::Returning | Status::Returned => "09",
        _ => "10",
    };
    let local = CHINA.to_datetime(seen.time).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    json!({"eventType": seen.scan.text, "eventTimestamp": local, "eventCode": code,
        "eventCity": seen.scan.city.name, "eventCountry": seen.scan.city.country,
        "GMTTimestamp": seen.time.to_string(), "GMTOffset": "+08:00"})
}
