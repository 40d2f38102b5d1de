//! Files that come from elsewhere: in other encodings, with nothing in them, broken off. They are read, or refused with their
//! place and what to do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::common::{copied, crossdock, put};

const CONFIG: &str = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\n";

const MAPPING: &str = r#"edition 1

flow orders {
  from crm.Order as order { every 5 minutes }

  validate {
    require order.OrderNumber "the order has no number"
  }

  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber = order.OrderNumber
    orderDate   = order.CreatedDate
    orderStatus = awaiting_shipment
    billTo { name = order.Id }
    shipTo { name = order.Id }
  }
  when order is gone { update crm.Order of order { Description = "gone" } }
}
"#;

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let given: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let usual = [("crossdock.yaml", CONFIG), ("orders.dock", MAPPING)];
    put(folder.path(), usual.iter().filter(|(name, _)| !given.contains(name)).chain(files).copied());
    folder
}

/// A text in an encoding that programs on Windows write.
fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        "UTF-8 with a mark" => ["\u{feff}", text].concat().into_bytes(),
        "UTF-16 LE" => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        "UTF-16 BE" => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
        _ => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    }
}

/// Every command that reads records reads them in the encodings that programs write, and all of them.
#[test]
fn records_in_utf_16_and_with_a_byte_order_mark_are_read_everywhere() {
    let order =
        |id: &str, number: &str| format!("{{\"Id\":\"8015g000000000{id}AAA\",\"OrderNumber\":{number},\"CreatedDate\":\"2026-03-01T10:00:00Z\"}}");
    let jsonl = format!("{}\r\n{}\r\n", order("1", "\"Zoë-1\""), order("2", "null"));
    let csv = "Id,OrderNumber,CreatedDate\r\n8015g0000000001AAA,Zoë-1,2026-03-01T10:00:00Z\r\n8015g0000000002AAA,,2026-03-01T10:00:00Z\r\n";
    let json = format!("[{},\r\n{}]", order("1", "\"Zoë-1\""), order("2", "null"));
    for encoding in ["UTF-8 with a mark", "UTF-16 LE", "UTF-16 BE", "UTF-16 without a mark"] {
        for (name, text) in [("in.jsonl", jsonl.as_str()), ("in.csv", csv), ("in.json", &json)] {
            let folder = project(&[]);
            let at = folder.path();
            std::fs::write(at.join(name), encoded(text, encoding)).unwrap();
            let (code, said) = crossdock(at, &["run", "--records", name, "--out", "out"]);
            assert!(code == Some(0) && said.contains("2 records: 1 to send, 0 to review, 1 rejected"), "{encoding} {name}: {said}");
            assert!(std::fs::read_to_string(at.join("out/wms.Order.jsonl")).unwrap().contains("Zoë-1"), "{encoding} {name}");
            assert!(!std::fs::read_to_string(at.join("out/stopped.jsonl")).unwrap().contains("Zoë"), "{encoding} {name}");
            let (code, said) = crossdock(at, &["preview", name]);
            assert!(said.contains("2 records: 1 to send, 0 to review, 1 rejected"), "{encoding} {name}: {code:?} {said}");
            let (code, said) = crossdock(at, &["diff", ".", ".", "--records", name]);
            assert!(code == Some(0) && said.contains("2 records compared, 2 the same"), "{encoding} {name}: {said}");
            let (code, said) = crossdock(at, &["unmapped", "--records", name]);
            assert!(code == Some(0) && said.contains("of 3 filled fields"), "{encoding} {name}: {said}");
            let (code, said) = crossdock(at, &["schema", "infer", name]);
            assert!(code == Some(0) && said.contains("OrderNumber"), "{encoding} {name}: {said}");
        }
    }
}

/// Names of a kind that the snapshot does not have are told by `check`; where there is no snapshot, they are left to the run.
#[test]
fn a_snapshot_of_names_that_lacks_a_kind_is_told() {
    let mapping = MAPPING.replace("    billTo", "    advancedOptions { warehouseId = \"Reno CD\" }\n    billTo");
    for names in ["{}", "{ \"Store\": [] }", "{ \"Warehouse\": [] }", "{ \"Warehouse\": [{ \"name\": \"Reno DC\", \"id\": 4401 }] }"] {
        let folder = project(&[("orders.dock", &mapping), ("schemas/wms/names.json", names)]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(1) && said.contains("E0308") && said.contains("Reno CD"), "{names}: {said}");
        let lead = if names.contains("Reno DC") { "did you mean \"Reno DC\"" } else { "crossdock schema pull wms" };
        assert!(said.contains(lead), "{names}: {said}");
    }
    let folder = project(&[("orders.dock", &mapping)]);
    let (code, said) = crossdock(folder.path(), &["check"]);
    assert_eq!(code, Some(0), "{said}");
}

