use super::super::Unit;
use super::super::written::{dotted, written};
use super::{Merged, merge};
use crate::base::FileId;
use crate::base::diag::{Code, Diagnostic};
use crate::syntax::tree::{ItemKind, RowValue, RuleKind, SectionKind};

const BASE: &str = r#"edition 1
values order_status: crm.Order.Status -> wms.Order.orderStatus {
  "Draft" -> on_hold
  "Activated", "Ready to Ship" -> awaiting_shipment
}
table kits from "tables/kits.csv" { key kit_sku: text }
flow export_orders {
  from crm.Order as order {
    where order.Status == "Activated"
    every 5 minutes
  }
  let lines = order.OrderItems
  validate {
    require order.Name "the name is missing"
    each line in lines {
      require line.Sku "line {index} has no SKU"
    }
  }
  route store {
    when order.Channel__c == "Amazon" -> "Amazon US"
    else -> "US store"
  }
  split line in lines by line.Warehouse__c as part
  upsert wms.Order key orderKey = "sf-{order.Id}-{part.key}" as sent {
    orderNumber = order.OrderNumber
    shipTo {
      city = order.City
      state = order.State
    }
    items = each line in lines {
      sku = line.Sku
      name = line.Name
    }
    guard target.orderStatus == "on_hold" else review "locked"
  }
  when sent fails { update crm.Order of order { Error__c = reasons | join "; " } }
}
"#;

fn unit(file: u32, text: &str, extends: Option<usize>, runs: bool) -> Unit {
    let (tree, found) = crate::syntax::read(FileId(file), text);
    assert!(found.is_empty(), "{found:#?}");
    Unit { file: FileId(file), uses: tree.uses.iter().map(|_| None).collect(), tree, extends, runs }
}

fn overlaid(overlay: &str) -> (Merged, Vec<Diagnostic>) {
    let overlay = format!("edition 1\nextends \"base\"\n{overlay}");
    let units = [unit(0, BASE, None, false), unit(1, &overlay, Some(0), true)];
    let mut diags = Vec::new();
    let merged = merge(&units, &mut diags);
    (merged[1].clone(), diags)
}

/// What a flow says, a line a thing, short enough to compare.
fn told(merged: &Merged) -> String {
    let mut out = Vec::new();
    for item in &merged.items {
        match &item.kind {
            ItemKind::Values(values) => {
                for row in &values.rows {
                    out.push(format!("row {} -> {}", row.from.iter().map(written).collect::<Vec<_>>().join(", "), written(&row.to)));
                }
            }
            ItemKind::Table(table) => out.push(format!("table {}", table.name.node)),
            ItemKind::Flow(flow) => flow.sections.iter().for_each(|section| section_told(&section.kind, &mut out)),
            _ => {}
        }
    }
    out.join("\n")
}

fn section_told(kind: &SectionKind, out: &mut Vec<String>) {
    match kind {
        SectionKind::From(from) => out.push(format!("from with {}", from.clauses.len())),
        SectionKind::Let(of) => out.push(format!("let {} = {}", of.name.node, written(&of.value))),
        SectionKind::Validate(validate) => rules_told(&validate.rules, out),
        SectionKind::Route(route) => {
            for row in &route.rows {
                out.push(format!("when {}", row.condition.as_ref().map_or("else".to_owned(), written)));
            }
        }
        SectionKind::Split(split) => out.push(format!("split by {}", written(&split.by))),
        SectionKind::Write(write) => {
            rows_told(&write.rows, "", out);
            let name = write.name.as_ref().map_or("", |name| name.node.as_str());
            out.push(format!("guards {} {name}", write.guards.len()));
        }
        SectionKind::When(when) => when.sections.iter().for_each(|section| section_told(&section.kind, out)),
        _ => {}
    }
}

fn rules_told(rules: &[crate::syntax::tree::Rule], out: &mut Vec<String>) {
    for rule in rules {
        match &rule.kind {
            RuleKind::Require { condition, .. } => out.push(format!("require {}", written(condition))),
            RuleKind::Each { rules, .. } => rules_told(rules, out),
            _ => {}
        }
    }
}

fn rows_told(rows: &[crate::syntax::tree::FieldRow], before: &str, out: &mut Vec<String>) {
    for row in rows {
        let place = format!("{before}{}", dotted(&row.place));
        match &row.value {
            RowValue::Expr(value) => out.push(format!("{place} = {}", written(value))),
            RowValue::Object { rows, .. } => rows_told(rows, &format!("{place}."), out),
            RowValue::Clear => out.push(format!("clear {place}")),
            RowValue::Remove => out.push(format!("remove {place}")),
        }
    }
}

#[test]
fn what_is_not_named_stays_as_the_base_says() {
    let (merged, diags) = overlaid("");
    assert!(diags.is_empty());
    let base = merge(&[unit(0, BASE, None, true)], &mut Vec::new());
    assert_eq!(told(&merged), told(&base[0]));
}

