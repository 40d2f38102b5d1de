//! The document as a workbook, for those who live in Excel: one sheet for each kind of thing, filtered and frozen.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::{Change, Document};

/// The workbook's bytes. `since`: what was signed last, and what has changed.
///
/// # Errors
/// A text is longer than a cell of Excel's holds (32,767 characters), or there are more rows than a sheet holds.
pub fn xlsx(document: &Document, since: Option<(&Document, &[Change])>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    about(workbook.add_worksheet(), document, since.map(|(old, _)| old))?;
    let fields = document.flows.iter().flat_map(|flow| {
        flow.writes.iter().flat_map(move |write| {
            let name = write.after.as_ref().map_or_else(|| write.name.clone(), |after| format!("when {after}: {}", write.name));
            write.fields.iter().map(move |field| {
                let shown = field.example.as_ref();
                let read = shown.map(|shown| shown.read.iter().map(|(path, value)| format!("{path} = {value}")).collect::<Vec<_>>().join("\n"));
                let sent = shown.map(|shown| shown.sent.clone().unwrap_or_else(|| "(not sent)".to_owned()));
                vec![
                    flow.name.clone(),
                    name.clone(),
                    field.field.clone(),
                    field.label.clone().unwrap_or_default(),
                    field.takes.clone(),
                    field.sources.join("\n"),
                    field.rule.clone(),
                    field.empty.clone(),
                    sent.unwrap_or_default(),
                    read.unwrap_or_default(),
                    field.place.clone(),
                ]
            })
        })
    });
    let columns = [
        ("Flow", 18.0),
        ("Write", 22.0),
        ("Field", 26.0),
        ("Label", 20.0),
        ("Takes", 22.0),
        ("Source", 34.0),
        ("Rule", 48.0),
        ("Where the source is empty", 34.0),
        ("Example", 26.0),
        ("Example: what was read", 40.0),
        ("Line", 18.0),
    ];
    sheet(workbook.add_worksheet(), "Fields", &columns, fields)?;
    let reasons = document.flows.iter().flat_map(|flow| {
        flow.reasons.iter().map(move |reason| {
            let owner = reason.owner.clone().unwrap_or_default();
            vec![flow.name.clone(), reason.what.clone(), reason.when.clone(), reason.message.clone(), owner, reason.place.clone()]
        })
    });
    let columns = [("Flow", 18.0), ("What happens", 18.0), ("When", 60.0), ("What is said", 60.0), ("To whom", 20.0), ("Line", 18.0)];
    sheet(workbook.add_worksheet(), "Reasons", &columns, reasons)?;
    let values = document.values.iter().flat_map(|map| {
        let row = |from: String, to: String| vec![map.name.clone(), from, to, map.from.clone(), map.to.clone(), map.place.clone()];
        let rows: Vec<Vec<String>> = map.rows.iter().map(|(from, to)| row(from.clone(), to.clone())).collect();
        rows.into_iter().chain([row("anything else".to_owned(), map.otherwise.clone())])
    });
    let columns = [("Value map", 22.0), ("From", 30.0), ("To", 30.0), ("From values of", 30.0), ("To values of", 30.0), ("Line", 18.0)];
    sheet(workbook.add_worksheet(), "Value maps", &columns, values)?;
    let routes = document.flows.iter().flat_map(|flow| {
        flow.routes.iter().flat_map(move |route| {
            let results = route.results.join(", ");
            route.rows.iter().map(move |(condition, found)| vec![flow.name.clone(), condition.clone(), results.clone(), found.join(", ")])
        })
    });
    sheet(workbook.add_worksheet(), "Routing", &[("Flow", 18.0), ("When", 70.0), ("Decides", 26.0), ("Result", 50.0)], routes)?;
    let names = document.flows.iter().flat_map(|flow| {
        let row = |kind: &str, name: &str, is: &str, place: &str| {
            vec![flow.name.clone(), kind.to_owned(), name.to_owned(), is.to_owned(), place.to_owned()]
        };
        let mut rows = vec![row("records of", &flow.source, &flow.eligible.join(" and "), "")];
        rows.extend(flow.when.iter().map(|when| row("when", when, "", "")));
        rows.extend(flow.settings.iter().map(|one| row("setting", &one.word, &one.is, "")));
        rows.extend(flow.matches.iter().map(|one| row("belongs to", &one.name, &one.is, &one.place)));
        rows.extend(flow.lets.iter().map(|one| row("name", &one.name, &one.is, &one.place)));
        rows
    });
    let columns = [("Flow", 18.0), ("Kind", 14.0), ("Name", 28.0), ("What it stands for", 80.0), ("Line", 18.0)];
    sheet(workbook.add_worksheet(), "Names", &columns, names)?;
    let tables = document.tables.iter().flat_map(|table| {
        table.rows.iter().map(move |row| {
            let (key, rest) = row.split_at(table.keys.min(row.len()));
            let values = table.columns.iter().skip(table.keys).zip(rest).map(|(name, cell)| format!("{name}: {cell}"));
            vec![table.name.clone(), key.join(", "), values.collect::<Vec<_>>().join("\n"), table.path.clone()]
        })
    });
    sheet(workbook.add_worksheet(), "Tables", &[("Table", 22.0), ("Key", 30.0), ("Values", 60.0), ("File", 30.0)], tables)?;
    let promises = document
        .promises
        .iter()
        .map(|one| vec![one.name.clone(), one.is.clone(), one.message.clone(), one.owner.clone().unwrap_or_default(), one.place.clone()]);
    let columns = [("Promise", 22.0), ("What", 60.0), ("What is said where it is not kept", 60.0), ("To whom", 20.0), ("Line", 18.0)];
    sheet(workbook.add_worksheet(), "Promises", &columns, promises)?;
    if let Some((_, changes)) = since {
        let rows = changes.iter().map(|change| {
            let text = |of: &Option<String>, none: &str| of.clone().unwrap_or_else(|| none.to_owned());
            vec![change.at.clone(), text(&change.was, "(new)"), text(&change.is, "(gone)")]
        });
        sheet(workbook.add_worksheet(), "Changes", &[("Where", 60.0), ("Was", 60.0), ("Is", 60.0)], rows)?;
    }
    workbook.save_to_buffer()
}

