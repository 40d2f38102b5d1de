//! Mistakes about items: given twice, overridden without a base, clashing imports.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::syntax::tree::Name;

/// Two items of one file share a name.
pub(in crate::check) fn duplicate(what: &str, name: &Name, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateItem, name.span, format!("{what} `{}` is given twice", name.node))
        .label("given again here")
        .other(first, "first given here")
        .why("which of the two a mapping means would hang on their order")
        .help("give one of them another name, or take one away")
}

/// An item has the name of a function that the language brings along.
pub(in crate::check) fn builtin_name(what: &str, name: &Name) -> Diagnostic {
    Diagnostic::new(Code::DuplicateItem, name.span, format!("{what} `{}` has the name of a function of the language", name.node))
        .label("this name is taken")
        .why(format!("`x | {}` could mean either", name.node))
        .mend(format!("give it a name of its own, such as `our_{}`", name.node), name.span, format!("our_{}", name.node))
}

/// Two flows of the project share a name.
pub(in crate::check) fn duplicate_flow(name: &Name, first: Span, place: &str) -> Diagnostic {
    Diagnostic::new(Code::DuplicateItem, name.span, format!("two flows of the project are called `{}`", name.node))
        .label("the second flow of this name")
        .other(first, "the first flow of this name")
        .why("what was sent and where it stands is kept under a flow's name: the two would mix")
        .help(format!("give it another name; the first stands at {place}"))
}

/// One parameter, said in two ways in two files.
pub(in crate::check) fn parameters_differ(name: &Name, first: Span, place: &str) -> Diagnostic {
    Diagnostic::new(Code::DuplicateItem, name.span, format!("parameter `{}` is given twice, and not alike", name.node))
        .label("differs from the other")
        .other(first, "given here too")
        .why("crossdock.yaml has one value for a name, so both files must mean the same by it")
        .help(format!("write it as at {place}, or put it in a file that both `use`"))
}

/// Two files that are used give one name.
pub(in crate::check) fn import_clash(name: &str, at: Span, first: Span, second: Span, files: (&str, &str), place: Option<&Use<'_>>) -> Diagnostic {
    let d = Diagnostic::new(Code::ImportClash, at, format!("`{name}` comes from two files"))
        .label(format!("{} and {} both give it", files.0, files.1))
        .other(first, "given here")
        .other(second, "and here")
        .why("which of the two is meant would hang on the order of the files");
    match place {
        Some(using) => d.mend(
            format!("write `as {}` behind it and read `{}.{name}`", using.alias, using.alias),
            using.span.after(),
            format!(" as {}", using.alias),
        ),
        None => d.help("give one of them another name"),
    }
}

/// A `use` that could carry a name of its own.
pub(in crate::check) struct Use<'a> {
    pub(in crate::check) span: Span,
    pub(in crate::check) alias: &'a str,
}

/// `override` or `remove` in a file without `extends`, or inside a new item.
pub(in crate::check) fn outside_overlay(word: &str, at: Span, inside_new: bool) -> Diagnostic {
    let d = Diagnostic::new(Code::OverlayOutside, at, format!("`{word}` has nothing that it could change here"));
    if inside_new {
        d.label("stands in an item that is new")
            .why("a new item has no base, so there is nothing to take away")
            .help(format!("write `override` before the item, or take the `{word}` out"))
    } else {
        d.label("this file extends no other")
            .why("only a file with `extends` changes what another file says")
            .help("add a line such as   extends \"../base/orders\"   at the top of the file")
    }
}

/// An overlay gives an item that the base has, without `override`.
pub(in crate::check) fn overlay_clash(what: &str, name: &str, at: Span, item: Span, base: Span) -> Diagnostic {
    Diagnostic::new(Code::OverlayClash, at, format!("the base already has {what} `{name}`"))
        .label("given again without `override`")
        .other(base, "the base's own")
        .why("an overlay changes its base only where it says so")
        .mend("write `override` before it to change the base's, or give it another name", Span { end: item.start, ..item }, "override ")
}

/// What an overlay changes or removes is not in the base.
pub(in crate::check) struct Absent<'a> {
    pub(in crate::check) removing: bool,
    /// `values`, `the rule`, `the field`.
    pub(in crate::check) what: &'a str,
    pub(in crate::check) name: &'a str,
    pub(in crate::check) at: Span,
    /// The item of the base that was looked through, or the overlay's `extends`.
    pub(in crate::check) base: Option<Span>,
    /// What the base has of this kind.
    pub(in crate::check) known: Vec<String>,
}

pub(in crate::check) fn absent(of: Absent<'_>) -> Diagnostic {
    let (code, word, why) = if of.removing {
        (Code::RemoveOfNothing, "removed", "the line no longer does anything: what it took away is gone, or has another name now and is back")
    } else {
        (Code::OverrideOfNothing, "overridden", "the change would be lost without a word: records would be mapped as the base says")
    };
    let message = format!("the base has no {} {} that could be {word}", of.what, shown(of.name));
    let mut d = Diagnostic::new(code, of.at, message).label("not in the base");
    if let Some(base) = of.base {
        d = d.other(base, "looked for here");
    }
    let near = crate::base::nearest(of.name, of.known.iter().map(String::as_str));
    d = d.why(why);
    match near {
        Some(near) => d.help(format!("did you mean {}?", shown(near))),
        None if of.known.is_empty() => d.help("take the line out"),
        None => {
            let few: Vec<String> = of.known.iter().take(6).map(|name| shown(name)).collect();
            let more = if of.known.len() > few.len() { ", …" } else { "" };
            d.help(format!("the base has {}{more}", few.join(", ")))
        }
    }
}

/// An overlay's write fits several of the base.
pub(in crate::check) fn several_writes(name: &str, at: Span, writes: &[Span]) -> Diagnostic {
    let mut d = Diagnostic::new(Code::AmbiguousName, at, format!("the base has several writes `{name}`")).label("which of them is meant");
    for (i, write) in writes.iter().enumerate() {
        d = d.other(*write, format!("the {} of them", ["first", "second", "third", "fourth"].get(i).copied().unwrap_or("next")));
    }
    d.why("the change could go into either").help("name the write that is meant by its `as` name")
}

/// Names go in backticks; messages and conditions in quotes would read twice.
fn shown(name: &str) -> String {
    if name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.') { format!("`{name}`") } else { format!("“{name}”") }
}
