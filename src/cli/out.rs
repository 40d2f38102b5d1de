//! Where a command prints: results to standard output, errors and notes to standard error.

use std::io::{BufWriter, Write};

use anstream::{AutoStream, ColorChoice};

use super::Failure;
use super::lines::flowed;
use crate::base::diag::render::Look;
use crate::base::{for_terminal, json_for_terminal};
use crate::http::redact::Redactor;

/// The two streams of the process. Styles are dropped where the stream shows none.
pub struct Out {
    results: BufWriter<AutoStream<std::io::Stdout>>,
    trouble: AutoStream<std::io::Stderr>,
    /// What a diagnostic on the standard output should look like.
    pub look: Look,
    /// Where the command line lets a project read and write outside its folder.
    pub(super) allowed: Vec<std::path::PathBuf>,
    /// Takes personal values out of all that is printed.
    hidden: Option<Redactor>,
    /// Nobody reads the results any more.
    unread: bool,
}

impl Out {
    pub fn new(colours: ColorChoice) -> Self {
        let results = AutoStream::new(std::io::stdout(), colours);
        let look = Look { colours: results.current_choice() != ColorChoice::Never, width: width() };
        Out {
            results: BufWriter::new(results),
            trouble: AutoStream::new(std::io::stderr(), colours),
            look,
            allowed: Vec::new(),
            hidden: None,
            unread: false,
        }
    }

    /// From now on, personal values that a redactor knows are taken out of all that is printed.
    pub(super) fn hide(&mut self, known: Redactor) {
        self.hidden = Some(known);
    }

    /// Without what is hidden, and without signs that act on a terminal: values come from records, and are not trusted.
    fn shown<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        match &self.hidden {
            // Line by line: a redactor looks at texts of a bounded length.
            Some(known) => for_terminal(&text.split_inclusive('\n').map(|line| known.taken_out(line)).collect::<String>()).into_owned().into(),
            None => for_terminal(text),
        }
    }

    /// Prints the text of a file as it is.
    ///
    /// # Errors
    /// As [`Out::print`].
    pub fn exact(&mut self, text: &str) -> Result<(), Failure> {
        self.write(text)
    }

    /// What the command found and did counts on where nobody reads it any more: its exit code tells it.
    fn write(&mut self, text: &str) -> Result<(), Failure> {
        if self.unread {
            return Ok(());
        }
        let written = self.results.write_all(text.as_bytes());
        self.written(written)
    }

    fn written(&mut self, written: std::io::Result<()>) -> Result<(), Failure> {
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                self.unread = true;
                Ok(())
            }
            written => written.map_err(|error| Failure::io(format!("the output cannot be written: {error}"))),
        }
    }

    /// Prints a text, without what is hidden.
    ///
    /// # Errors
    /// The stream is full. A reader that has seen enough (`| head`) is no error: the rest is not printed.
    pub fn print(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        let text = self.shown(text.as_ref()).into_owned();
        self.write(&text)
    }

    /// Prints lines for people: one that is too long goes on in the next, between words.
    ///
    /// # Errors
    /// As [`Out::print`].
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        let text = flowed(&self.shown(text.as_ref()), self.look.width);
        self.write(&text)?;
        self.write("\n")
    }

    /// Prints lines that stay as long as they are: code, data, and frames, which are drawn to the width.
    ///
    /// # Errors
    /// As [`Out::print`].
    pub fn whole(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.print(text)?;
        self.print("\n")
    }

    /// Prints indented JSON.
    ///
    /// # Errors
    /// As [`Out::print`].
    pub fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|e| Failure::io(format!("the result is no JSON: {e}")))?;
        self.whole(json_for_terminal(&text))
    }

    /// A remark that is no result: it goes to the standard error.
    pub fn note(&mut self, text: impl AsRef<str>) {
        let text = flowed(&self.shown(text.as_ref()), self.look.width);
        let _ = self.flush();
        let _ = writeln!(self.trouble, "{text}");
    }

    /// A diagnostic that is no result: its frames are drawn to the width.
    pub(super) fn note_framed(&mut self, text: &str) {
        let text = self.shown(text).into_owned();
        let _ = self.flush();
        let _ = writeln!(self.trouble, "{text}");
    }

    /// Says why the command could not do its work.
    pub fn failure(&mut self, failure: &Failure) {
        let _ = self.flush();
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let cyan = anstyle::AnsiColor::Cyan.on_default();
        let told = format!("{red}error{red:#}: {}", for_terminal(&failure.message));
        let _ = writeln!(self.trouble, "{}", flowed(&told, self.look.width));
        if let Some(hint) = &failure.hint {
            let told = format!(" {cyan}hint{cyan:#}  {}", for_terminal(hint));
            let _ = writeln!(self.trouble, "{}", flowed(&told, self.look.width));
        }
    }

    /// Writes out what is held back.
    ///
    /// # Errors
    /// As [`Out::print`].
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.unread {
            return Ok(());
        }
        let flushed = self.results.flush();
        self.written(flushed)
    }

    /// How wide all that is printed for people may be.
    pub fn columns(&self) -> usize {
        self.look.width
    }

    pub fn bold(&self, text: &str) -> String {
        self.paint(anstyle::Style::new().bold(), text)
    }

    pub fn dim(&self, text: &str) -> String {
        self.paint(anstyle::Style::new().dimmed(), text)
    }

    pub fn green(&self, text: &str) -> String {
        self.paint(anstyle::AnsiColor::Green.on_default(), text)
    }

    pub fn red(&self, text: &str) -> String {
        self.paint(anstyle::AnsiColor::Red.on_default(), text)
    }

    pub fn cyan(&self, text: &str) -> String {
        self.paint(anstyle::AnsiColor::Cyan.on_default(), text)
    }

    fn paint(&self, style: anstyle::Style, text: &str) -> String {
        if self.look.colours { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// How wide all that is printed for people may be: `COLUMNS`, or 80 where nobody says it.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    columns.unwrap_or(Look::PLAIN.width).clamp(60, 200)
}
