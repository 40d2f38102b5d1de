//! Results of a test run for pipelines: JUnit XML, and a report that serializes.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::runner::Difference;
use super::{Case, Ran};

/// JUnit XML: one suite a file, one test a case.
pub fn junit(results: &[(Case, Ran)]) -> String {
    let mut report = quick_junit::Report::new("crossdock");
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

/// How the cases went, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub version: u32,
    pub passed: usize,
    pub failed: usize,
    pub cases: Vec<Line>,
}

/// How one case went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub name: String,
    pub flow: String,
    pub file: String,
    pub line: u32,
    pub passed: bool,
    pub differences: Vec<Difference>,
}

/// The report of some results.
pub fn report(results: &[(Case, Ran)]) -> Report {
    let line = |(case, ran): &(Case, Ran)| Line {
        name: case.name.clone(),
        flow: case.flow.clone(),
        file: case.file.to_string(),
        line: case.line,
        passed: ran.differences.is_empty(),
        differences: ran.differences.clone(),
    };
    let cases: Vec<Line> = results.iter().map(line).collect();
    let passed = cases.iter().filter(|case| case.passed).count();
    Report { version: 1, passed, failed: cases.len() - passed, cases }
}
