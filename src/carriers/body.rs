//! Reads a vendor's body as vendors really send it: UTF-8 or GBK, numbers as strings and the other way round, an
//! HTML page where JSON was promised. Must never take half a body for a whole one.

use crate::wire::{Answer, Cure, Refusal};
use encoding_rs::GB18030;
use jiff::{SignedDuration, Timestamp};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Keys and signatures that the vendor does not accept.
pub const CURE_CREDENTIALS: Cure = Cure("cure-credentials");
/// Nothing left of what was paid for.
pub const CURE_QUOTA: Cure = Cure("cure-quota");
/// The account may not use this interface, or not for this carrier.
pub const CURE_PERMISSION: Cure = Cure("cure-permission");
/// Our address is not on the vendor's list of allowed callers.
pub const CURE_ALLOWED_ADDRESS: Cure = Cure("cure-allowed-address");
/// A setting is missing or wrong.
pub const CURE_SETTINGS: Cure = Cure("cure-settings");

/// The answer's JSON, once its HTTP status has been read by what to do.
pub fn json<T: DeserializeOwned>(answer: &Answer, now: Timestamp) -> Result<T, Refusal> {
    http_status(answer, now)?;
    let text = text(answer).ok_or(Refusal::Unreadable)?;
    serde_json::from_str(&text).map_err(|_| Refusal::Unreadable)
}

/// What an HTTP status alone says: 2xx is fine, anything else is a refusal.
pub fn http_status(answer: &Answer, now: Timestamp) -> Result<(), Refusal> {
    match answer.status {
        200..=299 => Ok(()),
        401 | 403 => Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
        404 | 405 | 410 => Err(Refusal::FixAccount { cure: CURE_SETTINGS }),
        429 => {
            Err(Refusal::Throttled { until: retry_after(answer).and_then(|wait| now.checked_add(wait).ok()) })
        }
        408 | 500..=599 => Err(Refusal::Retry { after: retry_after(answer) }),
        _ => Err(Refusal::Unreadable),
    }
}

/// `Retry-After` in seconds, at most a day.
fn retry_after(answer: &Answer) -> Option<SignedDuration> {
    let seconds: i64 = answer.header("retry-after")?.trim().parse().ok()?;
    Some(SignedDuration::from_secs(seconds.clamp(0, 86_400)))
}

/// The body as text: UTF-8 (a byte order mark is dropped), else GBK. `None` where it is neither.
pub fn text(answer: &Answer) -> Option<Cow<'_, str>> {
    let body = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answer.body);
    if let Ok(text) = std::str::from_utf8(body) {
        return Some(Cow::Borrowed(text));
    }
    GB18030.decode_without_bom_handling_and_without_replacement(body)
}

/// A value from XML. A document type is refused: it could name entities, and no vendor sends one.
pub fn xml<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    let harmless = |rest: &str| rest.starts_with("<![CDATA[") || rest.starts_with("<!--");
    if text.match_indices("<!").any(|(at, _)| !harmless(&text[at..])) {
        return Err(Refusal::Unreadable);
    }
    quick_xml::de::from_str(text).map_err(|_| Refusal::Unreadable)
}

/// A text field that may come as a string, a number or a truth value; empty, null and anything nested are none.
pub fn loose<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(LooseText)
}

struct LooseText;

impl<'de> Visitor<'de> for LooseText {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let text = text.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Some(truth.to_string()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A list that may come as null or as an empty text where it has no members.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_any(LooseList(PhantomData))
}

struct LooseList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LooseList<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or null where there is nothing")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.trim().is_empty() { Ok(Vec::new()) } else { Err(E::custom("a text where a list belongs")) }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        // No capacity is taken from a sender's word: the size cap on the body is what bounds it.
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(all)
    }
}

/// A value that may come as JSON inside of a text; none where it is null or the text is empty.
pub fn embedded<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Embedded(PhantomData))
}

struct Embedded<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Embedded<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or JSON inside of a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        serde_json::from_str(text).map(Some).map_err(|_| E::custom("a text that is no JSON"))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(list)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Sample {
        #[serde(default, deserialize_with = "loose")]
        a: Option<String>,
        #[serde(default, deserialize_with = "list")]
        b: Vec<u8>,
    }

    fn read(body: impl Into<Vec<u8>>) -> Result<Sample, Refusal> {
        json(&Answer::new(200, body), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_number_a_truth_and_a_nested_value_do_no_harm() {
        for (body, a) in [
            (r#"{"a":"x "}"#, Some("x")),
            (r#"{"a":12}"#, Some("12")),
            (r#"{"a":true,"b":null}"#, Some("true")),
            (r#"{"a":{"deep":[1,{"er":2}]},"b":""}"#, None),
            (r#"{"a":[],"b":[]}"#, None),
            (r#"{"a":null}"#, None),
            (r#"{"a":"  "}"#, None),
        ] {
            assert_eq!(read(body).unwrap(), Sample { a: a.map(str::to_owned), b: Vec::new() }, "{body}");
        }
        assert_eq!(read(r#"{"b":[1,2]}"#).unwrap().b, [1, 2]);
        assert_eq!(read(r#"{"b":{"x":1}}"#), Err(Refusal::Unreadable));
    }

    #[test]
    fn a_value_is_read_by_itself_and_out_of_a_text() {
        #[derive(serde::Deserialize)]
        struct Outer {
            #[serde(default, deserialize_with = "embedded")]
            inner: Option<Sample>,
        }
        let read = |body: &str| {
            json::<Outer>(&Answer::new(200, body), Timestamp::UNIX_EPOCH).map(|outer| outer.inner)
        };
        let sample = Sample { a: Some("x".into()), b: vec![1] };
        for body in [r#"{"inner":{"a":"x","b":[1]}}"#, r#"{"inner":"{\"a\":\"x\",\"b\":[1]}"}"#] {
            assert_eq!(read(body).unwrap().as_ref(), Some(&sample), "{body}");
        }
        for body in [r#"{"inner":null}"#, r#"{"inner":" "}"#, "{}"] {
            assert_eq!(read(body), Ok(None), "{body}");
        }
        assert_eq!(read(r#"{"inner":"{"}"#), Err(Refusal::Unreadable));
    }

    #[test]
    fn gbk_and_a_byte_order_mark_are_read() {
        let (gbk, _, _) = encoding_rs::GBK.encode(r#"{"a":"已签收"}"#);
        assert_eq!(read(gbk.into_owned()).unwrap().a.as_deref(), Some("已签收"));
        assert_eq!(read("\u{feff}{\"a\":\"b\"}").unwrap().a.as_deref(), Some("b"));
        assert_eq!(read(b"\xff\xfe{\"a\"".to_vec()), Err(Refusal::Unreadable));
    }

    #[test]
    fn an_http_status_is_read_by_what_to_do() {
        let refusal = |status| read_status(status, None);
        assert_eq!(refusal(502), Refusal::Retry { after: None });
        assert_eq!(refusal(403), Refusal::FixAccount { cure: CURE_CREDENTIALS });
        assert_eq!(
            read_status(429, Some("30")),
            Refusal::Throttled { until: "1970-01-01T00:00:30Z".parse().ok() }
        );
        assert_eq!(read("<!doctype html><html>busy</html>"), Err(Refusal::Unreadable));
    }

    fn read_status(status: u16, retry_after: Option<&str>) -> Refusal {
        let headers =
            retry_after.map(|text| ("retry-after".to_owned(), text.to_owned())).into_iter().collect();
        let answer = Answer { status, headers, body: b"{}".to_vec() };
        http_status(&answer, Timestamp::UNIX_EPOCH).unwrap_err()
    }
}
