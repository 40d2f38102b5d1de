//! Compiles conditions to jumps.

use regex::bytes::Regex;
use rust_decimal::Decimal;

use super::code::{Held, Label};
use super::compiler::{Compiler, Found, Unsupported};
use super::op::{Argument, Call, Op, StringSet, Test};
use super::reg::{Reg, RegValue};
use super::values::{As, constant, holds, literal_text, number};
use crate::ir::{Compare, Expr, Flow, Pattern};
use crate::value::Literal;

impl<'p> Compiler<'p> {
    /// A condition as a value.
    pub(super) fn truth(&mut self, condition: &'p Expr) -> Found<Held> {
        let (not, end, dst) = (self.label(), self.label(), self.room(1));
        self.branch(condition, false, not)?;
        self.push(Op::Load { value: RegValue::Boolean(true), dst });
        self.jump(end);
        self.place(not);
        self.push(Op::Load { value: RegValue::Boolean(false), dst });
        self.place(end);
        Ok(Held::In(Reg::computed(dst)))
    }

    /// Goes on at `to` where a condition is what `when` says; a missing one does not hold.
    pub(super) fn branch(&mut self, condition: &'p Expr, when: bool, to: Label) -> Found<()> {
        self.deeper(condition, |compiler| compiler.branched(condition, when, to))
    }

    fn branched(&mut self, condition: &'p Expr, when: bool, to: Label) -> Found<()> {
        let op = match condition {
            Expr::And(parts) => return self.parts(parts, false, when, to, Self::branch),
            Expr::Or(parts) => return self.parts(parts, true, when, to, Self::branch),
            Expr::Not(inner) => return self.branch(inner, !when, to),
            Expr::IsPresent(inner) => return self.present(inner, when, to),
            Expr::Compare { op: op @ (Compare::Equal | Compare::NotEqual), left, right } if literal_text(right).is_some() => {
                let word = literal_text(right).unwrap_or_default().as_bytes();
                Op::IsWord { of: self.value(left)?, word, when: when == (*op == Compare::Equal), to: to.to() }
            }
            Expr::Compare { op, left, right } if literal_number(right).is_some() => {
                let number = number(literal_number(right).unwrap_or_default())?;
                Op::CompareNumber { of: self.number(left)?, op: *op, number, when, to: to.to() }
            }
            Expr::Compare { op, left, right } => Op::Compare { left: self.value(left)?, op: *op, right: self.value(right)?, when, to: to.to() },
            Expr::In { value, list } => {
                let of = self.value(value)?;
                let words: Option<Vec<&'p str>> = list.iter().map(literal_text).collect();
                match words {
                    Some(words) => Op::InWords { of, words: Box::new(StringSet::of(words.into_iter())), when, to: to.to() },
                    None => {
                        let items: Vec<Reg> = list.iter().map(|item| self.value(item)).collect::<Found<_>>()?;
                        Op::Test { test: Box::new(Test::In(of, items.into())), when, to: to.to() }
                    }
                }
            }
            Expr::Matches { value, pattern: Pattern::Regex(pattern) } => {
                let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| Unsupported("a pattern that is none"))?;
                Op::Test { test: Box::new(Test::Matches(self.value(value)?, Box::new(regex))), when, to: to.to() }
            }
            Expr::Matches { value, pattern: Pattern::Builtin { function, arguments } } if function.0.name == "email" && arguments.is_empty() => {
                Op::Test { test: Box::new(Test::Email(self.value(value)?)), when, to: to.to() }
            }
            Expr::Matches { value, pattern: Pattern::Builtin { function, arguments } } => {
                let mut given = vec![Argument::Value(self.value(value)?)];
                for argument in arguments {
                    given.push(match argument {
                        Expr::Literal(literal) => Argument::Constant(constant(literal)?),
                        argument => Argument::Value(self.value(argument)?),
                    });
                }
                let of = self.compute(Op::Call { call: Box::new(Call::new(*function, given)), memo: 0, dst: 0 });
                Op::Holds { of, when, to: to.to() }
            }
            Expr::WasSent(inner) => {
                // What cannot be read is told.
                self.value(inner)?;
                let mut way = Vec::new();
                self.way(inner, &mut way)?;
                Op::Test { test: Box::new(Test::WasSent(way.into())), when, to: to.to() }
            }
            other => Op::Holds { of: self.value(other)?, when, to: to.to() },
        };
        self.push(op);
        Ok(())
    }

    /// Several conditions, of which `enough` decides for all: false of those that all have to hold.
    fn parts(
        &mut self,
        parts: &'p [Expr],
        enough: bool,
        when: bool,
        to: Label,
        branch: fn(&mut Self, &'p Expr, bool, Label) -> Found<()>,
    ) -> Found<()> {
        let behind = self.label();
        // Where one decides, the whole is what `when` says, or is not.
        let decided = if when == enough { to } else { behind };
        match parts.split_first() {
            None if when != enough => self.jump(to),
            None => {}
            Some((only, [])) => branch(self, only, when, to)?,
            Some((first, rest)) => {
                branch(self, first, enough, decided)?;
                self.scoped(|compiler| {
                    for (at, part) in rest.iter().enumerate() {
                        if at + 1 == rest.len() {
                            branch(compiler, part, when, to)?;
                        } else {
                            branch(compiler, part, enough, decided)?;
                        }
                    }
                    Ok(())
                })?;
            }
        }
        self.place(behind);
        Ok(())
    }

    fn present(&mut self, expr: &'p Expr, when: bool, to: Label) -> Found<()> {
        if let Expr::Fallback { value, fallback } = expr {
            let behind = self.label();
            self.present(value, true, if when { to } else { behind })?;
            self.scoped(|compiler| compiler.present(fallback, when, to))?;
            self.place(behind);
            return Ok(());
        }
        let of = self.value(expr)?;
        self.push(Op::Present { of, when, to: to.to() });
        Ok(())
    }

    /// Registers of the objects on the way to a field, and its own.
    fn way(&mut self, expr: &'p Expr, found: &mut Vec<Reg>) -> Found<()> {
        match expr {
            Expr::Slot { slot: Flow::RECORD, .. } => Ok(()),
            Expr::Slot { slot, .. } => match self.flow.lets.iter().find(|found| found.slot == *slot) {
                Some(of) => self.way(&of.value, found),
                None => match self.known(*slot) {
                    Some(Held::Object { .. }) => Ok(()),
                    _ => Err(Unsupported("whether something was sent that is no field")),
                },
            },
            Expr::Field { base, name, kind, wire, .. } => {
                self.way(base, found)?;
                let holds = holds(kind, wire).ok_or(Unsupported("a field of a form that is not read here"))?;
                let of = self.held(base, As::Itself)?;
                found.push(self.place_of(&of, name, &holds)?.0);
                Ok(())
            }
            _ => Err(Unsupported("whether something was sent that is no field")),
        }
    }
}

fn literal_number(expr: &Expr) -> Option<Decimal> {
    match expr {
        Expr::Literal(Literal::Number(number) | Literal::Money(number)) => Some(*number),
        _ => None,
    }
}
