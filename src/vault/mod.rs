//! Seals what is written about people, so that a stolen disk or backup says nothing; finds rows again by keyed
//! fingerprints; signs sessions and links. Must never print a key, and never write one beside what it seals.

mod keys;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Tag};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use subtle::ConstantTimeEq;

type Signer = Hmac<Sha256>;

/// The first byte of everything sealed: AES-256-GCM, two bytes of key id, 12 of nonce.
const FORMAT: u8 = 1;
const NONCE_AT: usize = 3;
const TEXT_AT: usize = NONCE_AT + 12;
const TAG_LENGTH: usize = 16;
/// Shops are few (they stand in the configuration); a flood of invented names must still not fill the memory.
const SHOPS_KEPT: usize = 10_000;

/// Why something could not be opened, or why there is no vault.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Sealed with a key that this vault does not have.
    #[error("sealed with another key: start with the key file (or `vault.key`) that belongs to this store")]
    UnknownKey,
    /// Not what was sealed: damaged, cut short, or moved from another row.
    #[error("a sealed record is damaged or does not belong where it was found")]
    Damaged,
    /// The key text is not a key.
    #[error("{0}")]
    BadKey(String),
    /// The key file could not be read or made.
    #[error("cannot use the key file {path}: {source}")]
    File {
        /// Where it was looked for.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// One key of the ring, expanded once.
struct SealingKey {
    id: [u8; 2],
    cipher: Aes256Gcm,
}

/// The keys of one installation. Made once at start and shared: everything takes `&self` and costs about a microsecond.
///
/// Sealing uses the first key; opening any. The last (oldest) key also makes the indexes, which must not change
/// when a new sealing key is put in front; the first one signs, so a new key ends every session.
/// A key with random nonces is good for 2^36 seals (2^-25 odds of a repeat): change it once in some years.
pub struct Vault {
    ring: Vec<SealingKey>,
    signer: Signer,
    indexer: Signer,
    shops: RwLock<HashMap<Box<str>, Signer>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(***)")
    }
}

impl Vault {
    /// The row under which a store keeps [`Vault::check_value`].
    pub const CHECK_KEY: &'static [u8] = b"\0vault";

    /// A vault with one key.
    pub fn from_key(key: [u8; 32]) -> Self {
        Self::from_ring(key, &[])
    }

    /// A vault that seals with `newest` and also opens what the `older` keys (newest first) sealed.
    pub fn from_ring(newest: [u8; 32], older: &[[u8; 32]]) -> Self {
        let oldest = older.last().unwrap_or(&newest);
        Self {
            ring: std::iter::once(&newest).chain(older).map(SealingKey::expand).collect(),
            signer: derived(&newest, b"yishi sign 1"),
            indexer: derived(oldest, b"yishi index 1"),
            shops: RwLock::default(),
        }
    }

