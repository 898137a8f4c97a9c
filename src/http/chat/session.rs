//! The token that a browser keeps to go on with its conversation: session, shop and end, signed by the service.
//! Must never be valid in another shop.

use super::signed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How long a session's token lives, in seconds: 30 days.
pub const LIFETIME_SECS: i64 = 30 * 24 * 3600;

const CONTEXT: &str = "yishi chat session 1\n";

#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "s")]
    session: String,
    #[serde(rename = "p")]
    shop: String,
    #[serde(rename = "e")]
    expires: i64,
}

/// A token for a session of a shop. `key`: a key of the service that serves nothing else.
pub fn issue(key: &[u8], shop: &str, session: &str, expires: Timestamp) -> String {
    let payload =
        Payload { session: session.to_owned(), shop: shop.to_owned(), expires: expires.as_second() };
    // A struct of two strings and a number always becomes JSON.
    let json = serde_json::to_vec(&payload).unwrap_or_default();
    signed::sign(key, CONTEXT, &json)
}

/// The session that a token speaks for in this shop, if it is genuine and not expired.
pub fn read(key: &[u8], shop: &str, token: &str, now: Timestamp) -> Option<String> {
    let payload: Payload = serde_json::from_slice(&signed::open(key, CONTEXT, token)?).ok()?;
    (payload.shop == shop && now.as_second() < payload.expires).then_some(payload.session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_own_session_in_its_own_shop_until_it_expires() {
        let end = Timestamp::from_second(1_800_000_000).unwrap();
        let before = Timestamp::from_second(1_799_999_999).unwrap();
        let token = issue(b"service key", "demo", "s-1", end);
        assert_eq!(read(b"service key", "demo", &token, before).as_deref(), Some("s-1"));
        assert_eq!(read(b"service key", "other", &token, before), None);
        assert_eq!(read(b"another key", "demo", &token, before), None);
        assert_eq!(read(b"service key", "demo", &token, end), None);
    }

    #[test]
    fn a_shop_that_knows_no_service_key_cannot_make_one() {
        let payload = br#"{"s":"s-1","p":"demo","e":1800000000}"#;
        let forged = signed::sign(b"service key", "", payload);
        assert_eq!(read(b"service key", "demo", &forged, Timestamp::UNIX_EPOCH), None);
    }
}
