//! Tokens to a query, by recursive descent: the grammar of the SOQL reference.

use super::Trouble;
use super::dates::{DateFunction, DateLiteral};
use super::token::{Token, tokens};
use super::tree::{Aggregate, Compare, Condition, Fields, Group, List, Literal, Order, Path, Query, Select, Totals, Value};

/// Salesforce takes queries of up to so many characters.
const LONGEST: usize = 100_000;
/// Parentheses and subqueries within each other. Deeper is refused, so that no text can use up the stack.
const DEEPEST: usize = 60;

/// # Errors
/// `MALFORMED_QUERY` with the place.
pub(in super::super) fn read(query: &str) -> Result<Query, Trouble> {
    if query.chars().count() > LONGEST {
        return Err(Trouble::malformed("SOQL statement is too long", 0));
    }
    let mut reader = Reader { tokens: tokens(query)?, at: 0, depth: 0, refused: None };
    let read = reader.query()?;
    if *reader.peek() != Token::End {
        return Err(reader.unexpected());
    }
    // Only a query that is otherwise right is refused for what the sandbox does not do.
    match reader.refused {
        Some(refused) => Err(refused),
        None => Ok(read),
    }
}

struct Reader {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    /// The first thing that was read and is not carried out.
    refused: Option<Trouble>,
}

/// What stands before an operator or in a list of what is selected.
enum Read {
    Value(Value),
    /// `COUNT()`
    Count,
    /// A function that is read and not carried out.
    Refused,
}

impl Reader {
    fn peek(&self) -> &Token {
        self.behind(0)
    }

    fn behind(&self, by: usize) -> &Token {
        self.tokens.get(self.at + by).map_or(&Token::End, |(token, _)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(_, place)| *place)
    }

    fn unexpected(&self) -> Trouble {
        Trouble::malformed(format!("unexpected token: '{}'", self.peek().named()), self.place())
    }

