//! A Yanwen-shaped carrier peer (燕文): a list of numbers in the query, the customer number as the only key.
//! Source: facts/carriers-intl 7. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::{Asked, CarrierPeer, Simulator};
use crate::model::Status;
use crate::model::when::CHINA;
use crate::wire::Answer;
use serde_json::{Value, json};
use std::time::Duration;

const CUSTOMER: &str = "demo-yanwen-customer";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "yanwen",
    settings: &[],
    secrets: &[("customer_number", CUSTOMER)],
    answer: Simulator::yanwen,
    push: None,
};

impl Simulator {
    fn yanwen(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        if asked.header("authorization") != CUSTOMER {
            return Answer::new(200, json!({"code": 401, "message": "invalid authorization"}).to_string());
        }
        let mut told = Vec::new();
        for number in asked.query("nums").unwrap_or_default().split(',') {
            let timeline = self.look_up(number, asked.now, delay);
            if timeline.journey == Journey::Error {
                return Answer::new(200, json!({"code": 500, "message": "system error"}).to_string());
            }
            let scans: Vec<Value> = timeline
                .seen
                .iter()
                .map(|seen| {
                    let local = CHINA.to_datetime(seen.time).strftime("%Y-%m-%dT%H:%M:%S").to_string();
                    let code = match seen.scan.meaning.status {
                        Status::InfoReceived | Status::PickedUp => "PU10",
                        Status::Delivered => "LM40",
                        _ => "SC20",
                    };
                    json!({"time_stamp": local, "time_zone": "+8", "tracking_status": code,
                        "message": seen.scan.text, "location": seen.scan.city.name})
                })
                .collect();
            let status = if scans.is_empty() { "NOTFOUND" } else { "IN" };
            told.push(json!({"tracking_number": number, "tracking_status": status, "checkpoints": scans}));
        }
        Answer::new(200, json!({"code": 0, "message": "success", "result": told}).to_string())
    }
}