/// A table that has headings and no row is a doubt: each look-up finds nothing.
#[test]
fn a_table_without_rows_is_told() {
    let table = "table kits from \"kits.csv\" {\n  key kit: text\n  sku: text\n}\n\nflow";
    let mapping = MAPPING.replacen("flow", table, 1).replace("= order.OrderNumber", "= kits(order.Id).sku ?? order.OrderNumber");
    for (rows, told) in [("kit,sku\n", true), ("kit,sku", true), ("kit,sku\r\n,\r\n\r\n", true), ("kit,sku\nA,B\n", false)] {
        let folder = project(&[("orders.dock", &mapping), ("kits.csv", rows)]);
        let (_, said) = crossdock(folder.path(), &["check"]);
        assert_eq!(said.contains("W0531") && said.contains("finds nothing"), told, "{rows:?}: {said}");
    }
}

/// A project without connections is one message, and not one for each object of each mapping.
#[test]
fn a_project_without_connections_is_one_message() {
    for text in ["", "# nothing yet\n", "time_zone: UTC\n", "connections:\n"] {
        let folder = project(&[("crossdock.yaml", text)]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(1) && said.contains("names no connection") && said.contains("1 error"), "{text:?}: {said}");
        assert!(!said.contains("E0105"), "{text:?}: {said}");
    }
    // What is wrong with the setting is the cause.
    for text in ["connections: []\n", "connections: yes\n", "conections: { crm: { system: salesforce } }\n"] {
        let folder = project(&[("crossdock.yaml", text)]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(1) && !said.contains("names no connection") && said.contains("1 error"), "{text:?}: {said}");
    }
}

/// What a library says of itself is not told.
#[test]
fn yaml_that_is_none_is_told_without_the_librarys_own_words() {
    let deep = format!("connections: {}{}\n", "[".repeat(3_000), "]".repeat(3_000));
    let twice = "connections:\n  crm: { system: salesforce }\n  crm: { system: salesforce }\n";
    for text in [deep.as_str(), twice] {
        let folder = project(&[("crossdock.yaml", text)]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert_eq!(code, Some(1), "{said}");
        for own in ["Policy", "Options", "budget", "Nodes", "breached"] {
            assert!(!said.contains(own), "{own}: {said}");
        }
    }
}

/// Commands that are given nothing to work on, or something else than they take, say so and what to do.
#[test]
fn what_a_command_cannot_work_on_is_told() {
    let folder = project(&[("none.jsonl", "\n"), ("no.db", "not a store"), ("signoff/signed.json", "{ broken")]);
    let at = folder.path();
    for (arguments, words, not) in [
        (&["diff", ".", ".", "--records", "none.jsonl"][..], "`none.jsonl` holds no record", "0 records compared"),
        (&["run", "--records", "none.jsonl", "--workers", "0"], "--workers", "0 records"),
        (&["docs", "--sign"], "remove it", "wrote"),
    ] {
        let (code, said) = crossdock(at, arguments);
        assert!(code.is_some_and(|code| code > 0) && said.contains(words) && !said.contains(not), "{arguments:?}: {code:?} {said}");
    }
}

/// Old line ends are read; a NUL is told at its place, and not as a mistake of the mapping.
#[test]
fn line_ends_of_any_kind_are_read_and_a_nul_is_told() {
    let ends = |text: &str, end: &str| text.replace('\n', end);
    for end in ["\r", "\r\n"] {
        let folder = project(&[("crossdock.yaml", &ends(CONFIG, end)), ("orders.dock", &ends(MAPPING, end))]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(0) && said.contains("no errors"), "{end:?}: {code:?} {said}");
    }
    for (name, text) in [("orders.dock", MAPPING), ("crossdock.yaml", CONFIG)] {
        let damaged = format!("{}\0{}", &text[..40], &text[40..]);
        let folder = project(&[(name, &damaged)]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(1) && said.contains("a NUL character") && said.contains("1 error"), "{name}: {said}");
    }
}

/// A column that a flow reads and a file lacks, by its letters or altogether, is refused with the column's name and the place:
/// by `check` for the project's own file, by `run` and `preview` for another. Columns that nobody reads are nobody's concern.
#[test]
fn columns_that_are_read_and_not_there_are_refused() {
    let folder = copied("files-demo");
    let orders = std::fs::read_to_string(folder.path().join("data/orders.csv")).unwrap();
    let headed = |from: &str, to: &str| orders.replacen(from, to, 1);
    for (text, column, help) in [
        (headed("postcode", "Postcode"), "no column `postcode`", "`Postcode`"),
        (headed("weight_kg", "grams"), "no column `weight_kg`", "add the column `weight_kg`"),
        (headed("sku", "buyer"), "two columns `buyer`", "another heading"),
    ] {
        std::fs::write(folder.path().join("data/orders.csv"), &text).unwrap();
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(1) && said.contains("E0402") && said.contains("crossdock.yaml:3") && said.contains("1 error"), "{said}");
        assert!(said.contains(column) && said.contains(help), "{said}");
        std::fs::write(folder.path().join("data/orders.csv"), &orders).unwrap();
        std::fs::write(folder.path().join("other.csv"), &text).unwrap();
        for command in [&["run", "--records", "other.csv"][..], &["preview", "other.csv"]] {
            let (code, said) = crossdock(folder.path(), command);
            assert!(code == Some(2) && said.contains("other.csv:1: ") && said.contains(column), "{command:?}: {code:?} {said}");
        }
    }
    // Another order of columns, a blank beside a heading, and a column that nobody reads.
    let more: String = orders.lines().enumerate().map(|(at, line)| format!("{}, {line}\n", if at == 0 { "note" } else { "x" })).collect();
    std::fs::write(folder.path().join("data/orders.csv"), more).unwrap();
    let (code, said) = crossdock(folder.path(), &["check"]);
    assert!(code == Some(0), "{said}");
}

