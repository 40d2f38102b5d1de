//! The text of `probe.yaml`.

use crate::system::{Finding, Probed, ProbedHost};
use crate::yaml::in_quotes;

fn finding(finding: &Finding) -> String {
    let holds = finding.holds.map_or_else(String::new, |holds| format!("holds: {holds}, "));
    format!("{{ {holds}found: {} }}", in_quotes(&finding.found))
}

pub(super) fn text(probed: &Probed) -> String {
    let mut out = String::from(
        "# Written by `crossdock system probe`: what the real system did, by its host. A write counts as its description says only where\n# `holds` is true, and only for connections to that host.\n",
    );
    out.push_str(&format!("system: {}\nhosts:{}\n", in_quotes(&probed.system), if probed.hosts.is_empty() { " []" } else { "" }));
    for host in &probed.hosts {
        of_host(host, &mut out);
    }
    out
}

fn of_host(of: &ProbedHost, out: &mut String) {
    out.push_str(&format!("  - host: {}\n    at: {}\n", in_quotes(&of.host), in_quotes(&of.at)));
    if !of.connection.is_empty() {
        out.push_str("    connection:\n");
    }
    for (name, found) in &of.connection {
        out.push_str(&format!("      {}: {}\n", in_quotes(name), finding(found)));
    }
    if !of.objects.is_empty() {
        out.push_str("    objects:\n");
    }
    for (name, object) in &of.objects {
        out.push_str(&format!("      {}:\n", in_quotes(name)));
        out.push_str(if object.reads.is_empty() { "        reads: {}\n" } else { "        reads:\n" });
        for (name, found) in &object.reads {
            out.push_str(&format!("          {}: {}\n", in_quotes(name), finding(found)));
        }
        if !object.writes.is_empty() {
            out.push_str("        writes:\n");
        }
        for (name, write) in &object.writes {
            out.push_str(&format!("          {}:\n            described: {}\n", in_quotes(name), in_quotes(&write.described)));
            if let Some(holds) = write.holds {
                out.push_str(&format!("            holds: {holds}\n"));
            }
            out.push_str(&format!("            found: {}\n", in_quotes(&write.found)));
            if let Some(after) = &write.readable_after {
                out.push_str(&format!("            readable_after: {}\n", in_quotes(after)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use indexmap::IndexMap;
    use proptest::prelude::*;

    use super::*;
    use crate::system::{ProbedObject, ProbedWrite};
    use crate::yaml;

    fn findings() -> impl Strategy<Value = IndexMap<String, Finding>> {
        let finding = (any::<Option<bool>>(), any::<String>()).prop_map(|(holds, found)| Finding { holds, found });
        prop::collection::hash_map(any::<String>(), finding, 0..3).prop_map(|found| found.into_iter().collect())
    }

    fn objects() -> impl Strategy<Value = IndexMap<String, ProbedObject>> {
        let write = (any::<String>(), any::<Option<bool>>(), any::<String>(), any::<Option<String>>())
            .prop_map(|(described, holds, found, readable_after)| ProbedWrite { described, holds, found, readable_after });
        let writes = prop::collection::hash_map(any::<String>(), write, 0..3).prop_map(|writes| writes.into_iter().collect());
        let object = (findings(), writes).prop_map(|(reads, writes)| ProbedObject { reads, writes });
        prop::collection::hash_map(any::<String>(), object, 0..3).prop_map(|objects| objects.into_iter().collect())
    }

    proptest! {
        /// Systems say of themselves what they like.
        #[test]
        fn what_was_found_is_read_as_it_was_written(system in any::<String>(), hosts in prop::collection::vec((any::<String>(), any::<String>(), findings(), objects()), 0..3)) {
            let hosts = hosts.into_iter().map(|(host, at, connection, objects)| ProbedHost { host, at, connection, objects }).collect();
            let probed = Probed { system, hosts };
            let written = text(&probed);
            let read: Probed = yaml::typed(&written).map_err(|error| TestCaseError::fail(format!("{error}: {written}")))?;
            prop_assert_eq!(read, probed, "{}", written);
        }
    }
}
