//! Fields whose values have several spellings (e-mail addresses, telephone numbers): a match compares their meaning.

/// How the values of a field are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// E-mail addresses: letter case and spaces around them do not count.
    Email,
    /// Telephone numbers: what is dialed counts, not how it is written.
    Phone,
}

impl Spelling {
    /// The spelling of a field's values, by the name that systems give such fields (`Email`, `MobilePhone`, `Phone__c`). A describe
    /// of Salesforce knows more, but a snapshot keeps no more of it than text.
    pub fn of(field: &str) -> Option<Self> {
        let name = field.strip_suffix("__c").unwrap_or(field);
        let ends = |words: &[&str]| {
            words.iter().any(|word| {
                name.len() >= word.len()
                    && name.is_char_boundary(name.len() - word.len())
                    && name[name.len() - word.len()..].eq_ignore_ascii_case(word)
            })
        };
        if ends(&["email"]) {
            Some(Spelling::Email)
        } else if ends(&["phone", "mobile", "fax", "telephone"]) {
            Some(Spelling::Phone)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_how_values_are_spelled() {
        for (name, spelling) in [
            ("Email", Some(Spelling::Email)),
            ("Email__c", Some(Spelling::Email)),
            ("customerEmail", Some(Spelling::Email)),
            ("MobilePhone", Some(Spelling::Phone)),
            ("Work_Phone__c", Some(Spelling::Phone)),
            ("Name", None),
            ("Megaphones__c", None),
            ("é", None),
        ] {
            assert_eq!(Spelling::of(name), spelling, "{name}");
        }
    }
}
