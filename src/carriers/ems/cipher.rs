//! The post's envelope: SM4 in ECB mode with PKCS#7 padding, Base64 behind four marks, and the key's own text behind the
//! JSON. Source: facts/carriers-cn 6.0. Must never tell why a text could not be opened.

use base64::{Engine, engine::general_purpose::STANDARD};
use sm4::Sm4;
use sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

const MARK: &str = "|$4|";
const BLOCK: usize = 16;

/// An account's cipher. No `Debug`: the key must not be printed.
pub(super) struct Cipher<'a> {
    key_text: &'a str,
    sm4: Sm4,
}

impl<'a> Cipher<'a> {
    /// From the sign key as the post gives it: Base64 of 16 bytes. `None` if it is not that.
    pub(super) fn new(key_text: &'a str) -> Option<Self> {
        let key: [u8; BLOCK] = STANDARD.decode(key_text).ok()?.try_into().ok()?;
        Some(Self { key_text, sm4: Sm4::new(&key.into()) })
    }

    /// The `logitcsInterface` of a question.
    pub(super) fn seal(&self, json: &str) -> String {
        let mut text = [json, self.key_text].concat().into_bytes();
        let pad = BLOCK - text.len() % BLOCK;
        text.resize(text.len() + pad, pad as u8);
        for chunk in text.chunks_exact_mut(BLOCK) {
            let mut block = [0; BLOCK];
            block.copy_from_slice(chunk);
            let mut block = block.into();
            self.sm4.encrypt_block(&mut block);
            chunk.copy_from_slice(&block);
        }
        format!("{MARK}{}", STANDARD.encode(text))
    }

    /// The JSON of a push, without the key's text where that follows.
    pub(super) fn open(&self, sealed: &str) -> Option<String> {
        let sealed = sealed.trim();
        let mut text = STANDARD.decode(sealed.strip_prefix(MARK).unwrap_or(sealed)).ok()?;
        if text.is_empty() || text.len() % BLOCK != 0 {
            return None;
        }
        for chunk in text.chunks_exact_mut(BLOCK) {
            let mut block = [0; BLOCK];
            block.copy_from_slice(chunk);
            let mut block = block.into();
            self.sm4.decrypt_block(&mut block);
            chunk.copy_from_slice(&block);
        }
        let pad = usize::from(*text.last()?);
        let end = text.len().checked_sub(pad).filter(|_| (1..=BLOCK).contains(&pad))?;
        if text[end..].iter().any(|byte| usize::from(*byte) != pad) {
            return None;
        }
        text.truncate(end);
        let text = String::from_utf8(text).ok()?;
        Some(text.strip_suffix(self.key_text).map(str::to_owned).unwrap_or(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

    #[test]
    fn the_facts_golden_envelope() {
        let json = r#"{"waybillNo":"1100000000017","direction":"0"}"#;
        let cipher = Cipher::new(KEY).unwrap();
        let sealed = cipher.seal(json);
        assert_eq!(
            sealed,
            "|$4|ImkUJUd6SVUDz3sP0NMBlosuHL+9OW5yGeLwAhPMABzBEAzgMwF29by1oQ0/LbI3/vkPai/Ngto8XCYTZqKy1DJdUB/WoUhfa6ykyLZ7yWA="
        );
        assert_eq!(cipher.open(&sealed).as_deref(), Some(json));
        assert_eq!(cipher.open(&sealed[4..]).as_deref(), Some(json), "some senders leave the marks out");
    }

    #[test]
    fn another_key_and_broken_texts_open_nothing() {
        let sealed = Cipher::new(KEY).unwrap().seal("{}");
        let other = Cipher::new("MDEyMzQ1Njc4OWFiY2RlZw==").unwrap();
        assert_eq!(other.open(&sealed).filter(|text| text.starts_with('{')), None);
        for broken in ["", "|$4|", "|$4|AAAA", "not base64", "|$4|AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert_eq!(Cipher::new(KEY).unwrap().open(broken), None, "{broken}");
        }
        assert!(Cipher::new("").is_none() && Cipher::new("c2hvcnQ=").is_none());
    }

    proptest::proptest! {
        #[test]
        fn what_was_sealed_opens(json in "\\{\\PC{0,60}\\}") {
            let cipher = Cipher::new(KEY).unwrap();
            proptest::prop_assert_eq!(cipher.open(&cipher.seal(&json)), Some(json));
        }

        #[test]
        fn any_text_is_opened_or_refused(text in "\\PC{0,80}") {
            let _ = Cipher::new(KEY).unwrap().open(&text);
        }
    }
}
