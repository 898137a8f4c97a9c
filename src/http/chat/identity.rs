//! Who a buyer is, told by the shop: a token that the shop's server signs with its chat secret, with an end.
//! The format is in `docs/channels/webchat.md`. Must never say which part of a refused token was wrong to its bearer.

use super::signed;
use crate::model::Private;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Furthest end that is taken, in seconds from now: 31 days. It also catches an `exp` in milliseconds.
pub const LONGEST_SECS: i64 = 31 * 24 * 3600;
/// Most orders that one token can name.
pub const MOST_ORDERS: usize = 200;

/// A buyer as the shop knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The shop's own id of the buyer, 1 to 128 characters.
    pub buyer: Private<String>,
    /// When the token ends.
    pub expires: Timestamp,
    /// Order numbers that the shop vouches for, beside those that it uploaded with this buyer.
    pub orders: Vec<String>,
}

/// Why a token is refused: for the log and the counter, not for the bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not signed with this shop's secret, or no token at all.
    #[error("the signature does not match")]
    Signature,
    /// Signed, but not the JSON that is promised.
    #[error("the payload is not an object with sub and exp")]
    Payload,
    /// Past its end.
    #[error("expired")]
    Expired,
    /// Ends too far ahead: `exp` is in seconds, at most 31 days from now.
    #[error("exp is more than 31 days ahead")]
    TooLong,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    sub: String,
    exp: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    orders: Vec<String>,
}

/// Reads a token. `secret`: the shop's chat secret; an empty one refuses everything.
pub fn read(secret: &[u8], token: &str, now: Timestamp) -> Result<Identity, IdentityError> {
    let payload = signed::open(secret, "", token.trim()).ok_or(IdentityError::Signature)?;
    let payload: Payload = serde_json::from_slice(&payload).map_err(|_| IdentityError::Payload)?;
    let sub_length = payload.sub.chars().count();
    let orders_fit = payload.orders.len() <= MOST_ORDERS
        && payload.orders.iter().all(|order| (1..=64).contains(&order.chars().count()));
    if !(1..=128).contains(&sub_length) || !orders_fit {
        return Err(IdentityError::Payload);
    }
    let left = payload.exp.saturating_sub(now.as_second());
    if left <= 0 {
        return Err(IdentityError::Expired);
    }
    if left > LONGEST_SECS {
        return Err(IdentityError::TooLong);
    }
    let expires = Timestamp::from_second(payload.exp).map_err(|_| IdentityError::Payload)?;
    Ok(Identity { buyer: Private::new(payload.sub), expires, orders: payload.orders })
}

/// Signs a token as the shop does: for tests, tools and the console's "try it".
pub fn sign(secret: &[u8], identity: &Identity) -> String {
    let payload = Payload {
        sub: identity.buyer.reveal().clone(),
        exp: identity.expires.as_second(),
        orders: identity.orders.clone(),
    };
    // Strings and a number always become JSON.
    signed::sign(secret, "", &serde_json::to_vec(&payload).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn now() -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }

    /// The vector of docs/channels/webchat.md: made with Python's hmac module.
    const DOCUMENTED: &str = "eyJzdWIiOiJidXllci00MiIsImV4cCI6MTgwMDAwMzYwMCwib3JkZXJzIjpbIkEtMTAwMSJdfQ.\
                              PeNC7t10mmJmZ4mKAgj1RwQKXw-k6CSBhpXoRt13yTg";

    #[test]
    fn the_documented_token_is_read() {
        let identity = read(b"chat-secret-of-the-shop", DOCUMENTED, now()).unwrap();
        assert_eq!(identity.buyer.reveal(), "buyer-42");
        assert_eq!(identity.orders, ["A-1001"]);
        assert_eq!(sign(b"chat-secret-of-the-shop", &identity), DOCUMENTED);
    }

    #[test]
    fn expired_and_endless_and_foreign_tokens_are_refused() {
        let read_at = |seconds: i64| {
            read(b"chat-secret-of-the-shop", DOCUMENTED, Timestamp::from_second(NOW + seconds).unwrap())
        };
        assert!(read_at(3599).is_ok());
        assert_eq!(read_at(3600), Err(IdentityError::Expired));
        assert_eq!(read_at(-40 * 24 * 3600), Err(IdentityError::TooLong));
        assert_eq!(read(b"another secret", DOCUMENTED, now()), Err(IdentityError::Signature));
        assert_eq!(read(b"", DOCUMENTED, now()), Err(IdentityError::Signature));
    }

    #[test]
    fn a_signed_payload_must_have_its_fields_in_range_and_may_have_more() {
        let signed = |json: &str| read(b"k", &signed::sign(b"k", "", json.as_bytes()), now());
        assert!(signed(r#"{"sub":"b","exp":1800000060,"plan":"gold"}"#).is_ok());
        for json in [
            "",
            "[]",
            r#"{"sub":"b"}"#,
            r#"{"exp":1800000060}"#,
            r#"{"sub":"","exp":1800000060}"#,
            r#"{"sub":"b","exp":"1800000060"}"#,
            r#"{"sub":"b","exp":1800000060,"orders":[""]}"#,
        ] {
            assert_eq!(signed(json), Err(IdentityError::Payload), "{json}");
        }
        // Milliseconds by mistake.
        assert_eq!(signed(r#"{"sub":"b","exp":1800000060000}"#), Err(IdentityError::TooLong));
        assert_eq!(signed(r#"{"sub":"b","exp":-9223372036854775808}"#), Err(IdentityError::Expired));
    }

    proptest::proptest! {
        #[test]
        fn any_signed_payload_is_read_or_refused(payload in proptest::collection::vec(0u8.., 0..80)) {
            let _ = read(b"k", &signed::sign(b"k", "", &payload), now());
        }
    }
}