/// A warehouse's export and a client's tables, in the encodings that their programs write.
#[test]
fn csv_files_in_other_encodings_are_read_where_the_project_says_so() {
    let mapping = MAPPING
        .replace("flow orders {", "table names from \"tables/names.csv\" {\n  key code: text\n  name: text\n}\n\nflow orders {")
        .replace("billTo { name = order.Id }", "billTo { name = names(order.OrderNumber).name ?? \"none\" }");
    let rows = "Id,OrderNumber,CreatedDate\r\n8015g0000000001AAA,Groß €,2026-03-01T10:00:00Z\r\n";
    let one_byte =
        |text: &str, euro: u8| -> Vec<u8> { text.chars().map(|c| if c == '€' { euro } else { u8::try_from(u32::from(c)).unwrap() }).collect() };
    let utf_16 = |text: &str| encoded(text, "UTF-16 LE");
    for (encoding, bytes) in [
        ("windows-1252", &(|text: &str| one_byte(text, 0x80)) as &dyn Fn(&str) -> Vec<u8>),
        ("iso-8859-15", &|text: &str| one_byte(text, 0xa4)),
        ("utf-16", &utf_16),
    ] {
        let config =
            format!("{CONFIG}csv:\n  tables/*.csv: {{ encoding: {encoding}, separator: \"^\" }}\n  export.csv: {{ encoding: {encoding} }}\n");
        let folder = project(&[("crossdock.yaml", &config), ("orders.dock", &mapping), ("tables/names.csv", "")]);
        let at = folder.path();
        std::fs::write(at.join("tables/names.csv"), bytes("code^name\r\nGroß €^Zoë, Ltd\r\n")).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("export.csv"), bytes(rows)).unwrap();
        let export = elsewhere.path().join("export.csv").display().to_string();
        let (code, said) = crossdock(at, &["check"]);
        assert_eq!(code, Some(0), "{encoding}: {said}");
        let (code, said) = crossdock(at, &["preview", &export, "--project", "."]);
        assert!(code == Some(0) && said.contains("Zoë, Ltd") && said.contains("Groß €"), "{encoding}: {said}");
        let (code, said) = crossdock(at, &["run", ".", "--records", &export, "--out", "out"]);
        let made = std::fs::read_to_string(at.join("out/wms.Order.jsonl")).unwrap_or_default();
        assert!(code == Some(0) && made.contains("Zoë, Ltd") && made.contains("Groß €"), "{encoding}: {said} {made}");
        let (code, said) = crossdock(at, &["unmapped", "--records", &export]);
        assert!(code == Some(0), "{encoding}: {said}");
    }
}

