//! The projection: which parts of a record are read. It is a trie of keys, whose nodes have places in rows of slots.
//!
//! A record is one row. Each element of a list of objects is a row of its own, laid out by the node of the list.

use std::fmt;

use super::reg::RegValue;

/// A place in a [`Shape`].
pub(crate) type NodeId = u16;

/// The record itself.
pub(crate) const ROOT: NodeId = 0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A text, and nothing else: a record where something else stands there is not plain.
    Text,
    /// The same of a number.
    Number,
    /// A text, a number or a boolean.
    Scalar,
    Object,
    /// Objects: in an array, or in the `records` of an envelope (as Salesforce has child records).
    Rows {
        /// Slots of one element.
        width: u32,
        envelope: bool,
    },
}

pub(crate) struct Node {
    pub(crate) holds: Holds,
    /// From the beginning of the row that it stands in.
    pub(crate) slot: u32,
    /// The node whose row it stands in: [`ROOT`], or one that holds rows.
    pub(crate) row: NodeId,
    pub(crate) children: Vec<(Box<str>, NodeId)>,
    /// None where there are no children, or two of them have to be told apart one by one.
    places: Option<PerfectHash>,
}

pub(crate) struct Projection {
    pub(crate) nodes: Vec<Node>,
    /// Slots of the record's own row.
    pub(crate) width: u32,
    /// Registers that are there before rows of elements are: the record's own row, what is computed, a row in which
    /// nothing stands. They are copied for each record.
    pub(crate) blank: Box<[RegValue<'static>]>,
    /// Where the row begins in which nothing stands.
    pub(crate) nothing: u32,
}

/// Two readers see one field as two things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TwoWays;

impl Projection {
    pub(crate) fn new() -> Self {
        let root = Node { holds: Holds::Object, slot: 0, row: ROOT, children: Vec::new(), places: None };
        Projection { nodes: vec![root], width: 1, blank: Box::default(), nothing: 1 }
    }

    /// The child of a node by its key, made where it is not there yet.
    pub(crate) fn child(&mut self, of: NodeId, name: &str, holds: &Holds) -> Result<NodeId, TwoWays> {
        let parent = self.nodes.get(usize::from(of)).ok_or(TwoWays)?;
        if let Some((_, known)) = parent.children.iter().find(|(key, _)| **key == *name) {
            let known = *known;
            let same = match (&self.nodes[usize::from(known)].holds, holds) {
                (Holds::Rows { envelope: a, .. }, Holds::Rows { envelope: b, .. }) => a == b,
                (a, b) => a == b,
            };
            return if same { Ok(known) } else { Err(TwoWays) };
        }
        let id = NodeId::try_from(self.nodes.len()).map_err(|_| TwoWays)?;
        let row = if matches!(parent.holds, Holds::Rows { .. }) { of } else { parent.row };
        let slot = match &mut self.nodes[usize::from(row)].holds {
            Holds::Rows { width, .. } => {
                *width += 1;
                *width - 1
            }
            _ => {
                self.width += 1;
                self.width - 1
            }
        };
        self.nodes.push(Node { holds: holds.clone(), slot, row, children: Vec::new(), places: None });
        self.nodes[usize::from(of)].children.push((name.into(), id));
        Ok(id)
    }

    /// The slot of a field that holds a text, a number or a boolean, in whichever way it is read.
    pub(crate) fn scalar(&mut self, of: NodeId, name: &str) -> Option<u32> {
        let known = self.node(of)?.children.iter().find(|(key, _)| **key == *name).and_then(|(_, id)| self.node(*id));
        if let Some(known) = known {
            return matches!(known.holds, Holds::Text | Holds::Number | Holds::Scalar).then_some(known.slot);
        }
        let id = self.child(of, name, &Holds::Scalar).ok()?;
        Some(self.node(id)?.slot)
    }

    /// Makes the tables by which keys are found, and lays the registers out: so many are computed. After it nothing is
    /// added.
    pub(crate) fn seal(&mut self, computed: u32) {
        for node in &mut self.nodes {
            node.places = if node.children.is_empty() { None } else { PerfectHash::of(node.children.iter().map(|(key, _)| key.as_bytes())) };
        }
        let widest = self.nodes.iter().map(|node| if let Holds::Rows { width, .. } = node.holds { width } else { 0 }).max();
        self.nothing = self.width + computed;
        self.blank = vec![RegValue::ABSENT; (self.nothing + widest.unwrap_or(0)) as usize].into();
    }

    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::from(id))
    }
}

impl Node {
    /// The child of a key, of which no character is escaped.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<NodeId> {
        let child = match &self.places {
            Some(places) => self.children.get(places.find(key)?),
            None => self.children.iter().find(|(name, _)| name.as_bytes() == key),
        };
        child.filter(|(name, _)| name.as_bytes() == key).map(|(_, id)| *id)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("holds", &self.holds).field("slot", &self.slot).field("children", &self.children).finish_non_exhaustive()
    }
}

