//! Writes payloads straight to bytes, in the order of the rows; each text is escaped once.
//!
//! The final check is here too: if a target field cannot hold a value, the record goes to the reference evaluator, which has the
//! messages.

use rust_decimal::RoundingStrategy;

use super::bytes::Bytes;
use super::eval::{Eval, Leave, Ran};
use super::memo::Kept;
use super::number::{Number, SHORT};
use super::op::{MARKS, Piece, Quick};
use super::quote::{ends, push_part, push_text};
use super::read::string;
use super::reg::{Reg, RegValue};
use super::row::{Empty, Form, Key, Out, Product, Row, Unit};
use super::simd::WIDTH;
use crate::base::bounds::LONG_TEXT;
use crate::schema::{Field, SizeUnit, gate};
use crate::value::{Json, WeightUnit, encode};

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// Begins an object or a list.
    #[inline(always)]
    pub(super) fn open(&mut self, mark: u8, key: Option<&Key>, out: &mut Bytes) {
        let mark = &mut self.marks[usize::from(mark) % MARKS];
        mark.before = out.len();
        mark.count = 0;
        if let Some(key) = key {
            key.push(out);
        }
        mark.begin = out.len();
    }

    /// Ends an object. Each row begins with a comma; the first one's becomes the brace.
    #[inline(always)]
    pub(super) fn close(&mut self, mark: u8, empty: Empty, out: &mut Bytes) -> Ran<()> {
        let mark = &self.marks[usize::from(mark) % MARKS];
        match out.get_mut(mark.begin) {
            Some(comma) => *comma = b'{',
            None if empty != Empty::Written => {
                out.truncate(mark.before);
                return if empty == Empty::Required { self.required() } else { Ok(()) };
            }
            None => out.push(b'{'),
        }
        out.push(b'}');
        Ok(())
    }

    /// Ends an object that is an item, which is there in any case.
    #[inline(always)]
    pub(super) fn close_item(&mut self, list: u8, mark: u8, out: &mut Bytes) {
        match out.get_mut(self.marks[usize::from(mark) % MARKS].begin) {
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
        self.marks[usize::from(list) % MARKS].count += 1;
    }

    /// What has to be there is not: the record is left, unless it was told why.
    #[cold]
    pub(super) fn required(&self) -> Ran<()> {
        if self.unfinished { Ok(()) } else { Err(Leave) }
    }

    /// A row without a value.
    #[inline(always)]
    fn absent(&self, row: &Row<'p>) -> Ran<()> {
        if row.required { self.required() } else { Ok(()) }
    }

    #[inline(always)]
    pub(super) fn item(&mut self, mark: u8, out: &mut Bytes) {
        let mark = &mut self.marks[usize::from(mark) % MARKS];
        mark.row = out.len();
        if mark.count > 0 {
            out.push(b',');
        }
    }

    /// Counts an item, if something was written of it.
    #[inline(always)]
    pub(super) fn end_item(&mut self, mark: u8, out: &mut Bytes) {
        let mark = &mut self.marks[usize::from(mark) % MARKS];
        if out.len() > mark.row + usize::from(mark.count > 0) {
            mark.count += 1;
        } else {
            out.truncate(mark.row);
        }
    }

    /// A text: one of a common length at once.
    #[inline(always)]
    pub(super) fn write_text(&self, of: Reg, most: u32, row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        match self.get(of) {
            RegValue::Text(text) if text.len() <= most as usize => {
                self.text_row(text, row, out);
                Ok(())
            }
            RegValue::Text(text) => self.odd_text(text, row, out),
            RegValue::Missing(_) => self.absent(row),
            _ => Err(Leave),
        }
    }

    /// The same of what a function gives. This one and the next larger ones stand apart: in the loop over operations they
    /// would take the registers that each of them needs.
    #[inline(never)]
    pub(super) fn write_shaped(&self, quick: Quick, of: Reg, most: u32, row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        match self.get(of) {
            // Mostly there is nothing to do.
            RegValue::Text(text) if text.len() <= most as usize && quick.leaves(text) => {
                self.text_row(text, row, out);
                Ok(())
            }
            RegValue::Text(text) => self.odd_text(self.shaped(quick, text)?, row, out),
            RegValue::Missing(_) => self.absent(row),
            _ => Err(Leave),
        }
    }

    /// A text that is put together: its parts are written one after the other.
    #[inline(never)]
    pub(super) fn write_template(&self, pieces: &'r [Piece<'p>], most: u32, row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        let before = out.len();
        row.key.push(out);
        let begin = out.len();
        for piece in pieces {
            match piece {
                Piece::Text([one]) => out.push(*one),
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Value(reg) => match self.get(*reg) {
                    RegValue::Text(text) => push_part(text, self.text, out),
                    RegValue::Number(number) => number.print(out),
                    RegValue::Missing(_) => {
                        out.truncate(before);
                        return self.absent(row);
                    }
                    _ => return self.odd_template(pieces, before, row, out),
                },
            }
        }
        // As JSON it is no shorter.
        if out.len() - begin > (most as usize).min(LONG_TEXT) {
            return self.odd_template(pieces, before, row, out);
        }
        out.push(b'"');
        Ok(())
    }

    #[inline(never)]
    fn odd_template(&self, pieces: &'r [Piece<'p>], before: usize, row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        out.truncate(before);
        match self.template(pieces, false)? {
            Some(text) => self.odd_text(text, row, out),
            None => self.absent(row),
        }
    }

    /// A row whose text may stand there. A short one that is a part of the record is written in one go.
    #[inline(always)]
    fn text_row(&self, text: &[u8], row: &Row<'p>, out: &mut Bytes) {
        let key = row.key.length();
        let start = (text.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        match self.text.get(start..).and_then(<[u8]>::first_chunk::<WIDTH>) {
            Some(window) if key <= WIDTH && text.len() <= WIDTH => out.with::<{ 2 * WIDTH + 1 }>(|place| {
                write_at(place, 0, &row.key.short);
                write_at(place, key, window);
                write_at(place, key + text.len(), b"\"");
                key + text.len() + 1
            }),
            _ => other_row(text, self.text, row, out),
        }
    }

    #[inline(never)]
    fn odd_text(&self, text: &'r [u8], row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        let Form::Text(words) = &row.out.form else { return Err(Leave) };
        if words.as_ref().is_some_and(|words| !words.has(text)) || !(text.len() <= row.out.most || within(text, &row.out)) {
            return Err(Leave);
        }
        row.key.push(out);
        push_text(text, self.text, out);
        Ok(())
    }

    /// A number: one of which nothing is asked at once.
    #[inline(always)]
    fn write_number(&self, number: Number, row: &Row<'p>, out: &mut Bytes) -> Ran<()> {
        let coefficient = number.coefficient();
        // Where none is to be negative it has a size that is out of bounds.
        let size = if row.negative { coefficient.unsigned_abs() } else { coefficient as u64 };
        if (number.places() as i8) <= row.places && size <= u64::from(row.bound) {
            number_row(number, row, out);
            return Ok(());
        }
        odd_number(number, row, out)
    }

    #[inline(always)]
    pub(super) fn write_amount(&self, value: &RegValue<'r>, row: &Row<'p>, out: &mut Bytes) -> Ran<()> {
        match *value {
            RegValue::Number(number) | RegValue::Money(number, _) => self.write_number(number, row, out),
            RegValue::Missing(_) => self.absent(row),
            _ => Err(Leave),
        }
    }

    #[inline(never)]
    pub(super) fn write_rounded(&mut self, of: Reg, places: u32, how: RoundingStrategy, row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        match *self.get(of) {
            RegValue::Number(number) => self.write_number(number.round(places, how).ok_or(Leave)?, row, out),
            value => {
                let rounded = self.quick(Quick::Round(places, how), value)?;
                self.write_amount(&rounded, row, out)
            }
        }
    }

    #[inline(never)]
    pub(super) fn write_product(&mut self, row: &'r (Row<'p>, Product), out: &mut Bytes) -> Ran<()> {
        let (row, Product { of, by, or, places, how }) = row;
        let rounded = match self.factors(*of, *by, *or) {
            Some((a, b)) => a.times(b).and_then(|product| product.round(*places, *how)).map(RegValue::Number).ok_or(Leave)?,
            None => {
                let product = self.odd_product(*of, *by, *or)?;
                self.quick(Quick::Round(*places, *how), product)?
            }
        };
        self.write_amount(&rounded, row, out)
    }

    #[inline(never)]
    pub(super) fn write_weight(&self, of: Reg, unit: WeightUnit, row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        let amount = match *self.get(of) {
            RegValue::Number(number) => number,
            RegValue::Weight(number, from) if from == unit => number,
            RegValue::Missing(_) => return self.absent(row),
            _ => return Err(Leave),
        };
        let Form::Weight(units) = &row.out.form else { return Err(Leave) };
        row.key.push(out);
        weight(amount, unit, units, out)
    }

    #[inline(always)]
    pub(super) fn write_value(&mut self, of: Reg, row: &'r Row<'p>, out: &mut Bytes) -> Ran<()> {
        if self.get(of).is_missing() {
            return self.absent(row);
        }
        row.key.push(out);
        self.encoded(of, &row.out, out)
    }

    #[inline(never)]
    fn encoded(&mut self, of: Reg, form: &'r Out<'p>, out: &mut Bytes) -> Ran<()> {
        match (&form.form, self.get(of)) {
            (Form::Boolean, &RegValue::Boolean(truth)) => out.with(|place| {
                *place = if truth { *b"true " } else { *b"false" };
                5 - usize::from(truth)
            }),
            (Form::Date, &RegValue::Date(date)) => {
                out.push(b'"');
                push_date(date, out);
                out.push(b'"');
            }
            (Form::Instant { zone, memo }, &RegValue::Instant(instant)) => {
                let key = RegValue::Instant(instant);
                if let Some(text) = self.memos.get(*memo, std::iter::once(&key)).and_then(Kept::text) {
                    out.extend_from_slice(text);
                    return Ok(());
                }
                let text = match zone {
                    Some((zone, pattern)) => jiff::fmt::strtime::format(pattern, &instant.to_zoned(zone.clone())).map_err(|_| Leave)?,
                    None => instant.to_string(),
                };
                if !within(text.as_bytes(), form) {
                    return Err(Leave);
                }
                // It is kept as it is written.
                let quoted = Json::String(text).to_string();
                out.extend_from_slice(quoted.as_bytes());
                self.memos.keep(*memo, std::iter::once(&key), Kept::of(&quoted));
            }
            (Form::Weight(units), &RegValue::Weight(amount, unit)) => weight(amount, unit, units, out)?,
            (Form::Text(words), &RegValue::Text(text)) => {
                if words.as_ref().is_some_and(|words| !words.has(text)) || !(text.len() <= form.most || within(text, form)) {
                    return Err(Leave);
                }
                out.push(b'"');
                push_text(text, self.text, out);
            }
            (Form::Named(texts), &RegValue::Named(named)) => out.extend_from_slice(texts.get(named as usize).and_then(Option::as_ref).ok_or(Leave)?),
            (_, RegValue::Missing(_) | RegValue::Record(..) | RegValue::Rows { .. } | RegValue::Row(_) | RegValue::List(_)) => return Err(Leave),
            // By the reference's own encoding, and its own gate.
            (_, value) => {
                let field: &Field = form.field;
                let json = encode(&self.value(*value)?, &field.kind, &field.wire).map_err(|_| Leave)?;
                if !gate::fits_field(field, &json) {
                    return Err(Leave);
                }
                serde_json::to_writer(&mut *out, &json).map_err(|_| Leave)?;
            }
        }
        Ok(())
    }
}

