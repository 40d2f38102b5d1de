//! Sealing: AES-256-GCM by ring, under a key that lies outside the store's file.
//!
//! What is sealed begins with a byte for the form, then the nonce. A nonce is random and 96 bits long; NIST
//! SP 800-38D allows 2^32 of them under one key.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::{Kept, StoreFault};

const FORM: u8 = 1;
const NONCE: usize = 12;

/// Seals and opens, and hashes under a key of its own.
pub struct Seal {
    key: LessSafeKey,
    mac: hmac::Key,
    random: SystemRandom,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// 32 random bytes for a new store.
///
/// # Errors
/// The machine has no randomness to give.
pub fn new_key() -> Kept<[u8; 32]> {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| StoreFault::Io("the machine gives no random numbers".into()))?;
    Ok(key)
}

impl Seal {
    /// # Errors
    /// The key is not 32 bytes long.
    pub fn new(key: &[u8]) -> Kept<Self> {
        let unusable = || StoreFault::Io("a key of 32 bytes is wanted".into());
        // Two keys from one, so that a hash says nothing of what is sealed.
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let sealing = hmac::sign(&root, b"crossdock seal");
        let hashing = hmac::sign(&root, b"crossdock hash");
        if key.len() != 32 {
            return Err(unusable());
        }
        let key = UnboundKey::new(&AES_256_GCM, sealing.as_ref()).map_err(|_| unusable())?;
        Ok(Seal { key: LessSafeKey::new(key), mac: hmac::Key::new(hmac::HMAC_SHA256, hashing.as_ref()), random: SystemRandom::new() })
    }

    /// # Errors
    /// The machine has no randomness to give.
    pub fn seal(&self, text: &[u8]) -> Kept<Vec<u8>> {
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce).map_err(|_| StoreFault::Io("the machine gives no random numbers".into()))?;
        let mut out = Vec::with_capacity(1 + NONCE + text.len() + 16);
        out.push(FORM);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(text);
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut out[1 + NONCE..])
            .map_err(|_| StoreFault::Io("it is too long to be sealed".into()))?;
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    /// # Errors
    /// It was sealed under another key, or changed since.
    pub fn open(&self, sealed: &[u8]) -> Kept<Vec<u8>> {
        let (Some(FORM), Some(nonce)) = (sealed.first().copied(), sealed.get(1..=NONCE)) else {
            return Err(StoreFault::Damaged("a sealed value has no known form".into()));
        };
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreFault::OtherKey)?;
        let mut text = sealed[1 + NONCE..].to_vec();
        let length = self.key.open_in_place(nonce, Aad::empty(), &mut text).map_err(|_| StoreFault::OtherKey)?.len();
        text.truncate(length);
        Ok(text)
    }

    /// 64 bits of a keyed hash, in hex.
    pub fn fingerprint(&self, text: &[u8]) -> String {
        let tag = hmac::sign(&self.mac, text);
        tag.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_own_key_only() {
        let seal = Seal::new(&new_key().unwrap()).unwrap();
        let sealed = seal.seal(b"Jo Bloggs, 12 High St").unwrap();
        assert!(!sealed.windows(2).any(|two| two == b"Jo"));
        assert_eq!(seal.open(&sealed).unwrap(), b"Jo Bloggs, 12 High St");
        assert_ne!(seal.seal(b"a").unwrap(), seal.seal(b"a").unwrap());
        let other = Seal::new(&new_key().unwrap()).unwrap();
        assert_eq!(other.open(&sealed), Err(StoreFault::OtherKey));
        let mut changed = sealed;
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(seal.open(&changed), Err(StoreFault::OtherKey));
        assert!(Seal::new(b"short").is_err());
        assert!(seal.open(b"").is_err());
    }
}