    /// Seals `plain` for the row `context` (its store key): opens only with the same context. 31 bytes longer.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let key = &self.ring[0];
        let nonce: [u8; 12] = rand::random();
        let mut sealed = Vec::with_capacity(TEXT_AT + plain.len() + TAG_LENGTH);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::<Aes256Gcm>::from(nonce);
        // The one error is a text over 64 GB; an all-zero tag then keeps it shut rather than readable.
        let tag = key
            .cipher
            .encrypt_inout_detached(&nonce, context, (&mut sealed[TEXT_AT..]).into())
            .unwrap_or_default();
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens what [`Vault::seal`] made for the same `context`.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        if sealed.len() < TEXT_AT + TAG_LENGTH || sealed[0] != FORMAT {
            return Err(VaultError::Damaged);
        }
        let (head, rest) = sealed.split_at(TEXT_AT);
        let (text, tag) = rest.split_at(rest.len() - TAG_LENGTH);
        let nonce = Nonce::<Aes256Gcm>::try_from(&head[NONCE_AT..]).map_err(|_| VaultError::Damaged)?;
        let tag = Tag::try_from(tag).map_err(|_| VaultError::Damaged)?;
        let mut known = false;
        for key in self.ring.iter().filter(|key| key.id == head[1..NONCE_AT]) {
            known = true;
            let mut plain = text.to_vec();
            if key.cipher.decrypt_inout_detached(&nonce, context, plain.as_mut_slice().into(), &tag).is_ok() {
                return Ok(plain);
            }
        }
        Err(if known { VaultError::Damaged } else { VaultError::UnknownKey })
    }

    /// A fingerprint by which a row is found without its id being readable: equal for equal input, different per
    /// shop and kind (`phone`, `chat`, …), and not to be guessed without the key. The caller normalizes the id.
    pub fn index(&self, shop: &str, kind: &str, id: &str) -> [u8; 16] {
        let mut mac = self.shop_indexer(shop);
        add_part(&mut mac, kind.as_bytes());
        mac.update(id.as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        short
    }

    fn shop_indexer(&self, shop: &str) -> Signer {
        if let Some(known) = self.shops.read().unwrap_or_else(PoisonError::into_inner).get(shop) {
            return known.clone();
        }
        let mut mac = self.indexer.clone();
        mac.update(shop.as_bytes());
        let made = keyed(&mac.finalize().into_bytes().into());
        let mut shops = self.shops.write().unwrap_or_else(PoisonError::into_inner);
        if shops.len() >= SHOPS_KEPT {
            shops.clear();
        }
        shops.insert(shop.into(), made.clone());
        made
    }

    /// A signature for session tokens and links; `purpose` keeps one kind from passing for another.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        let mut mac = self.signer.clone();
        add_part(&mut mac, purpose.as_bytes());
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Whether `signature` (all 32 bytes, or its first 16 and more) is ours. Takes the same time either way.
    pub fn verify(&self, purpose: &str, message: &[u8], signature: &[u8]) -> bool {
        let expected = self.sign(purpose, message);
        (16..=32).contains(&signature.len()) && bool::from(expected[..signature.len()].ct_eq(signature))
    }

    /// What a store keeps under [`Vault::CHECK_KEY`] so that a wrong key is noticed at start.
    pub fn check_value(&self) -> Vec<u8> {
        self.seal(Self::CHECK_KEY, &self.index("", "check", ""))
    }

    /// Whether a store that keeps this check value was written with these keys.
    pub fn verify_check_value(&self, stored: &[u8]) -> Result<(), VaultError> {
        // A key that opens but makes other indexes would find nothing: the oldest line of the key file is missing.
        let index = self.open(Self::CHECK_KEY, stored)?;
        if index == self.index("", "check", "") { Ok(()) } else { Err(VaultError::UnknownKey) }
    }
}

/// 32 bytes that nobody can guess.
pub fn random() -> [u8; 32] {
    rand::random()
}

/// An unguessable token for URLs: 43 characters of base64url.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(random())
}

impl SealingKey {
    fn expand(key: &[u8; 32]) -> Self {
        let id: [u8; 32] = derived(key, b"yishi key id 1").finalize().into_bytes().into();
        let sealing: [u8; 32] = derived(key, b"yishi seal 1").finalize().into_bytes().into();
        Self { id: [id[0], id[1]], cipher: Aes256Gcm::new(&sealing.into()) }
    }
}

/// A keyed state of its own for each use of a key, so that no two uses can meet.
fn derived(key: &[u8; 32], purpose: &[u8]) -> Signer {
    let mut mac = keyed(key);
    mac.update(purpose);
    keyed(&mac.finalize().into_bytes().into())
}

fn keyed(key: &[u8; 32]) -> Signer {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    // A key of exactly one block is taken as it is, so this is HMAC with the 32-byte key, without an error path.
    <Signer as KeyInit>::new(&block.into())
}

