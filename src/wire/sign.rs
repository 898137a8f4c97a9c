//! Signature primitives of all vendors, and the only place that mints a [`Proof`]. Comparisons are constant-time.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

/// Evidence that a request came from whom it says. Only this module makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    kind: ProofKind,
}

/// How a sender was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofKind {
    /// A signature or shared secret matched.
    Signature,
    /// The vendor signs nothing: the unguessable path of the account is all there is.
    SecretPath,
    /// The answer to a call of our own over TLS.
    OurCall,
}

impl Proof {
    /// How.
    pub fn kind(&self) -> ProofKind {
        self.kind
    }

    /// For vendors that sign nothing (SF's standard route push).
    pub fn secret_path() -> Self {
        Self { kind: ProofKind::SecretPath }
    }

    /// For answers to our own calls.
    pub fn our_call() -> Self {
        Self { kind: ProofKind::OurCall }
    }
}

/// A proof where `given` is byte for byte the `expected` signature or secret. An empty expectation never matches.
pub fn matches(expected: &[u8], given: &[u8]) -> Option<Proof> {
    let equal: bool = expected.ct_eq(given).into();
    (equal && !expected.is_empty()).then_some(Proof { kind: ProofKind::Signature })
}

/// MD5, 16 bytes.
pub fn md5(data: &[u8]) -> [u8; 16] {
    Md5::digest(data).into()
}

/// MD5 as lower-case hex.
pub fn md5_hex(data: &[u8]) -> String {
    hex::encode(md5(data))
}

/// MD5 as upper-case hex (Kuaidi100).
pub fn md5_hex_upper(data: &[u8]) -> String {
    hex::encode_upper(md5(data))
}

/// Base64 of the raw MD5 (SF, ZTO, STO, YTO, Cainiao, J&T).
pub fn md5_base64(data: &[u8]) -> String {
    STANDARD.encode(md5(data))
}

/// Standard base64.
pub fn base64(data: &[u8]) -> String {
    STANDARD.encode(data)
}

/// SHA-1 as lower-case hex.
pub fn sha1_hex(data: &[u8]) -> String {
    hex::encode(Sha1::digest(data))
}

/// WeChat's: lower-case hex SHA-1 over the parts sorted as byte strings and joined.
pub fn sorted_sha1(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    sha1_hex(sorted.concat().as_bytes())
}

/// SHA-256, 32 bytes.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// SHA-256 as lower-case hex.
pub fn sha256_hex(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

/// HMAC-SHA256, 32 bytes. Takes a key of any length.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so this never fails; an all-zero tag would match nothing anyway.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return [0; 32] };
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA512, 64 bytes. Takes a key of any length.
pub fn hmac_sha512(key: &[u8], data: &[u8]) -> [u8; 64] {
    // As above: this never fails.
    let Ok(mut mac) = <Hmac<Sha512> as KeyInit>::new_from_slice(key) else { return [0; 64] };
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// `application/x-www-form-urlencoded` byte serializer: Java's `URLEncoder` rules (SF).
pub fn form_encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_sha1_gives_the_published_values() {
        assert_eq!(sorted_sha1(&["b", "a", "c"]), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(sorted_sha1(&["345", "123"]), "9f537aeb751ec72605f57f94a2f6dc3e3958e1dd");
        assert_eq!(
            sorted_sha1(&["AAAAA", "1714036504", "1514711492"]),
            "f464b24fc39322e44b38aa78f5edd27bd1441696"
        );
    }

    #[test]
    fn hmac_gives_the_value_of_the_identifier_hash() {
        assert_eq!(
            hex::encode(hmac_sha256(b"widget-secret", b"user-42")),
            "03ef7e8784e06e0f8317142f50b1f0644c8dac857d0705e0c560b6f27528fe9a"
        );
    }

    #[test]
    fn nothing_matches_an_empty_secret() {
        assert_eq!(matches(b"", b""), None);
        assert_eq!(matches(b"abc", b"abd"), None);
        assert!(matches(b"abc", b"abc").is_some());
    }
}
