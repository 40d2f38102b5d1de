//! The document as one page: nothing is fetched, it prints on paper, and it can be searched.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Change, Document, FieldPart, FlowPart, WritePart};

const STYLE: &str = include_str!("style.css");

/// The page. `since`: what was signed last, by its day and its plan, and what has changed.
pub fn html(document: &Document, since: Option<(&Document, &[Change])>) -> String {
    let environment = document.environment.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let title = format!("{}{environment}: mapping for sign-off", document.project);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p { "Made on " (document.made) ". Plan " code { (document.plan) } ". " span.dim { "Time zone " (document.time_zone) "." } }
                }
                (contents(document))
                (changed(since))
                @for flow in &document.flows { (flow_part(flow)) }
                (values(document))
                (parameters(document))
                (signatures(document))
            }
        }
    };
    page.into_string()
}

fn anchor(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn contents(document: &Document) -> Markup {
    html! {
        nav {
            @for flow in &document.flows { a href={ "#" (anchor(&flow.name)) } { (flow.name) } " " }
            @if !document.values.is_empty() { a href="#values" { "value maps" } " " }
            a href="#sign" { "signatures" }
        }
    }
}

fn changed(since: Option<(&Document, &[Change])>) -> Markup {
    let Some((old, changes)) = since else { return html! {} };
    html! {
        section #changes {
            h2 { "What has changed since " (old.made) }
            p.dim { "Signed then: plan " code { (old.plan) } "." }
            @if changes.is_empty() {
                p { "Nothing." }
            } @else {
                table {
                    thead { tr { th { "Where" } th { "Was" } th { "Is" } } }
                    tbody {
                        @for change in changes {
                            tr {
                                td { (change.at) }
                                td.was { @match &change.was { Some(text) => { (text) }, None => { span.dim { "new" } } } }
                                td.is { @match &change.is { Some(text) => { (text) }, None => { span.dim { "gone" } } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn flow_part(flow: &FlowPart) -> Markup {
    html! {
        section id=(anchor(&flow.name)) {
            h2 { (flow.name) }
            @if let Some(about) = &flow.about { p { (about) } }
            dl {
                dt { "From" } dd { (flow.source) }
                dt { "When" } dd { @for one in &flow.when { (one) br; } }
                @if !flow.eligible.is_empty() {
                    dt { "Which records" } dd { @for one in &flow.eligible { code { (one) } br; } }
                }
                @if !flow.matches.is_empty() {
                    dt { "Belongs to" } dd { @for one in &flow.matches { (one.name) " by " code { (one.is) } br; } }
                }
            }
            @for write in &flow.writes { (write_part(write)) }
            @for route in &flow.routes {
                h3 { "Routing" }
                table {
                    thead { tr { th { "When" } @for name in &route.results { th { (name) } } } }
                    tbody {
                        @for (condition, results) in &route.rows {
                            tr {
                                td { code { (condition) } }
                                @if results.len() == route.results.len() { @for one in results { td { (one) } } }
                                @else { td colspan=(route.results.len()) { @for one in results { (one) } } }
                            }
                        }
                    }
                }
            }
            @if !flow.reasons.is_empty() {
                h3 { "Reasons for which a record stops" }
                table {
                    thead { tr { th { "What happens" } th { "When" } th { "What is said" } th { "To whom" } } }
                    tbody {
                        @for reason in &flow.reasons {
                            tr {
                                td { (reason.what) }
                                td { code { (reason.when) } }
                                td { (reason.message) }
                                td { (reason.owner.as_deref().unwrap_or("")) }
                            }
                        }
                    }
                }
            }
            @if !flow.lets.is_empty() {
                h3 { "Names used above" }
                table { tbody { @for one in &flow.lets { tr { th { (one.name) } td { code { (one.is) } } } } } }
            }
        }
    }
}

fn write_part(write: &WritePart) -> Markup {
    html! {
        h3 { @if let Some(after) = &write.after { "When " (after) ": " } (write.name) }
        p {
            @if let Some(condition) = &write.condition { "Only when " code { (condition) } ". " }
            @if let Some(key) = &write.key { "Key: " code { (key) } "; " }
            (write.guarantee) "."
        }
        table.fields {
            thead { tr { th { "Field" } th { "Source" } th { "Rule" } th { "Where the source is empty" } th { "Example" } } }
            tbody { @for field in &write.fields { (field_row(field)) } }
        }
    }
}

fn field_row(field: &FieldPart) -> Markup {
    html! {
        tr {
            td { strong { (field.field) } br; span.dim { (field.takes) } }
            td { @for source in &field.sources { (source) br; } }
            td { code { (field.rule) } br; span.dim { (field.place) } }
            td { (field.empty) }
            td {
                @if let Some(shown) = &field.example {
                    @match &shown.sent { Some(sent) => { strong { (sent) } }, None => { span.dim { "(not sent)" } } }
                    @for (path, value) in &shown.read { br; span.dim { (path) " = " (value) } }
                    br; span.dim { (shown.record) }
                }
            }
        }
    }
}

fn values(document: &Document) -> Markup {
    html! {
        @if !document.values.is_empty() {
            section #values {
                h2 { "Value maps" }
                @for map in &document.values {
                    h3 { (map.name) }
                    p { @if let Some(about) = &map.about { (about) " " } span.dim { (map.from) " to " (map.to) ", " (map.place) } }
                    table {
                        tbody {
                            @for (from, to) in &map.rows { tr { td { (from) } td { (to) } } }
                            tr { td.dim { "anything else" } td { (map.otherwise) } }
                        }
                    }
                }
            }
        }
    }
}

fn parameters(document: &Document) -> Markup {
    html! {
        @if !document.parameters.is_empty() {
            section {
                h2 { "Parameters" }
                table { tbody { @for one in &document.parameters { tr { th { (one.name) } td { (one.is) } td.dim { (one.place) } } } } }
            }
        }
    }
}

fn signatures(document: &Document) -> Markup {
    html! {
        section #sign {
            h2 { "Signatures" }
            p { "This describes the plan " code { (document.plan) } ", and no other: " code { "crossdock plan" } " prints the hash of what runs." }
            table.sign {
                thead { tr { th { "For" } th { "Name" } th { "Date" } th { "Signature" } } }
                tbody { @for who in ["the client", "the consultant"] { tr { td { (who) } td {} td {} td {} } } }
            }
        }
    }
}
