//! Lines that are longer than the terminal is wide are cut around their marks, so that no frame wraps and loses its carets.

use crate::base::{Position, Source};

/// A place to mark, in bytes of the text that is shown.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
    /// Where it stands in the file.
    pub(super) place: Position,
}

/// Columns that a frame takes beside the line: the number, the bar, and the hook before a label.
const BESIDE: usize = 8;
const HOOK: usize = 4;
/// Signs that are kept before a mark where a line is cut.
const LEAD: usize = 12;
/// A label is not set narrower than this.
const LABEL: usize = 28;

/// The text with its long lines cut, and the marks where they then stand.
pub(super) fn fitted(source: &Source, mut marks: Vec<Mark>, width: usize) -> (Source, Vec<Mark>) {
    let room = width.saturating_sub(BESIDE + digits(&marks)).max(40);
    let mut lines: Vec<u32> = marks.iter().map(|mark| mark.place.line).collect();
    lines.sort_unstable();
    lines.dedup();
    let mut text: Option<String> = None;
    // From the last line to the first: a line that is cut moves only what stands behind it.
    for line in lines.into_iter().rev() {
        let Some(begin) = source.begin(line) else { continue };
        let whole = source.line(line);
        let here: Vec<usize> = (0..marks.len()).filter(|at| marks[*at].place.line == line).collect();
        let column = |byte: usize| whole.get(..byte.saturating_sub(begin)).map_or(0, |text| text.chars().count());
        let middle = |mark: &Mark| (column(mark.start) + column(mark.end)) / 2;
        let count = whole.chars().count();
        let fits = |mark: &Mark| middle(mark) + HOOK + mark.text.chars().count() <= room;
        if count <= room && here.iter().all(|at| fits(&marks[*at])) {
            continue;
        }
        let first = here.iter().map(|at| column(marks[*at].start)).min().unwrap_or(0);
        let far = here.iter().map(|at| middle(&marks[*at])).max().unwrap_or(0);
        let left = if far + HOOK + LABEL <= room { 0 } else { first.saturating_sub(LEAD) };
        let right = count.min(left + room - 2);
        let cut: String = whole.chars().skip(left).take(right - left).collect();
        let before = if left > 0 { "…" } else { "" };
        let behind = if right < count { "…" } else { "" };
        let shown = format!("{before}{cut}{behind}");
        // A column of the line as a byte of the line that is shown.
        let byte = |column: usize| {
            let inside = column.clamp(left, right) - left;
            begin + before.len() + cut.char_indices().nth(inside).map_or(cut.len(), |(at, _)| at)
        };
        let (old, new) = (whole.len(), shown.len());
        let columns: Vec<(usize, usize, usize)> = here.iter().map(|at| (*at, column(marks[*at].start), column(marks[*at].end))).collect();
        for mark in marks.iter_mut().filter(|mark| mark.place.line > line) {
            mark.start = mark.start + new - old;
            mark.end = mark.end + new - old;
        }
        for (at, start, end) in columns {
            let mark = &mut marks[at];
            (mark.start, mark.end) = (byte(start), byte(end));
            let middle = (start.clamp(left, right) + end.clamp(left, right)) / 2 - left;
            mark.text = wrapped(&mark.text, room.saturating_sub(middle + HOOK + 1).max(LABEL));
        }
        text.get_or_insert_with(|| source.text.to_string()).replace_range(begin..begin + old, &shown);
    }
    match text {
        Some(text) => (Source::new(source.name.clone(), text), marks),
        None => (source.clone(), marks),
    }
}

fn digits(marks: &[Mark]) -> usize {
    marks.iter().map(|mark| mark.place.line.to_string().len()).max().unwrap_or(1).saturating_sub(1)
}

fn wrapped(text: &str, room: usize) -> String {
    super::terminal::wrapped(text, room).join("\n")
}
