//! The same messages for accounts that chose JSON (数据格式) in WeChat's console: the same fields, the same meaning.
//! Must never take an account's word for its format: the body's first character tells.

use super::xml::Fields;
use crate::wire::Unverified;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// Whether a body is JSON; else it is XML.
pub fn is_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Reads the fields of a JSON body. `Malformed` also for a field that comes twice.
pub fn read(body: &[u8]) -> Result<Fields<'static>, Unverified> {
    #[derive(Deserialize)]
    struct Scan {
        #[serde(rename = "ScanResult")]
        result: String,
    }
    #[derive(Deserialize)]
    struct Outer {
        #[serde(rename = "ScanCodeInfo")]
        scan: Option<Scan>,
    }
    // serde would also take an array for a struct.
    if !is_json(body) {
        return Err(Unverified::Malformed);
    }
    let mut fields: Fields<'static> = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
    if fields.event.is_some() {
        let outer: Outer = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
        fields.scanned = outer.scan.map(|scan| Cow::Owned(scan.result));
    }
    Ok(fields)
}

/// A passive text reply in JSON.
pub fn text_reply(to: &str, from: &str, created: i64, content: &str) -> String {
    serde_json::json!({
        "ToUserName": to, "FromUserName": from, "CreateTime": created, "MsgType": "text", "Content": content,
    })
    .to_string()
}

/// The envelope of an encrypted reply in JSON.
pub fn encrypted_reply(encrypt: &str, signature: &str, timestamp: i64, nonce: &str) -> String {
    serde_json::json!({ "Encrypt": encrypt, "MsgSignature": signature, "TimeStamp": timestamp, "Nonce": nonce })
        .to_string()
}

/// A text or a whole number (times and ids come as either), `null` for none.
pub fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'static, str>>, D::Error> {
    struct Word;
    impl Visitor<'_> for Word {
        type Value = Option<Cow<'static, str>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a whole number")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(text.to_owned())))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(number.to_string())))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(number.to_string())))
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Word)
}

#[cfg(test)]
mod tests {
    use super::super::xml::text;
    use super::*;

    #[test]
    fn the_official_decrypted_sample_is_read() {
        let body = br#"{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}"#;
        let fields = read(body).unwrap();
        assert_eq!((text(&fields.created), text(&fields.event)), ("1714112445", "debug_demo"));
        assert_eq!(text(&fields.to), "gh_97417a04a28d");
    }

    #[test]
    fn a_scan_is_inside_its_object() {
        let body = r#"{"Event":"scancode_push","ScanResult":"no","ScanCodeInfo":{"ScanType":"barcode","ScanResult":"CODE_128,SF1"}}"#;
        assert_eq!(text(&read(body.as_bytes()).unwrap().scanned), "CODE_128,SF1");
        assert!(read(br#"{"Event":"VIEW","ScanResult":"no"}"#).unwrap().scanned.is_none());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for bad in [
            "",
            "{",
            "[]",
            "{}{}",
            r#"{"Content":"a","Content":"b"}"#,
            r#"{"Content":["a"]}"#,
            r#"{"Content":{"a":1}}"#,
            r#"{"CreateTime":1.5}"#,
            r#"{"Content":true}"#,
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        assert!(read(deep.as_bytes()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body: Vec<u8>, json in "[\\[\\]{}\":,a-zA-Z0-9]{0,60}") {
            let _ = read(&body);
            let _ = read(json.as_bytes());
        }
    }
}
