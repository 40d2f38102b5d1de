//! Writes payloads: straight to bytes, in the order of the rows, each text escaped once.
//!
//! The last gate stands here too: what a target field cannot hold leaves the record to the reference evaluator, which
//! has the words for it.

use super::eval::{Eval, Leave, Ran};
use super::memo::Kept;
use super::op::{Emit, EmitAt, Form, Out, Text, V};
use crate::schema::{Field, SizeUnit, gate};
use crate::value::encode;

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// Writes a value. False where there is none: nothing is written then.
    pub(crate) fn emit(&mut self, at: EmitAt, out: &mut Vec<u8>) -> Ran<bool> {
        self.emit_behind(at, &[], out)
    }

    /// The same, with what stands before the rows of an object: the key's field.
    pub(crate) fn emit_behind(&mut self, at: EmitAt, first: &[u8], out: &mut Vec<u8>) -> Ran<bool> {
        let flat = self.flat;
        match flat.emits.get(at as usize).ok_or(Leave)? {
            Emit::Nothing => Ok(false),
            Emit::Scalar { at, out: form } => {
                let value = self.eval(*at)?;
                if value.is_missing() {
                    return Ok(false);
                }
                self.scalar(value, form, out)?;
                Ok(true)
            }
            Emit::Bind { slot, value, body } => {
                let value = self.eval(*value)?;
                self.set(*slot, value);
                self.emit(*body, out)
            }
            Emit::If { condition, then, otherwise } => {
                let taken = if self.holds(*condition)? { *then } else { *otherwise };
                self.emit(taken, out)
            }
            Emit::Object { when, omit_empty, rows, required } => {
                if let Some(when) = when
                    && !self.holds(*when)?
                {
                    return Ok(false);
                }
                let begin = out.len();
                if !first.is_empty() {
                    out.push(b',');
                    out.extend_from_slice(first);
                }
                let mut found = 0;
                for row in rows {
                    let before = out.len();
                    if let Some(Emit::Scalar { at, out: form }) = flat.emits.get(row.value as usize) {
                        let value = self.eval(*at)?;
                        if value.is_missing() {
                            continue;
                        }
                        row.key.push(out);
                        self.scalar(value, form, out)?;
                    } else {
                        row.key.push(out);
                        if !self.emit(row.value, out)? {
                            out.truncate(before);
                            continue;
                        }
                    }
                    found += usize::from(row.required);
                }
                // Each row begins with a comma; the first one's becomes the brace.
                match out.get_mut(begin) {
                    Some(comma) => *comma = b'{',
                    None if *omit_empty => return Ok(false),
                    None => out.push(b'{'),
                }
                if found < *required {
                    return Err(Leave);
                }
                out.push(b'}');
                Ok(true)
            }
            Emit::Each { of, body, max_items } => {
                out.push(b'[');
                let mut items = 0;
                self.each(of, &mut |eval| {
                    let before = out.len();
                    if items > 0 {
                        out.push(b',');
                    }
                    if eval.emit(*body, out)? {
                        items += 1;
                    } else {
                        out.truncate(before);
                    }
                    Ok(())
                })?;
                if items > *max_items || items > crate::value::MAX_ITEMS {
                    return Err(Leave);
                }
                out.push(b']');
                Ok(true)
            }
        }
    }

    fn scalar(&mut self, value: V<'r>, form: &'r Out<'p>, out: &mut Vec<u8>) -> Ran<()> {
        match (&form.form, value) {
            (Form::Text(words), V::Text(text)) => {
                if words.as_ref().is_some_and(|words| !words.has(text.text)) {
                    return Err(Leave);
                }
                limits(text.text, form)?;
                quote(text, out);
            }
            (Form::Integer { text: false }, V::Number(number)) => {
                if !number.is_whole() {
                    return Err(Leave);
                }
                self.number(number.whole(), form, out)?;
            }
            (Form::Decimal { text: false }, V::Number(amount) | V::Money(amount, _)) => self.number(amount, form, out)?,
            (Form::Boolean, V::Boolean(truth)) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            (Form::Date, V::Date(date)) => {
                out.push(b'"');
                push_date(date, out);
                out.push(b'"');
            }
            (Form::Instant { zone, memo }, V::Instant(instant)) => {
                let key = instant.as_nanosecond().to_le_bytes();
                if let Some(Kept::Text(text, _)) = self.memos.get(*memo, &key) {
                    quote(Text { text, plain: true }, out);
                    return Ok(());
                }
                let text = match zone {
                    Some((zone, pattern)) => jiff::fmt::strtime::format(pattern, &instant.to_zoned(zone.clone())).map_err(|_| Leave)?,
                    None => instant.to_string(),
                };
                limits(&text, form)?;
                quote(Text { text: &text, plain: false }, out);
                self.memos.keep(*memo, &key, Kept::Text(text.into(), true));
            }
            (Form::Weight(units), V::Weight(amount, unit)) => {
                let (_, factor, before, behind) = units.iter().find(|(known, ..)| *known == unit).ok_or(Leave)?;
                // The same unit is passed on as it is.
                let amount = if factor.is_zero() { amount } else { amount.times(*factor).ok_or(Leave)?.normal() };
                out.extend_from_slice(before);
                amount.print(out);
                out.extend_from_slice(behind);
            }
            (_, V::Missing(_) | V::Record(..) | V::Rows { .. } | V::Row(_) | V::List(_)) => return Err(Leave),
            // By the reference's own encoding, and its own gate.
            _ => {
                let field: &Field = form.field;
                let json = encode(&self.value(value)?, &field.kind, &field.wire).map_err(|_| Leave)?;
                if !gate::fits_field(field, &json) {
                    return Err(Leave);
                }
                serde_json::to_writer(&mut *out, &json).map_err(|_| Leave)?;
            }
        }
        Ok(())
    }

    fn number(&self, number: super::number::Number, form: &Out<'p>, out: &mut Vec<u8>) -> Ran<()> {
        use std::cmp::Ordering;
        if form.field.places.is_some_and(|places| u32::from(number.places()) > places && u32::from(number.normal().places()) > places) {
            return Err(Leave);
        }
        let beyond = |limit: &Option<super::number::Number>, order| limit.is_some_and(|limit| number.order(limit) == order);
        if beyond(&form.minimum, Ordering::Less) || beyond(&form.maximum, Ordering::Greater) {
            return Err(Leave);
        }
        if form.limit.is_some_and(|limit| number.size().order(limit) != Ordering::Less) {
            return Err(Leave);
        }
        number.print(out);
        Ok(())
    }
}

