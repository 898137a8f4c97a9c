//! `payload.signature`, both base64url: the envelope of the tokens that the web chat passes around.
//! Must never give a payload out before its signature matched.

use crate::wire::sign;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Longer tokens are not even looked at.
const LONGEST: usize = 8 * 1024;

/// Signs a payload. `context` keeps tokens of one use from serving another.
pub fn sign(key: &[u8], context: &str, payload: &[u8]) -> String {
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let mac = sign::hmac_sha256(key, format!("{context}{payload}").as_bytes());
    format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// The payload of a token with a matching signature. An empty key signs nothing.
pub fn open(key: &[u8], context: &str, token: &str) -> Option<Vec<u8>> {
    if key.is_empty() || token.len() > LONGEST {
        return None;
    }
    let (payload, signature) = token.split_once('.')?;
    let mac = sign::hmac_sha256(key, format!("{context}{payload}").as_bytes());
    sign::matches(&mac, &decode(signature)?)?;
    decode(payload)
}

/// Takes padding and the standard alphabet too: many languages give these by default.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn only_the_same_key_and_context_open_it() {
        let token = sign(b"key", "a\n", b"payload");
        assert_eq!(open(b"key", "a\n", &token).as_deref(), Some(&b"payload"[..]));
        assert_eq!(open(b"other", "a\n", &token), None);
        assert_eq!(open(b"key", "b\n", &token), None);
        assert_eq!(open(b"", "a\n", &sign(b"", "a\n", b"payload")), None);
    }

    #[test]
    fn padded_standard_base64_is_read_as_well() {
        let payload = STANDARD.encode(b"??>>~~~payload");
        let mac = sign::hmac_sha256(b"key", payload.as_bytes());
        let token = format!("{payload}.{}", STANDARD.encode(mac));
        assert_eq!(open(b"key", "", &token).as_deref(), Some(&b"??>>~~~payload"[..]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused(token in "\\PC{0,80}") {
            proptest::prop_assert_eq!(open(b"key", "", &token), None);
        }

        #[test]
        fn no_changed_character_passes(at in 0usize..60, with in "[A-Za-z0-9_-]") {
            let token = sign(b"key", "", b"a payload of some length");
            let mut changed = token.clone();
            let at = at % token.len();
            changed.replace_range(at..at + 1, &with);
            // The last character of a part carries unused bits; base64 refuses them when they are set.
            if changed != token {
                proptest::prop_assert_eq!(open(b"key", "", &changed), None);
            }
        }
    }
}
