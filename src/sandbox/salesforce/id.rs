//! Record ids as Salesforce makes them: three characters of the object, twelve in base 62, and three that
//! carry the case of the fifteen before, so that the whole survives a system without case.

/// A record: its object's place in the catalog and its place in the table. Sorts as its text does within one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) table: u16,
    pub(super) row: u32,
}

/// In the order of their bytes: ids sort as their numbers.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Behind the prefix: the instance and what is reserved.
const INSTANCE: &str = "5g0";

/// The eighteen characters of an id.
pub(super) fn text(prefix: &str, number: u32) -> String {
    let mut id = String::with_capacity(18);
    id.push_str(prefix);
    id.push_str(INSTANCE);
    let mut digits = [b'0'; 9];
    let mut rest = number as usize;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % 62];
        rest /= 62;
    }
    id.extend(digits.iter().map(|digit| char::from(*digit)));
    let suffix = suffix(id.as_bytes());
    id.extend(suffix);
    id
}

/// The prefix and the number of an id of fifteen or eighteen characters. `None`: it is no id.
/// A well-formed id of another instance has no number.
pub(super) fn read(id: &str) -> Option<(&str, Option<u32>)> {
    let bytes = id.as_bytes();
    if !bytes.iter().all(u8::is_ascii_alphanumeric) || !matches!(bytes.len(), 15 | 18) {
        return None;
    }
    let (head, tail) = (id.get(..15)?, id.get(15..)?);
    if !tail.is_empty() && !tail.chars().eq(suffix(head.as_bytes())) {
        return None;
    }
    let prefix = head.get(..3)?;
    let Some(digits) = head.get(3..)?.strip_prefix(INSTANCE) else { return Some((prefix, None)) };
    let mut number = 0_u64;
    for digit in digits.bytes() {
        number = number * 62 + u64::try_from(DIGITS.iter().position(|known| *known == digit)?).ok()?;
    }
    Some((prefix, u32::try_from(number).ok()))
}

/// One character for each five of the id, whose bits say which of the five are capitals.
fn suffix(id: &[u8]) -> [char; 3] {
    let mut suffix = ['A'; 3];
    for (at, five) in id.chunks(5).take(3).enumerate() {
        let bits = five.iter().rev().fold(0_usize, |bits, byte| bits << 1 | usize::from(byte.is_ascii_uppercase()));
        suffix[at] = char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]);
    }
    suffix
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn the_suffix_is_salesforces() {
        // Ids of the REST API guide, and of the fixtures of the template.
        for id in ["0015500000WO1ZiAAL", "001D000000IqhSLIAZ", "801000000000001AAA", "01t000000000003AAA"] {
            assert_eq!(suffix(&id.as_bytes()[..15]).iter().collect::<String>(), &id[15..]);
        }
    }

    #[test]
    fn an_id_reads_back_from_fifteen_and_eighteen_characters() {
        for number in [0, 1, 61, 62, 123_456, u32::MAX] {
            let id = text("801", number);
            assert_eq!(id.len(), 18);
            assert_eq!(read(&id), Some(("801", Some(number))));
            assert_eq!(read(&id[..15]), Some(("801", Some(number))));
        }
    }

    #[test]
    fn ids_sort_as_their_numbers() {
        let ids: Vec<String> = (0..200).map(|number| text("802", number * 7)).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn what_is_no_id_is_told_from_an_id_of_elsewhere() {
        assert_eq!(read("801"), None);
        assert_eq!(read("801000000000001AAB"), None, "the suffix is wrong");
        assert_eq!(read("801' OR 1=1 --xyz"), None);
        assert_eq!(read("801000000000001AAA"), Some(("801", None)));
    }
}
