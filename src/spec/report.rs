//! Results of a test run for pipelines: JUnit XML and JSON.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::{Case, Ran};

/// JUnit XML: one suite a file, one test a case.
pub fn junit(results: &[(Case, Ran)]) -> String {
    let mut report = Report::new("crossdock");
    let mut files: Vec<&str> = Vec::new();
    for (case, _) in results {
        if !files.contains(&&*case.file) {
            files.push(&case.file);
        }
    }
    for file in files {
        let mut suite = TestSuite::new(file);
        for (case, ran) in results.iter().filter(|(case, _)| &*case.file == file) {
            let status = if ran.differences.is_empty() {
                TestCaseStatus::success()
            } else {
                let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let lines: Vec<String> = ran.differences.iter().map(|d| format!("{}: expected {}, got {}", d.at, d.expected, d.actual)).collect();
                failed.set_message(lines.first().cloned().unwrap_or_default());
                failed.set_description(format!("{}:{}\n{}", case.file, case.line, lines.join("\n")));
                failed
            };
            let mut test = TestCase::new(case.name.clone(), status);
            test.set_classname(case.flow.clone());
            suite.add_test_case(test);
        }
        report.add_test_suite(suite);
    }
    report.to_string().unwrap_or_default()
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    flow: &'a str,
    file: &'a str,
    line: u32,
    passed: bool,
    differences: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    at: &'a str,
    expected: &'a str,
    actual: &'a str,
}

/// `{"passed": 3, "failed": 1, "cases": [...]}`
pub fn json(results: &[(Case, Ran)]) -> serde_json::Value {
    let cases: Vec<Line<'_>> = results
        .iter()
        .map(|(case, ran)| Line {
            name: &case.name,
            flow: &case.flow,
            file: &case.file,
            line: case.line,
            passed: ran.differences.is_empty(),
            differences: ran.differences.iter().map(|d| Change { at: &d.at, expected: &d.expected, actual: &d.actual }).collect(),
        })
        .collect();
    let passed = cases.iter().filter(|case| case.passed).count();
    serde_json::json!({ "version": 1, "passed": passed, "failed": cases.len() - passed, "cases": cases })
}