    fn refuse(&mut self, trouble: Trouble) {
        self.refused.get_or_insert(trouble);
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn is_words(&self, first: &str, second: &str) -> bool {
        self.is_word(first) && matches!(self.behind(1), Token::Word(found) if found.eq_ignore_ascii_case(second))
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> Result<(), Trouble> {
        if self.takes_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> Result<(), Trouble> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn name(&mut self) -> Result<String, Trouble> {
        match self.peek() {
            Token::Word(word) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Goes one deeper, as far as that is allowed.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        if self.depth >= DEEPEST {
            return Err(Trouble::malformed("the query is nested too deeply", self.place()));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// One or more, with commas between them.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, Trouble>) -> Result<Vec<T>, Trouble> {
        let mut all = vec![one(self)?];
        while self.takes(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// A whole query: its clauses in the order that the reference gives.
    fn query(&mut self) -> Result<Query, Trouble> {
        self.word("SELECT")?;
        let select = self.list(Self::selected)?.into_iter().flatten().collect();
        self.word("FROM")?;
        let from = self.source()?;
        let alias = self.alias();
        let mut joined = Vec::new();
        while self.takes(",") {
            let (path, at) = (self.path()?, self.place());
            joined.push((path, self.alias().ok_or_else(|| Trouble::malformed("a relationship in FROM needs an alias", at))?));
        }
        let scope = if self.takes_word("USING") {
            self.word("SCOPE")?;
            let at = self.place();
            Some((self.name()?, at))
        } else {
            None
        };
        let filter = if self.takes_word("WHERE") { Some(self.condition()?) } else { None };
        while self.is_word("WITH") {
            self.with()?;
        }
        let group = if self.takes_word("GROUP") { Some(self.group()?) } else { None };
        let having = match &group {
            Some(_) if self.takes_word("HAVING") => Some(self.condition()?),
            _ => None,
        };
        let order = if self.takes_word("ORDER") {
            self.word("BY")?;
            self.list(Self::order)?
        } else {
            Vec::new()
        };
        let limit = if self.takes_word("LIMIT") { Some(self.number()?.0) } else { None };
        let offset = if self.takes_word("OFFSET") { Some(self.number()?) } else { None };
        self.behind_all()?;
        Ok(Query { select, from, alias, joined, scope, filter, group, having, order, limit, offset })
    }

    /// An object, or a relationship of a subquery. Objects may be named as keywords are: `FROM Order`, `FROM Group`.
    fn source(&mut self) -> Result<Path, Trouble> {
        if self.is_words("ORDER", "BY") || self.is_words("GROUP", "BY") {
            return Err(self.unexpected());
        }
        self.path()
    }

    /// `FOR VIEW`, `UPDATE TRACKING`, `ALL ROWS`
    fn behind_all(&mut self) -> Result<(), Trouble> {
        if self.takes_word("FOR") {
            self.list(
                |reader| {
                    if ["VIEW", "REFERENCE", "UPDATE"].iter().any(|word| reader.takes_word(word)) { Ok(()) } else { Err(reader.unexpected()) }
                },
            )?;
        }
        if self.takes_word("UPDATE") {
            let at = self.place();
            let words = self.list(|reader| {
                let is = |reader: &mut Self, word: &'static str| reader.takes_word(word).then_some(word);
                is(reader, "TRACKING").or_else(|| is(reader, "VIEWSTAT")).ok_or_else(|| reader.unexpected())
            })?;
            self.refuse(Trouble::not_imitated(&format!("UPDATE {}", words.join(", ")), at));
        }
        if self.is_words("ALL", "ROWS") {
            self.refuse(Trouble::malformed("ALL ROWS not allowed in this context", self.place()));
            self.at += 2;
        }
        Ok(())
    }

    /// `WITH SECURITY_ENFORCED`, or data categories.
    fn with(&mut self) -> Result<(), Trouble> {
        self.word("WITH")?;
        if ["SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"].iter().any(|word| self.takes_word(word)) {
            return Ok(());
        }
        let at = self.place();
        if self.takes_word("DATA") {
            self.word("CATEGORY")?;
            loop {
                self.name()?;
                if !["AT", "ABOVE", "BELOW", "ABOVE_OR_BELOW"].iter().any(|word| self.takes_word(word)) {
                    return Err(self.unexpected());
                }
                if self.takes("(") {
                    self.list(Self::name)?;
                    self.sign(")")?;
                } else {
                    self.name()?;
                }
                if !self.takes_word("AND") {
                    break;
                }
            }
            self.refuse(Trouble::not_imitated("WITH DATA CATEGORY", at));
            return Ok(());
        }
        // Conditions on the records of a feed, and settings of a network: `WITH NetworkId = '…'`.
        let name = self.name()?;
        if self.takes("=") {
            self.literal()?;
        } else if self.takes("(") {
            self.list(|reader| {
                reader.name()?;
                reader.sign("=")?;
                reader.literal()
            })?;
            self.sign(")")?;
        } else {
            return Err(self.unexpected());
        }
        self.refuse(Trouble::not_imitated(&format!("WITH {name}"), at));
        Ok(())
    }

    fn group(&mut self) -> Result<Group, Trouble> {
        self.word("BY")?;
        for (word, totals) in [("ROLLUP", Totals::Rollup), ("CUBE", Totals::Cube)] {
            if self.is_word(word) && *self.behind(1) == Token::Sign("(") {
                self.at += 2;
                let by = self.list(Self::value)?;
                self.sign(")")?;
                return Ok(Group { by, totals });
            }
        }
        Ok(Group { by: self.list(Self::value)?, totals: Totals::None })
    }

    /// A name behind what is selected or read from.
    fn alias(&mut self) -> Option<String> {
        if self.is_word("AS") && matches!(self.behind(1), Token::Word(_)) {
            self.at += 1;
        }
        match self.peek() {
            Token::Word(word) if !is_keyword(word) => {
                let word = word.clone();
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    fn selected(&mut self) -> Result<Option<Select>, Trouble> {
        if self.takes("(") {
            let query = self.deeper(Self::query)?;
            self.sign(")")?;
            return Ok(Some(Select::Children(Box::new(query))));
        }
        if self.is_word("TYPEOF") && matches!(self.behind(1), Token::Word(_)) {
            self.type_of()?;
            return Ok(None);
        }
        if self.is_word("FIELDS") && *self.behind(1) == Token::Sign("(") {
            let place = self.place();
            self.at += 2;
            let which = match self.peek() {
                Token::Word(word) if word.eq_ignore_ascii_case("ALL") => Fields::All,
                Token::Word(word) if word.eq_ignore_ascii_case("STANDARD") => Fields::Standard,
                Token::Word(word) if word.eq_ignore_ascii_case("CUSTOM") => Fields::Custom,
                _ => return Err(self.unexpected()),
            };
            self.at += 1;
            self.sign(")")?;
            return Ok(Some(Select::Fields(which, place)));
        }
        let read = self.called()?;
        let alias = self.alias();
        Ok(match read {
            Read::Value(value) => Some(Select::Value(value, alias)),
            Read::Count => Some(Select::Count),
            Read::Refused => None,
        })
    }

    /// `TYPEOF What WHEN Account THEN Phone, Website ELSE Name END`
    fn type_of(&mut self) -> Result<(), Trouble> {
        let at = self.place();
        self.at += 1;
        self.path()?;
        if !self.is_word("WHEN") {
            return Err(self.unexpected());
        }
        while self.takes_word("WHEN") {
            self.name()?;
            self.word("THEN")?;
            self.list(Self::path)?;
        }
        if self.takes_word("ELSE") {
            self.list(Self::path)?;
        }
        self.word("END")?;
        self.refuse(Trouble::not_imitated("TYPEOF", at));
        Ok(())
    }

    fn path(&mut self) -> Result<Path, Trouble> {
        let at = self.place();
        let mut steps = vec![self.name()?];
        while self.takes(".") {
            steps.push(self.name()?);
        }
        Ok(Path { steps, at })
    }

    /// A field, or a function of one.
    fn called(&mut self) -> Result<Read, Trouble> {
        let (Token::Word(word), Token::Sign("(")) = (self.peek(), self.behind(1)) else { return Ok(Read::Value(Value::Field(self.path()?))) };
        let (word, at) = (word.clone(), self.place());
        if let Some(aggregate) = Aggregate::of(&word) {
            self.at += 2;
            if aggregate == Aggregate::Count && self.takes(")") {
                return Ok(Read::Count);
            }
            let path = self.path()?;
            self.sign(")")?;
            return Ok(Read::Value(Value::Aggregate(aggregate, path)));
        }
        if let Some(function) = DateFunction::of(&word) {
            self.at += 2;
            // The org's users are in UTC, so that their zone is no other than the records'.
            let converts = self.is_word("convertTimezone") && *self.behind(1) == Token::Sign("(");
            self.at += if converts { 2 } else { 0 };
            let path = self.path()?;
            if converts {
                self.sign(")")?;
            }
            self.sign(")")?;
            return Ok(Read::Value(Value::Date(function, path)));
        }
        match word.to_ascii_uppercase().as_str() {
            "TOLABEL" => {
                self.at += 2;
                let path = self.path()?;
                self.sign(")")?;
                Ok(Read::Value(Value::Label(path)))
            }
            "GROUPING" => {
                self.at += 2;
                let path = self.path()?;
                self.sign(")")?;
                Ok(Read::Value(Value::Grouping(path)))
            }
            "FORMAT" => {
                self.at += 2;
                self.deeper(Self::called)?;
                self.sign(")")?;
                self.refuse(Trouble::not_imitated("FORMAT()", at));
                Ok(Read::Refused)
            }
            "CONVERTCURRENCY" => {
                self.at += 2;
                self.path()?;
                self.sign(")")?;
                self.refuse(Trouble::not_imitated("convertCurrency()", at));
                Ok(Read::Refused)
            }
            "DISTANCE" => {
                self.at += 2;
                self.distance()?;
                self.refuse(Trouble::not_imitated("DISTANCE()", at));
                Ok(Read::Refused)
            }
            _ => {
                self.at += 1;
                Err(self.unexpected())
            }
        }
    }

    /// `Location__c, GEOLOCATION(37.775, -122.418), 'mi')`
    fn distance(&mut self) -> Result<(), Trouble> {
        self.path()?;
        self.sign(",")?;
        if self.is_word("GEOLOCATION") && *self.behind(1) == Token::Sign("(") {
            self.at += 2;
            for behind in [",", ")"] {
                if !self.takes(":") {
                    match self.peek() {
                        Token::Bare(text) if text.parse::<f64>().is_ok() => self.at += 1,
                        _ => return Err(self.unexpected()),
                    }
                } else {
                    self.variable()?;
                }
                self.sign(behind)?;
            }
        } else if self.takes(":") {
            self.variable()?;
        } else {
            self.path()?;
        }
        self.sign(",")?;
        match self.peek() {
            Token::Text(unit) if matches!(unit.to_ascii_lowercase().as_str(), "mi" | "km") => self.at += 1,
            _ => return Err(self.unexpected()),
        }
        self.sign(")")
    }

    /// Something that is compared, grouped by or sorted by. What is not carried out is a field to all that follows.
    fn value(&mut self) -> Result<Value, Trouble> {
        let at = self.place();
        match self.called()? {
            Read::Value(value) => Ok(value),
            Read::Count => Err(Trouble::malformed("COUNT() must be the only element in the select list", at)),
            Read::Refused => Ok(Value::Field(Path { steps: vec!["Id".to_owned()], at })),
        }
    }

    fn number(&mut self) -> Result<(u64, usize), Trouble> {
        let at = self.place();
        if self.takes(":") {
            return self.variable().map(|()| (0, at));
        }
        let number = match self.peek() {
            Token::Bare(text) => text.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok((number, at))
    }

    fn order(&mut self) -> Result<Order, Trouble> {
        let value = self.value()?;
        let descending = if self.takes_word("DESC") {
            true
        } else {
            self.takes_word("ASC");
            false
        };
        let mut nulls_last = false;
        if self.takes_word("NULLS") {
            nulls_last = self.takes_word("LAST");
            if !nulls_last {
                self.word("FIRST")?;
            }
        }
        Ok(Order { value, descending, nulls_last })
    }

    /// `a AND b AND c` or `a OR b OR c`: the two do not mix without parentheses.
    fn condition(&mut self) -> Result<Condition, Trouble> {
        let first = self.factor()?;
        let (word, make): (_, fn(Vec<Condition>) -> Condition) = if self.is_word("AND") {
            ("AND", Condition::And)
        } else if self.is_word("OR") {
            ("OR", Condition::Or)
        } else {
            return Ok(first);
        };
        let mut parts = vec![first];
        while self.takes_word(word) {
            parts.push(self.factor()?);
        }
        if self.is_word("AND") || self.is_word("OR") {
            return Err(self.unexpected());
        }
        Ok(make(parts))
    }

    fn factor(&mut self) -> Result<Condition, Trouble> {
        if self.takes_word("NOT") {
            return Ok(Condition::Not(Box::new(self.deeper(Self::factor)?)));
        }
        if self.takes("(") {
            let inner = self.deeper(Self::condition)?;
            self.sign(")")?;
            return Ok(inner);
        }
        let value = self.value()?;
        if self.takes_word("LIKE") {
            let place = self.place();
            return match self.literal()? {
                Literal::Text(pattern) => Ok(Condition::Like(value, pattern)),
                // Nothing is like an empty text; a bind variable is refused anyhow.
                Literal::Null => Ok(Condition::Like(value, String::new())),
                _ => Err(Trouble::malformed("a LIKE filter takes a text in quotes", place)),
            };
        }
        let not = self.is_words("NOT", "IN");
        self.at += usize::from(not);
        if self.takes_word("IN") {
            return Ok(Condition::In { value, not, list: self.values()? });
        }
        for (word, excludes) in [("INCLUDES", false), ("EXCLUDES", true)] {
            if self.takes_word(word) {
                self.values()?;
                return Ok(Condition::Includes { value, excludes });
            }
        }
        let op = match self.peek() {
            Token::Sign("=") => Compare::Equal,
            Token::Sign("!=") => Compare::NotEqual,
            Token::Sign("<") => Compare::Less,
            Token::Sign("<=") => Compare::LessOrEqual,
            Token::Sign(">") => Compare::Greater,
            Token::Sign(">=") => Compare::GreaterOrEqual,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(Condition::Compare(value, op, self.literal()?))
    }

    /// What `IN` takes: values, a subquery, or a bind variable.
    fn values(&mut self) -> Result<List, Trouble> {
        if self.takes(":") {
            return self.variable().map(|()| List::Values(Vec::new()));
        }
        self.sign("(")?;
        if self.is_word("SELECT") {
            let query = self.deeper(Self::query)?;
            self.sign(")")?;
            return Ok(List::Query(Box::new(query)));
        }
        let values = self.list(Self::literal)?;
        self.sign(")")?;
        Ok(List::Values(values))
    }

    fn literal(&mut self) -> Result<Literal, Trouble> {
        if self.takes(":") {
            return self.variable().map(|()| Literal::Null);
        }
        let literal = match self.peek() {
            // An empty text is a missing one.
            Token::Text(text) if text.is_empty() => Literal::Null,
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Bare(text) => Literal::Bare(text.clone()),
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                _ => return self.named_literal(),
            },
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(literal)
    }

    /// `TODAY`, `LAST_N_DAYS:7`, `USD5000`
    fn named_literal(&mut self) -> Result<Literal, Trouble> {
        let (at, word) = (self.place(), self.name()?);
        if let Some(counted) = DateLiteral::takes_number(&word) {
            let mut number = None;
            if counted {
                self.sign(":")?;
                number = match self.peek() {
                    Token::Bare(text) => text.parse::<i64>().ok().filter(|number| *number >= 0),
                    _ => None,
                };
                number.ok_or_else(|| self.unexpected())?;
                self.at += 1;
            }
            return DateLiteral::read(&word, number).map(Literal::Date).ok_or_else(|| self.unexpected());
        }
        // The fraction of an amount, and a negative one, are tokens of their own: `USD5` `.50`, `USD` `-5`.
        let digits = word.get(3..).unwrap_or("");
        let is_currency = word.len() >= 3 && word.bytes().take(3).all(|letter| letter.is_ascii_alphabetic());
        let more = match self.peek() {
            Token::Bare(text) if digits.is_empty() => text.starts_with('-') && text.parse::<f64>().is_ok(),
            Token::Bare(text) => text.starts_with('.'),
            _ => false,
        };
        if is_currency && (more || !digits.is_empty()) && digits.bytes().all(|digit| digit.is_ascii_digit()) {
            self.at += usize::from(more);
            self.refuse(Trouble::not_imitated("an amount with a currency", at));
            return Ok(Literal::Null);
        }
        self.at -= 1;
        Err(self.unexpected())
    }

    /// A bind variable, behind its colon: `:ids`, `:list[0].Id`, `:Util.of(a, 'b')`. Only Apex has them.
    fn variable(&mut self) -> Result<(), Trouble> {
        let at = self.place().saturating_sub(1);
        self.deeper(Self::expression)?;
        self.refuse(Trouble::malformed("Bind variables only allowed in Apex code", at));
        Ok(())
    }

    fn expression(&mut self) -> Result<(), Trouble> {
        if self.is_word("new") && matches!(self.behind(1), Token::Word(_)) {
            self.at += 1;
        }
        match self.peek() {
            Token::Word(_) | Token::Text(_) | Token::Bare(_) => self.at += 1,
            _ => return Err(self.unexpected()),
        }
        loop {
            if self.takes(".") {
                self.name()?;
            } else if self.takes("(") {
                if !self.takes(")") {
                    self.deeper(|reader| reader.list(Self::expression))?;
                    self.sign(")")?;
                }
            } else if self.takes("[") {
                self.deeper(Self::expression)?;
                self.sign("]")?;
            } else if self.takes("<") {
                self.deeper(|reader| reader.list(Self::expression))?;
                self.sign(">")?;
            } else {
                return Ok(());
            }
        }
    }
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "WHERE", "ORDER", "LIMIT", "OFFSET", "FROM", "GROUP", "HAVING", "WITH", "FOR", "USING", "ALL", "AND", "OR", "NOT", "IN", "LIKE", "SELECT",
        "UPDATE", "INCLUDES", "EXCLUDES", "TYPEOF", "ASC", "DESC", "NULLS",
    ];
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}