/// What is in another encoding than is said, or than it may be, is told with its line and the way out.
#[test]
fn a_csv_file_in_a_wrong_encoding_is_told_with_its_line() {
    let mapping = MAPPING.replace("flow orders {", "table names from \"tables/names.csv\" {\n  key code: text\n  name: text\n}\n\nflow orders {");
    let folder = project(&[("orders.dock", &mapping), ("tables/names.csv", "")]);
    let at = folder.path();
    std::fs::write(at.join("tables/names.csv"), b"code,name\na,b\nGro\xdf,c\n").unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert!(code == Some(1) && said.contains("tables/names.csv:3") && said.contains("encoding: windows-1252"), "{said}");
    std::fs::write(at.join("crossdock.yaml"), format!("{CONFIG}csv:\n  tables/names.csv: {{ encoding: utf-8 }}\n")).unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert!(code == Some(1) && said.contains("line 3 is not valid UTF-8"), "{said}");
    std::fs::write(at.join("tables/names.csv"), b"code,name\na,b\n").unwrap();
    std::fs::write(at.join("orders.csv"), b"Id,OrderNumber,CreatedDate\n1,Gro\xdf,2026-03-01T10:00:00Z\n").unwrap();
    let (code, said) = crossdock(at, &["run", "--records", "orders.csv", "--out", "out"]);
    assert!(code != Some(0) && said.contains("encoding: windows-1252"), "{said}");
}

