//! A flow: its sections in the order in which a record meets them.

use std::sync::Arc;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{Binding, CheckContext, Checker, Obligation, TypedExpr};
use crate::check::error;
use crate::check::expect::RecordOf;
use crate::check::expr::duration;
use crate::check::facts::{Facts, Nullability, Why, present};
use crate::check::key::{Fact, Key};
use crate::ir::{self, ContextVar, Expr, MatchOutcome, Schedule, Stop};
use crate::syntax::tree::{self, ExprKind, FromClauseKind, MatchClauseKind, SectionKind, StopKind};
use crate::value::{Column, Kind, ObjectRef, Type};

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
    env: Checker<'a>,
    flow: Option<&'f mut Checked>,
}

impl<'a, 'f> Record<'a, 'f> {
    pub(super) fn new(run: &'a CheckContext<'a>, unit: usize, flow: Option<&'f mut Checked>) -> Self {
        let mut env = Checker::new(run, unit);
        if let Some(flow) = &flow {
            env.names.clone_from(&flow.names);
            env.facts.clone_from(&flow.facts);
            env.slots = flow.flow.slots;
        }
        Record { env, flow }
    }

    /// What was found; the slots that were used belong to the flow's frame.
    pub(super) fn done(self) -> Vec<Diagnostic> {
        if let Some(flow) = self.flow {
            flow.flow.slots = self.env.slots;
        }
        self.env.out
    }
}

impl RecordOf for Record<'_, '_> {
    fn condition(&mut self, expr: &tree::Expr) -> Option<Expr> {
        self.flow.as_ref()?;
        let typed = self.env.condition(expr);
        (!typed.is_any()).then_some(typed.expr)
    }

    fn instant(&mut self, expr: &tree::Expr) -> Option<Expr> {
        self.flow.as_ref()?;
        self.env.deadline(expr)
    }

    fn message(&mut self, expr: &tree::Expr) -> Option<Expr> {
        self.flow.as_ref()?;
        Some(self.env.with_words(&[(ContextVar::SentAt, "sent_at", Kind::Datetime)], |env| env.message(expr)))
    }
}

