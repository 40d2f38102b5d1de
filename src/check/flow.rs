//! A flow: its sections in the order in which a record meets them.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{Binding, CheckContext, Checker, Obligation, TypedExpr};
use crate::check::error;
use crate::check::expect::RecordOf;
use crate::check::facts::Facts;
use crate::check::key::{Fact, Key};
use crate::ir::{self, ContextVar, Expr};
use crate::syntax::tree::{self, SectionKind};
use crate::value::Kind;

/// A flow while it is checked.
pub(super) struct Building<'t> {
    pub written: &'t tree::Flow,
    pub flow: ir::Flow,
    /// What is known of a record that the rules rejected.
    pub before_rules: Facts,
    pub rules: u32,
    /// `require` rules that test presence, and the keys that a failure of each leaves missing.
    pub requires: Vec<(u32, Vec<Key>)>,
    pub writes: Vec<Named>,
    pub followed: bool,
    /// The first stamp of the record's own in `changed`: a group's window counts by it.
    pub stamp: Option<ir::Expr>,
    /// A stamp in `changed` was reported already.
    pub bad_stamp: bool,
}

/// A write that follow-ups can name.
pub(super) struct Named {
    pub name: String,
    pub given: bool,
}

/// What a flow gives to promises about it: its names, and what is known behind its rules.
pub(super) struct Checked {
    pub flow: ir::Flow,
    names: Vec<Binding>,
    facts: Facts,
}

/// Checks what a promise says of the record of a flow.
pub(super) struct Record<'a, 'f> {
    checker: Checker<'a>,
    flow: Option<&'f mut Checked>,
}

impl<'a, 'f> Record<'a, 'f> {
    pub(super) fn new(context: &'a CheckContext<'a>, unit: usize, flow: Option<&'f mut Checked>) -> Self {
        let mut checker = Checker::new(context, unit);
        if let Some(flow) = &flow {
            checker.names.clone_from(&flow.names);
            checker.facts.clone_from(&flow.facts);
            checker.slots = flow.flow.slots;
        }
        Record { checker, flow }
    }

    /// What was found; the slots that were used belong to the flow's frame.
    pub(super) fn done(self) -> Vec<Diagnostic> {
        if let Some(flow) = self.flow {
            flow.flow.slots = self.checker.slots;
        }
        self.checker.out
    }
}

impl RecordOf for Record<'_, '_> {
    fn condition(&mut self, expr: &tree::Expr) -> Option<Expr> {
        self.flow.as_ref()?;
        let typed = self.checker.condition(expr);
        (!typed.is_erroneous()).then_some(typed.expr)
    }

    fn instant(&mut self, expr: &tree::Expr) -> Option<Expr> {
        self.flow.as_ref()?;
        self.checker.deadline(expr)
    }

    fn message(&mut self, expr: &tree::Expr) -> Option<Expr> {
        self.flow.as_ref()?;
        Some(self.checker.with_context_vars(&[(ContextVar::SentAt, "sent_at", Kind::Datetime)], |checker| checker.message(expr)))
    }
}

pub(super) fn check(context: &CheckContext<'_>, unit: usize, written: &tree::Flow, doc: Option<&str>, out: &mut Vec<Diagnostic>) -> Option<Checked> {
    let mut checker = Checker::new(context, unit);
    let checked = checker.flow(written, doc);
    out.append(&mut checker.out);
    checked
}

/// Where a section stands in a flow; a `let` may stand anywhere before the follow-ups.
fn rank(kind: &SectionKind) -> Option<(u8, &'static str)> {
    Some(match kind {
        SectionKind::From(_) => (0, "from"),
        SectionKind::Group(_) => (1, "group by"),
        SectionKind::Match(_) => (2, "match"),
        SectionKind::Validate(_) => (4, "validate"),
        SectionKind::Route(_) => (5, "route"),
        SectionKind::Split(_) | SectionKind::Repeat(_) | SectionKind::Write(_) => (6, "a write"),
        SectionKind::When(_) => (7, "when"),
        SectionKind::Let(_) | SectionKind::Remove(_) => return None,
    })
}