/// Writes a row whose text is no part of the record, or a long one.
#[inline(never)]
fn other_row(text: &[u8], record: &[u8], row: &Row<'_>, out: &mut Bytes) {
    let key = row.key.length();
    let Some((first, last)) = ends(text).filter(|_| key <= WIDTH) else {
        row.key.push(out);
        return push_text(text, record, out);
    };
    // Both may have the same bytes. What is written behind the text is written over.
    let (length, behind) = (text.len(), text.len().saturating_sub(8));
    out.with::<{ 2 * WIDTH }>(|place| {
        write_at(place, 0, &row.key.short);
        write_at(place, key, &first.to_le_bytes());
        write_at(place, key + behind, &last.to_le_bytes());
        write_at(place, key + length, b"\"");
        key + length + 1
    });
}

/// Writes a row with a number: a short one in one go.
#[inline(always)]
fn number_row(number: Number, row: &Row<'_>, out: &mut Bytes) {
    let key = row.key.length();
    match number.short() {
        Some(short) if key <= WIDTH => out.with::<{ WIDTH + SHORT }>(|place| {
            write_at(place, 0, &row.key.short);
            // How many of something there are is mostly one digit.
            if let Some(digit) = number.digit() {
                write_at(place, key, &[digit]);
                return key + 1;
            }
            let digits = place.get_mut(key..).and_then(<[u8]>::first_chunk_mut);
            key + digits.map_or(0, |digits| short.print(digits))
        }),
        _ => {
            row.key.push(out);
            number.print(out);
        }
    }
}