#[test]
fn a_value_row_is_known_by_its_left_side() {
    let (merged, diags) = overlaid("override values order_status { \"Activated\" -> awaiting_payment }");
    assert!(diags.is_empty(), "{diags:?}");
    assert!(
        told(&merged).starts_with("row \"Draft\" -> on_hold\nrow \"Activated\" -> awaiting_payment\nrow \"Ready to Ship\" -> awaiting_shipment"),
        "{}",
        told(&merged)
    );
}

#[test]
fn rules_rows_and_fields_are_laid_over() {
    let (merged, diags) = overlaid(
        r#"override flow export_orders {
  validate {
    require order.Company "the name is missing"
    require order.City "the city is missing"
  }
  route store {
    when order.Region__c == "UK" -> "EU store"
  }
  upsert wms.Order {
    orderNumber = order.Name
    shipTo.city = order.Town
    shipTo { remove state }
    items { sku = line.Other }
    customerNotes = order.Notes__c
  }
  remove require "line {index} has no SKU"
}"#,
    );
    assert!(diags.is_empty(), "{diags:?}");
    let told = told(&merged);
    let flow = &told[told.find("from").unwrap()..];
    assert_eq!(
        flow,
        r#"from with 2
let lines = order.OrderItems
require order.Company
require order.City
when (order.Region__c == "UK")
when (order.Channel__c == "Amazon")
when else
split by line.Warehouse__c
orderNumber = order.Name
shipTo.city = order.Town
items = (each line in lines { sku = line.Other; name = line.Name })
customerNotes = order.Notes__c
guards 1 sent
Error__c = join(reasons, "; ")
guards 0 "#
    );
}

#[test]
fn a_schedule_takes_the_place_of_the_bases() {
    let (merged, diags) = overlaid("override flow export_orders {\n  from crm.Order { every day at 02:00 }\n}");
    assert!(diags.is_empty(), "{diags:?}");
    assert!(told(&merged).contains("from with 2"), "{}", told(&merged));
}

#[test]
fn what_the_base_no_longer_has_is_a_mistake_with_the_nearest_name() {
    let (_, diags) = overlaid(
        "override values order_statu { \"Draft\" -> on_hold }\nremove table kit\noverride flow export_orders {\n  remove require \"the nane is missing\"\n  remove let line\n}",
    );
    let codes: Vec<Code> = diags.iter().map(|d| d.code).collect();
    assert_eq!(codes, [Code::OverrideOfNothing, Code::RemoveOfNothing, Code::RemoveOfNothing, Code::RemoveOfNothing]);
    let help: Vec<&str> = diags.iter().map(|d| d.help[0].text.as_str()).collect();
    assert_eq!(help, ["did you mean `order_status`?", "did you mean `kits`?", "did you mean “the name is missing”?", "did you mean `lines`?"]);
}

#[test]
fn an_item_of_the_base_needs_the_word_override() {
    let (_, diags) = overlaid("table kits from \"other.csv\" { key sku: text }");
    assert_eq!(diags[0].code, Code::OverlayClash);
    assert_eq!(diags.len(), 1);
}

#[test]
fn a_file_that_extends_nothing_cannot_override() {
    let mut diags = Vec::new();
    merge(&[unit(0, "edition 1\noverride table kits from \"x.csv\" { key a: text }\nremove flow x", None, true)], &mut diags);
    assert_eq!(diags.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::OverlayOutside, Code::OverlayOutside]);
}

#[test]
fn a_base_that_is_broken_keeps_doubts_back() {
    let (tree, _) = crate::syntax::read(FileId(0), "edition 1\nvalues ??? {");
    let base = Unit { file: FileId(0), tree, uses: Vec::new(), extends: None, runs: false };
    assert!(base.tree.broken);
    let mut diags = Vec::new();
    merge(&[base, unit(1, "edition 1\nextends \"base\"\nremove table kits", Some(0), true)], &mut diags);
    assert!(diags.is_empty(), "{diags:?}");
}

#[test]
fn an_overlay_of_an_overlay_sees_both() {
    let units = [
        unit(0, BASE, None, false),
        unit(1, "edition 1\nextends \"base\"\noverride values order_status { \"Cancelled\" -> cancelled }", Some(0), false),
        unit(2, "edition 1\nextends \"middle\"\noverride values order_status { \"Cancelled\" -> on_hold }", Some(1), true),
    ];
    let mut diags = Vec::new();
    let merged = merge(&units, &mut diags);
    assert!(diags.is_empty(), "{diags:?}");
    assert!(told(&merged[2]).contains("row \"Cancelled\" -> on_hold"), "{}", told(&merged[2]));
    assert!(!merged[0].needed && !merged[1].needed && merged[2].needed);
}
