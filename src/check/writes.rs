//! Writes: head, key, repeats, rows, guards; and the follow-ups of writes.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::body::At;
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::facts::{Presence, Why};
use crate::check::flow::{Building, Named};
use crate::check::key::{Fact, Key as ValueKey};
use crate::ir::{self, ContextVar, Expr, Guard, InDoubt, Key, Milestones, Operation, Repeat, Slot, Write, walk};
use crate::schema::Object;
use crate::syntax::tree::{self, ExprKind, SectionKind, WriteOp};
use crate::system::Guarantee;
use crate::value::{Column, Kind, Literal, ObjectRef, Type};

/// A repeat of a write, and what its key has to name.
struct Repeated {
    repeat: Option<Repeat>,
    slots: Vec<(Slot, String)>,
    span: Option<Span>,
}

impl Checker<'_> {
    /// The `split` or `each` at `at` with the write behind it; gives the place behind both.
    pub(super) fn write_with_repeats(&mut self, sections: &[tree::Section], at: usize, building: &mut Building<'_>) -> (usize, Vec<Write>) {
        let mut next = at;
        let mut heads = Vec::new();
        while let Some(section) = sections.get(next) {
            match &section.kind {
                SectionKind::Split(_) | SectionKind::Repeat(_) => heads.push(section),
                _ => break,
            }
            next += 1;
        }
        let Some(SectionKind::Write(write)) = sections.get(next).map(|section| &section.kind) else {
            if let Some(head) = heads.first() {
                self.report(error::sections::misplaced(head.span, "a `split` or an `each` stands before the write that it repeats"));
            }
            return (next.max(at + 1), Vec::new());
        };
        let (names, mark, index) = (self.names.len(), self.facts.mark(), self.index);
        let repeated = self.repeats(&heads);
        let written = self.write(write, &repeated, building);
        self.names.truncate(names);
        self.facts.reset(mark);
        self.index = index;
        // Later writes and follow-ups read the result.
        if let (Some(name), Some(written)) = (&write.name, &written) {
            self.bind_result(write, name, written, repeated.repeat.is_some());
        }
        (next + 1, written.into_iter().collect())
    }

    fn bind_result(&mut self, write: &tree::Write, name: &tree::Name, written: &Write, many: bool) {
        let Some(slot) = written.result else { return };
        let key = ValueKey::slot(slot);
        let mut value = TypedExpr::erroneous(name.span);
        value.kind = Kind::Object(written.object.clone());
        value.keys = vec![key.clone()];
        if write.when.is_some() {
            value.presence = Presence::gap_of(vec![Fact::Present(key)], name.node.as_str(), name.span, Why::Result);
        }
        self.bind(&name.node, name.span, slot, value);
        if let Some(binding) = self.names.last_mut() {
            binding.many = many;
        }
    }

    fn repeats(&mut self, heads: &[&tree::Section]) -> Repeated {
        let mut out = Repeated { repeat: None, slots: Vec::new(), span: heads.first().map(|head| head.span) };
        let mut generators = Vec::new();
        for head in heads {
            match &head.kind {
                SectionKind::Repeat(generator) => {
                    let lowered = self.generators(std::slice::from_ref(generator));
                    out.slots.extend(lowered.iter().map(|generator| (generator.slot, generator.name.clone())));
                    generators.extend(lowered);
                }
                SectionKind::Split(split) => out.repeat = self.split(split, &mut out.slots),
                _ => {}
            }
        }
        if !generators.is_empty() {
            out.repeat = Some(Repeat::Each { generators });
        }
        out
    }

    fn split(&mut self, split: &tree::Split, slots: &mut Vec<(Slot, String)>) -> Option<Repeat> {
        let (generator, by, element) = self.scoped(|checker| {
            let generator = checker.generators(std::slice::from_ref(&split.generator)).pop();
            let element = checker.find(&split.generator.name.node).map(|binding| binding.value.clone());
            let by = checker.expr(&split.by, None);
            (generator, by, element)
        });
        if matches!(by.kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json) {
            self.report(Diagnostic::new(Code::BadGroup, by.span, format!("parts cannot be made by {}", error::types::a(&by.kind))));
        }
        let part = self.slot();
        let (name, span) = match &split.name {
            Some(name) => (name.node.clone(), name.span),
            None => ("part".to_owned(), split.by.span),
        };
        let element_kind = element.as_ref().map_or(Kind::Any, |element| element.kind.clone());
        // Lines without a value are a part of their own, called `none`: none is left behind.
        let named = matches!(by.kind, Kind::Text | Kind::Enumeration(_));
        let nullable = !named && by.presence.open(&self.facts).is_some();
        let by_kind = if named { Kind::Text } else { by.kind.clone() };
        let columns = vec![
            Column { name: "key".into(), of: Type { kind: by_kind, nullable } },
            Column { name: "lines".into(), of: Type::some(Kind::List(Box::new(Type::some(element_kind)))) },
        ];
        let key = ValueKey::slot(part);
        // What is known of the list's elements is known of each part's.
        if let Some(element) = &element {
            for list in element.keys.iter().skip(1) {
                let lines = key.field("lines").elements();
                let tails = self.facts.since(0).iter().filter_map(|fact| fact.present()?.behind(list));
                let facts: Vec<Fact> = tails.map(|tail| Fact::Present(tail.from(&lines))).collect();
                self.facts.extend(&facts);
            }
        }
        let mut value = TypedExpr::erroneous(span);
        value.kind = Kind::Row(columns.into());
        value.keys = vec![key];
        self.bind(&name, span, part, value);
        slots.push((part, format!("{name}.key")));
        generator.map(|generator| Repeat::Split { generator, by: by.expr, part })
    }

    fn write(&mut self, write: &tree::Write, repeated: &Repeated, building: &mut Building<'_>) -> Option<Write> {
        let op = match write.op.node {
            WriteOp::Create => Operation::Create,
            WriteOp::Update => Operation::Update,
            WriteOp::Upsert => Operation::Upsert,
        };
        let name = match &write.name {
            Some(name) => name.node.clone(),
            None => format!("{} {}.{}", op.word(), write.object.connection.node, write.object.object.node),
        };
        building.writes.push(Named { name: name.clone(), given: write.name.is_some() });
        let object_ref = self.object_path(&write.object);
        let object = object_ref.as_ref().and_then(|of| self.object(of));
        let (Some(of), Some(object)) = (object_ref, object) else {
            self.values_of(&write.rows);
            return None;
        };
        // An upsert of a record that is there is sent as an update of it.
        let updates = op == Operation::Upsert && write.of.is_some();
        if !object.takes(op) || updates && !object.takes(Operation::Update) {
            let record = write.of.as_ref().map(|name| name.node.as_str());
            self.report(error::sections::not_writable(op, &of, record, write.op.span, &object));
            // That its fields cannot be written either is no news.
            self.values_of(&write.rows);
            return None;
        }
        let record = write.of.as_ref().and_then(|name| self.of_record(name, &of));
        let (milestones, when) = self.write_when(write, op);
        if let Some(when) = &when {
            self.facts.extend(&when.refinement.if_true);
        }
        let words: Vec<(ContextVar, &'static str, Kind)> =
            milestones.as_ref().map(|_| (ContextVar::Reached, "reached", Kind::Integer)).into_iter().collect();
        let target = self.target.replace(of.clone());
        let out = self.with_context_vars(&words, |checker| {
            let key = checker.write_key(write, op, &of, &object, repeated, milestones.is_some());
            let at = At { op: Some(op), key: key.as_ref().and_then(|key| key.field.as_deref()), head: write.head };
            let body = checker.body(&of, &write.rows, at);
            let guards = checker.guards(write);
            (key, body, guards)
        });
        self.target = target;
        let (key, body, guards) = out;
        let key_field = key.as_ref().and_then(|key| key.field.as_deref());
        let guarantee = object.guarantee(op, key_field);
        let is_taken = object.takes_by(op, key_field);
        // A field that cannot be a key was told where the key was read.
        if let (false, Some(written)) = (is_taken, write.key.as_ref().filter(|key| key.field.is_none() || key_field.is_some())) {
            self.report(error::sections::other_key(op, &of, written, &object));
        }
        let in_doubt = if is_taken { self.in_doubt(write, op, guarantee, key.as_ref(), &of, &object) } else { None };
        let result = write.name.as_ref().map(|_| self.slot());
        Some(Write {
            name,
            op,
            object: of,
            of: record,
            key,
            guarantee,
            in_doubt,
            when: when.map(|when| when.expr),
            repeat: repeated.repeat.clone(),
            milestones,
            body,
            guards,
            result,
            place: self.place(write.head),
        })
    }

    /// The values of a write to an object that is not known, or that takes no such write: they may hold mistakes of their own.
    fn values_of(&mut self, rows: &[tree::FieldRow]) {
        let before = std::mem::replace(&mut self.target_unknown, true);
        for row in rows {
            match &row.value {
                tree::RowValue::Expr(value) => drop(self.expr(value, None)),
                tree::RowValue::Object { rows, .. } => self.values_of(rows),
                tree::RowValue::Clear | tree::RowValue::Remove => {}
            }
        }
        self.target_unknown = before;
    }

    /// `of order`: a record of the object that is written.
    fn of_record(&mut self, name: &tree::Name, of: &ObjectRef) -> Option<Slot> {
        let Some(binding) = self.find(&name.node).cloned() else {
            let known: Vec<String> = self.names.iter().filter(|b| matches!(b.value.kind, Kind::Object(_))).map(|b| b.name.clone()).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.report(error::names::unknown(&name.node, name.span, &known));
            return None;
        };
        match (&binding.value.kind, &binding.value.expr) {
            (Kind::Any, _) => None,
            (Kind::Object(known), Expr::Slot { slot, .. }) if known == of => {
                if binding.grouped {
                    self.report(error::names::ungrouped(&name.node, name.span));
                    return None;
                }
                Some(*slot)
            }
            (kind, _) => {
                self.report(
                    Diagnostic::new(Code::TypeMismatch, name.span, format!("`{}` is {}, and `{of}` is written", name.node, error::types::a(kind)))
                        .other(binding.span, "given here")
                        .help(format!("name a record of `{of}`: from a `match`, from `from`, or the result of a write")),
                );
                None
            }
        }
    }

    fn write_when(&mut self, write: &tree::Write, op: Operation) -> (Option<Milestones>, Option<TypedExpr>) {
        let Some(when) = &write.when else { return (None, None) };
        let inner = strip(when);
        if let ExprKind::Reaches { value, thresholds } = inner.kind.as_ref() {
            if op == Operation::Update {
                self.report(
                    Diagnostic::new(Code::BadMilestone, when.span, "`reaches` makes one record for each threshold, and an update makes none")
                        .help("write a `create`"),
                );
            }
            let typed = self.expr(value, None);
            if !matches!(typed.kind, Kind::Integer | Kind::Decimal | Kind::Money | Kind::Any) {
                self.report(error::types::mismatch(typed.span, &typed.kind, &Kind::Integer));
                return (None, None);
            }
            let mut limits: Vec<Literal> = Vec::new();
            let mut unordered = None;
            for threshold in thresholds {
                match self.expr(threshold, None).literal_value() {
                    Some(Literal::Number(number)) => {
                        if let Some(Literal::Number(last)) = limits.last()
                            && number <= last
                        {
                            unordered.get_or_insert(threshold.span);
                        }
                        limits.push(Literal::Number(*number));
                    }
                    _ => self.report(Diagnostic::new(Code::BadMilestone, threshold.span, "a threshold is a literal number")),
                }
            }
            if let (Some(at), [first, .., last]) = (unordered, thresholds.as_slice()) {
                self.report(error::doubts::not_ascending(at, first.span.to(last.span), &limits));
            }
            return (Some(Milestones { value: typed.expr, thresholds: limits }), None);
        }
        let typed = self.condition(when);
        (None, (!typed.is_erroneous()).then_some(typed))
    }

    // ---- the key

    fn write_key(
        &mut self,
        write: &tree::Write,
        op: Operation,
        of: &ObjectRef,
        object: &Object,
        repeated: &Repeated,
        milestones: bool,
    ) -> Option<Key> {
        let Some(key) = &write.key else {
            let needs = op != Operation::Update || write.of.is_none();
            if needs {
                self.report(error::sections::no_key(op, of, write.head, object));
            }
            return None;
        };
        let field = match &key.field {
            Some(name) => match object.fields.get(&name.node) {
                None => {
                    self.report(error::fields::unknown_target(of, object, name));
                    None
                }
                Some(field) if !(field.write.create || field.write.update) => {
                    self.report(error::fields::not_writable(of, name, field, Some(op)));
                    None
                }
                Some(field) if !matches!(field.kind, Kind::Text | Kind::Enumeration(_)) => {
                    self.report(Diagnostic::new(
                        Code::NotAKey,
                        name.span,
                        format!("`{of}.{}` is {}, and a key is text", name.node, error::types::a(&field.kind)),
                    ));
                    None
                }
                Some(_) => Some(name.node.clone()),
            },
            None => object.keys.first().cloned(),
        };
        let native = field.as_ref().is_some_and(|field| object.keys.contains(field));
        let typed = self.expr(&key.value, Some(&Kind::Text));
        if typed.is_erroneous() {
            return Some(Key { field, native, value: Expr::Literal(Literal::Text(String::new())), place: self.place(key.span) });
        }
        let text = self.text(key.value.span);
        match &typed.kind {
            Kind::Text | Kind::Enumeration(_) => {}
            other => {
                self.report(
                    Diagnostic::new(Code::KeyMayBeMissing, key.value.span, format!("a key is text, and this is {}", error::types::a(other))).mend(
                        "write it as a text",
                        key.value.span,
                        format!("\"{{{text}}}\""),
                    ),
                );
            }
        }
        self.require_present(&typed.presence, |gap| error::presence::key(key.value.span, gap));
        if matches!(typed.expr, Expr::Literal(_)) {
            self.report(
                Diagnostic::new(Code::KeyNotPerPart, key.value.span, "the key is the same for every record")
                    .why("the first record would be created, and all others taken for it")
                    .help("let the key hold the record's id: `\"…-{order.Id}\"`"),
            );
        } else {
            self.key_names_parts(key, &typed.expr, repeated, milestones);
        }
        if let Some(size) = field.as_ref().and_then(|field| object.fields.get(field)).and_then(|field| field.size)
            && let Some(longest) = typed.longest.filter(|longest| *longest > size.max)
        {
            let path = format!("{of}.{}", field.as_deref().unwrap_or("key"));
            self.report(error::limits::too_long(key.value.span, &path, Some(longest), size, &text));
        }
        Some(Key { field, native, value: typed.expr, place: self.place(key.span) })
    }

    /// In a repeated write the key has to differ from part to part.
    fn key_names_parts(&mut self, key: &tree::Key, value: &Expr, repeated: &Repeated, milestones: bool) {
        for (slot, name) in &repeated.slots {
            if !walk::any(value, |part| matches!(part, Expr::Slot { slot: read, .. } if read == slot)) {
                let mut diagnostic = Diagnostic::new(Code::KeyNotPerPart, key.value.span, "the key is the same for every part of this record")
                    .why("the first part would be sent, and the others taken for it")
                    .help(format!("let the key name the part: `{{{name}}}`"));
                if let Some(span) = repeated.span {
                    diagnostic = diagnostic.other(span, "the write is repeated here");
                }
                self.report(diagnostic);
                return;
            }
        }
        if milestones && !walk::any(value, |part| matches!(part, Expr::ContextVar(ContextVar::Reached))) {
            self.report(
                Diagnostic::new(Code::KeyNotPerPart, key.value.span, "the key is the same for every threshold")
                    .why("only the first threshold would be written")
                    .help("let the key name the threshold: `{reached}`"),
            );
        }
    }

    fn in_doubt(
        &mut self,
        write: &tree::Write,
        op: Operation,
        guarantee: Guarantee,
        key: Option<&Key>,
        of: &ObjectRef,
        object: &Object,
    ) -> Option<InDoubt> {
        let said = write.in_doubt.as_ref().map(|said| match said.node {
            tree::InDoubt::LookUp => (InDoubt::LookUp, said.span),
            tree::InDoubt::Review => (InDoubt::Review, said.span),
        });
        if op == Operation::Update || guarantee == Guarantee::Idempotent {
            return said.map(|(said, _)| said);
        }
        // What the key is not written to cannot be found by it.
        let mark = key.and_then(|key| key.field.as_deref());
        let searchable = mark.is_some_and(|field| object.searchable.iter().any(|known| known == field) || object.id.as_deref() == Some(field));
        // Where every record must name a field that can be searched for (a label its order), that is the mark.
        let declared = mark.is_none() && object.searchable.iter().any(|name| object.fields.get(name).is_some_and(|field| field.write.required));
        let searchable = searchable || declared;
        match said {
            None => {
                // Without a key that was told already.
                if key.is_some() {
                    let claims = object.write_rule(op, mark).and_then(|rule| rule.claims.as_ref());
                    self.report(error::sections::doubt_unsaid(
                        write.head,
                        object,
                        guarantee < Guarantee::Unprotected && searchable,
                        &of.connection,
                        claims,
                    ));
                }
                None
            }
            Some((InDoubt::LookUp, span)) if guarantee == Guarantee::Unprotected || !searchable => {
                self.report(error::sections::doubt_not_searchable(span, object, mark, guarantee));
                Some(InDoubt::LookUp)
            }
            Some((said, _)) => Some(said),
        }
    }

    fn guards(&mut self, write: &tree::Write) -> Vec<Guard> {
        let mut out = Vec::new();
        for guard in &write.guards {
            if write.op.node == tree::WriteOp::Create {
                self.report(
                    Diagnostic::new(Code::NoTarget, guard.span, "a guard in a `create` never applies")
                        .other(write.op.span, "the target has no such record yet")
                        .why("a guard looks at the record as the target holds it now")
                        .help("take the guard out, or write `upsert` where the record may be there already"),
                );
                continue;
            }
            let condition = self.condition(&guard.condition);
            self.guard_reads_target(guard, &condition);
            let otherwise = match &guard.otherwise {
                Some(stop) => self.stop(stop),
                None => {
                    self.report(error::sections::misplaced(
                        guard.span,
                        "a guard says what happens where it does not hold: `else review \"…\"` or `else reject \"…\"`",
                    ));
                    None
                }
            };
            if let (Some(otherwise), false) = (otherwise, condition.is_erroneous()) {
                out.push(Guard { condition: condition.expr, otherwise, place: self.place(guard.span) });
            }
        }
        out
    }

    // ---- follow-ups

    pub(super) fn follow_up(&mut self, written: &tree::When, building: &mut Building<'_>) {
        let mut events = Vec::new();
        for event in &written.events {
            events.push(match &event.node {
                tree::Event::Fails => ir::Event::Fails,
                tree::Event::IsRejected => ir::Event::IsRejected,
                tree::Event::IsInReview => ir::Event::IsInReview,
                tree::Event::Succeeds => ir::Event::Succeeds,
                tree::Event::IsGone => ir::Event::IsGone,
                tree::Event::IsLate(after) => match self.milliseconds(after, "a delay") {
                    Some(after) => ir::Event::IsLate(after),
                    None => continue,
                },
            });
        }
        let subject = &written.subject;
        let is_write = building.writes.iter().any(|write| write.given && write.name == subject.node);
        let is_record = building.flow.source_name == subject.node;
        let gone = events.contains(&ir::Event::IsGone);
        if !(is_write || (is_record && gone)) {
            let known: Vec<&str> = building.writes.iter().filter(|write| write.given).map(|write| write.name.as_str()).collect();
            self.report(error::sections::unknown_write(subject, &known, &building.flow.source_name, is_record));
        } else if is_write && gone {
            self.report(
                Diagnostic::new(Code::UnknownWrite, subject.span, format!("`{}` is a write, and what can be gone is the record", subject.node)).mend(
                    "name the record",
                    subject.span,
                    building.flow.source_name.clone(),
                ),
            );
        }
        let reasons = events.iter().any(|event| matches!(event, ir::Event::Fails | ir::Event::IsRejected | ir::Event::IsInReview));
        let list = Kind::List(Box::new(Type::some(Kind::Text)));
        let words: Vec<(ContextVar, &'static str, Kind)> = reasons.then_some((ContextVar::Reasons, "reasons", list)).into_iter().collect();
        // A record that was rejected has not passed the rules; one in review may have been stopped by a match before them.
        let result = self.names.iter().position(|binding| is_write && binding.name == subject.node);
        let before = result.map(|at| self.names[at].value.presence.clone());
        let rejected = events.iter().any(|event| matches!(event, ir::Event::IsRejected | ir::Event::IsInReview | ir::Event::IsGone));
        let facts = rejected.then(|| std::mem::replace(&mut self.facts, building.before_rules.clone()));
        let mut follow_up = ir::FollowUp {
            write: is_write.then(|| subject.node.clone()),
            events: events.clone(),
            lets: Vec::new(),
            writes: Vec::new(),
            place: self.place(subject.span),
        };
        // Nothing is there of a write that may not have succeeded.
        if !events.iter().all(|event| *event == ir::Event::Succeeds)
            && let Some(binding) = result.and_then(|at| self.names.get_mut(at))
        {
            binding.value.presence = Presence::gap_of(Vec::new(), subject.node.as_str(), subject.span, Why::Result);
        }
        let names = self.names.len();
        self.with_context_vars(&words, |checker| {
            let mut at = 0;
            while at < written.sections.len() {
                match &written.sections[at].kind {
                    SectionKind::Let(one) => {
                        follow_up.lets.extend(checker.let_section(one));
                        at += 1;
                    }
                    SectionKind::When(nested) => {
                        checker.report(Diagnostic::new(Code::FollowUpNested, nested.subject.span, "a follow-up has no follow-up of its own"));
                        at += 1;
                    }
                    SectionKind::Split(_) | SectionKind::Repeat(_) | SectionKind::Write(_) => {
                        let (next, writes) = checker.write_with_repeats(&written.sections, at, building);
                        follow_up.writes.extend(writes);
                        at = next;
                    }
                    _ => {
                        let span = written.sections[at].span;
                        checker.report(error::sections::misplaced(span, "a follow-up holds writes, and the `let`, `each` and `split` before them"));
                        at += 1;
                    }
                }
            }
        });
        self.names.truncate(names);
        if let (Some(at), Some(before)) = (result, before) {
            self.names[at].value.presence = before;
        }
        if let Some(facts) = facts {
            self.facts = facts;
        }
        building.flow.follow_ups.push(follow_up);
    }
}

fn strip(expr: &tree::Expr) -> &tree::Expr {
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => strip(inner),
        _ => expr,
    }
}
