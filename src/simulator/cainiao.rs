//! A Cainiao-shaped peer (菜鸟 LINK): a form with a signed interface, one word for each scan; checks the digest with code
//! of its own. Source: facts/carriers-cn 8. Must never use the adapter, so that a bug is not shared.

use super::journeys::Journey;
use super::waybills::{Cancelled, is_phone};
use super::{Asked, CarrierPeer, Simulator, china_time};
use crate::model::{Reason, Status};
use crate::wire::{Answer, sign};
use serde_json::{Value, json};
use std::time::Duration;

const PROVIDER: &str = "demo-resource";
const APP: &str = "demo-app";
const SECRET: &str = "demo-cainiao-secret";
const TOKEN: &str = "demo-cainiao-token";

pub(super) const PEER: CarrierPeer = CarrierPeer {
    kind: "cainiao",
    settings: &[("provider_id", PROVIDER), ("app_code", APP)],
    secrets: &[("secret", SECRET), ("waybill_token", TOKEN)],
    answer: Simulator::cainiao,
    push: None,
};

impl Simulator {
    fn cainiao(&self, asked: &Asked, delay: &mut Duration) -> Answer {
        let form = asked.form();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let interface = field("logistics_interface");
        let expected = sign::md5_base64(format!("{interface}{SECRET}").as_bytes());
        let ordering = field("msg_type").starts_with("TMS_WAYBILL_");
        let provider = if ordering { TOKEN } else { PROVIDER };
        if field("logistic_provider_id") != provider || field("data_digest") != expected {
            return refuse("S02", "签名验证失败");
        }
        let question: Value = serde_json::from_str(interface).unwrap_or_default();
        match field("msg_type") {
            "TMS_WAYBILL_GET" => return self.cainiao_give(&question),
            "TMS_WAYBILL_DISCARD" => {
                return match self.take_back("cainiao", question["waybillCode"].as_str().unwrap_or("")) {
                    Cancelled::Now => Answer::new(200, r#"{"success":true,"discardResult":true}"#),
                    Cancelled::Before => refuse("W02", "面单号已取消"),
                    Cancelled::Unknown => refuse("W01", "面单号不存在"),
                };
            }
            _ => {}
        }
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

impl Simulator {
    /// One package id has one number.
    fn cainiao_give(&self, order: &Value) -> Answer {
        let wanted = &order["tradeOrderInfoDtos"][0];
        let id = wanted["packageInfo"]["id"].as_str().unwrap_or("");
        if id.is_empty() || wanted["recipient"]["address"]["detail"].as_str().unwrap_or("").is_empty() {
            return refuse("W03", "收件人地址为空");
        }
        let phone = |party: &Value| is_phone(party["mobile"].as_str().unwrap_or(""));
        if !phone(&order["sender"]) || !phone(&wanted["recipient"]) {
            return refuse("W04", "手机号码格式不正确");
        }
        let (number, _) = self.give("cainiao", id, "YT", 13);
        let body = json!({"success": true, "waybillCloudPrintResponseList": [
            {"objectId": wanted["objectId"], "waybillCode": number, "printData": "{\"encryptedData\":\"…\"}"}]});
        Answer::new(200, body.to_string())
    }
}

fn refuse(code: &str, message: &str) -> Answer {
    Answer::new(200, json!({"success": false, "errorCode": code, "errorMsg": message}).to_string())
}
