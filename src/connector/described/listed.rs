//! Records by id of an object that its system gives in lists only.

use jiff::{SignedDuration, Timestamp};

use super::find::{Beside, Reads};
use crate::connector::{Change, ReadRequest, Selection};
use crate::fault::Fault;

/// How many ids are looked for while the lists are gone through once.
pub(super) const TOGETHER: usize = 1_000;

/// So far beyond now the lists are read: a record that changes meanwhile is not taken for one that is gone.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Pages after which a list is too long to look for a record in it.
const MOST_PAGES: usize = 1_000;

impl Reads<'_> {
    /// The records of some ids, as the lists have them: each list is gone through from its beginning, until all are found.
    pub(super) async fn listed_by_id(&self, of: &Selection<'_>, ids: &[String], now: Timestamp, beside: &Beside) -> Result<Vec<Change>, Fault> {
        let mut found: Vec<Change> = Vec::new();
        let now = now.saturating_add(AHEAD).unwrap_or(now);
        for stream in &self.object.changes {
            let mut cursor: Option<String> = None;
            for page in 0..=MOST_PAGES {
                if page == MOST_PAGES {
                    let words =
                        format!("the list of {} has more than {MOST_PAGES} pages, and a record by its id is not found in it", self.object.name.node);
                    return Err(Fault::rejected("list", words, None));
                }
                let name = stream.name.node.as_str();
                let (begins, overlap) = (page == 0, SignedDuration::ZERO);
                let ask = ReadRequest { selection: of, stream: name, cursor: cursor.as_deref(), begins, overlap, since: None, now };
                let got = self.changes(stream, &ask, beside).await?;
                for change in got.changes.into_iter().filter(|change| ids.contains(&change.id)) {
                    found.retain(|known| known.id != change.id);
                    found.push(change);
                }
                if found.len() == ids.len() {
                    return Ok(found);
                }
                cursor = got.cursor;
                if !got.more {
                    break;
                }
            }
        }
        Ok(found)
    }
}
