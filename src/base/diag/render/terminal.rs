//! For eyes: the headline, the lines of the mapping with the places marked, why, and what to write.

use std::fmt::Write as _;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents, ThemeCharacters,
};

use super::frame::{self, Mark};
use super::proposal::proposal;
use super::{View, count, word};
use crate::base::diag::{Diagnostic, Label, Severity};
use crate::base::{FileId, Source, Span};

/// What the terminal can do.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub colours: bool,
    /// In characters.
    pub width: usize,
}

impl Look {
    /// For files, pipes and tests.
    pub const PLAIN: Look = Look { colours: false, width: 80 };
}

/// A message longer than this gets its lesser places in one line each.
const LINES: usize = 11;

/// One diagnostic, with a line break at its end.
pub fn terminal(diagnostic: &Diagnostic, view: View<'_>, look: Look) -> String {
    let ink = Ink { on: look.colours };
    let head = head(diagnostic, ink, look.width);
    let foot = foot(diagnostic, view, ink, look.width);
    let here = diagnostic.primary.span.file;
    let beside: Vec<&Label> = diagnostic.others.iter().filter(|l| l.span.file == here).collect();
    let elsewhere: Vec<&Label> = diagnostic.others.iter().filter(|l| l.span.file != here).collect();

    let mut body = snippet(diagnostic, here, std::iter::once(&diagnostic.primary).chain(beside.iter().copied()), view, look);
    let mut whole = body.clone();
    for label in &elsewhere {
        whole.push_str(&snippet(diagnostic, label.span.file, std::iter::once(*label), view, look));
    }
    let lines = |text: &str| text.lines().count();
    if lines(&head) + lines(&whole) + lines(&foot) > LINES {
        let mut short = elsewhere;
        if lines(&head) + lines(&body) + lines(&foot) + short.len() > LINES {
            body = snippet(diagnostic, here, std::iter::once(&diagnostic.primary), view, look);
            short.splice(0..0, beside);
        }
        let room = LINES.saturating_sub(lines(&head) + lines(&body) + lines(&foot)).max(1);
        // One place is told in any case.
        let shown = if short.len() > room { (room - 1).max(1) } else { short.len() };
        let left = short.len() - shown;
        for label in &short[..shown] {
            let place = place(label.span, view);
            let room = look.width.saturating_sub(place.chars().count() + 6).max(30);
            let mut lines = wrapped(&label.text, room).into_iter();
            let _ = writeln!(body, "   {}   {}", ink.dim(&place), lines.next().unwrap_or_default());
            for line in lines {
                let _ = writeln!(body, "      {line}");
            }
        }
        if left > 0 {
            let _ = writeln!(body, "   … and {left} more place{}", if left == 1 { "" } else { "s" });
        }
        whole = body;
    }
    format!("{head}{whole}{foot}")
}

/// The last line of a check: `no errors, 1 warning`.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let said = |n: usize, one: &str| match n {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let (errors, warnings) = (count(diagnostics, Severity::Error), count(diagnostics, Severity::Warning));
    if errors + warnings == 0 {
        return "no errors, no warnings".into();
    }
    format!("{}, {}", said(errors, "error"), said(warnings, "warning"))
}

fn place(span: Span, view: View<'_>) -> String {
    let (start, _) = view.ends(span);
    format!("{}:{}:{}", view.name(span.file), start.line, start.column)
}

fn head(diagnostic: &Diagnostic, ink: Ink, width: usize) -> String {
    let code = format!("{} {}", word(diagnostic.severity), diagnostic.code);
    let lines = wrapped(&format!("{code}: {}", diagnostic.message), width.max(40));
    // Colors are put in when all is set: they take no room.
    let shown = lines.iter().enumerate().map(|(at, line)| match line.strip_prefix(&format!("{code}: ")) {
        Some(said) if at == 0 => format!("{}{} {}\n", ink.severity(diagnostic.severity, &code), ink.bold(":"), ink.bold(said)),
        _ => format!("{}\n", ink.bold(line)),
    });
    shown.collect()
}

fn foot(diagnostic: &Diagnostic, view: View<'_>, ink: Ink, width: usize) -> String {
    let mut text = String::new();
    if let Some(why) = &diagnostic.why {
        paragraph(&mut text, &ink.dim("why "), why, width);
    }
    for help in &diagnostic.help {
        paragraph(&mut text, &ink.help("help"), &proposal(help, diagnostic.primary.span, view), width);
    }
    text
}

/// ` why   text`, long lines broken between words and set in.
fn paragraph(into: &mut String, mark: &str, text: &str, width: usize) {
    const INDENT: usize = 7;
    let room = width.saturating_sub(INDENT).max(30);
    let mut first = true;
    for line in text.lines().flat_map(|line| wrapped(line, room)) {
        let _ = if first { writeln!(into, " {mark}  {line}") } else { writeln!(into, "{:INDENT$}{line}", "") };
        first = false;
    }
}

