//! `POST /graphql`: a request is validated whole, asked whether it is affordable, and carried out field by field.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::lists::QUERIES;
use super::resolve::View;
use super::{Answered, Refused, ShipHero};
use crate::sandbox::kit::graphql::{Call, Execution, Forms, Problem};
use crate::sandbox::kit::laws::{Law, Short};
use crate::value::Json;

/// The vendor's schema, and what it answers beyond it.
pub(super) static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let texts = [
        ("schema.graphql", include_str!("../../../sandbox/shiphero/schema.graphql")),
        ("extensions.graphql", include_str!("../../../sandbox/shiphero/extensions.graphql")),
    ];
    // The texts are part of the program, and a test reads them.
    Forms::read(&texts).unwrap_or_else(|error| unreachable!("ShipHero's schema cannot be read: {error}"))
});

/// What a mutation costs. Nobody says: a recorded one is not known.
const MUTATION: i64 = 10;

/// The mutations that are carried out; the others of the schema are refused by their name.
pub(super) const MUTATIONS: [&str; 20] = [
    "inventory_add",
    "inventory_remove",
    "inventory_replace",
    "inventory_subtract",
    "order_add_history_entry",
    "order_add_line_items",
    "order_add_tags",
    "order_cancel",
    "order_change_warehouse",
    "order_clear_tags",
    "order_create",
    "order_remove_line_items",
    "order_update",
    "order_update_fulfillment_status",
    "order_update_holds",
    "order_update_line_items",
    "order_update_tags",
    "shipment_create",
    "webhook_create",
    "webhook_delete",
];

fn refused(problems: &[Problem]) -> (u16, Json) {
    (400, json!({"errors": problems.iter().map(Problem::printed).collect::<Vec<_>>()}))
}

impl ShipHero {
    /// A status and a body.
    pub(super) fn graphql(&mut self, body: &[u8], now: Timestamp) -> (u16, Json) {
        let Ok(Json::Object(asked)) = serde_json::from_slice(body) else {
            return (400, json!({"errors": [{"message": "POST body sent invalid JSON."}]}));
        };
        let Some(text) = asked.get("query").and_then(Json::as_str) else {
            return (400, json!({"errors": [{"message": "Must provide query string."}]}));
        };
        let given = match asked.get("variables") {
            Some(Json::Object(given)) => given.clone(),
            None | Some(Json::Null) => Map::new(),
            Some(_) => return (400, json!({"errors": [{"message": "Variables are invalid JSON."}]})),
        };
        let document = match FORMS.document(text) {
            Ok(document) => document,
            Err(problems) => return refused(&problems),
        };
        let asked_for = document.operation(asked.get("operationName").and_then(Json::as_str));
        let filled = asked_for.and_then(|operation| FORMS.variables(operation, &given).map(|filled| (operation, filled)));
        let (operation, filled) = match filled {
            Ok(filled) => filled,
            Err(problem) => return refused(&[problem]),
        };
        let execution = Execution::new(&FORMS, &document, filled);
        let calls = execution.calls(operation);
        let is_mutation = operation.is_mutation();
        let known: &[&str] = if is_mutation { &MUTATIONS } else { &QUERIES };
        let beyond: Vec<&str> = calls.iter().map(|call| call.field).filter(|field| *field != "__typename" && !known.contains(field)).collect();
        if !beyond.is_empty() {
            let message = format!("the sandbox does not imitate {}", beyond.join(", "));
            self.complaints.push(message.clone());
            return (501, json!({"errors": [{"message": message}]}));
        }
        let root = operation.object_type().as_str();
        (200, self.carry_out(&execution, root, is_mutation, &calls, now))
    }

    /// Nodes of a page where a caller does not say how many.
    pub(super) fn usual_page(&self) -> usize {
        match self.laws.law("connections", "pages") {
            Some(Law::Pages { usual }) => *usual,
            _ => usize::MAX,
        }
    }

