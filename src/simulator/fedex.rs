//! A FedEx-shaped carrier peer: a token for a client id, thirty numbers a call, signed pushes; checks both with code of
//! its own. Source: facts/carriers-intl 5. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator};
use crate::model::{Meaning, Reason, Status, Sub};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const CLIENT: &str = "demo-fedex-client";
const SECRET: &str = "demo-fedex-secret";
const TOKEN: &str = "demo-fedex-token";
const PUSH_TOKEN: &str = "demo-fedex-push-token";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "fedex",
    settings: &[],
    secrets: &[("client_id", CLIENT), ("client_secret", SECRET), ("push_token", PUSH_TOKEN)],
    answer: Simulator::fedex,
    push: Some(push),
};

impl Simulator {
    fn fedex(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        if asked.path == "/oauth/token" {
            let form = asked.form();
            let field = |name: &str| form.get(name).map_or("", String::as_str);
            return match (field("client_id"), field("client_secret")) {
                (CLIENT, SECRET) => Answer::new(
                    200,
                    json!({"access_token": TOKEN, "token_type": "bearer", "expires_in": 3599}).to_string(),
                ),
                _ => refuse(401, "NOT.AUTHORIZED.ERROR"),
            };
        }
        if asked.header("authorization") != format!("Bearer {TOKEN}") {
            return refuse(401, "NOT.AUTHORIZED.ERROR");
        }
        let question = asked.json();
        let mut complete = Vec::new();
        for info in question["trackingInfo"].as_array().into_iter().flatten() {
            let number = info["trackingNumberInfo"]["trackingNumber"].as_str().unwrap_or("");
            let timeline = self.look_up(number, asked.now, delay);
            let result = match timeline.journey {
                Journey::Error => return refuse(500, "INTERNAL.SERVER.ERROR"),
                _ if timeline.seen.is_empty() => {
                    json!({"error": {"code": "TRACKING.TRACKINGNUMBER.NOTFOUND", "message": ""}})
                }
                _ => tell(&timeline),
            };
            complete.push(json!({"trackingNumber": number, "trackResults": [result]}));
        }
        Answer::new(200, json!({"output": {"completeTrackResults": complete}}).to_string())
    }
}

fn refuse(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        json!({"transactionId": "t-1", "errors": [{"code": code, "message": ""}]}).to_string(),
    )
}

fn tell(timeline: &Timeline) -> Value {
    let scans: Vec<Value> = timeline.seen.iter().rev().map(scan).collect();
    let latest = timeline.seen.last().map(|seen| said(seen.scan.meaning));
    let expected = timeline.eta.map(|eta| json!({"type": "ESTIMATED_DELIVERY", "dateTime": eta.to_string()}));
    json!({"latestStatusDetail": {"code": latest}, "scanEvents": scans,
        "dateAndTimes": expected.into_iter().collect::<Vec<_>>()})
}

fn scan(seen: &Seen) -> Value {
    let city = seen.scan.city;
    json!({"date": seen.time.to_string(), "eventType": said(seen.scan.meaning), "eventDescription": seen.scan.text,
        "scanLocation": {"city": city.name, "stateOrProvinceCode": city.region, "countryCode": city.country}})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let scans: Vec<Value> = timeline.seen.iter().rev().take(1).map(scan).collect();
    let body = json!({"trackingNumber": number, "scanEvents": scans}).to_string();
    let signature = sign::base64(&sign::hmac_sha256(PUSH_TOKEN.as_bytes(), body.as_bytes()));
    let headers = vec![("content-type", "application/json".to_owned()), ("fdx-signature", signature)];
    Pushed { query: String::new(), headers, body: body.into_bytes() }
}

fn said(meaning: Meaning) -> &'static str {
    match meaning.status {
        Status::InfoReceived => "OC",
        Status::PickedUp => "PU",
        Status::InTransit => match meaning.sub {
            Some(Sub::ArrivedHub | Sub::ArrivedDestinationCity) => "AR",
            Some(Sub::DepartedHub) => "DP",
            _ => "IT",
        },
        Status::OutForDelivery => "OD",
        Status::AttemptFailed => "DE",
        Status::ReadyForPickup => "HP",
        Status::Delivered => "DL",
        Status::Returning | Status::Returned => "RS",
        Status::Cancelled => "CA",
        Status::Exception if meaning.reason == Some(Reason::CustomsHold) => "CD",
        Status::Exception | Status::Lost => "SE",
        Status::Unknown | Status::Expired => "IT",
    }
}