/// Tables and records are cut by one rule, and where another sign separates the cells, the setting is named once.
#[test]
fn what_separates_cells_is_detected_alike_and_the_setting_is_named_where_it_is_another() {
    let mapping = MAPPING
        .replace("flow orders {", "table names from \"tables/names.csv\" {\n  key code: text\n  name: text\n}\n\nflow orders {")
        .replace("billTo { name = order.Id }", "billTo { name = names(order.OrderNumber).name ?? \"none\" }");
    for (text, setting, help) in [
        ("code|name\na|b\n", "", None),
        ("\"code\";\"name, in full\"\na;b\n", "", Some("has no column `name`")),
        ("code^name\na^b\n", "", Some("csv: { tables/names.csv: { separator: \"^\" } }")),
        ("code^name\na^b\n", "separator: \"^\"", None),
        ("code,name\na,b\n", "separator: \";\"", Some("has no `;`, which `separator` under `csv`")),
        ("sku\na\n", "", Some("the first line of tables/names.csv has the headings")),
    ] {
        let config = if setting.is_empty() { CONFIG.to_owned() } else { format!("{CONFIG}csv:\n  tables/names.csv: {{ {setting} }}\n") };
        let folder = project(&[("crossdock.yaml", &config), ("orders.dock", &mapping), ("tables/names.csv", text)]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        match help {
            None => assert!(code == Some(0), "{text}: {said}"),
            Some(help) => assert!(code == Some(1) && said.contains("E0402") && said.contains("1 error") && said.contains(help), "{text}: {said}"),
        }
    }
    let folder = copied("files-demo");
    let at = folder.path();
    let orders = std::fs::read_to_string(at.join("data/orders.csv")).unwrap();
    std::fs::write(at.join("data/orders.csv"), orders.replace(',', "^")).unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert!(code == Some(1) && said.contains("1 error") && said.contains("csv: { data/orders.csv: { separator: \"^\" } }"), "{said}");
    assert!(!said.contains("add the column"), "{said}");
    std::fs::write(at.join("data/orders.csv"), &orders).unwrap();
    let config = std::fs::read_to_string(at.join("crossdock.yaml")).unwrap();
    std::fs::write(at.join("crossdock.yaml"), format!("{config}\ncsv:\n  \"*.csv\": {{ separator: \"^\" }}\n")).unwrap();
    std::fs::write(at.join("other.csv"), &orders).unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert!(code == Some(1) && said.contains("1 error") && said.contains("has no `^`, which `separator` under `csv`"), "{said}");
    std::fs::write(at.join("data/orders.csv"), orders.replace(',', "^")).unwrap();
    for command in [&["run", "--records", "other.csv"][..], &["preview", "other.csv"]] {
        let (code, said) = crossdock(at, command);
        assert!(code == Some(2) && said.contains("other.csv:1: ") && said.contains("has no `^`"), "{command:?}: {code:?} {said}");
    }
}

/// A file of a `files` connection that is no text in its encoding is told by `check`, with or without a schema; UTF-16 is read.
#[test]
fn a_connections_own_file_in_a_wrong_encoding_is_told_by_check() {
    let folder = copied("files-demo");
    let at = folder.path();
    let config = std::fs::read_to_string(at.join("crossdock.yaml")).unwrap();
    let orders = std::fs::read_to_string(at.join("data/orders.csv")).unwrap();
    let (first, rest) = orders.split_once('\n').unwrap();
    let first_order: Vec<u8> = rest.bytes().enumerate().map(|(at, byte)| if at == 1 { 0xdf } else { byte }).collect();
    let one_byte = [first.as_bytes(), b"\n", &first_order].concat();
    std::fs::write(at.join("data/orders.csv"), &one_byte).unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert!(code == Some(1) && said.contains("1 error") && said.contains("data/orders.csv:2") && said.contains("encoding: windows-1252"), "{said}");
    for (encoding, wanted) in [("windows-1252", Some(0)), ("utf-8", Some(1))] {
        std::fs::write(at.join("crossdock.yaml"), format!("{config}\ncsv:\n  data/orders.csv: {{ encoding: {encoding} }}\n")).unwrap();
        let (code, said) = crossdock(at, &["check"]);
        assert!(code == wanted && (code == Some(0) || said.contains("E0409") && said.contains("line 2 is not valid")), "{encoding}: {said}");
    }
    let (_, said) = crossdock(at, &["run", "--out", "out"]);
    assert!(said.contains("line 2 is not valid UTF-8") && !said.contains("JSONL"), "{said}");
    std::fs::write(at.join("crossdock.yaml"), &config).unwrap();
    std::fs::write(at.join("data/orders.csv"), encoded(&orders, "UTF-16 LE")).unwrap();
    for command in ["check", "run"] {
        let (code, said) = crossdock(at, &[command]);
        assert_eq!(code, Some(0), "{command}: {said}");
    }
}

/// A schema is inferred of a CSV file as the project says it is written, wherever the file is named from.
#[test]
fn a_schema_is_inferred_as_the_project_says() {
    let config = format!("{CONFIG}csv:\n  data/skus.csv: {{ encoding: windows-1252, separator: \"^\" }}\n");
    let folder = project(&[("crossdock.yaml", &config), ("data/skus.csv", "")]);
    let bytes = b"sku^Gr\xf6\xdfe\nA-1^12\n";
    std::fs::write(folder.path().join("data/skus.csv"), bytes).unwrap();
    for (from, name) in [("", "data/skus.csv"), ("data", "skus.csv"), ("data", "data/skus.csv")] {
        let (code, said) = crossdock(&folder.path().join(from), &["schema", "infer", name, "--name", "Sku"]);
        assert!(code == Some(0) && said.contains("\"Größe\"") && said.contains("\"sku\""), "{from} {name}: {said}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("skus.csv"), "sku|size\nA-1|12\n").unwrap();
    let (code, said) = crossdock(elsewhere.path(), &["schema", "infer", "skus.csv"]);
    assert!(code == Some(0) && said.contains("\"size\""), "{said}");
    std::fs::write(elsewhere.path().join("skus.csv"), bytes).unwrap();
    let (code, said) = crossdock(elsewhere.path(), &["schema", "infer", "skus.csv"]);
    assert!(code == Some(3) && said.contains("encoding: windows-1252"), "{code:?} {said}");
}

/// A file that a command line names is searched from the current folder, then from the project's folder, by every command.
#[test]
fn files_of_records_are_searched_in_one_order() {
    let order = |number: &str| {
        format!("{{\"Id\":\"8015g0000000001AAA\",\"OrderNumber\":\"{number}\",\"CreatedDate\":\"2026-03-01T10:00:00Z\",\"Extra{number}\":1}}\n")
    };
    let folder = project(&[("orders.jsonl", &order("PROJECT")), ("only.jsonl", &order("PROJECT"))]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("orders.jsonl"), order("HERE")).unwrap();
    let at = folder.path().display().to_string();
    for (file, wanted) in [("orders.jsonl", "HERE"), ("only.jsonl", "PROJECT")] {
        let (code, said) = crossdock(elsewhere.path(), &["preview", file, "--project", &at]);
        assert!(code == Some(0) && said.contains(wanted), "{file}: {said}");
        let (code, said) = crossdock(elsewhere.path(), &["run", &at, "--records", file]);
        assert!(code == Some(0) && said.contains(wanted), "{file}: {said}");
        let (code, said) = crossdock(elsewhere.path(), &["unmapped", &at, "--records", file]);
        assert!(code == Some(0) && said.contains(&format!("Extra{wanted}")), "{file}: {said}");
        let (code, said) = crossdock(elsewhere.path(), &["diff", &at, &at, "--records", file]);
        assert!(code == Some(0) && said.contains("1 record compared"), "{file}: {said}");
    }
    let (code, said) = crossdock(elsewhere.path(), &["preview", "none.jsonl", "--project", &at]);
    assert!(code == Some(3) && said.contains("none.jsonl") && !said.contains(&at), "{said}");
}

/// A test case's record is read as the project says its CSV files are written.
#[test]
fn fixtures_are_read_as_the_project_says() {
    let config = format!("{CONFIG}csv:\n  fixtures/*.csv: {{ encoding: windows-1252, separator: \"^\" }}\n");
    let case = "flow: orders\ncases:\n  - name: in another encoding\n    given: { record: fixtures/order.csv }\n    \
                expect: { sent: { wms.Order: { orderNumber: Groß-1 } } }\n";
    let folder = project(&[("crossdock.yaml", &config), ("cases/orders.yaml", case), ("fixtures/order.csv", "")]);
    std::fs::write(folder.path().join("fixtures/order.csv"), b"Id^OrderNumber^CreatedDate\n8015g0000000001AAA^Gro\xdf-1^2026-03-01T10:00:00Z\n")
        .unwrap();
    let (code, said) = crossdock(folder.path(), &["test"]);
    assert_eq!(code, Some(0), "{said}");
}

/// Carriers, services and tags are written by name, as stores are, and their ids are sent.
#[test]
fn carriers_services_and_tags_are_sent_by_the_id_of_their_name() {
    let names = r#"{ "Store": [{ "name": "Amazon US", "id": 300101 }], "Carrier": [{ "name": "ups", "id": "ups" }],
        "Service": [{ "name": "UPS Ground", "id": "ups_ground" }, { "name": "UPS Saver", "id": "ups_saver" }],
        "Tag": [{ "name": "Fragile", "id": 7 }, { "name": "Rush", "id": 8 }] }"#;
    let with = |rows: &str| MAPPING.replace("    billTo", &format!("{rows}\n    billTo"));
    let record = "{\"Id\":\"8015g0000000001AAA\",\"OrderNumber\":\"UPS Saver\",\"CreatedDate\":\"2026-03-01T10:00:00Z\"}\n";
    for (rows, wanted) in [
        ("    carrierCode = \"ups\"\n    serviceCode = \"UPS Ground\"", "\"serviceCode\":\"ups_ground\""),
        ("    serviceCode = \"ups_ground\"", "\"serviceCode\":\"ups_ground\""),
        ("    serviceCode = order.OrderNumber | service of wms", "\"serviceCode\":\"ups_saver\""),
        ("    serviceCode = if order.OrderNumber == \"x\" then \"UPS Ground\" else \"UPS Saver\"", "\"serviceCode\":\"ups_saver\""),
        ("    tagIds = (\"Fragile\", \"Rush\")", "\"tagIds\":[7,8]"),
        ("    advancedOptions { storeId = \"Amazon US\" }", "\"storeId\":300101"),
    ] {
        let folder = project(&[("orders.dock", &with(rows)), ("schemas/wms/names.json", names), ("orders.jsonl", record)]);
        let (code, said) = crossdock(folder.path(), &["run", "--records", "orders.jsonl"]);
        assert!(code == Some(0) && said.contains(wanted), "{rows}: {said}");
    }
    for (rows, lead) in [
        ("    serviceCode = \"UPS Grund\"", "UPS Ground"),
        ("    serviceCode = \"ups_grund\"", "UPS Ground"),
        ("    serviceCode = if order.OrderNumber == \"x\" then \"UPS Ground\" else \"ups_saver\"", "ups_ground"),
        ("    tagIds = (\"Fragil\",)", "Fragile"),
    ] {
        let folder = project(&[("orders.dock", &with(rows)), ("schemas/wms/names.json", names)]);
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(1) && said.contains("E0308") && said.contains(lead) && said.contains(": 1 error"), "{rows}: {said}");
    }
}
