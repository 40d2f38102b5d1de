//! Lists: `where`, `sort`, `limit`, `offset`, `withTotal`.

use jiff::Timestamp;
use serde_json::json;

use super::predicate::Predicate;
use super::{Commercetools, FORMS, Refused};
use crate::sandbox::kit::laws::{Law, Order, order};
use crate::value::Json;

/// Records of one page, at the most.
const MOST: usize = 500;
/// The farthest offset.
const FARTHEST: usize = 10_000;

impl Commercetools {
    pub(super) fn list(&self, kind: &str, form: &str, query: &[(String, String)], now: Timestamp) -> Result<Json, Refused> {
        let all = |name: &'static str| query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str());
        let of = FORMS.named(form);
        if let Some((name, _)) = query.iter().find(|(name, _)| name.starts_with("var.") || name == "expand") {
            return Err(Refused::new(400, "InvalidOperation", format!("The sandbox does not carry `{name}` out.")));
        }
        let predicates = all("where").map(|text| Predicate::read(text, &FORMS, of).map_err(Refused::input)).collect::<Result<Vec<_>, _>>()?;
        let whole = |name: &'static str, usual: usize, most: usize| -> Result<usize, Refused> {
            let Some(text) = all(name).next() else { return Ok(usual) };
            let number = text.parse::<usize>().ok().filter(|number| *number <= most);
            number.ok_or_else(|| Refused::input(format!("Malformed parameter: {name}: '{text}' is no whole number from 0 to {most}.")))
        };
        let usual = match self.laws().law("lists", "pages") {
            Some(Law::Pages { usual }) => *usual,
            _ => MOST,
        };
        let farthest = if self.laws().does("lists", "ends_offsets_at_10000") { FARTHEST } else { usize::MAX };
        let (limit, offset) = (whole("limit", usual, MOST)?, whole("offset", 0, farthest)?);
        let with_total = match all("withTotal").next() {
            None | Some("true") => true,
            Some("false") => false,
            Some(other) => return Err(Refused::input(format!("Malformed parameter: withTotal: '{other}' is neither true nor false."))),
        };
        let mut by = Vec::new();
        for text in all("sort") {
            let mut words = text.split_whitespace();
            let field = words.next().unwrap_or_default();
            let first = field.split('.').next().unwrap_or_default();
            if of.is_none_or(|of| FORMS.field(of, first).is_none()) {
                return Err(Refused::input(format!("Malformed parameter: sort: The field '{field}' does not exist.")));
            }
            let is_descending = match (words.next(), words.next()) {
                (None | Some("asc"), None) => false,
                (Some("desc"), None) => true,
                _ => return Err(Refused::input(format!("Malformed parameter: sort: '{text}' names no direction."))),
            };
            by.push(Order { field: field.to_owned(), is_descending });
        }
        if by.is_empty() {
            by = match self.laws().law("lists", "sorted") {
                Some(Law::Sorted { by }) => by.iter().map(|text| Order::read(text)).collect(),
                _ => Vec::new(),
            };
        }
        let shown = self.resources.get(kind).into_iter().flatten().filter_map(|(_, seen)| seen.shown(now));
        let mut found: Vec<&Json> = shown.filter(|record| predicates.iter().all(|predicate| predicate.holds(record))).collect();
        found.sort_by(|one, other| order(&by, one, other));
        let total = found.len();
        let results: Vec<&Json> = found.into_iter().skip(offset).take(limit).collect();
        let mut body = json!({"limit": limit, "offset": offset, "count": results.len(), "results": results});
        if with_total {
            body["total"] = Json::from(total);
        }
        Ok(body)
    }
}
