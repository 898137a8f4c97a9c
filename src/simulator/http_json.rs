//! A market-style service (ALAPI's shape): a form with a token, an answer with a word for each scan.
//! Source: facts/aggregators 3. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::{Asked, CarrierPeer, Simulator, china_time};
use crate::model::Status;
use crate::wire::Answer;
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "demo-market-token";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "http-json",
    settings: &[("recipe", "alapi")],
    secrets: &[("key", TOKEN)],
    answer: Simulator::http_json,
    push: None,
};

impl Simulator {
    fn http_json(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let say = |code: u16, data: Value| {
            Answer::new(
                200,
                json!({"code": code, "msg": if code == 200 { "success" } else { "" }, "data": data})
                    .to_string(),
            )
        };
        if asked.path != "/api/kd" || field("token") != TOKEN {
            return say(10_001, Value::Null);
        }
        let number = field("number");
        let timeline = self.look_up(number, asked.now, delay);
        if timeline.journey == Journey::Error {
            return say(500, Value::Null);
        }
        let scans: Vec<Value> = timeline
            .seen
            .iter()
            .map(|seen| {
                let word = match seen.scan.meaning.status {
                    Status::InfoReceived => "WAIT_ACCEPT",
                    Status::PickedUp => "ACCEPT",
                    Status::OutForDelivery => "DELIVERING",
                    Status::ReadyForPickup => "AGENT_SIGN",
                    Status::Delivered => "SIGN",
                    Status::AttemptFailed | Status::Exception | Status::Lost => "FAILED",
                    _ => "TRANSPORT",
                };
                json!({"time": china_time(seen.time), "content": seen.scan.text, "status": word})
            })
            .collect();
        say(200, json!({"nu": number, "com": field("com"), "state": 1, "info": scans}))
    }
}