impl Checker<'_> {
    /// Unknown names that are near to a name which is given and read nowhere: the one place where it is given is wrong, and not
    /// the places where it is read.
    fn misspelt_names(&mut self) {
        for binding in self.names.iter().filter(|binding| !binding.used) {
            let about = |found: &Diagnostic| (found.code == Code::UnknownName).then(|| found.message.split('`').nth(1).unwrap_or("").to_owned());
            let unknown: Vec<String> = self.out.iter().filter_map(about).collect();
            let Some(read) = unknown.iter().find(|read| crate::base::nearest(read, [binding.name.as_str()]).is_some()).cloned() else { continue };
            let is_read = |found: &Diagnostic| about(found).is_some_and(|name| name == read);
            let reads: Vec<Span> = self.out.iter().filter(|found| is_read(found)).map(|found| found.primary.span).collect();
            // Read once, it may as well be misspelt there.
            if reads.len() < 2 {
                continue;
            }
            let said = error::names::misspelt_where_given(&binding.name, binding.span, &read, &reads);
            self.out.retain(|found| !is_read(found));
            self.out.push(said);
            return;
        }
    }

    /// Where a rule that is proposed can be written, and the names that it can read.
    fn place_of_rules(&mut self, written: &tree::Flow) {
        for section in &written.sections {
            match &section.kind {
                SectionKind::From(from) => self.flow_names.extend(from.name.iter().map(|name| name.node.clone())),
                SectionKind::Match(found) => self.flow_names.push(found.name.node.clone()),
                SectionKind::Let(given) => self.flow_names.push(given.name.node.clone()),
                _ => {}
            }
        }
        let own = |section: &&tree::Section| section.span.file == written.name.span.file;
        let validate = written.sections.iter().filter(own).find(|section| matches!(section.kind, SectionKind::Validate(_)));
        let source = self.context.sources.get(written.name.span.file);
        let Some(source) = source else { return };
        let margin = |at: usize| {
            let start = source.text[..at].rfind('\n').map_or(0, |at| at + 1);
            (start, source.text[start..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect::<String>())
        };
        if let Some(section) = validate {
            let text = source.text.get(section.span.start as usize..section.span.end as usize).unwrap_or("");
            let Some(open) = text.find('{') else { return };
            let (_, indent) = margin(section.span.start as usize);
            let at = section.span.start as usize + open + 1;
            let lines = text[open + 1..].starts_with(['\n', '\r', ' ']) && text.contains('\n');
            let (before, behind) = if lines { (format!("\n{indent}  "), String::new()) } else { (" ".to_owned(), "\n".to_owned()) };
            self.validate = Some((Span::new(section.span.file, at, at), before, behind));
            return;
        }
        let later = |section: &&tree::Section| {
            matches!(section.kind, SectionKind::Route(_) | SectionKind::Split(_) | SectionKind::Repeat(_) | SectionKind::Write(_))
        };
        let Some(section) = written.sections.iter().filter(own).find(later) else { return };
        let (start, indent) = margin(section.span.start as usize);
        let before = format!("{indent}validate {{\n{indent}  ");
        self.validate = Some((Span::new(section.span.file, start, start), before, format!("\n{indent}}}\n\n")));
    }

    fn flow(&mut self, written: &tree::Flow, doc: Option<&str>) -> Option<Checked> {
        self.section_order(written);
        let from = written.sections.iter().find_map(|section| match &section.kind {
            SectionKind::From(from) => Some(from),
            _ => None,
        });
        let Some(from) = from else {
            self.report(
                Diagnostic::new(Code::FlowIncomplete, written.name.span, format!("`{}` does not say where its records come from", written.name.node))
                    .help("begin it with `from crm.Order as order { … }`"),
            );
            return None;
        };
        let mut building = Building {
            written,
            flow: ir::Flow { doc: doc.map(str::to_owned), ..ir::Flow::empty(written.name.node.clone(), self.place(written.name.span)) },
            before_rules: Facts::default(),
            rules: 0,
            requires: Vec::new(),
            writes: Vec::new(),
            followed: false,
            stamp: None,
            bad_stamp: false,
        };
        self.from(from, &mut building);
        self.place_of_rules(written);
        self.before_rules(&mut building);
        let broken = self.context.broken.get(self.unit).copied().unwrap_or(false);
        let has_write = written.sections.iter().any(|section| matches!(section.kind, SectionKind::Write(_)));
        if !has_write && !broken {
            self.report(
                Diagnostic::new(Code::FlowIncomplete, written.name.span, format!("`{}` writes nothing", written.name.node))
                    .help("add a `create`, `update` or `upsert`"),
            );
        }
        let mut at = 0;
        while at < written.sections.len() {
            at = self.section(&written.sections, at, &mut building);
        }
        self.misspelt_names();
        building.flow.slots = self.slots;
        Some(Checked { flow: building.flow, names: self.names.clone(), facts: self.facts.clone() })
    }

    fn section_order(&mut self, written: &tree::Flow) {
        let mut highest: Option<(u8, &str, Span)> = None;
        for section in &written.sections {
            if let (SectionKind::Let(_), Some((7, _, span))) = (&section.kind, highest) {
                self.report(
                    Diagnostic::new(Code::SectionOrder, section.span, "`let` stands behind the follow-ups")
                        .other(span, "this section")
                        .why("nothing that comes behind it can use it")
                        .help("the order is from, group by, match, let, validate, route, writes, when"),
                );
            }
            let Some((rank, word)) = rank(&section.kind) else { continue };
            if let Some((before, name, span)) = highest {
                let twice = rank == 0 || (rank == 1 && before == 1);
                if rank < before || twice {
                    let text = if twice && rank == before { format!("a flow has one `{word}`") } else { format!("`{word}` stands before {name}") };
                    self.report(
                        Diagnostic::new(Code::SectionOrder, section.span, text)
                            .other(span, "this section")
                            .why("the sections stand in the order in which a record meets them")
                            .help("the order is from, group by, match, let, validate, route, writes, when"),
                    );
                    continue;
                }
            }
            highest = Some((rank, word, section.span));
        }
    }

    /// One section, or a write with the `split` or `each` before it; gives the place of the next.
    fn section(&mut self, sections: &[tree::Section], at: usize, building: &mut Building<'_>) -> usize {
        let section = &sections[at];
        match &section.kind {
            SectionKind::From(_) | SectionKind::Remove(_) => {}
            SectionKind::Group(group) => self.group_by(group, building),
            SectionKind::Match(written) => self.match_section(written, building),
            SectionKind::Let(written) => {
                let written = self.let_section(written);
                building.flow.lets.extend(written);
            }
            SectionKind::Validate(written) => {
                building.before_rules = self.facts.clone();
                let rules = self.rules(&written.rules, building);
                building.flow.rules.extend(rules);
            }
            SectionKind::Route(written) => self.route(written, section.span, building),
            SectionKind::Split(_) | SectionKind::Repeat(_) | SectionKind::Write(_) => {
                let (next, writes) = self.write_with_repeats(sections, at, building);
                building.flow.writes.extend(writes);
                return next;
            }
            SectionKind::When(written) => {
                building.followed = true;
                self.follow_up(written, building);
            }
        }
        at + 1
    }

    /// What is known of a record whatever its rules say: kept for follow-ups of a rejection.
    fn before_rules(&mut self, building: &mut Building<'_>) {
        building.before_rules = self.facts.clone();
    }

    pub(super) fn let_section(&mut self, written: &tree::Let) -> Option<ir::Let> {
        let outer = self.obligations.replace(Vec::new());
        let mut typed = self.expr(&written.value, None);
        let owed = std::mem::replace(&mut self.obligations, outer).unwrap_or_default();
        let slot = self.slot();
        let key = Key::slot(slot);
        let name = written.name.node.as_str();
        if typed.is_erroneous() {
            self.bind(name, written.name.span, slot, TypedExpr::erroneous(written.name.span));
            return None;
        }
        let value = typed.expr.clone();
        // The elements of a named list are known by its name; what its `where` says holds of each.
        if let Some(elements) = &typed.elements {
            let mut elements = elements.as_ref().clone();
            let own = key.elements();
            let direct = matches!(value, Expr::Field { .. });
            if !direct {
                for tail in &elements.facts {
                    self.facts.add(Fact::Present(tail.from(&own)));
                }
                elements.keys.insert(0, own);
            }
            typed.elements = Some(std::sync::Arc::new(elements));
        }
        if !matches!(value, Expr::Field { .. } | Expr::Slot { .. }) {
            // Both names are its own: the one that is given, and what it says.
            typed.keys.insert(0, key);
        }
        self.bind_checked(name, written.name.span, slot, typed, owed);
        Some(ir::Let { name: name.to_owned(), slot, value, place: self.place(written.name.span.to(written.value.span)) })
    }

    fn bind_checked(&mut self, name: &str, span: Span, slot: ir::Slot, value: TypedExpr, owed: Vec<Obligation>) {
        if self.also_a_parameter(name, span) {
            return self.bind_quietly(name, span, slot, TypedExpr::erroneous(span), Vec::new());
        }
        if let Some(before) = self.names.iter().find(|binding| binding.name == name) {
            let diagnostic = error::names::given_twice(name, span, before.span);
            self.report(diagnostic);
            return self.bind_quietly(name, span, slot, TypedExpr::erroneous(span), Vec::new());
        }
        // A gap that the name itself closes: `require phone` below `let phone = order.Phone | trim`.
        let mut value = value;
        value.presence = value.presence.named(value.keys.clone());
        self.bind_quietly(name, span, slot, value, owed);
    }
}
