//! What a rule says, without the values of a record.

use crate::ir::{Expr, Flow, Mapping, Part, walk};
use crate::store::cause::VARIES;

/// The words of a reason with a mark for each value in them, by the message of the mapping that it was made of: `… is no postal code of …`.
/// `None` where no message of the flow can have made it, such as after the mapping was changed. If several can, the one with the most words
/// of its own.
pub(super) fn of_the_rule(mapping: &Mapping, flow: &str, message: &str) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    let mut look = |expr: &Expr| {
        let Expr::Template { parts, message: true } = expr else { return };
        let own: usize = parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum();
        if own > 0 && best.as_ref().is_none_or(|(most, _)| own > *most) && made_of(parts, message) {
            let words = parts.iter().map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Expr(_) => VARIES.to_string(),
            });
            best = Some((own, words.collect()));
        }
    };
    mapping.flows.iter().filter(|known| known.name == flow).for_each(|flow: &Flow| walk::flow_exprs(flow, &mut look));
    walk::shared_exprs(mapping, &mut look);
    best.map(|(_, words)| words)
}

/// Whether a message can be these parts, with some text for each expression: their own texts stand in it in this order, the first and
/// the last of them at its ends.
fn made_of(parts: &[Part], message: &str) -> bool {
    let mut rest = message;
    let mut open = false;
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Expr(_) => open = true,
            Part::Text(text) if !open => match rest.strip_prefix(text.as_str()) {
                Some(behind) => rest = behind,
                None => return false,
            },
            Part::Text(text) if at + 1 == parts.len() => return rest.ends_with(text.as_str()),
            Part::Text(text) => match rest.find(text.as_str()) {
                Some(found) => {
                    rest = rest.get(found + text.len()..).unwrap_or_default();
                    open = false;
                }
                None => return false,
            },
        }
    }
    open || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Options, Texts, compile};

    const MAPPING: &str = r#"edition 1

values order_status: crm.Order.Status -> wms.Order.orderStatus {
  "Activated" -> awaiting_shipment
  else reject "the status {value} is not sent"
}

flow orders {
  from crm.Order as order { every 5 minutes }

  validate {
    require order.BillingAddress.postalCode matches postal_code(order.BillingAddress.countryCode ?? "US")
        "{order.BillingAddress.postalCode} is no postal code of {order.BillingAddress.countryCode}"
    require order.OrderNumber != "1" "the number {order.OrderNumber}"
    warn unless order.OrderNumber != "2" "the order is strange"
  }

  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber = order.OrderNumber
    orderDate   = order.CreatedDate
    orderStatus = order.Status | order_status
    billTo { name = "x" }
    shipTo { name = "x" }
  }
}
"#;

    #[test]
    fn each_value_in_a_rules_message_is_left_out() {
        let config = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\n";
        let compiled = compile(&Texts::new([("crossdock.yaml", config), ("orders.dock", MAPPING)]), &Options::default());
        let mapping = &compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)).mapping;
        let words = |message: &str| of_the_rule(mapping, "orders", message);
        assert_eq!(words("D02 X285 is no postal code of IE").as_deref(), Some("… is no postal code of …"));
        assert_eq!(words("(none) is no postal code of GB").as_deref(), Some("… is no postal code of …"));
        assert_eq!(words("the number 00000012").as_deref(), Some("the number …"));
        assert_eq!(words("the status Draft is not sent").as_deref(), Some("the status … is not sent"));
        // It names no value: the words are those of each record.
        assert_eq!(words("the order is strange"), None);
        assert_eq!(words("a rule of another version"), None);
        assert_eq!(of_the_rule(mapping, "other", "the number 1"), None);
    }
}