    /// What a call may cost: the nodes that it could be answered with.
    fn complexity<'d>(&self, execution: &Execution<'d>, of: &str, call: &Call<'d>) -> i64 {
        let inner = call.of.inner_named_type().as_str();
        let below = execution.below(call);
        let below: i64 = below.iter().map(|call| self.complexity(execution, inner, call)).fold(0, i64::saturating_add);
        if !execution.forms.field(of, call.field).is_some_and(|form| form.arguments.iter().any(|argument| argument.name == "first")) {
            return below;
        }
        let number = |name: &str| call.arguments.get(name).and_then(Json::as_i64);
        let nodes = number("first").or_else(|| number("last")).unwrap_or_else(|| i64::try_from(self.usual_page()).unwrap_or(i64::MAX));
        nodes.saturating_mul(below.saturating_add(1))
    }

    fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("{:08x}{:016x}", 0x6784_31f1_u32 ^ self.options.seed as u32, self.requests)
    }

    fn carry_out<'d>(&mut self, execution: &Execution<'d>, of: &str, is_mutation: bool, calls: &[Call<'d>], now: Timestamp) -> Json {
        let base = if is_mutation { MUTATION } else { 1 };
        let costs: Vec<i64> = calls
            .iter()
            .map(|call| if call.field.starts_with("__") { 0 } else { self.complexity(execution, of, call).saturating_add(base) })
            .collect();
        let estimated = costs.iter().copied().fold(0, i64::saturating_add);
        let is_analyzed = |call: &Call<'_>| call.arguments.get("analyze") == Some(&Json::Bool(true));
        let short = match self.laws.law("graphql", "credits") {
            Some(Law::Credits { .. }) if !calls.iter().all(is_analyzed) => self.credits.ask(estimated.max(0), now).err(),
            _ => None,
        };
        let mut answer = Answer::default();
        for (call, complexity) in calls.iter().zip(costs) {
            if call.field == "__typename" {
                answer.data.insert(call.key.to_owned(), Json::from(of));
                continue;
            }
            let request = self.request_id();
            if let Some(short) = short {
                answer.errors.push(self.not_enough(short, call.field, &request));
                answer.data.insert(call.key.to_owned(), Json::Null);
                answer.detail.insert(call.field.to_owned(), json!({"items_count": 0, "cost": 1, "total_cost": 1, "fields": {}}));
                continue;
            }
            let mut items = 0;
            let cost = if is_mutation { MUTATION } else { 1 };
            match self.one(execution, call, is_mutation, complexity, &request, &mut items, now) {
                Ok((body, None)) => answer.data.insert(call.key.to_owned(), body),
                Ok((body, Some(error))) => {
                    answer.errors.push(error);
                    answer.data.insert(call.key.to_owned(), body)
                }
                Err(error) => {
                    answer.errors.push(error);
                    answer.data.insert(call.key.to_owned(), Json::Null)
                }
            };
            let cost = if is_analyzed(call) { 0 } else { cost + i64::try_from(items).unwrap_or(i64::MAX) };
            answer.paid += cost;
            let own = cost - i64::try_from(items).unwrap_or(0);
            answer.detail.insert(call.field.to_owned(), json!({"items_count": items, "cost": own, "total_cost": cost, "fields": {}}));
            let fails_others = !self.laws.holds("graphql", "each_by_itself") && !answer.errors.is_empty();
            if fails_others {
                break;
            }
        }
        if self.laws.holds("graphql", "credits") && short.is_none() {
            self.credits.pay(answer.paid, now);
        }
        let paid = if short.is_some() { 1 } else { answer.paid };
        let quota = json!({
            "credits_remaining": self.credits.remaining(now), "max_available": self.credits.most(), "increment_rate": self.credits.each_second(),
        });
        let throttling = json!({"estimated_complexity": estimated, "cost": paid, "cost_detail": answer.detail, "user_quota": quota});
        let mut out = Map::new();
        if !answer.errors.is_empty() {
            out.insert("errors".to_owned(), Json::Array(answer.errors));
        }
        out.insert("data".to_owned(), Json::Object(answer.data));
        out.insert("extensions".to_owned(), json!({"throttling": throttling}));
        Json::Object(out)
    }

    /// One field of the root: its answer, with an error where a part of it has none; or an error in its place.
    #[expect(clippy::too_many_arguments, reason = "what an operation is carried out with")]
    fn one<'d>(
        &mut self,
        execution: &Execution<'d>,
        call: &Call<'d>,
        is_mutation: bool,
        complexity: i64,
        request: &str,
        items: &mut u64,
        now: Timestamp,
    ) -> Result<(Json, Option<Json>), Json> {
        if call.field == "user_quota" {
            let quota = json!({
                "credits_remaining": self.credits.remaining(now), "max_available": self.credits.most(), "increment_rate": self.credits.each_second(),
            });
            let view = View { of: self, now };
            return execution.answer(&quota, call, &view, items).map(|body| (body, None)).map_err(|message| json!({"message": message}));
        }
        let error = |refused: &Refused, field: &str| json!({"message": refused.message, "operation": call.field, "field": field, "request_id": request, "code": refused.code});
        let about = json!({"request_id": request, "complexity": complexity});
        let is_analyzed = call.arguments.get("analyze") == Some(&Json::Bool(true));
        let carried = if is_analyzed {
            Ok(json!({"data": null}))
        } else if is_mutation {
            let empty = Map::new();
            let data = call.arguments.get("data").and_then(Json::as_object).unwrap_or(&empty);
            self.mutate(call.field, data, now)
        } else {
            self.query(call.field, &call.arguments, now)
        };
        let with = |body: Json| {
            let mut all = about.as_object().cloned().unwrap_or_default();
            all.extend(body.as_object().cloned().unwrap_or_default());
            Json::Object(all)
        };
        let view = View { of: self, now };
        let without = |refused: &Refused, items: &mut u64| {
            // A query says what it is, and has no data.
            *items = 0;
            let body = execution.answer(&with(json!({"data": null})), call, &view, items).unwrap_or_default();
            Ok((body, Some(error(refused, "data"))))
        };
        match carried {
            Err(refused) if is_mutation => Err(error(&refused, call.field)),
            Err(refused) => without(&refused, items),
            Ok(body) => match execution.answer(&with(body), call, &view, items) {
                Ok(body) => Ok((body, None)),
                Err(message) if is_mutation => Err(error(&Refused::bad(message), call.field)),
                Err(message) => without(&Refused::bad(message), items),
            },
        }
    }

    fn mutate(&mut self, name: &str, data: &Map<String, Json>, now: Timestamp) -> Answered {
        match name {
            "inventory_add" | "inventory_remove" | "inventory_replace" | "inventory_subtract" => self.inventory(data, name, now),
            "order_create" => self.order_create(data, true, now),
            "order_update" => self.order_update(data, now),
            "order_add_line_items" | "order_update_line_items" | "order_remove_line_items" => self.order_lines(data, name, now),
            "order_update_holds" => self.order_update_holds(data, true, now),
            "order_update_tags" | "order_add_tags" | "order_clear_tags" => self.order_tags(data, name, now),
            "order_update_fulfillment_status" => self.order_status(data, now),
            "order_cancel" => self.order_cancel(data, true, now),
            "order_change_warehouse" => self.order_change_warehouse(data, now),
            "order_add_history_entry" => self.order_add_history_entry(data, now),
            "shipment_create" => self.shipment_create(data, now),
            "webhook_create" => self.webhook_create(data, now),
            "webhook_delete" => self.webhook_delete(data, now),
            _ => Err(Refused::bad(format!("the sandbox does not imitate {name}"))),
        }
    }

    /// The refusal of a call that the account cannot pay.
    fn not_enough(&self, short: Short, operation: &str, request: &str) -> Json {
        let Short { required, remaining, wait } = short;
        let why = match wait {
            None => format!(", The max allowed for your account is {} credits per operation. ", self.credits.most()),
            Some(wait) => format!(", but you only have {remaining} credits left. You will have enough in {wait} seconds."),
        };
        let code = match self.laws.law("graphql", "credits") {
            Some(Law::Credits { refuses, .. }) => refuses.parse::<i64>().unwrap_or_default(),
            _ => 0,
        };
        json!({
            "code": code,
            "message": format!("There are not enough credits to perform the requested operation, which requires {required} credits{why}"),
            "operation": operation, "request_id": request, "required_credits": required, "remaining_credits": remaining,
            "time_remaining": wait.unwrap_or(0).to_string(),
        })
    }

    /// What it answers where the fault kit says that there are no credits.
    pub(super) fn drained() -> Json {
        json!({
            "errors": [{
                "code": 30,
                "message": "There are not enough credits to perform the requested operation, which requires 101 credits, but you only have 0 credits left. You will have enough in 2 seconds.",
                "operation": null, "request_id": "000000000000000000000000", "required_credits": 101, "remaining_credits": 0, "time_remaining": "2",
            }],
            "data": null,
        })
    }
}

/// An answer while it is made.
#[derive(Default)]
struct Answer {
    data: Map<String, Json>,
    errors: Vec<Json>,
    detail: Map<String, Json>,
    paid: i64,
}
