//! What Salesforce has and the sandbox has not, by name: it is told apart from what nobody has.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::refusal::Refusal;

/// Names of objects, made by `derive.py` beside it from recorded describes.
const OBJECTS: &str = include_str!("objects.txt");

/// Resources below `/services/data/vNN.N/`, by their first steps, and what they are.
const RESOURCES: &[(&str, &str)] = &[
    ("actions", "invocable actions"),
    ("analytics", "reports and dashboards"),
    ("appMenu", "the app menu"),
    ("async-queries", "asynchronous queries"),
    ("chatter", "Chatter"),
    ("commerce", "B2B Commerce"),
    ("compactLayouts", "layouts"),
    ("connect", "the Connect API"),
    ("consent", "consent"),
    ("dedupe", "duplicate rules"),
    ("domino", "the Domino API"),
    ("eclair", "geodata of charts"),
    ("event", "platform events"),
    ("folders", "folders"),
    ("graphql", "GraphQL"),
    ("jobs", "this kind of job"),
    ("knowledgeManagement", "Knowledge"),
    ("licensing", "licensing"),
    ("localizedvalue", "translated values"),
    ("metadata", "the Metadata API"),
    ("parameterizedSearch", "the search"),
    ("payments", "payments"),
    ("process", "processes and approvals"),
    ("query", "this query resource"),
    ("quickActions", "quick actions"),
    ("recent", "the list of recent records"),
    ("scratch", "scratch orgs"),
    ("search", "SOSL and the search"),
    ("serviceTemplates", "service templates"),
    ("smartdatadiscovery", "Einstein Discovery"),
    ("sobjects", "this sObject resource"),
    ("support", "Knowledge"),
    ("tabs", "the tabs"),
    ("theme", "the theme"),
    ("tooling", "the Tooling API"),
    ("ui-api", "the User Interface API"),
    ("wave", "CRM Analytics"),
];

/// The same beside `/services/data/`.
const SERVICES: &[(&str, &str)] = &[
    ("/services/Soap/", "the SOAP API"),
    ("/services/async/", "the Bulk API 1.0"),
    ("/services/apexrest/", "Apex REST"),
    ("/services/apexrest", "Apex REST"),
    ("/services/oauth2/authorize", "the sign-in by a browser"),
    ("/services/oauth2/introspect", "the introspection of tokens"),
    ("/services/oauth2/singleaccess", "the bridge to a browser's session"),
    ("/services/auth/", "the sign-in by others"),
    ("/services/wave", "CRM Analytics"),
    ("/cometd/", "the Streaming API"),
    ("/secur/", "the sign-in by a browser"),
];

/// The spelling of an object's name that the vendor has and the catalog has not.
pub(super) fn object(name: &str) -> Option<&'static str> {
    static NAMES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| OBJECTS.lines().collect());
    names.iter().find(|known| known.eq_ignore_ascii_case(name)).copied()
}

/// # Errors
/// Always: what is not imitated, or that there is no such resource.
pub(super) fn resource(steps: &[&str]) -> Refusal {
    let known = steps.first().and_then(|first| RESOURCES.iter().find(|(name, _)| name == first));
    match known {
        Some((name, what)) => Refusal::not_imitated(&format!("/{name}: {what}")),
        None => Refusal::not_found(),
    }
}

pub(super) fn service(path: &str) -> Option<Refusal> {
    let known = SERVICES.iter().find(|(begin, _)| path.starts_with(begin));
    known.map(|(begin, what)| Refusal::not_imitated(&format!("{}: {what}", begin.trim_end_matches('/'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_once_there() {
        let names: Vec<&str> = OBJECTS.lines().collect();
        assert!(names.len() > 100 && names.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!((object("workorder"), object("Nonsense")), (Some("WorkOrder"), None));
    }
}
