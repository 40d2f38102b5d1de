//! Tokens to a query, by recursive descent.

use super::Trouble;
use super::token::{Token, tokens};
use super::tree::{Compare, Condition, Fields, List, Literal, Order, Path, Query, Select};

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
    let mut reader = Reader { tokens: tokens(query)?, at: 0, depth: 0 };
    let read = reader.query()?;
    match reader.peek() {
        Token::End => Ok(read),
        _ => Err(reader.unexpected()),
    }
}

struct Reader {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
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

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word))
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

    /// `SELECT … FROM … [WHERE …] [ORDER BY …] [LIMIT …] [OFFSET …]`
    fn query(&mut self) -> Result<Query, Trouble> {
        self.word("SELECT")?;
        let mut select = vec![self.selected()?];
        while self.takes(",") {
            select.push(self.selected()?);
        }
        self.word("FROM")?;
        let from = self.path()?;
        let alias = match self.peek() {
            Token::Word(word) if !is_keyword(word) => Some(self.name()?),
            _ => None,
        };
        let filter = if self.takes_word("WHERE") { Some(self.condition()?) } else { None };
        let mut order = Vec::new();
        if self.takes_word("ORDER") {
            self.word("BY")?;
            order.push(self.order()?);
            while self.takes(",") {
                order.push(self.order()?);
            }
        }
        let limit = if self.takes_word("LIMIT") { Some(self.number()?.0) } else { None };
        let offset = if self.takes_word("OFFSET") { Some(self.number()?) } else { None };
        Ok(Query { select, from, alias, filter, order, limit, offset })
    }

    fn selected(&mut self) -> Result<Select, Trouble> {
        if self.takes("(") {
            let query = self.deeper(Self::query)?;
            self.sign(")")?;
            return Ok(Select::Children(Box::new(query)));
        }
        let calls = |reader: &Self, name: &str| reader.is_word(name) && *reader.behind(1) == Token::Sign("(");
        if calls(self, "COUNT") {
            self.at += 2;
            if self.takes(")") {
                return Ok(Select::Count);
            }
            let path = self.path()?;
            self.sign(")")?;
            let alias = match self.peek() {
                Token::Word(word) if !is_keyword(word) => Some(self.name()?),
                _ => None,
            };
            return Ok(Select::CountOf(path, alias));
        }
        if calls(self, "FIELDS") {
            let place = self.place();
            self.at += 2;
            let which = match self.name()?.to_ascii_uppercase().as_str() {
                "ALL" => Fields::All,
                "STANDARD" => Fields::Standard,
                "CUSTOM" => Fields::Custom,
                _ => return Err(self.unexpected()),
            };
            self.sign(")")?;
            return Ok(Select::Fields(which, place));
        }
        Ok(Select::Field(self.path()?))
    }

    fn path(&mut self) -> Result<Path, Trouble> {
        let at = self.place();
        let mut steps = vec![self.name()?];
        while self.takes(".") {
            steps.push(self.name()?);
        }
        Ok(Path { steps, at })
    }

    fn number(&mut self) -> Result<(u64, usize), Trouble> {
        let at = self.place();
        let number = match self.peek() {
            Token::Bare(text) => text.parse().ok(),
            _ => None,
        };
        self.at += 1;
        number.map(|number| (number, at)).ok_or_else(|| {
            self.at -= 1;
            self.unexpected()
        })
    }

    fn order(&mut self) -> Result<Order, Trouble> {
        let path = self.path()?;
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
        Ok(Order { path, descending, nulls_last })
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
        let path = self.path()?;
        if self.takes_word("LIKE") {
            let place = self.place();
            return match self.literal()? {
                Literal::Text(pattern) => Ok(Condition::Like(path, pattern)),
                _ => Err(Trouble::malformed("a LIKE filter takes a text in quotes", place)),
            };
        }
        if self.takes_word("NOT") {
            self.word("IN")?;
            return Ok(Condition::In { path, not: true, list: self.list()? });
        }
        if self.takes_word("IN") {
            return Ok(Condition::In { path, not: false, list: self.list()? });
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
        Ok(Condition::Compare(path, op, self.literal()?))
    }

    fn list(&mut self) -> Result<List, Trouble> {
        self.sign("(")?;
        if self.is_word("SELECT") {
            let query = self.deeper(Self::query)?;
            self.sign(")")?;
            return Ok(List::Query(Box::new(query)));
        }
        let mut values = vec![self.literal()?];
        while self.takes(",") {
            values.push(self.literal()?);
        }
        self.sign(")")?;
        Ok(List::Values(values))
    }

    fn literal(&mut self) -> Result<Literal, Trouble> {
        let literal = match self.peek() {
            // An empty text is a missing one.
            Token::Text(text) if text.is_empty() => Literal::Null,
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Bare(text) => Literal::Bare(text.clone()),
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(literal)
    }
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] =
        &["WHERE", "ORDER", "LIMIT", "OFFSET", "FROM", "GROUP", "HAVING", "WITH", "FOR", "USING", "ALL", "AND", "OR", "NOT", "IN", "LIKE"];
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}
