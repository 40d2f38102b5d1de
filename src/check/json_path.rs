//! JSONPath (RFC 9535) as far as the library answers it rightly.
//!
//! The library takes some paths that the RFC calls invalid, and answers two forms otherwise than it says. They are refused here, so
//! that no path gives a wrong answer at run time.

use jsonpath_rust::parser::model::{Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, Test, TestFunction};

/// A path that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) what: &'static str,
    pub(super) help: &'static str,
}

const TWO: Refused = Refused { what: "`..` takes one selector here, not several in brackets", help: "write one path for each, and join the lists" };
const NESTED: Refused = Refused {
    what: "a filter inside the path of a filter is not taken",
    help: "filter in two steps:   each x in … $ \"…\" where … , or ask with `count(…) > 0`",
};
const UNCOMPARED: Refused = Refused { what: "the result of `length`, `count` or `value` is no condition", help: "compare it:   length(@.a) > 0" };
const UNCOMPARABLE: Refused =
    Refused { what: "`match` and `search` are conditions, and are not compared", help: "write the function alone:   ?match(@.a, 'x')" };
const SINGULAR: Refused = Refused {
    what: "`length`, `match` and `search` take one value: a path of names and indexes only",
    help: "name one value, such as `@.a[0]`, or wrap a path that gives one in `value(…)`",
};
const NODES: Refused = Refused { what: "`count` and `value` take a path", help: "write a path that begins with `@` or `$`" };
const UNKNOWN: Refused = Refused { what: "RFC 9535 has no such function", help: "it has `length`, `count`, `value`, `match` and `search`" };

/// The first thing in a path that is not taken.
pub(super) fn refused(path: &JpQuery) -> Option<Refused> {
    segments(&path.segments, false)
}

fn segments(all: &[Segment], inside: bool) -> Option<Refused> {
    all.iter().find_map(|segment| match segment {
        Segment::Descendant(of) => match of.as_ref() {
            Segment::Selectors(several) if several.len() > 1 => Some(TWO),
            of => segments(std::slice::from_ref(of), inside),
        },
        Segment::Selector(one) => selector(one, inside),
        Segment::Selectors(several) => several.iter().find_map(|one| selector(one, inside)),
    })
}

fn selector(of: &Selector, inside: bool) -> Option<Refused> {
    match of {
        Selector::Filter(_) if inside => Some(NESTED),
        Selector::Filter(of) => filter(of),
        _ => None,
    }
}

fn filter(of: &Filter) -> Option<Refused> {
    match of {
        Filter::Or(all) | Filter::And(all) => all.iter().find_map(filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => match expr.as_ref() {
            Test::Function(of) if matches!(**of, TestFunction::Length(_) | TestFunction::Value(_) | TestFunction::Count(_)) => Some(UNCOMPARED),
            other => test(other),
        },
        Filter::Atom(FilterAtom::Comparison(of)) => {
            let (left, right) = of.vals();
            [left, right].into_iter().find_map(|side| match side {
                Comparable::Function(TestFunction::Match(..) | TestFunction::Search(..)) => Some(UNCOMPARABLE),
                Comparable::Function(of) => function(of),
                Comparable::Literal(_) | Comparable::SingularQuery(_) => None,
            })
        }
    }
}

fn test(of: &Test) -> Option<Refused> {
    match of {
        Test::RelQuery(path) => segments(path, true),
        Test::AbsQuery(path) => segments(&path.segments, true),
        Test::Function(of) => function(of),
    }
}

fn function(of: &TestFunction) -> Option<Refused> {
    match of {
        TestFunction::Custom(..) => Some(UNKNOWN),
        TestFunction::Length(one) => value(one),
        TestFunction::Search(one, other) | TestFunction::Match(one, other) => value(one).or_else(|| value(other)),
        TestFunction::Value(path) | TestFunction::Count(path) => match path {
            FnArg::Test(of) if !matches!(**of, Test::Function(_)) => test(of),
            _ => Some(NODES),
        },
    }
}

/// An argument that has to be one value.
fn value(of: &FnArg) -> Option<Refused> {
    match of {
        FnArg::Literal(_) => None,
        FnArg::Filter(_) => Some(SINGULAR),
        FnArg::Test(of) => match of.as_ref() {
            Test::RelQuery(path) => (!is_singular(path)).then_some(SINGULAR),
            Test::AbsQuery(path) => (!is_singular(&path.segments)).then_some(SINGULAR),
            Test::Function(of) if matches!(**of, TestFunction::Match(..) | TestFunction::Search(..)) => Some(SINGULAR),
            Test::Function(of) => function(of),
        },
    }
}

fn is_singular(path: &[Segment]) -> bool {
    let one = |selector: &Selector| matches!(selector, Selector::Name(_) | Selector::Index(_));
    path.iter().all(|segment| match segment {
        Segment::Selector(of) => one(of),
        Segment::Selectors(several) => matches!(several.as_slice(), [of] if one(of)),
        Segment::Descendant(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> Option<Refused> {
        refused(&jsonpath_rust::parser::parse_json_path(path).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// Those of the compliance suite of RFC 9535 that the library answers otherwise, and their like.
    #[test]
    fn what_the_library_answers_wrongly_is_refused() {
        for (path, expected) in [
            ("$[?@[?@>1]]", NESTED),
            ("$[?@.a[?@.b == 1]]", NESTED),
            ("$[?count(@[?@.x]) > 1]", NESTED),
            ("$..['a','d']", TWO),
            ("$..[*, 0]", TWO),
            ("$.a..[0, 1]", TWO),
            ("$[?count(@..*)]", UNCOMPARED),
            ("$[?!count(@.*)]", UNCOMPARED),
            ("$[?length(@.a)]", UNCOMPARED),
            ("$[?value(@.a)]", UNCOMPARED),
            ("$[?@.b && (length(@.a))]", UNCOMPARED),
            ("$[?length(@.*)<3]", SINGULAR),
            ("$[?length(@..a)<3]", SINGULAR),
            ("$[?match(@.*, 'a')]", SINGULAR),
        ] {
            assert_eq!(told(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_it_answers_rightly_is_taken() {
        for path in [
            "$.tax[?@.kind=='IOSS'].id",
            "$[?length(@.a) > 2 && count(@.*) == 1]",
            "$[?match(@.a, 'x.*') || !search(@.b, 'y')]",
            "$[?value(@..color) == 'red']",
            "$[?length(value(@..a)) > 1]",
            "$..a[0, 1]",
            "$..*",
            "$[?@.a && !(@.b || @['c'][0])]",
            "$[0:2, 'a']",
            "$[?length('abc') == 3]",
        ] {
            assert_eq!(told(path), None, "{path}");
        }
    }
}
