//! An expression that stands by itself, outside of any mapping: a condition in a system's description.

use jiff::Timestamp;

use super::evaluator::Evaluator;
use super::program::Program;
use super::{Inputs, Reason, Unusable};
use crate::ir::{Expr, Flow, Let, Mapping, Place, Slot};
use crate::plan::Plan;
use crate::value::{Json, Value};

/// An expression over values that are given by place: the slots from 0 on. It is pure, always ends, and is evaluated as those of
/// mappings are.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// A plan with the expression as the only name of a flow without sections.
    plan: Plan,
    given: u32,
}

impl Formula {
    /// `given`: how many slots get a value before it is evaluated; `slots`: how many it uses in all.
    ///
    /// # Errors
    /// It holds a pattern or a path that cannot be used.
    pub fn new(expr: Expr, given: u32, slots: u32) -> Result<Self, Unusable> {
        let place = Place::line("", 0);
        let own = Let { name: String::new(), slot: Slot(slots.max(given)), value: expr, place: place.clone() };
        let flow = Flow { slots: slots.max(given) + 1, lets: vec![own], ..Flow::empty(String::new(), place) };
        let mapping = Mapping { flows: vec![flow], ..Mapping::default() };
        let mut plan = Plan::default();
        plan.mapping = mapping;
        plan.time_zone = "UTC".to_owned();
        Program::new(&plan)?;
        Ok(Formula { plan, given })
    }

    /// Its value, where the slots from 0 on hold `values`; those that are not given are missing.
    ///
    /// # Errors
    /// One of the built-in reasons: a number that is too large, a list that is too long.
    pub fn value(&self, values: Vec<Value>, now: Timestamp) -> Result<Value, Reason> {
        let (Ok(program), Some(flow)) = (Program::new(&self.plan), self.plan.mapping.flows.first()) else { return Ok(Value::ABSENT) };
        let Some(own) = flow.lets.first() else { return Ok(Value::ABSENT) };
        let names = std::collections::BTreeMap::new();
        let inputs = Inputs::of(&Json::Null, now, &names);
        let mut machine = Evaluator::new(&program, flow, &inputs);
        let mut values = values.into_iter();
        for slot in 0..self.given {
            machine.set(Slot(slot), values.next().unwrap_or(Value::ABSENT));
        }
        machine.eval(&own.value).map_err(|reason| *reason)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use crate::ir::{Compare, Pattern};
    use crate::value::Literal;

    fn slot(at: u32) -> Expr {
        Expr::Slot { slot: Slot(at), name: "x".into() }
    }

    #[test]
    fn it_is_evaluated_over_what_is_given() {
        let same = Expr::Compare { op: Compare::Equal, left: Box::new(slot(0)), right: Box::new(Expr::Literal(Literal::Text("a".into()))) };
        let formula = Formula::new(same, 1, 1).unwrap();
        let value = |given: Vec<Value>| formula.value(given, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(value(vec![Value::text("a")]), Value::Boolean(true));
        assert_eq!(value(vec![Value::text("b")]), Value::Boolean(false));
        assert_eq!(value(Vec::new()), Value::Boolean(false));
    }

    #[test]
    fn a_pattern_that_cannot_be_used_is_told_before() {
        let matches = |pattern: &str| Expr::Matches { value: Box::new(slot(0)), pattern: Pattern::Regex(pattern.to_owned()) };
        assert!(Formula::new(matches("(["), 1, 1).is_err());
        let formula = Formula::new(matches("[0-9]+"), 1, 1).unwrap();
        assert_eq!(formula.value(vec![Value::text("12")], Timestamp::UNIX_EPOCH).unwrap(), Value::Boolean(true));
    }
}
