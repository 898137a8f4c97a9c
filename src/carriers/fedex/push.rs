//! FedEx' pushes.
//! Source: developer.fedex.com (webhook); facts/carriers-intl 5. Must never take what is not signed with the account's
//! token.

use super::{FedEx, Scan, TrackResult};
use crate::carriers::{News, Push, Told, body, plain_acknowledgement};
use crate::wire::{Cx, Refusal, Reply, Request, Unverified, Verified, sign};
use serde::Deserialize;

impl Push for FedEx {
    /// HMAC-SHA256 of the whole body with the project's security token, in Base64; hexadecimal in one sentence of the
    /// document.
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        let key = cx.account.secret("push_token");
        if key.is_empty() {
            return Err(Unverified::BadSignature);
        }
        let tag = sign::hmac_sha256(key.as_bytes(), &request.body);
        let given = request.header("fdx-signature");
        let as_base64 = sign::matches(sign::base64(&tag).as_bytes(), given.as_bytes());
        let as_hex = || sign::matches(hex::encode(tag).as_bytes(), given.to_ascii_lowercase().as_bytes());
        let proof = as_base64.or_else(as_hex).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(request.body.clone(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let number = pushed.number.ok_or(Refusal::Unreadable)?.to_ascii_uppercase();
        let mut scans = pushed.scan_events;
        if scans.is_empty() && pushed.scan.event_type.is_some() {
            scans.push(pushed.scan);
        }
        let result = TrackResult { scan_events: scans, ..TrackResult::default() };
        Ok(Told { parcels: vec![News::of(result.tracked(&number, cx.now))], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        plain_acknowledgement(stored, "")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pushed {
    #[serde(default, rename = "trackingNumber", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(default, deserialize_with = "body::list")]
    scan_events: Vec<Scan>,
    #[serde(flatten)]
    scan: Scan,
}
