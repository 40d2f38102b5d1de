//! Sealing: AES-256-GCM by ring, with a key outside the store's file.
//!
//! A sealed value begins with a format byte, followed by the nonce. A nonce is random and has 96 bits; NIST SP 800-38D allows 2^32 of
//! them with one key. The format and the [`Place`] of the value (table, column, row) are the associated data: a value that was moved
//! to another place cannot be decrypted.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::{StoreFault, StoreResult};

/// Without associated data: what the first stores hold. A migration seals it anew.
const UNBOUND: u8 = 1;
/// Bound to its place.
const BOUND: u8 = 2;
/// Bound to its place, and deflated before it was sealed.
const PACKED: u8 = 3;
const NONCE: usize = 12;
/// Shorter texts are not worth deflating.
const WORTH_PACKING: usize = 256;
/// A packed value that is larger than this when it is unpacked was not written by this program.
const LARGEST: usize = 256 << 20;

/// Where a sealed value lies: table, column, and the key of its row.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub row: &'a [&'a str],
}

impl Place<'_> {
    /// Each part with its length before it, so that no two places have the same bytes.
    fn bytes(&self, form: u8) -> Vec<u8> {
        let mut out = vec![form];
        for part in [self.table, self.column].iter().chain(self.row) {
            out.extend_from_slice(&(part.len() as u64).to_le_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out
    }
}

/// Seals and opens, and hashes under a key of its own.
pub struct Seal {
    key: LessSafeKey,
    mac: hmac::Key,
    sums: hmac::Key,
    random: SystemRandom,
    /// Checksums are not looked at.
    unchecked: bool,
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
pub fn new_key() -> StoreResult<[u8; 32]> {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| StoreFault::Io("this machine provides no random numbers".into()))?;
    Ok(key)
}

impl Seal {
    /// # Errors
    /// The key is not 32 bytes long.
    pub fn new(key: &[u8]) -> StoreResult<Self> {
        let unusable = || StoreFault::Io("the key must have 32 bytes".into());
        // Several keys from one, so that a hash says nothing of what is sealed.
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let sealing = hmac::sign(&root, b"crossdock seal");
        let hashing = hmac::sign(&root, b"crossdock hash");
        let summing = hmac::sign(&root, b"crossdock sum");
        if key.len() != 32 {
            return Err(unusable());
        }
        let key = UnboundKey::new(&AES_256_GCM, sealing.as_ref()).map_err(|_| unusable())?;
        let mac = |key: hmac::Tag| hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        Ok(Seal { key: LessSafeKey::new(key), mac: mac(hashing), sums: mac(summing), random: SystemRandom::new(), unchecked: false })
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// The machine has no randomness to give.
    pub fn seal(&self, place: Place<'_>, text: &[u8]) -> StoreResult<Vec<u8>> {
        self.seal_as(BOUND, place, text)
    }

    /// Seals a value that is kept for long: deflated first, where that makes it shorter.
    ///
    /// # Errors
    /// As [`Seal::seal`].
    pub fn pack(&self, place: Place<'_>, text: &[u8]) -> StoreResult<Vec<u8>> {
        if text.len() >= WORTH_PACKING {
            let packed = compress_to_vec(text, 3);
            if packed.len() < text.len() {
                return self.seal_as(PACKED, place, &packed);
            }
        }
        self.seal(place, text)
    }

    fn seal_as(&self, form: u8, place: Place<'_>, text: &[u8]) -> StoreResult<Vec<u8>> {
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce).map_err(|_| StoreFault::Io("this machine provides no random numbers".into()))?;
        let mut out = Vec::with_capacity(1 + NONCE + text.len() + 16);
        out.push(form);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(text);
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.bytes(form)), &mut out[1 + NONCE..])
            .map_err(|_| StoreFault::Io("it is too long to be sealed".into()))?;
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    /// Opens what was sealed for this place. Whether the key is the store's is known before: what does not open
    /// was changed or moved.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`].
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> StoreResult<Vec<u8>> {
        let damaged = |why: &str| StoreFault::Damaged(format!("{}.{} {why}", place.table, place.column));
        match sealed.first().copied() {
            Some(form @ (BOUND | PACKED)) => {
                let text = self
                    .open_as(sealed, &place.bytes(form))
                    .ok_or_else(|| damaged("cannot be decrypted: it was changed, or moved from another row"))?;
                if form == PACKED {
                    return decompress_to_vec_with_limit(&text, LARGEST).map_err(|_| damaged("cannot be unpacked"));
                }
                Ok(text)
            }
            _ => Err(damaged("has no known form")),
        }
    }

    /// Opens what was sealed in the first form, which is bound to no place; `None` if it has another form.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`].
    pub fn open_unbound(&self, sealed: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        if sealed.first() != Some(&UNBOUND) {
            return Ok(None);
        }
        self.open_as(sealed, &[]).map(Some).ok_or_else(|| StoreFault::Damaged("an encrypted value cannot be decrypted".into()))
    }

    fn open_as(&self, sealed: &[u8], place: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(sealed.get(1..=NONCE)?).ok()?;
        let mut text = sealed[1 + NONCE..].to_vec();
        let length = self.key.open_in_place(nonce, Aad::from(place), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// 128 bits of a keyed hash of a key, by which it is found without being kept.
    pub fn hidden(&self, key: &str) -> [u8; 16] {
        let mut mac = hmac::Context::with_key(&self.mac);
        // What is hashed for other uses does not begin so.
        mac.update(b"key ");
        mac.update(key.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&mac.sign().as_ref()[..16]);
        hash
    }

    /// 64 bits of a keyed hash, in hex.
    pub fn fingerprint(&self, text: &[u8]) -> String {
        let tag = hmac::sign(&self.mac, text);
        tag.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// From here on whatever is in a row is taken for what was written.
    pub fn unchecked(&mut self) {
        self.unchecked = true;
    }

    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// 47 bits of a keyed hash, for the checksum of a row: SQLite keeps it in six bytes.
    pub fn sum(&self, row: &[u8]) -> i64 {
        let tag = hmac::sign(&self.sums, row);
        tag.as_ref()[..6].iter().fold(0, |sum, byte| (sum << 8) | i64::from(*byte)) >> 1
    }
}

#[cfg(test)]
impl Seal {
    /// As the first stores were sealed.
    pub(crate) fn unbound(&self, text: &[u8]) -> Vec<u8> {
        let mut out = vec![UNBOUND];
        let nonce = [9; NONCE];
        out.extend_from_slice(&nonce);
        let mut text = text.to_vec();
        // A key and a length that sealing takes.
        if self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&[][..]), &mut text).is_ok() {
            out.extend_from_slice(&text);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    const HERE: Place<'static> = Place { table: "body", column: "sealed", row: &["f", "a"] };

    #[test]
    fn what_is_sealed_opens_under_its_own_key_only() {
        let seal = Seal::new(&new_key().unwrap()).unwrap();
        let sealed = seal.seal(HERE, b"Jo Bloggs, 12 High St").unwrap();
        assert!(!sealed.windows(2).any(|two| two == b"Jo"));
        assert_eq!(seal.open(HERE, &sealed).unwrap(), b"Jo Bloggs, 12 High St");
        assert_ne!(seal.seal(HERE, b"a").unwrap(), seal.seal(HERE, b"a").unwrap());
        let other = Seal::new(&new_key().unwrap()).unwrap();
        assert!(matches!(other.open(HERE, &sealed), Err(StoreFault::Damaged(_))));
        for at in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(matches!(seal.open(HERE, &changed), Err(StoreFault::Damaged(_))), "bit {at}");
        }
        assert!(Seal::new(b"short").is_err());
        assert!(seal.open(HERE, b"").is_err());
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_place_only() {
        let seal = Seal::new(&new_key().unwrap()).unwrap();
        let long = "an order, an order, an order, ".repeat(40);
        for text in ["short", &long] {
            let sealed = seal.pack(HERE, text.as_bytes()).unwrap();
            assert_eq!(seal.open(HERE, &sealed).unwrap(), text.as_bytes());
            let places: [Place<'_>; 4] = [
                Place { table: "lane", ..HERE },
                Place { column: "other", ..HERE },
                Place { row: &["f", "b"], ..HERE },
                // The same letters, parted elsewhere.
                Place { row: &["fa", ""], ..HERE },
            ];
            for place in places {
                assert!(matches!(seal.open(place, &sealed), Err(StoreFault::Damaged(_))), "{place:?}");
            }
        }
        assert!(seal.pack(HERE, long.as_bytes()).unwrap().len() < long.len() / 4);
    }

    #[test]
    fn the_first_form_is_known_and_opens_nowhere_else() {
        let seal = Seal::new(&new_key().unwrap()).unwrap();
        let unbound = seal.unbound(b"old");
        assert_eq!(seal.open_unbound(&unbound).unwrap().as_deref(), Some(&b"old"[..]));
        assert!(seal.open(HERE, &unbound).is_err());
        assert_eq!(seal.open_unbound(&seal.seal(HERE, b"new").unwrap()), Ok(None));
    }
}