/// Whether a text is as long as its field takes it.
#[inline]
pub(crate) fn limits(text: &str, form: &Out<'_>) -> Ran<()> {
    size(text, form.field)?;
    if form.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
        return Err(Leave);
    }
    Ok(())
}

#[inline]
pub(crate) fn size(text: &str, field: &Field) -> Ran<()> {
    let Some(size) = field.size else { return Ok(()) };
    // No text has more characters than bytes.
    if size.min == 0 && text.len() <= size.max {
        return Ok(());
    }
    let length = match size.unit {
        SizeUnit::Characters => text.chars().count(),
        SizeUnit::Bytes => text.len(),
        SizeUnit::Utf16 => text.encode_utf16().count(),
    };
    if length > size.max || length < size.min { Err(Leave) } else { Ok(()) }
}

/// Writes a text as JSON, as serde_json does.
#[inline]
pub(crate) fn quote(text: Text<'_>, out: &mut Vec<u8>) {
    let bytes = text.text.as_bytes();
    out.push(b'"');
    if text.plain {
        out.extend_from_slice(bytes);
    } else {
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let short = match byte {
                b'"' | b'\\' => *byte,
                0x08 => b'b',
                0x09 => b't',
                0x0A => b'n',
                0x0C => b'f',
                0x0D => b'r',
                0..=0x1F => b'u',
                _ => continue,
            };
            out.extend_from_slice(&bytes[from..at]);
            out.extend_from_slice(&[b'\\', short]);
            if short == b'u' {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            from = at + 1;
        }
        out.extend_from_slice(&bytes[from..]);
    }
    out.push(b'"');
}

fn push_date(date: jiff::civil::Date, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to memory does not fail.
    let _ = write!(out, "{date}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_quoted_as_serde_json_does(text in "[\\x00-\\x7f\\u{80}-\\u{ffff}]{0,40}") {
            let mut out = Vec::new();
            quote(Text { text: &text, plain: false }, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap_or_default(), serde_json::Value::from(text).to_string());
        }
    }
}
