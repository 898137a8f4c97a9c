//! A DHL-shaped carrier peer: a key in a header, five codes, pushes with the token that the subscriber chose.
//! Source: facts/carriers-intl 1 and 2. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator};
use crate::model::Status;
use crate::wire::Answer;
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "demo-dhl-key";
const HOOK_TOKEN: &str = "demo-dhl-hook-token";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "dhl",
    settings: &[],
    secrets: &[("api_key", KEY), ("hook_token", HOOK_TOKEN)],
    answer: Simulator::dhl,
    push: Some(push),
};

impl Simulator {
    fn dhl(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        if asked.header("dhl-api-key") != KEY {
            return refuse(401, "Unauthorized");
        }
        if asked.path == "/tracking/push/v1/subscription" {
            let wish = asked.json();
            let uri = wish["hook"]["uri"].as_str().unwrap_or("");
            if wish["hook"]["authentication"]["token"] != HOOK_TOKEN {
                return refuse(400, "Bad Request");
            }
            for number in wish["shipmentIDs"].as_array().into_iter().flatten() {
                self.watch("dhl", number.as_str().unwrap_or(""), uri);
            }
            return Answer::new(201, json!({"subscriptionId": "demo-1"}).to_string());
        }
        let number = asked.query("trackingNumber").unwrap_or_default();
        let timeline = self.look_up(&number, asked.now, delay);
        match timeline.journey {
            Journey::Error => refuse(500, "Internal Server Error"),
            _ if timeline.seen.is_empty() => refuse(404, "No result found"),
            _ => Answer::new(200, json!({"shipments": [tell(&number, &timeline)]}).to_string()),
        }
    }
}

fn refuse(status: u16, title: &str) -> Answer {
    Answer::new(status, json!({"title": title, "detail": "", "status": status, "instance": ""}).to_string())
}

fn tell(number: &str, timeline: &Timeline) -> Value {
    let events: Vec<Value> = timeline.seen.iter().rev().map(scan).collect();
    let back = timeline
        .seen
        .iter()
        .any(|seen| matches!(seen.scan.meaning.status, Status::Returning | Status::Returned));
    json!({"id": number, "service": "express", "status": events.first(), "returnFlag": back, "events": events,
        "estimatedTimeOfDelivery": timeline.eta.map(|eta| eta.to_string())})
}

fn scan(seen: &Seen) -> Value {
    let code = match seen.scan.meaning.status {
        Status::InfoReceived => "pre-transit",
        Status::Delivered | Status::Returned => "delivered",
        Status::AttemptFailed | Status::Exception | Status::Lost | Status::Returning => "failure",
        _ => "transit",
    };
    let city = seen.scan.city;
    json!({"timestamp": seen.time.to_string(), "statusCode": code, "status": seen.scan.text,
        "location": {"address": {"countryCode": city.country, "addressLocality": city.name}}})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let body = json!({"scope": "subscription.push", "self": "https://api-eu.dhl.com/tracking/push/v1/subscription/demo-1",
        "shipments": [tell(number, timeline)]});
    let headers =
        vec![("content-type", "application/json".to_owned()), ("x-yishi-hook", HOOK_TOKEN.to_owned())];
    Pushed { query: String::new(), headers, body: body.to_string().into_bytes() }
}