/// A hash without collisions over a few texts: most that are looked for are none of them, and one look says so.
#[derive(Debug)]
pub(crate) struct PerfectHash {
    seed: u64,
    shift: u32,
    /// The hash, and the text's place among them; `u16::MAX` where there is none.
    places: Box<[(u64, u16)]>,
}

impl PerfectHash {
    /// None where two texts have the same hash: they are compared one by one.
    pub(crate) fn of<'t>(texts: impl ExactSizeIterator<Item = &'t [u8]> + Clone) -> Option<Self> {
        let mut bits = (texts.len().max(1) * 2).next_power_of_two().trailing_zeros();
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        for tries in 1_u32.. {
            let shift = 64 - bits;
            let mut places = vec![(0, u16::MAX); 1 << bits];
            let fits = texts.clone().enumerate().all(|(at, text)| {
                let hash = hash(text).wrapping_mul(seed);
                let place = &mut places[(hash >> shift) as usize];
                let free = place.1 == u16::MAX;
                *place = (hash, u16::try_from(at).unwrap_or(u16::MAX));
                free
            });
            if fits {
                return Some(PerfectHash { seed, shift, places: places.into() });
            }
            seed = seed.wrapping_mul(0xD129_0DD9_7F4A_7C15).wrapping_add(0x2545_F491_4F6C_DD1D) | 1;
            if tries % 64 == 0 {
                bits += 1;
            }
            if bits > 16 {
                break;
            }
        }
        None
    }

    /// The only one of them that a text may be.
    #[inline(always)]
    pub(crate) fn find(&self, text: &[u8]) -> Option<usize> {
        let hash = hash(text).wrapping_mul(self.seed);
        match self.places.get((hash >> self.shift) as usize) {
            Some((known, at)) if *known == hash && *at != u16::MAX => Some(usize::from(*at)),
            _ => None,
        }
    }
}

/// The first and the last eight bytes and the length: two keys of one object that agree in all of them are rare.
#[inline]
pub(crate) fn hash(key: &[u8]) -> u64 {
    let (first, last) = first_and_last(key);
    (first ^ last.rotate_left(27)).wrapping_mul(0xFF51_AFD7_ED55_8CCD) ^ (key.len() as u64)
}

/// The first and the last bytes, up to eight of each. With the length they are all that there is of a text of at most
/// [`TWO_ENDS`].
#[inline(always)]
pub(crate) fn first_and_last(text: &[u8]) -> (u64, u64) {
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (Some(first), Some(last)) => (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last))),
            _ => (text.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte)), 0),
        },
    }
}

/// Bytes of a text that is told by its first and its last ones.
pub(crate) const TWO_ENDS: usize = 16;

/// Whether two texts are the same: most are short, and then their ends tell.
#[inline(always)]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let length = one.len();
    if length != other.len() {
        return false;
    }
    match length {
        0..=3 => one.iter().eq(other),
        4..=8 => ends::<4>(one, other),
        9..=16 => ends::<8>(one, other),
        _ => one == other,
    }
}

/// Whether the first and the last bytes of two texts are the same.
#[inline(always)]
fn ends<const COUNT: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<COUNT>() == other.first_chunk() && one.last_chunk::<COUNT>() == other.last_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        let mut projection = Projection::new();
        let names: Vec<String> =
            (0..300).map(|n| format!("Package_{}__c", "x".repeat(n % 40) + &n.to_string())).chain(["a".into(), String::new()]).collect();
        let ids: Vec<NodeId> = names.iter().map(|name| projection.child(ROOT, name, &Holds::Scalar).unwrap_or_default()).collect();
        projection.seal(0);
        for (name, id) in names.iter().zip(&ids) {
            assert_eq!(projection.nodes[0].find(name.as_bytes()), Some(*id), "{name}");
            assert_eq!(projection.nodes[0].find(format!("{name}_").as_bytes()), None);
        }
        assert_eq!(projection.width, 303);
    }

    proptest::proptest! {
        #[test]
        fn texts_are_the_same_where_their_bytes_are(one in "[ab]{0,20}", other in "[ab]{0,20}", at in 0_usize..20) {
            let mut near = one.clone().into_bytes();
            near.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 3);
            for other in [one.as_bytes(), other.as_bytes(), &near] {
                proptest::prop_assert_eq!(same(one.as_bytes(), other), one.as_bytes() == other);
            }
        }
    }

    #[test]
    fn one_field_is_one_thing() {
        let mut projection = Projection::new();
        let rows = Holds::Rows { width: 0, envelope: true };
        let list = projection.child(ROOT, "Lines", &rows).unwrap_or_default();
        assert_eq!(projection.child(ROOT, "Lines", &rows), Ok(list));
        assert_eq!(projection.child(ROOT, "Lines", &Holds::Scalar), Err(TwoWays));
        let sku = projection.child(list, "Sku", &Holds::Scalar).unwrap_or_default();
        assert_eq!((projection.nodes[usize::from(sku)].row, projection.nodes[usize::from(sku)].slot), (list, 0));
        assert_eq!(projection.nodes[usize::from(list)].holds, Holds::Rows { width: 1, envelope: true });
    }
}