pub(super) fn check(run: &CheckContext<'_>, unit: usize, written: &tree::Flow, doc: Option<&str>, out: &mut Vec<Diagnostic>) -> Option<Checked> {
    let mut env = Checker::new(run, unit);
    let checked = env.flow(written, doc);
    out.append(&mut env.out);
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
        let source = self.run.sources.get(written.name.span.file);
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
            flow: self.empty_flow(written, doc),
            before_rules: Facts::default(),
            rules: 0,
            requires: Vec::new(),
            writes: Vec::new(),
            followed: false,
            stamp: None,
        };
        self.from(from, &mut building);
        self.place_of_rules(written);
        self.before_rules(&mut building);
        let broken = self.run.broken.get(self.unit).copied().unwrap_or(false);
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

    fn empty_flow(&self, written: &tree::Flow, doc: Option<&str>) -> ir::Flow {
        ir::Flow {
            name: written.name.node.clone(),
            doc: doc.map(str::to_owned),
            place: self.place(written.name.span),
            source: ObjectRef::new("", ""),
            source_name: String::new(),
            slots: 1,
            filter: Vec::new(),
            changed: Vec::new(),
            overlap: None,
            first_when: None,
            schedules: Vec::new(),
            webhooks: Vec::new(),
            keep_blank: false,
            including_history: false,
            group: None,
            matches: Vec::new(),
            lets: Vec::new(),
            rules: Vec::new(),
            routes: Vec::new(),
            writes: Vec::new(),
            follow_ups: Vec::new(),
        }
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

    // ---- from

    fn from(&mut self, from: &tree::From, building: &mut Building<'_>) {
        let of = self.object_path(&from.object);
        let default = from.object.object.node.to_lowercase();
        let (name, span) = from.name.as_ref().map_or((default.as_str(), from.object.span), |name| (name.node.as_str(), name.span));
        if let Some(of) = &of {
            if self.object(of).is_some_and(|object| !object.access.read) {
                self.report(Diagnostic::new(
                    Code::ObjectNotWritable,
                    from.object.span,
                    format!("`{of}` is a part of other records and cannot be read by itself"),
                ));
            }
            building.flow.source = of.clone();
        }
        building.flow.source_name = name.to_owned();
        let kind = of.clone().map_or(Kind::Any, Kind::Object);
        let record = TypedExpr::new(Expr::Slot { slot: ir::Flow::RECORD, name: name.into() }, kind, vec![Key::slot(ir::Flow::RECORD)], span);
        self.bind(name, span, ir::Flow::RECORD, record);
        for clause in &from.clauses {
            match &clause.kind {
                FromClauseKind::Where(condition) => {
                    let typed = self.condition(condition);
                    self.facts.extend(&typed.truths.if_true);
                    match typed.expr {
                        _ if typed.kind == Kind::Any => {}
                        Expr::And(parts) => building.flow.filter.extend(parts),
                        one => building.flow.filter.push(one),
                    }
                }
                FromClauseKind::Changed { stamps, overlap } => {
                    for stamp in stamps {
                        let Some(path) = self.stamp(stamp, name) else { continue };
                        // The stamps of children are no value of the record.
                        if path.len() == 1 && building.stamp.is_none() {
                            building.stamp = Some(self.expr(stamp, None).expr);
                        }
                        building.flow.changed.push(path);
                    }
                    if let Some(overlap) = overlap {
                        building.flow.overlap = self.milliseconds(overlap, "an overlap");
                    }
                }
                FromClauseKind::FirstWhen(condition) => {
                    let typed = self.condition(condition);
                    building.flow.first_when = Some(typed.expr);
                }
                FromClauseKind::EveryDuration(_) | FromClauseKind::EveryDay { .. } | FromClauseKind::EveryCron { .. } => {
                    if let Some(schedule) = self.schedule(clause) {
                        building.flow.schedules.push(schedule);
                    }
                }
                FromClauseKind::Webhook(event) => {
                    let known = of.as_ref().and_then(|of| self.object(of));
                    if let Some(object) = known
                        && !object.events.contains(&event.node)
                    {
                        self.report(error::sections::unknown_event(event, &object));
                    }
                    building.flow.webhooks.push(event.node.clone());
                }
                FromClauseKind::KeepBlank => building.flow.keep_blank = true,
                FromClauseKind::IncludingHistory => building.flow.including_history = true,
            }
        }
    }

    fn schedule(&mut self, clause: &tree::FromClause) -> Option<Schedule> {
        let zone = self.run.world.time_zone();
        super::schedule::check(clause, &zone, &mut self.out)
    }

    /// `order.OrderItems.SystemModstamp`, through a list of children: a path of an instant.
    fn stamp(&mut self, written: &tree::Expr, record: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let mut at = written;
        loop {
            match at.kind.as_ref() {
                ExprKind::Field { base, field } => {
                    names.push(field.clone());
                    at = base;
                }
                ExprKind::Name(name) if name == record => break,
                ExprKind::Broken => return None,
                _ => {
                    let text = self.text(written.span);
                    // What is unknown in it was told.
                    if !self.silently(|env| env.expr(written, None)).is_any() {
                        self.report(error::sections::not_a_stamp(written.span, &text, "it is no path of the record"));
                    }
                    return None;
                }
            }
        }
        names.reverse();
        let mut kind = self.find(record).map(|binding| binding.value.kind.clone())?;
        for name in &names {
            let of = match &kind {
                Kind::Object(of) => of.clone(),
                Kind::List(element) => match &element.kind {
                    Kind::Object(of) => of.clone(),
                    _ => return None,
                },
                Kind::Any => return None,
                other => {
                    self.report(error::names::no_fields(name, written.span, other));
                    return None;
                }
            };
            let object = self.object(&of)?;
            let Some(field) = object.fields.get(&name.node) else {
                self.report(error::names::unknown_source_field(&of, &object, name, false));
                return None;
            };
            kind = field.kind.clone();
        }
        if kind != Kind::Datetime {
            let text = self.text(written.span);
            self.report(error::sections::not_a_stamp(written.span, &text, &format!("it is {}", error::types::a(&kind))));
            return None;
        }
        self.moves_with_changes(record, &names, written.span);
        Some(names.into_iter().map(|name| name.node).collect())
    }

    /// A literal span of time.
    pub(super) fn milliseconds(&mut self, expr: &tree::Expr, what: &str) -> Option<i64> {
        match expr.kind.as_ref() {
            ExprKind::Paren(inner) => self.milliseconds(inner, what),
            ExprKind::Quantity { number, unit } => match duration(*number, &unit.node) {
                Some(duration) => {
                    let found = i64::try_from(duration.as_millis()).ok().filter(|found| *found <= super::schedule::LONGEST);
                    if found.is_none() {
                        self.report(error::schedules::too_long(what, expr.span));
                    }
                    found
                }
                // The unit is known, and the number too large.
                None if duration(rust_decimal::Decimal::ONE, &unit.node).is_some() => {
                    self.report(error::schedules::too_long(what, expr.span));
                    None
                }
                None => {
                    self.report(error::names::unknown_unit(unit));
                    None
                }
            },
            ExprKind::Broken => None,
            _ => {
                self.report(
                    Diagnostic::new(Code::BadSchedule, expr.span, format!("{what} is a span of time")).help("write it as `10 minutes` or `2 days`"),
                );
                None
            }
        }
    }

    // ---- group

    fn group_by(&mut self, group: &tree::Group, building: &mut Building<'_>) {
        let by = self.expr(&group.by, None);
        if matches!(by.kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json) {
            self.report(
                Diagnostic::new(Code::BadGroup, by.span, format!("a group cannot be made by {}", error::types::a(&by.kind)))
                    .help("group by one value, such as an id or an e-mail address"),
            );
        }
        let slot = self.slot();
        let (name, span) = match &group.name {
            Some(name) => (name.node.clone(), name.span),
            None => ("key".to_owned(), group.by.span),
        };
        let window = group.window.as_ref().and_then(|window| self.milliseconds(window, "a window"));
        // A record without the value is not eligible.
        let known = by.known_if_present();
        self.facts.extend(&known);
        let value = TypedExpr::new(by.expr.clone(), by.kind.clone(), vec![Key::slot(slot)], span);
        self.bind(&name, span, slot, value);
        let stamp = building.stamp.clone().filter(|_| window.is_some());
        if let (Some(written), None) = (&group.window, &stamp) {
            self.report(
                Diagnostic::new(Code::BadGroup, written.span, "a window needs to know when a record is from".to_owned())
                    .help("say it in the flow's `from`: `changed s.createDate`"),
            );
        }
        building.flow.group = Some(ir::Group { by: by.expr, slot, name, window, stamp });
        if let Some(record) = self.names.first_mut() {
            record.grouped = true;
        }
        self.grouped = true;
    }

    // ---- match

    fn match_section(&mut self, written: &tree::Match, building: &mut Building<'_>) {
        let Some(each) = &written.each else { return self.match_one(written, None, building) };
        if let Some(group) = &building.flow.group {
            let told = format!("`{}` groups records, and looks up for a whole group", building.flow.name);
            self.report(
                Diagnostic::new(Code::SectionOrder, each.generator.span, told)
                    .why(format!("the elements of single records are not at hand where records are grouped by `{}`", group.name))
                    .help("look up once for the group: leave `for each …` away"),
            );
            return;
        }
        let Some(rows) = &each.rows else {
            let name = &written.name.node;
            self.report(
                Diagnostic::new(Code::FlowIncomplete, each.generator.span, "a match for each element gives rows, and they have no name")
                    .why(format!("each row holds the element as `{}` and what was found for it as `{name}`", each.generator.name.node))
                    .help(format!("name them: `for {} as found`, and read `each one in found {{ … one.{name}.… }}`", self.text(each.generator.span))),
            );
            return;
        };
        // The element and the record are known by these names only here; the rows are from here on.
        let (mark, names) = (building.flow.matches.len(), self.names.len());
        let facts = self.facts.mark();
        let index = self.index;
        let generator = self.generators(std::slice::from_ref(&each.generator)).pop();
        let element = self.find(&each.generator.name.node).map(|binding| binding.value.kind.clone());
        self.match_one(written, generator.as_ref(), building);
        let found = self.find(&written.name.node).map(|binding| (binding.value.kind.clone(), binding.value.presence.open(&self.facts).is_some()));
        self.names.truncate(names);
        self.facts.reset(facts);
        self.index = index;
        let (Some(generator), Some(element), Some((kind, nullable))) = (generator, element, found) else { return };
        let slot = self.slot();
        let columns = vec![
            Column { name: generator.name.clone(), of: Type::some(element) },
            Column { name: written.name.node.clone(), of: Type { kind, nullable } },
        ];
        let key = Key::slot(slot);
        let kind = Kind::List(Box::new(Type::some(Kind::Row(Arc::new(columns)))));
        let value = TypedExpr::new(Expr::Slot { slot, name: rows.node.as_str().into() }, kind, vec![key.clone()], rows.span).with_elements(
            vec![key.elements()],
            Vec::new(),
            Nullability::Always,
        );
        self.bind(&rows.node, rows.span, slot, value);
        if let Some(found) = building.flow.matches.get_mut(mark) {
            found.each = Some(ir::MatchEach { generator, rows: slot, rows_name: rows.node.clone() });
        }
    }

    /// One look-up: for the record, or for an element that stands in a name.
    fn match_one(&mut self, written: &tree::Match, each: Option<&ir::Generator>, building: &mut Building<'_>) {
        let of = self.object_path(&written.object);
        if let Some(of) = &of
            && self.object(of).is_some_and(|object| !object.access.read)
        {
            self.report(Diagnostic::new(
                Code::ObjectNotWritable,
                written.object.span,
                format!("`{of}` is a part of other records and cannot be looked up"),
            ));
        }
        let slot = self.slot();
        let name = written.name.node.as_str();
        let kind = of.clone().map_or(Kind::Any, Kind::Object);
        let own = vec![Key::slot(slot)];
        let record = TypedExpr::new(Expr::Slot { slot, name: name.into() }, kind, own.clone(), written.name.span);
        let mut by = Vec::new();
        let (mut none, mut many) = (None, None);
        let names = self.names.len();
        self.bind(name, written.name.span, slot, record.clone());
        for clause in &written.clauses {
            if let MatchClauseKind::By(expr) = &clause.kind {
                by.extend(self.match_key(expr, name));
            }
        }
        self.names.truncate(names);
        for clause in &written.clauses {
            match &clause.kind {
                MatchClauseKind::By(_) => {}
                MatchClauseKind::None(stop) => none = Some((self.match_outcome(stop), stop)),
                MatchClauseKind::Many(stop) if matches!(stop.kind, StopKind::Create | StopKind::Continue) => {
                    let told = error::sections::misplaced(stop.span, "of several records, which one is meant is not known");
                    self.report(told.help("let a person decide:   many -> review \"{count} records match\"").help("or leave it:   many -> skip"));
                }
                MatchClauseKind::Many(stop) => {
                    let words = [(ContextVar::Count, "count", Kind::Integer)];
                    many = Some(self.with_words(&words, |env| env.match_outcome(stop)));
                }
            }
        }
        let place = self.place(written.name.span);
        if by.is_empty() && !written.clauses.iter().any(|clause| matches!(clause.kind, MatchClauseKind::By(_))) {
            self.report(
                Diagnostic::new(Code::FlowIncomplete, written.name.span, format!("`match {name}` does not say by what"))
                    .help(format!("add `by {name}.… == …`")),
            );
        }
        let mut value = record;
        let none = match none {
            Some((MatchOutcome::Create, stop)) if each.is_some() => {
                let told = error::sections::misplaced(stop.span, "what is found for each element cannot be made by a write");
                self.report(told.help("let a person decide:   none -> review \"…\"").help("or go on without it:   none -> continue"));
                MatchOutcome::Continue
            }
            Some((outcome, _)) => outcome,
            None => {
                self.report(
                    Diagnostic::new(Code::FlowIncomplete, written.name.span, format!("`match {name}` does not say what happens where there is none"))
                        .help("add `none -> review \"…\"`, `none -> skip`, `none -> reject \"…\"`, `none -> create` or `none -> continue`"),
                );
                MatchOutcome::Skip
            }
        };
        if matches!(none, MatchOutcome::Create | MatchOutcome::Continue) {
            value.presence = Nullability::gap_of(present(&own), name, written.name.span, Why::Match);
        }
        if none == MatchOutcome::Create {
            let upserts = building.written.sections.iter().any(|section| {
                matches!(&section.kind, SectionKind::Write(write) if write.op.node == tree::WriteOp::Upsert && write.of.as_ref().is_some_and(|of| of.node == name))
            });
            if !upserts {
                let clause = written.clauses.iter().find(|clause| matches!(clause.kind, MatchClauseKind::None(_)));
                let at = clause.map_or(written.name.span, |clause| clause.span);
                self.report(
                    Diagnostic::new(Code::CreateNeedsUpsert, at, format!("`none -> create` needs a write that creates `{name}`"))
                        .help(format!("write `upsert {}.{} of {name} key … {{ … }}`", written.object.connection.node, written.object.object.node))
                        .help("or go on without it:   none -> continue"),
                );
            }
        }
        let many = many.unwrap_or_else(|| {
            let text = format!("{{count}} {} records match", of.as_ref().map_or_else(String::new, ToString::to_string));
            let tail = text.trim_start_matches("{count}").to_owned();
            MatchOutcome::Stop(Stop {
                review: true,
                message: Expr::Template { parts: vec![ir::Part::Expr(Expr::Word(ContextVar::Count)), ir::Part::Text(tail)], message: true },
                owner: None,
                before: None,
                place: place.clone(),
            })
        });
        self.bind(name, written.name.span, slot, value);
        if let Some(object) = of {
            building.flow.matches.push(ir::Match { name: name.to_owned(), slot, object, each: None, by, none, many, place });
        }
    }

    /// `order.OrderNumber == shipment.orderNumber`: one side is a field of the record that is looked for.
    fn match_key(&mut self, expr: &tree::Expr, name: &str) -> Option<ir::MatchKey> {
        let bad = |env: &mut Self, span: Span, text: String| {
            env.report(
                Diagnostic::new(Code::NotAKey, span, text)
                    .why("a match is looked up by one field and the value that it must have")
                    .help(format!("write `by {name}.… == …`")),
            );
            None
        };
        let ExprKind::Binary { op, left, right } = expr.kind.as_ref() else {
            if matches!(expr.kind.as_ref(), ExprKind::Broken) {
                return None;
            }
            return bad(self, expr.span, "`by` compares a field of the record that is looked for".to_owned());
        };
        if op.node != tree::BinaryOp::Equal {
            return bad(self, op.span, "`by` looks for equal values".to_owned());
        }
        let (field, other) = match (path_of(left, name), path_of(right, name)) {
            (Some(path), None) => ((left, path), right),
            (None, Some(path)) => ((right, path), left),
            (Some(_), Some(_)) => return bad(self, expr.span, format!("both sides are fields of `{name}`")),
            (None, None) => return bad(self, expr.span, format!("neither side is a field of `{name}`")),
        };
        let found = self.expr(field.0, None);
        let value = self.expr(other, Some(&found.kind));
        let (_, value) = self.comparable(found, value, expr.span)?;
        self.can_be_searched(&field.1, name, field.0.span);
        Some(ir::MatchKey { field: field.1, equals: value.expr, place: self.place(expr.span) })
    }

    fn match_outcome(&mut self, stop: &tree::Stop) -> MatchOutcome {
        match stop.kind {
            StopKind::Skip => MatchOutcome::Skip,
            StopKind::Create => MatchOutcome::Create,
            StopKind::Continue => MatchOutcome::Continue,
            _ => self.stop(stop).map_or(MatchOutcome::Skip, MatchOutcome::Stop),
        }
    }

    /// A review or a rejection.
    pub(super) fn stop(&mut self, stop: &tree::Stop) -> Option<Stop> {
        let review = match stop.kind {
            StopKind::Review => true,
            StopKind::Reject => false,
            StopKind::Skip | StopKind::Create | StopKind::Continue | StopKind::Alert => {
                self.report(error::sections::misplaced(stop.span, "here stands `review \"…\"` or `reject \"…\"`"));
                return None;
            }
        };
        let message = match &stop.message {
            Some(message) => self.message(message),
            None => {
                self.report(error::sections::misplaced(stop.span, "a review or a rejection needs a message for the person who reads it"));
                return None;
            }
        };
        let before = stop.before.as_ref().and_then(|before| self.deadline(before));
        Some(Stop { review, message, owner: stop.owner.as_ref().map(|owner| owner.node.clone()), before, place: self.place(stop.span) })
    }

    /// An instant by which somebody should have looked.
    pub(super) fn deadline(&mut self, before: &tree::Expr) -> Option<Expr> {
        let typed = self.expr(before, Some(&Kind::Datetime));
        match typed.kind {
            Kind::Datetime => Some(typed.expr),
            Kind::Any => None,
            Kind::Date => {
                let text = self.text(before.span);
                self.report(error::types::date_needs_time(before.span, "a deadline", &text));
                None
            }
            other => {
                self.report(error::types::mismatch(before.span, &other, &Kind::Datetime));
                None
            }
        }
    }

    // ---- let

    pub(super) fn let_section(&mut self, written: &tree::Let) -> Option<ir::Let> {
        let outer = self.owed.replace(Vec::new());
        let mut typed = self.expr(&written.value, None);
        let owed = std::mem::replace(&mut self.owed, outer).unwrap_or_default();
        let slot = self.slot();
        let key = Key::slot(slot);
        let name = written.name.node.as_str();
        if typed.is_any() {
            self.bind(name, written.name.span, slot, TypedExpr::any(written.name.span));
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
            return self.bind_quietly(name, span, slot, TypedExpr::any(span), Vec::new());
        }
        if let Some(before) = self.names.iter().find(|binding| binding.name == name) {
            let diagnostic = error::names::given_twice(name, span, before.span);
            self.report(diagnostic);
            return self.bind_quietly(name, span, slot, TypedExpr::any(span), Vec::new());
        }
        // A gap that the name itself closes: `require phone` below `let phone = order.Phone | trim`.
        let mut value = value;
        value.presence = value.presence.named(value.keys.clone());
        self.bind_quietly(name, span, slot, value, owed);
    }
}

/// `name.a.b` as its names behind `name`.
fn path_of(expr: &tree::Expr, name: &str) -> Option<Vec<String>> {
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => path_of(inner, name),
        ExprKind::Field { base, field } => {
            if matches!(base.kind.as_ref(), ExprKind::Name(written) if written == name) {
                return Some(vec![field.node.clone()]);
            }
            let mut path = path_of(base, name)?;
            path.push(field.node.clone());
            Some(path)
        }
        _ => None,
    }
}
