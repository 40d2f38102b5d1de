//! Routes: decision tables, read from the top; the first row that fits wins.

use super::record::Run;
use super::trace::Tracer;
use super::{Answer, Decided, Decision, Met, RouteTaken};
use crate::ir::RouteOutcome;

impl<'a> Run<'a> {
    /// Each route: the first row whose condition holds.
    pub(super) fn route(&mut self) {
        let flow = self.machine.flow;
        for (at, route) in flow.routes.iter().enumerate() {
            // What the rows looked at, and the one that was taken, is why a result has its value.
            let mark = self.machine.tracer.as_mut().map(Tracer::mark);
            for (row_at, row) in route.rows.iter().enumerate() {
                let own = self.machine.tracer.as_mut().map(Tracer::mark);
                let taken = match &row.condition {
                    None => Ok(true),
                    Some(condition) => self.machine.holds(condition),
                };
                if let (Some(tracer), Some(own)) = (&mut self.machine.tracer, own) {
                    let reads = tracer.seen(own);
                    let answer = match &taken {
                        Ok(true) => Answer::Holds,
                        Ok(false) => Answer::DoesNotHold,
                        Err(halt) => Answer::Unknown(halt.message.clone()),
                    };
                    let (condition, place) = (row.text.clone(), row.place.clone());
                    tracer.decisions.push(Decision {
                        what: Decided::RouteRow,
                        condition,
                        answer,
                        place,
                        element: Vec::new(),
                        reads,
                        behind: Vec::new(),
                    });
                }
                match taken {
                    Ok(false) => continue,
                    Err(halt) => self.unfinished(halt),
                    Ok(true) => {
                        self.machine.met.insert(Met::RouteRow { route: at, row: row_at });
                        match &row.outcome {
                            RouteOutcome::Stop(stop) => {
                                let halt = self.machine.stopped(stop, "route");
                                self.unfinished(halt);
                            }
                            RouteOutcome::Results(results) => {
                                let mut taken = Vec::new();
                                for (result, expr) in route.results.iter().zip(results) {
                                    match self.machine.eval(expr) {
                                        Ok(value) => {
                                            taken.push((result.name.clone(), value.to_string()));
                                            self.machine.set(result.slot, value);
                                        }
                                        Err(halt) => self.unfinished(halt),
                                    }
                                }
                                self.machine.step_at(
                                    || {
                                        let given = taken.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
                                        format!("row {} of the route: `{}` gives {given}", row_at + 1, row.text)
                                    },
                                    Some(row.place.clone()),
                                );
                                self.routes.push(RouteTaken { results: taken, text: row.text.clone(), place: row.place.clone() });
                            }
                        }
                    }
                }
                break;
            }
            if let (Some(tracer), Some(mark)) = (&mut self.machine.tracer, mark) {
                tracer.remember_all(route.results.iter().map(|result| result.slot), mark);
            }
        }
    }
}