/// Writes some bytes at a place in an array.
#[inline(always)]
fn write_at<const N: usize, const M: usize>(place: &mut [u8; N], at: usize, bytes: &[u8; M]) {
    if let Some(to) = place.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<M>) {
        *to = *bytes;
    }
}

/// Writes a weight as an object. The same unit is passed on as it is.
fn weight(amount: Number, unit: WeightUnit, units: &[Unit], out: &mut Bytes) -> Ran<()> {
    let Unit { factor, before, behind, .. } = units.iter().find(|known| known.of == unit).ok_or(Leave)?;
    let amount = if factor.is_zero() { amount } else { amount.times(*factor).ok_or(Leave)?.normal() };
    before.push(out);
    amount.print(out);
    behind.push(out);
    Ok(())
}

#[inline(never)]
fn odd_number(number: Number, row: &Row<'_>, out: &mut Bytes) -> Ran<()> {
    let whole = matches!(row.out.form, Form::Integer { .. });
    if whole && !number.is_whole() {
        return Err(Leave);
    }
    row.key.push(out);
    held(if whole { number.whole() } else { number }, &row.out, out)
}

/// Writes a number that its field can hold.
fn held(number: Number, form: &Out<'_>, out: &mut Bytes) -> Ran<()> {
    use std::cmp::Ordering;
    if form.any_number {
        number.print(out);
        return Ok(());
    }
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

fn push_date(date: jiff::civil::Date, out: &mut Bytes) {
    use std::io::Write as _;
    // Writing to memory does not fail.
    let _ = write!(out, "{date}");
}
