//! A UPS-shaped carrier peer: a token for a client, one parcel a call, two clocks for each scan, pushes with a
//! credential. Source: facts/carriers-intl 4. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::timeline::{Seen, Timeline};
use super::{Asked, CarrierPeer, Pushed, Simulator};
use crate::model::Status;
use crate::model::when::CHINA;
use crate::wire::{Answer, sign};
use jiff::tz::Offset;
use serde_json::{Value, json};
use std::time::Duration;

const CLIENT: &str = "demo-ups-client";
const SECRET: &str = "demo-ups-secret";
const TOKEN: &str = "demo-ups-token";
const CREDENTIAL: &str = "demo-ups-credential";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "ups",
    settings: &[],
    secrets: &[("client_id", CLIENT), ("client_secret", SECRET), ("hook_credential", CREDENTIAL)],
    answer: Simulator::ups,
    push: Some(push),
};

impl Simulator {
    fn ups(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        if asked.path == "/security/v1/oauth/token" {
            let expected = format!("Basic {}", sign::base64(format!("{CLIENT}:{SECRET}").as_bytes()));
            return match asked.header("authorization") == expected {
                true => Answer::new(200, json!({"access_token": TOKEN, "expires_in": "14399"}).to_string()),
                false => refuse(401, "10401"),
            };
        }
        let known = asked.header("authorization") == format!("Bearer {TOKEN}");
        if !known || asked.header("transid").is_empty() || asked.header("transactionsrc").is_empty() {
            return refuse(401, "250002");
        }
        if asked.path == "/api/track/v2/subscription/standard/package" {
            let numbers = asked.json()["trackingNumberList"].clone();
            for number in numbers.as_array().into_iter().flatten() {
                self.watch("ups", number.as_str().unwrap_or(""), "");
            }
            let taken = json!({"validTrackingNumbers": numbers, "invalidTrackingNumbers": []});
            return Answer::new(200, taken.to_string());
        }
        let Some(number) = asked.path.strip_prefix("/api/track/v1/details/") else {
            return refuse(404, "10404");
        };
        let timeline = self.look_up(number, asked.now, delay);
        if timeline.journey == Journey::Error {
            return refuse(500, "10004");
        }
        let shipment = match timeline.seen.is_empty() {
            true => json!({"warnings": [{"code": "TW0001", "message": "Tracking Information Not Found"}]}),
            false => json!({"package": [{"trackingNumber": number,
                "activity": timeline.seen.iter().rev().map(activity).collect::<Vec<_>>()}]}),
        };
        Answer::new(200, json!({"trackResponse": {"shipment": [shipment]}}).to_string())
    }
}

fn refuse(status: u16, code: &str) -> Answer {
    Answer::new(status, json!({"response": {"errors": [{"code": code, "message": ""}]}}).to_string())
}

/// Date and time in a zone, as UPS writes them.
fn clock(seen: &Seen, zone: Offset) -> (String, String) {
    let at = zone.to_datetime(seen.time);
    (at.strftime("%Y%m%d").to_string(), at.strftime("%H%M%S").to_string())
}

fn status(seen: &Seen) -> Value {
    let (kind, code) = match seen.scan.meaning.status {
        Status::InfoReceived => ("M", "003"),
        Status::PickedUp => ("P", "038"),
        Status::OutForDelivery => ("D", "021"),
        Status::Delivered => ("D", "011"),
        Status::Returning | Status::Returned => ("RS", "044"),
        Status::AttemptFailed | Status::Exception | Status::Lost => ("X", "007"),
        _ => ("I", "005"),
    };
    json!({"type": kind, "code": "", "statusCode": code, "description": seen.scan.text})
}

fn activity(seen: &Seen) -> Value {
    let ((date, time), (gmt_date, gmt_time)) = (clock(seen, CHINA), clock(seen, Offset::UTC));
    let city = seen.scan.city;
    json!({"date": date, "time": time, "gmtDate": gmt_date, "gmtTime": gmt_time, "gmtOffset": "+08:00",
        "location": {"address": {"city": city.name, "stateProvince": city.region, "countryCode": city.country}},
        "status": status(seen)})
}

fn push(number: &str, _carrier: &str, timeline: &Timeline) -> Pushed {
    let mut body = json!({"trackingNumber": number});
    if let Some(seen) = timeline.seen.last() {
        let ((date, time), (gmt_date, gmt_time)) = (clock(seen, CHINA), clock(seen, Offset::UTC));
        let city = seen.scan.city;
        body = json!({"trackingNumber": number, "localActivityDate": date, "localActivityTime": time,
            "gmtActivityDate": gmt_date, "gmtActivityTime": gmt_time, "activityStatus": status(seen),
            "activityLocation": {"city": city.name, "stateProvince": city.region, "country": city.country}});
    }
    let headers =
        vec![("content-type", "application/json".to_owned()), ("credential", CREDENTIAL.to_owned())];
    Pushed { query: String::new(), headers, body: body.to_string().into_bytes() }
}
