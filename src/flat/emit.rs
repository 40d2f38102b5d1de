//! Writes payloads: straight to bytes, in the order of the rows, each text escaped once.
//!
//! The last gate stands here too: what a target field cannot hold leaves the record to the reference evaluator, which
//! has the words for it.

use wide::u8x32;

use super::eval::{Eval, Leave, Ran};
use super::memo::Kept;
use super::number::Number;
use super::op::{Cell, Emit, EmitAt, EmitRow, Form, Key, Out, V};
use super::read::string;
use super::scan::Raw;
use super::window::{WIDTH, append, special};
use crate::schema::{Field, SizeUnit, gate};
use crate::value::encode;

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// Writes a value. False where there is none: nothing is written then.
    pub(crate) fn emit(&mut self, at: EmitAt, out: &mut Vec<u8>) -> bool {
        self.emit_behind(at, &[], out)
    }

    /// The same, with what stands before the rows of an object: the key's field.
    pub(crate) fn emit_behind(&mut self, at: EmitAt, first: &[u8], out: &mut Vec<u8>) -> bool {
        let flat = self.flat;
        let Some(emit) = flat.emits.get(at as usize) else { return self.untold() };
        match emit {
            Emit::Nothing => false,
            Emit::Scalar { .. } => {
                let begin = out.len();
                self.scalar(at, None, out);
                out.len() > begin
            }
            Emit::Bind { slot, value, body } => {
                let value = self.eval(*value);
                self.set(*slot, value);
                self.emit(*body, out)
            }
            Emit::If { condition, then, otherwise } => {
                let taken = if self.holds(*condition) { *then } else { *otherwise };
                self.emit(taken, out)
            }
            Emit::Object { when, omit_empty, rows, required } => {
                if when.is_some_and(|when| !self.holds(when)) {
                    return false;
                }
                let begin = out.len();
                if !first.is_empty() {
                    out.push(b',');
                    out.extend_from_slice(first);
                }
                let found = self.rows_of(rows, out);
                // Each row begins with a comma; the first one's becomes the brace.
                match out.get_mut(begin) {
                    Some(comma) => *comma = b'{',
                    None if *omit_empty => return false,
                    None => out.push(b'{'),
                }
                self.left |= found < *required;
                out.push(b'}');
                true
            }
            Emit::Each { of, body, max_items } => {
                out.push(b'[');
                let mut items = 0;
                self.each(of, &mut |eval| {
                    let before = out.len();
                    if items > 0 {
                        out.push(b',');
                    }
                    if eval.emit(*body, out) {
                        items += 1;
                    } else {
                        out.truncate(before);
                    }
                });
                self.left |= items > *max_items || items > crate::value::MAX_ITEMS;
                out.push(b']');
                true
            }
        }
    }

    /// Writes the rows of an object that have a value; gives how many of those that have to be there do.
    fn rows_of(&mut self, rows: &'r [EmitRow], out: &mut Vec<u8>) -> usize {
        let mut found = 0;
        for row in rows {
            let before = out.len();
            match row.value {
                Cell::Constant => row.key.push(out),
                Cell::Copy { raw, most, or } => {
                    let slots = self.slots;
                    self.copied(slots.raw.get(raw as usize), most, or, row, out);
                }
                Cell::CopyOfRow { slot, ref place, most, or } => {
                    let raw = self.row(slot, place);
                    self.copied(raw, most, or, row, out);
                }
                Cell::Text { at, most, or } => match self.text_of(at) {
                    Some(text) if text.len() <= most as usize => {
                        row.key.push(out);
                        self.quoted(text, out);
                    }
                    Some(_) => self.scalar(or, Some(&row.key), out),
                    None => {}
                },
                Cell::Scalar(at) => self.scalar(at, Some(&row.key), out),
                Cell::Other(at) => {
                    row.key.push(out);
                    if !self.emit(at, out) {
                        out.truncate(before);
                    }
                }
            }
            found += usize::from(row.required && out.len() > before);
        }
        found
    }

    /// A row with a text that goes over as it stands in the record.
    #[inline(always)]
    fn copied(&mut self, raw: Option<&Raw>, most: u32, or: EmitAt, row: &EmitRow, out: &mut Vec<u8>) {
        match raw {
            Some(&Raw::Text { start, end, escaped: false })
                if end.wrapping_sub(start).wrapping_sub(1) < most && self.text.get(start as usize).is_some_and(u8::is_ascii_graphic) =>
            {
                row.key.push(out);
                // With its quotes.
                append(self.text, start as usize - 1, end as usize + 1, out);
            }
            Some(Raw::Absent | Raw::Null) | None => {}
            _ => self.scalar(or, Some(&row.key), out),
        }
    }

    /// Writes a text as JSON. What is a part of the record, and not decoded, stands there as it has to.
    #[inline(always)]
    fn quoted(&self, text: &[u8], out: &mut Vec<u8>) {
        let start = (text.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        if start < self.text.len() {
            out.push(b'"');
            append(self.text, start, start + text.len(), out);
            out.push(b'"');
        } else {
            quote(text, out);
        }
    }

    /// Writes a key and a value behind it; nothing where there is none.
    #[inline(never)]
    fn scalar(&mut self, at: EmitAt, key: Option<&Key>, out: &mut Vec<u8>) {
        let flat = self.flat;
        let Some(Emit::Scalar { at, out: form }) = flat.emits.get(at as usize) else {
            self.left = true;
            return;
        };
        if let Form::Text(words) = &form.form {
            if let Some(text) = self.text_of(*at) {
                self.left |= words.as_ref().is_some_and(|words| !words.has(text)) || !(text.len() <= form.most || within(text, form));
                push_key(key, out);
                self.quoted(text, out);
            }
            return;
        }
        if let Form::Integer { text: false } | Form::Decimal { text: false } = form.form {
            if let Some(number) = self.number_of(*at) {
                let whole = matches!(form.form, Form::Integer { .. });
                self.left |= whole && !number.is_whole();
                push_key(key, out);
                self.left |= held(if whole { number.whole() } else { number }, form, out).is_err();
            }
            return;
        }
        let value = self.eval(*at);
        if !value.is_missing() {
            push_key(key, out);
            self.left |= self.value_of(value, form, out).is_err();
        }
    }

    fn value_of(&mut self, value: V<'r>, form: &'r Out<'p>, out: &mut Vec<u8>) -> Ran<()> {
        match (&form.form, value) {
            (Form::Boolean, V::Boolean(truth)) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            (Form::Date, V::Date(date)) => {
                out.push(b'"');
                push_date(date, out);
                out.push(b'"');
            }
            (Form::Instant { zone, memo }, V::Instant(instant)) => {
                let key = instant.as_nanosecond().to_le_bytes();
                if let Some(Kept::Text(text)) = self.memos.get(*memo, &key) {
                    quote(text.as_bytes(), out);
                    return Ok(());
                }
                let text = match zone {
                    Some((zone, pattern)) => jiff::fmt::strtime::format(pattern, &instant.to_zoned(zone.clone())).map_err(|_| Leave)?,
                    None => instant.to_string(),
                };
                if !within(text.as_bytes(), form) {
                    return Err(Leave);
                }
                quote(text.as_bytes(), out);
                self.memos.keep(*memo, &key, Kept::Text(text.into()));
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
}

#[inline(always)]
fn push_key(key: Option<&Key>, out: &mut Vec<u8>) {
    if let Some(key) = key {
        key.push(out);
    }
}

/// Writes a number that its field can hold.
fn held(number: Number, form: &Out<'_>, out: &mut Vec<u8>) -> Ran<()> {
    use std::cmp::Ordering;
    if form.field.places.is_some_and(|places| u32::from(number.places()) > places && u32::from(number.normal().places()) > places) {
        return Err(Leave);
    }
    let beyond = |limit: &Option<Number>, order| limit.is_some_and(|limit| number.order(limit) == order);
    if beyond(&form.minimum, Ordering::Less) || beyond(&form.maximum, Ordering::Greater) {
        return Err(Leave);
    }
    if form.limit.is_some_and(|limit| number.size().order(limit) != Ordering::Less) {
        return Err(Leave);
    }
    number.print(out);
    Ok(())
}

/// Whether a text is as long as its field takes it, and of its form.
#[inline(never)]
fn within(text: &[u8], form: &Out<'_>) -> bool {
    fits(text, form.field) && form.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

/// Whether a text is as long as its field takes it.
pub(crate) fn fits(text: &[u8], field: &Field) -> bool {
    let Some(size) = field.size else { return true };
    // No text has more characters than bytes.
    if size.min == 0 && text.len() <= size.max {
        return true;
    }
    let Ok(text) = string(text) else { return false };
    let length = match size.unit {
        SizeUnit::Characters => text.chars().count(),
        SizeUnit::Bytes => text.len(),
        SizeUnit::Utf16 => text.encode_utf16().count(),
    };
    (size.min..=size.max).contains(&length)
}

/// Whether a text stands in JSON as it is.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<WIDTH>(), bytes.last_chunk::<WIDTH>()) {
        let mut windows = bytes.chunks_exact(WIDTH).skip(1);
        return special(u8x32::new(*first)) | special(u8x32::new(*last)) == 0
            && windows.all(|chunk| chunk.try_into().is_ok_and(|chunk| special(u8x32::new(chunk)) == 0));
    }
    // Some bytes in the middle may be looked at twice.
    let eight = |bytes: &[u8; 8]| special_of_eight(u64::from_le_bytes(*bytes));
    if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        let both = |bytes: &[u8; 16]| bytes.first_chunk().map_or(0, eight) | bytes.last_chunk().map_or(0, eight);
        return both(first) | both(last) == 0;
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => eight(first) | eight(last) == 0,
        _ => bytes.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\'),
    }
}

/// The high bit of each byte that is `"`, `\` or below 0x20. Of several the lowest is right, and no more is needed.
/// <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
#[inline]
fn special_of_eight(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & HIGHS;
    let control = eight.wrapping_sub(ONES * 0x20) & !eight & HIGHS;
    zero(eight ^ (ONES * b'"' as u64)) | zero(eight ^ (ONES * b'\\' as u64)) | control
}

/// Writes a text as JSON, as serde_json does.
#[inline]
pub(crate) fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if is_plain(bytes) {
        append(bytes, 0, bytes.len(), out);
    } else {
        escape(bytes, out);
    }
    out.push(b'"');
}

#[inline(never)]
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
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
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        from = at + 1;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
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
        fn a_text_is_quoted_as_serde_json_does(text in "[\\x00-\\x7f\\u{80}-\\u{ffff}]{0,90}") {
            let mut out = Vec::new();
            quote(text.as_bytes(), &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap_or_default(), serde_json::Value::from(text).to_string());
        }
    }
}
