//! A record as its source gave it: kept as text, read when something asks for it.

use std::sync::{Arc, OnceLock};

use super::Json;

/// A record's JSON text. A page of records as text is a tenth of what it is as a tree, and is sealed as it stands.
#[derive(Clone)]
pub struct RawRecord {
    text: Arc<str>,
    tree: OnceLock<Arc<Json>>,
    /// It lies in the store just so: it need not be written again.
    kept: bool,
}

impl RawRecord {
    /// The text of a record.
    pub fn of(record: &Json) -> Self {
        RawRecord { text: record.to_string().into(), tree: OnceLock::new(), kept: false }
    }

    /// A record's text as its source gave it. Whether it is JSON is for who calls to know.
    pub fn text_of(text: &str) -> Self {
        RawRecord { text: text.into(), tree: OnceLock::new(), kept: false }
    }

    /// As it was read back from where it is kept.
    ///
    /// # Errors
    /// It is no UTF-8. Whether it is JSON is seen when it is read: what [`RawRecord::of`] wrote is.
    pub fn kept(text: Vec<u8>) -> Result<Self, std::string::FromUtf8Error> {
        Ok(RawRecord { text: String::from_utf8(text)?.into(), tree: OnceLock::new(), kept: true })
    }

    pub fn is_kept(&self) -> bool {
        self.kept
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lets go of the tree, which is read again when it is asked for.
    pub fn forget_tree(&mut self) {
        self.tree = OnceLock::new();
    }

    /// The record, read for once: a page's trees are not to be held all at a time.
    pub fn read(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The record.
    pub fn json(&self) -> &Json {
        self.tree.get_or_init(|| Arc::new(self.read()))
    }
}

impl PartialEq for RawRecord {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// What it holds is personal until somebody knows better.
impl std::fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({} bytes)", self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_as_it_was() {
        let record = serde_json::json!({"Id": "801", "Amount": 1.10, "Lines": [null, {"a": "\u{2028}"}]});
        let body = RawRecord::of(&record);
        assert_eq!((body.json(), body.is_kept()), (&record, false));
        let kept = RawRecord::kept(body.text().as_bytes().to_vec());
        assert_eq!(kept.as_ref().map(RawRecord::is_kept), Ok(true));
        assert_eq!(kept, Ok(body));
        assert!(RawRecord::kept(vec![0xff]).is_err());
    }
}
