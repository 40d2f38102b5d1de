//! The same by engines that are programmed: VRL and jq. Their numbers are floats, so their payloads are compared to the
//! cent.

use std::collections::BTreeMap;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read, write};
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Context, Program, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

use crate::Task;

/// A program as it stands in the folder of this file.
fn program(name: &str) -> String {
    std::fs::read_to_string(format!("{}/src/{name}", env!("CARGO_MANIFEST_DIR"))).expect("it stands beside this file")
}

fn compiled() -> Program {
    let (functions, text) = (vrl::stdlib::all(), program("orders.vrl"));
    match vrl::compiler::compile(&text, &functions) {
        Ok(compiled) => compiled.program,
        Err(faults) => panic!("{}", vrl::diagnostic::Formatter::new(&text, faults)),
    }
}

pub fn vrl<'t>() -> Task<'t> {
    let program = compiled();
    let zone = TimeZone::Named("UTC".parse().expect("a zone"));
    Box::new(move |input, memory| {
        input.lines(memory, |line, out| {
            // As Vector reads JSON: serde_json's tree, then VRL's.
            let value = Value::from(serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
            let mut target = TargetValue { value, metadata: Value::Object(BTreeMap::new()), secrets: Secrets::default() };
            let mut state = RuntimeState::default();
            let mut context = Context::new(&mut target, &mut state, &zone);
            if program.resolve(&mut context).is_ok() {
                serde_json::to_writer(&mut *out, &target.value).expect("memory takes all");
                out.push(b'\n');
            }
        });
    })
}

pub fn jaq<'t>() -> Task<'t> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let text = program("orders.jq");
    let modules = Loader::new(defs).load(&arena, File { code: &*text, path: () });
    let modules = modules.unwrap_or_else(|faults| panic!("{faults:?}"));
    let filter = Compiler::default().with_funs(funs).compile(modules).unwrap_or_else(|faults| panic!("{faults:?}"));
    Box::new(move |input, memory| {
        input.lines(memory, |line, out| {
            let ctx = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
            let value = read::parse_single(line.as_bytes()).expect("JSON");
            for made in filter.id.run((ctx, value)).map(unwrap_valr) {
                let made = made.unwrap_or_else(|fault| panic!("{fault}: {line}"));
                write::write(&mut *out, &write::Pp::default(), 0, &made).expect("memory takes all");
                out.push(b'\n');
            }
        });
    })
}