/// Length first, so that two parts never run into each other.
fn add_part(mac: &mut Signer, part: &[u8]) {
    mac.update(&(part.len() as u64).to_be_bytes());
    mac.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vault(byte: u8) -> Vault {
        Vault::from_key([byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_and_shows_nothing() {
        let sealed = vault(1).seal(b"row", "张三 13800000000".as_bytes());
        assert!(!sealed.windows(3).any(|part| part == b"138"));
        assert_eq!(vault(1).open(b"row", &sealed).unwrap(), "张三 13800000000".as_bytes());
        assert_eq!(sealed.len(), "张三 13800000000".len() + 31);
        assert_ne!(
            sealed,
            vault(1).seal(b"row", "张三 13800000000".as_bytes()),
            "each seal has its own nonce"
        );
    }

    #[test]
    fn a_row_moved_to_another_place_or_bent_does_not_open() {
        let sealed = vault(1).seal(b"row", b"text");
        assert!(matches!(vault(1).open(b"other", &sealed), Err(VaultError::Damaged)));
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(vault(1).open(b"row", &bent).is_err(), "bit flipped in byte {at}");
            assert!(vault(1).open(b"row", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_key_is_named_as_the_cause() {
        let sealed = vault(1).seal(b"row", b"text");
        assert!(matches!(vault(2).open(b"row", &sealed), Err(VaultError::UnknownKey)));
        assert!(vault(1).verify_check_value(&vault(1).check_value()).is_ok());
        assert!(matches!(vault(2).verify_check_value(&vault(1).check_value()), Err(VaultError::UnknownKey)));
    }

    #[test]
    fn a_new_key_in_front_still_opens_and_finds_the_old_rows() {
        let old = vault(1);
        let new = Vault::from_ring([2; 32], &[[1; 32]]);
        assert_eq!(new.open(b"row", &old.seal(b"row", b"text")).unwrap(), b"text");
        assert!(matches!(old.open(b"row", &new.seal(b"row", b"text")), Err(VaultError::UnknownKey)));
        assert_eq!(new.index("shop", "phone", "1"), old.index("shop", "phone", "1"));
        assert!(new.verify_check_value(&old.check_value()).is_ok());
        assert!(!new.verify("session", b"me", &old.sign("session", b"me")));
        let forgot_the_old = vault(2);
        assert!(forgot_the_old.verify_check_value(&new.check_value()).is_err());
    }

    #[test]
    fn indexes_differ_by_shop_kind_id_and_key() {
        let vault_one = vault(1);
        let index = vault_one.index("shop", "phone", "13800000000");
        assert_eq!(index, vault_one.index("shop", "phone", "13800000000"));
        assert_eq!(index, vault(1).index("shop", "phone", "13800000000"));
        assert_ne!(index, vault_one.index("other", "phone", "13800000000"));
        assert_ne!(index, vault_one.index("shop", "tail", "13800000000"));
        assert_ne!(index, vault_one.index("shop", "phone1", "3800000000"));
        assert_ne!(index, vault(2).index("shop", "phone", "13800000000"));
    }

    #[test]
    fn keyed_states_are_plain_hmac() {
        let mut mac = keyed(&[7; 32]);
        mac.update(b"message");
        let ours: [u8; 32] = mac.finalize().into_bytes().into();
        assert_eq!(ours, crate::wire::sign::hmac_sha256(&[7; 32], b"message"));
    }

    #[test]
    fn a_signature_holds_for_its_purpose_only() {
        let vault = vault(1);
        let signature = vault.sign("session", b"buyer");
        assert!(vault.verify("session", b"buyer", &signature));
        assert!(vault.verify("session", b"buyer", &signature[..16]));
        assert!(!vault.verify("session", b"buyer", &signature[..15]));
        assert!(!vault.verify("session", b"buyer", &[]));
        assert!(!vault.verify("link", b"buyer", &signature));
        assert!(!vault.verify("session", b"buyes", &signature));
    }

    #[test]
    fn no_key_is_printed_and_tokens_differ() {
        assert_eq!(format!("{:?}", vault(1)), "Vault(***)");
        assert_ne!(token(), token());
        assert_eq!(token().len(), 43);
    }

    proptest! {
        #[test]
        fn outside_bytes_never_open_or_panic(bytes: Vec<u8>, context: Vec<u8>) {
            prop_assert!(vault(1).open(&context, &bytes).is_err());
        }

        #[test]
        fn every_text_comes_back(plain: Vec<u8>, context: Vec<u8>) {
            let vault = vault(3);
            prop_assert_eq!(vault.open(&context, &vault.seal(&context, &plain)).unwrap(), plain);
        }
    }
}
