//! WeChat's message cipher: AES-256-CBC with a key that is its own IV, padded to 32 bytes, with the appid at the end.
//! Must never tell why a text could not be opened, and never draw randomness of its own.
//!
//! Two traps: the key's last character may carry stray low bits, which a strict base64 reader refuses; and the padding
//! is to 32, not to AES's 16 bytes, so it is done by hand.

use aes::Aes256;
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, PAD, STANDARD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

/// Base64 that forgives stray low bits in the last character.
const LAX: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));

/// Texts are padded to a multiple of this.
const PAD_TO: usize = 32;

/// Random bytes and length before the message.
const HEAD: usize = 16 + 4;

/// An account's cipher. No `Debug`: the key must not be printed.
pub struct Cipher {
    key: [u8; 32],
}

impl Cipher {
    /// From the 43 characters of the EncodingAESKey. `None` if it is not one.
    pub fn new(encoding_aes_key: &str) -> Option<Self> {
        if encoding_aes_key.len() != 43 {
            return None;
        }
        let key = LAX.decode(format!("{encoding_aes_key}=")).ok()?;
        Some(Self { key: key.try_into().ok()? })
    }

    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.key[..16]);
        iv
    }

    /// Encrypts a message; `random` makes equal messages differ.
    pub fn seal(&self, random: [u8; 16], message: &[u8], appid: &str) -> String {
        let mut plain = Vec::with_capacity(HEAD + message.len() + appid.len() + PAD_TO);
        plain.extend_from_slice(&random);
        plain.extend_from_slice(&(message.len() as u32).to_be_bytes());
        plain.extend_from_slice(message);
        plain.extend_from_slice(appid.as_bytes());
        let pad = PAD_TO - plain.len() % PAD_TO;
        plain.resize(plain.len() + pad, pad as u8);
        let cipher = cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.iv().into());
        STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(&plain))
    }

    /// Decrypts a message and checks that it was meant for `appid`. `None` whatever is wrong.
    pub fn open(&self, encrypted: &str, appid: &str) -> Option<Vec<u8>> {
        let sealed = LAX.decode(encrypted.trim()).ok()?;
        if sealed.is_empty() || sealed.len() % 16 != 0 {
            return None;
        }
        let cipher = cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.iv().into());
        let mut plain = cipher.decrypt_padded_vec::<NoPadding>(&sealed).ok()?;
        let pad = usize::from(*plain.last()?);
        let end = plain.len().checked_sub(pad).filter(|_| (1..=PAD_TO).contains(&pad))?;
        if plain[end..].iter().any(|byte| usize::from(*byte) != pad) {
            return None;
        }
        let length = u32::from_be_bytes(plain.get(16..HEAD)?.try_into().ok()?);
        let tail = HEAD.checked_add(usize::try_from(length).ok()?).filter(|tail| *tail <= end)?;
        if plain[tail..end] != *appid.as_bytes() {
            return None;
        }
        plain.truncate(tail);
        plain.drain(..HEAD);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sign::sorted_sha1;

    const A43: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const APPID: &str = "wxba5fad812f8e6fb9";

    #[test]
    fn the_official_encryption_sample() {
        let sealed =
            Cipher::new(A43).unwrap().seal(*b"707722b803182950", br#"{"demo_resp":"good luck"}"#, APPID);
        assert_eq!(
            sealed,
            "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
        );
        assert_eq!(
            sorted_sha1(&["AAAAA", "1713424427", "415670741", &sealed]),
            "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
        );
    }

    #[test]
    fn the_official_decryption_sample() {
        let sealed = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=";
        assert_eq!(
            sorted_sha1(&["AAAAA", "1714112445", "415670741", sealed]),
            "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
        );
        let cipher = Cipher::new(A43).unwrap();
        let message = cipher.open(sealed, APPID).unwrap();
        assert_eq!(message.len(), 167);
        assert_eq!(
            String::from_utf8(message).unwrap(),
            r#"{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}"#
        );
        assert_eq!(cipher.open(sealed, "wxother"), None);
    }

    #[test]
    fn a_key_with_stray_low_bits_works() {
        let cipher = Cipher::new("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").unwrap();
        let sealed = cipher.seal(*b"aaaabbbbccccdddd", "我是中文abcd123".as_bytes(), "wxb11529c136998cb6");
        assert_eq!(
            sealed,
            "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
        );
        for tail in ["EFG", "1aR", "B2C"] {
            assert!(Cipher::new(&format!("{}{tail}", &A43[..40])).is_some(), "{tail}");
        }
        for bad in ["", "abc", &A43[..42], &format!("{A43}A"), &format!("{}-", &A43[..42])] {
            assert!(Cipher::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_enterprise_echo_sample_opens_by_the_same_cipher() {
        let echo = "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==";
        assert_eq!(
            sorted_sha1(&["123456", "1411443780", "437374425", echo]),
            "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96"
        );
        let cipher = Cipher::new("kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR").unwrap();
        assert_eq!(cipher.open(echo, "wx49f0ab532d5d035a").unwrap(), b"5927782489442352469");
    }

    proptest::proptest! {
        #[test]
        fn every_length_comes_back(message: Vec<u8>, random: [u8; 16]) {
            let cipher = Cipher::new(A43).unwrap();
            let sealed = cipher.seal(random, &message, APPID);
            proptest::prop_assert_eq!(cipher.open(&sealed, APPID), Some(message));
        }

        #[test]
        fn any_text_is_opened_or_refused(sealed in "[A-Za-z0-9+/=]{0,200}") {
            let _ = Cipher::new(A43).unwrap().open(&sealed, APPID);
        }

        #[test]
        fn whole_blocks_of_noise_are_refused(blocks in 1usize..6, seed: u64) {
            let noise: Vec<u8> = (0..blocks * 16).map(|n| (seed.wrapping_mul(n as u64 + 7) >> 11) as u8).collect();
            let _ = Cipher::new(A43).unwrap().open(&STANDARD.encode(noise), APPID);
        }
    }
}