fn about(sheet: &mut Worksheet, document: &Document, old: Option<&Document>) -> Result<(), XlsxError> {
    sheet.set_name("Sign-off")?;
    sheet.set_column_width(0, 24)?;
    sheet.set_column_width(1, 80)?;
    let bold = Format::new().set_bold();
    let mut rows = vec![
        ("Project", document.project.clone()),
        ("Environment", document.environment.clone().unwrap_or_default()),
        ("Made on", document.made.clone()),
        ("Plan", document.plan.clone()),
        ("Time zone", document.time_zone.clone()),
    ];
    if let Some(old) = old {
        rows.push(("Signed last", format!("{}, plan {}", old.made, old.plan)));
    }
    rows.extend([("", String::new()), ("For the client", String::new()), ("For the consultant", String::new()), ("Date", String::new())]);
    rows.extend([("", String::new()), ("Parameters", String::new())]);
    let parameters = document.parameters.iter().map(|one| (one.name.as_str(), one.is.clone()));
    for (at, (name, text)) in (0_u32..).zip(rows.iter().map(|(name, text)| (*name, text.clone())).chain(parameters)) {
        sheet.write_string_with_format(at, 0, name, &bold)?;
        // Always as text: what looks like a number or a formula stays what it is.
        sheet.write_string(at, 1, &text)?;
    }
    printed(sheet);
    Ok(())
}

/// On paper: A4 across, all columns on one page, the sheet's name and the page below.
fn printed(sheet: &mut Worksheet) {
    sheet.set_landscape();
    sheet.set_paper_size(9);
    // As many pages as it takes, downwards.
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.5, 0.5, 0.2, 0.2);
    sheet.set_footer("&L&A&RPage &P of &N");
}

fn sheet(sheet: &mut Worksheet, name: &str, columns: &[(&str, f64)], rows: impl Iterator<Item = Vec<String>>) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    let head = Format::new().set_bold().set_background_color("#EEF1F4").set_border(FormatBorder::Thin);
    let cell = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    for (at, (title, width)) in (0_u16..).zip(columns) {
        sheet.write_string_with_format(0, at, *title, &head)?;
        sheet.set_column_width(at, *width)?;
    }
    let mut last = 0;
    for (line, row) in (1_u32..).zip(rows) {
        for (at, text) in (0_u16..).zip(&row) {
            sheet.write_string_with_format(line, at, text, &cell)?;
        }
        last = line;
    }
    sheet.set_freeze_panes(1, 0)?;
    printed(sheet);
    sheet.set_repeat_rows(0, 0)?;
    sheet.autofilter(0, 0, last.max(1), u16::try_from(columns.len().saturating_sub(1)).unwrap_or(0))?;
    Ok(())
}