pub(super) fn wrapped(line: &str, room: usize) -> Vec<String> {
    if line.chars().count() <= room {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.len() - 1;
        if !lines[last].trim().is_empty() && lines[last].chars().count() + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

/// The lines of one file with their places marked, as miette draws them.
fn snippet<'l>(diagnostic: &Diagnostic, file: FileId, labels: impl Iterator<Item = &'l Label>, view: View<'_>, look: Look) -> String {
    let Some(source) = view.sources.get(file) else { return String::new() };
    let hidden: Vec<Span> = diagnostic.hidden.iter().filter(|hidden| hidden.file == file).copied().collect();
    let source = &source.shown(&hidden);
    let marks: Vec<Mark> = labels
        .map(|label| {
            let span = visible(label.span, source);
            let place = source.position(u32::try_from(span.offset()).unwrap_or(u32::MAX));
            Mark { start: span.offset(), end: span.offset() + span.len(), text: label.text.clone(), place }
        })
        .collect();
    let (source, marks) = frame::fitted(source, marks, look.width);
    let labels = marks
        .iter()
        .enumerate()
        .map(|(i, mark)| {
            let text = Some(mark.text.clone()).filter(|t| !t.is_empty());
            let span = SourceSpan::new(mark.start.into(), mark.end - mark.start);
            if i == 0 { LabeledSpan::new_primary_with_span(text, span) } else { LabeledSpan::new_with_span(text, span) }
        })
        .collect();
    let drawn = Drawn { severity: diagnostic.severity, lines: Lines { name: view.name(file), source, marks }, labels };
    let mut theme = if look.colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    theme.characters = ThemeCharacters { error: String::new(), warning: String::new(), ..theme.characters };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_context_lines(0)
        .with_width(look.width)
        .tab_width(2)
        .without_syntax_highlighting();
    if handler.render_report(&mut text, &drawn).is_err() {
        // Writing into a text cannot fail; a place that lies outside its text can.
        return format!("   {}\n", place(diagnostic.primary.span, view));
    }
    // The headline is ours: miette's own, which is empty here, ends where its frame begins.
    let frame = text.lines().position(|line| line.contains('╭')).unwrap_or(0);
    text.lines().skip(frame).filter(|line| !line.trim().is_empty()).fold(String::new(), |mut all, line| {
        all.push_str(line);
        all.push('\n');
        all
    })
}

/// At most the rest of the first line: a whole flow under a mark would bury the message.
fn visible(span: Span, source: &Source) -> SourceSpan {
    // Behind the last line break there is no line to draw: its place is the end of the text before.
    let length = source.text.trim_end().len();
    let (start, end) = ((span.start as usize).min(length), (span.end as usize).min(length));
    let stretch = source.text.get(start..end).unwrap_or("");
    let line = stretch.lines().next().unwrap_or("").trim_end();
    SourceSpan::new(start.into(), line.len())
}

#[derive(Debug)]
struct Drawn {
    severity: Severity,
    lines: Lines,
    labels: Vec<LabeledSpan>,
}

/// Gives miette the whole lines that a place stands on, and none around them.
#[derive(Debug)]
struct Lines {
    name: String,
    source: Source,
    marks: Vec<Mark>,
}

impl SourceCode for Lines {
    fn read_span<'a>(&'a self, span: &SourceSpan, _: usize, _: usize) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = &self.source.text;
        let (from, to) = (span.offset(), span.offset() + span.len());
        let (Some(before), Some(behind)) = (text.get(..from), text.get(to..)) else { return Err(MietteError::OutOfBounds) };
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        // miette takes a carriage return at the end for a line of its own.
        let end = to + behind.lines().next().unwrap_or("").trim_end_matches('\r').len();
        // Where it stands in the file: a line that was cut has fewer columns.
        let place = self.marks.iter().find(|mark| mark.start == from).map(|mark| mark.place);
        let position = place.unwrap_or_else(|| self.source.position(u32::try_from(from).unwrap_or(u32::MAX)));
        let whole = SourceSpan::new(start.into(), end - start);
        let count = text[start..end].lines().count();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &text.as_bytes()[start..end],
            whole,
            position.line as usize - 1,
            position.column as usize - 1,
            count,
        )))
    }
}

impl std::fmt::Display for Drawn {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Drawn {}

impl miette::Diagnostic for Drawn {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.lines)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Ink {
    on: bool,
}

impl Ink {
    fn paint(self, style: anstyle::Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint(anstyle::Style::new().bold(), text)
    }

    fn dim(self, text: &str) -> String {
        self.paint(anstyle::Style::new().dimmed(), text)
    }

    fn help(self, text: &str) -> String {
        self.paint(anstyle::AnsiColor::Cyan.on_default(), text)
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        let colour = match severity {
            Severity::Error => anstyle::AnsiColor::Red,
            Severity::Warning => anstyle::AnsiColor::Yellow,
        };
        self.paint(colour.on_default().bold(), text)
    }
}
