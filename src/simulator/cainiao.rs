//! A Cainiao-shaped peer (菜鸟 LINK): a form with a signed interface, one word for each scan; checks the digest with code
//! of its own. Source: facts/carriers-cn 8. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::{Asked, CarrierPeer, Simulator, china_time};
use crate::model::{Reason, Status};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const PROVIDER: &str = "demo-resource";
const APP: &str = "demo-app";
const SECRET: &str = "demo-cainiao-secret";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "cainiao",
    settings: &[("provider_id", PROVIDER), ("app_code", APP)],
    secrets: &[("secret", SECRET)],
    answer: Simulator::cainiao,
    push: None,
};

impl Simulator {
    fn cainiao(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let interface = field("logistics_interface");
        let expected = sign::md5_base64(format!("{interface}{SECRET}").as_bytes());
        if field("logistic_provider_id") != PROVIDER || field("data_digest") != expected {
            return refuse("S02", "签名验证失败");
        }
        let question: Value = serde_json::from_str(interface).unwrap_or_default();
        let number = question["arg0"]["mailNo"].as_str().unwrap_or("");
        if question["arg0"]["appCode"] != APP || field("msg_type") != "CNTECH_LV_LOGISTICS_DETAIL_GET" {
            return refuse("S03", "没有权限");
        }
        let timeline = self.look_up(number, asked.now, delay);
        if timeline.journey == Journey::Error {
            return refuse("S99", "系统异常");
        }
        if timeline.seen.is_empty() {
            return refuse("B01", "查无物流详情");
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
                    Status::Exception if seen.scan.meaning.reason == Some(Reason::Refused) => "REJECT",
                    Status::Exception | Status::AttemptFailed | Status::Lost => "FAILED",
                    _ => "TRANSPORT",
                };
                json!({"time": china_time(seen.time), "desc": seen.scan.text, "logisticsStatus": word,
                    "city": format!("{}市", seen.scan.city.name)})
            })
            .collect();
        let body = json!({"success": true, "mailNo": number, "cpCode": question["arg0"]["cpCode"],
            "logisticsStatus": scans.last().map(|scan| scan["logisticsStatus"].clone()), "fullTraceDetail": scans});
        Answer::new(200, body.to_string())
    }
}

fn refuse(code: &str, message: &str) -> Answer {
    Answer::new(200, json!({"success": false, "errorCode": code, "errorMsg": message}).to_string())
}
