//! The text of `probe.yaml`.

use crate::system::{Finding, Probed};

/// Every text in quotes, as in JSON, which YAML reads as it is.
fn text_of(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn finding(finding: &Finding) -> String {
    let holds = finding.holds.map_or_else(String::new, |holds| format!("holds: {holds}, "));
    format!("{{ {holds}found: {} }}", text_of(&finding.found))
}

pub(super) fn text(probed: &Probed) -> String {
    let mut out = String::from(
        "# Written by `crossdock system probe`: what the real system did. A write counts as its description says only where `holds` is true.\n",
    );
    out.push_str(&format!("system: {}\nhost: {}\nat: {}\n", text_of(&probed.system), text_of(&probed.host), text_of(&probed.at)));
    if !probed.connection.is_empty() {
        out.push_str("connection:\n");
    }
    for (name, found) in &probed.connection {
        out.push_str(&format!("  {}: {}\n", text_of(name), finding(found)));
    }
    if !probed.objects.is_empty() {
        out.push_str("objects:\n");
    }
    for (name, object) in &probed.objects {
        out.push_str(&format!("  {}:\n", text_of(name)));
        out.push_str(if object.reads.is_empty() { "    reads: {}\n" } else { "    reads:\n" });
        for (name, found) in &object.reads {
            out.push_str(&format!("      {}: {}\n", text_of(name), finding(found)));
        }
        if !object.writes.is_empty() {
            out.push_str("    writes:\n");
        }
        for (name, write) in &object.writes {
            out.push_str(&format!("      {}:\n        described: {}\n", text_of(name), text_of(&write.described)));
            if let Some(holds) = write.holds {
                out.push_str(&format!("        holds: {holds}\n"));
            }
            out.push_str(&format!("        found: {}\n", text_of(&write.found)));
            if let Some(after) = &write.readable_after {
                out.push_str(&format!("        readable_after: {}\n", text_of(after)));
            }
        }
    }
    out
}
