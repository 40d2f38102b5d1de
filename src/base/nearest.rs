//! The known name that is most similar to a mistyped one.

/// The candidate nearest to `name`, if one is near enough to be worth saying.
///
/// Case and separators (`_`, `-`, space) count for nothing, so `awaitingShipment` finds
/// `awaiting_shipment`. Of two equally near the first wins.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(name);
    let limit = match wanted.chars().count() {
        0 => return None,
        1..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn case_and_separators_count_for_nothing() {
        assert_eq!(nearest("awaitingShipment", ["shipped", "awaiting_shipment"]), Some("awaiting_shipment"));
    }

    #[test]
    fn a_name_far_from_all_finds_none() {
        assert_eq!(nearest("colour", ["shipTo", "billTo"]), None);
    }

    #[test]
    fn swapped_letters_are_one_step() {
        assert_eq!(nearest("ctiy", ["street1", "city"]), Some("city"));
    }
}
