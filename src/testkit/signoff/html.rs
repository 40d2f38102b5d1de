//! The document as one page: nothing is fetched, it prints on paper, and it can be searched.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Change, Document, FieldPart, FlowPart, TablePart, WritePart};

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
                (tables(document))
                (promises(document))
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
            @if !document.tables.is_empty() { a href="#tables" { "lookup tables" } " " }
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
                                td data-label="Where" { (change.at) }
                                td.was data-label="Was" { @match &change.was { Some(text) => { (text) }, None => { span.dim { "new" } } } }
                                td.is data-label="Is" { @match &change.is { Some(text) => { (text) }, None => { span.dim { "gone" } } } }
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
                @for one in &flow.settings { dt { (one.word) } dd { code { (one.is) } } }
            }
            @for write in &flow.writes { (write_part(write)) }
            @for route in &flow.routes {
                h3 { "Routing" }
                table {
                    thead { tr { th { "When" } @for name in &route.results { th { (name) } } } }
                    tbody {
                        @for (condition, results) in &route.rows {
                            tr {
                                td data-label="When" { code { (condition) } }
                                @if results.len() == route.results.len() { @for (name, one) in route.results.iter().zip(results) { td data-label=(name) { (one) } } }
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
                                td data-label="What happens" { (reason.what) }
                                td data-label="When" { code { (reason.when) } }
                                td data-label="What is said" { (reason.message) }
                                td data-label="To whom" { (reason.owner.as_deref().unwrap_or("")) }
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
            @if let Some(repeat) = &write.repeat { "Made " code { (repeat) } ". " }
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
            td data-label="Field" {
                strong { (field.field) }
                @if let Some(label) = &field.label { br; (label) }
                br; span.dim { (field.takes) }
            }
            td data-label="Source" { @for source in &field.sources { (source) br; } }
            td data-label="Rule" { code { (field.rule) } br; span.dim { (field.place) } }
            td data-label="Where the source is empty" { (field.empty) }
            td data-label="Example" {
                @if let Some(shown) = &field.example {
                    @match &shown.sent { Some(sent) => { strong { (sent) } }, None => { span.dim { "(not sent)" } } }
                    span.read { @for (path, value) in &shown.read { br; span.dim { (path) " = " (value) } } br; span.dim { (shown.record) } }
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
                            @for (from, to) in &map.rows { tr { td data-label="From" { (from) } td data-label="To" { (to) } } }
                            tr { td.dim data-label="From" { "anything else" } td data-label="To" { (map.otherwise) } }
                        }
                    }
                }
            }
        }
    }
}

fn tables(document: &Document) -> Markup {
    html! {
        @if !document.tables.is_empty() {
            section #tables {
                h2 { "Lookup tables" }
                @for table in &document.tables { (table_part(table)) }
            }
        }
    }
}

fn table_part(table: &TablePart) -> Markup {
    html! {
        h3 { (table.name) }
        p { @if let Some(about) = &table.about { (about) " " } span.dim { (table.path) ", " (table.rows.len()) " rows" } }
        table {
            thead { tr { @for name in &table.columns { th { (name) } } } }
            tbody { @for row in &table.rows { tr { @for (name, cell) in table.columns.iter().zip(row) { td data-label=(name) { (cell) } } } } }
        }
    }
}

fn promises(document: &Document) -> Markup {
    html! {
        @if !document.promises.is_empty() {
            section #promises {
                h2 { "Promises" }
                table {
                    thead { tr { th { "Promise" } th { "What" } th { "What is said where it is not kept" } th { "To whom" } } }
                    tbody {
                        @for one in &document.promises {
                            tr {
                                td data-label="Promise" { (one.name) @if let Some(about) = &one.about { br; span.dim { (about) } } }
                                td data-label="What" { (one.is) }
                                td data-label="What is said where it is not kept" { (one.message) }
                                td data-label="To whom" { (one.owner.as_deref().unwrap_or("")) }
                            }
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
