//! The tree: one struct a construct, spans on the parts that a message may point at, no meaning yet.

mod expr;

pub use expr::{Argument, BinaryOp, Expr, ExprKind, Generator, GroupList, TextLiteral, TextPart, row_parts};

use std::sync::Arc;

use crate::base::{Span, Spanned};

/// A name with its place.
pub type Name = Spanned<String>;

/// One mapping file. What could not be read is left out (and was reported).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct File {
    pub edition: Option<Spanned<u32>>,
    /// `extends "../base/orders"`
    pub extends: Option<Spanned<String>>,
    pub uses: Vec<Use>,
    /// Shared with the trees that overlays make of them.
    pub items: Vec<Arc<Item>>,
    /// Some statement could not be read: findings that rest on what is *not* there (unused,
    /// required but unset) would be guesses and are kept back.
    pub broken: bool,
    /// A block's brace is lost: where what follows belongs is a guess.
    pub torn: bool,
    /// Names that statements would have given that could not be read.
    pub lost: Vec<String>,
}

/// `use "shared/address" as address`
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    pub path: Spanned<String>,
    pub alias: Option<Name>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The `##` lines above it, without the marks, joined by line breaks.
    pub doc: Option<String>,
    /// `override` stands before it (its span).
    pub overrides: Option<Span>,
    pub span: Span,
    pub kind: ItemKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    Parameter(Parameter),
    Values(Values),
    Table(Table),
    Function(Function),
    Flow(Flow),
    Expect(Expect),
    Test(Test),
    /// `remove table kits` at the top level: kind word and name.
    Remove {
        kind: Name,
        name: Name,
    },
}

/// `parameter default_warehouse: a warehouse of wms = "Reno DC"`
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: Name,
    pub of: TypeExpr,
    pub default: Option<Expr>,
}

/// A type as written: `text?`, `list of crm.Contact`, `a warehouse of wms`.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeExpr {
    pub kind: TypeKind,
    pub nullable: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// `text`, `integer`, … (whether the word is a type is for `check`).
    Word(Name),
    /// `crm.Contact`, `crm.Order.Status` (the type of that field).
    Path(Vec<Name>),
    /// `a store of wms`, `an account of crm`
    Reference {
        object: Name,
        connection: Name,
    },
    List(Box<TypeExpr>),
}

/// `values order_status: crm.Order.Status -> wms.Order.orderStatus { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    pub name: Name,
    /// Either side may be a field path or a plain type (`text`). `None` in an overriding block
    /// that leaves the sides out.
    pub from: Option<TypeExpr>,
    pub to: Option<TypeExpr>,
    /// `<->`
    pub both_ways: bool,
    pub rows: Vec<ValueRow>,
    pub otherwise: Option<Otherwise>,
    /// `remove "Draft"` rows of an overlay.
    pub removes: Vec<Expr>,
}

/// `"Activated", "Ready to Ship" -> awaiting_shipment`, with `<->` perhaps `back "ups"`.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRow {
    pub from: Vec<Expr>,
    pub to: Expr,
    pub back: Option<Expr>,
    pub span: Span,
}

/// `else` of a value map.
#[derive(Debug, Clone, PartialEq)]
pub struct Otherwise {
    pub outcome: ElseOutcome,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ElseOutcome {
    Value(Expr),
    Stop(Stop),
}

/// `review "…" for "warehouse" before order.Ship_By__c`, `reject "…"`, `skip`, `create`.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    pub kind: StopKind,
    /// The message; `skip` and `create` have none.
    pub message: Option<Expr>,
    pub owner: Option<Spanned<String>>,
    pub before: Option<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKind {
    Review,
    Reject,
    Skip,
    Create,
    Continue,
    /// `alert "…"`, in an `expect` only.
    Alert,
}

/// `table kits from "tables/kits.csv" { key kit_sku: text  many sku: text, quantity: integer }`
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: Name,
    pub path: Option<Spanned<String>>,
    pub keys: Vec<TableColumn>,
    pub columns: Vec<TableColumn>,
    /// The columns stand behind `many`: one key has many rows.
    pub many: bool,
}

/// `kit_sku: text`, or `sku: text from "Kit SKU"` where the file's column has another name.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    pub name: Name,
    pub of: TypeExpr,
    pub header: Option<Spanned<String>>,
}

/// `function full_name(c: crm.Contact) -> text? = "{c.FirstName} {c.LastName}"`
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub name: Name,
    pub parameters: Vec<FunctionParameter>,
    pub gives: Option<TypeExpr>,
    /// `= expr`; a record body `= { field = … }` is an [`ExprKind::Object`].
    pub body: Expr,
}

/// `name: type`, perhaps `= default`.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionParameter {
    pub name: Name,
    pub of: TypeExpr,
    pub default: Option<Expr>,
}

/// A flow: its sections in the order of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub name: Name,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub doc: Option<String>,
    pub span: Span,
    pub kind: SectionKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SectionKind {
    From(From),
    Group(Group),
    Match(Match),
    Let(Let),
    Validate(Validate),
    Route(Route),
    Split(Split),
    /// `each o in shipment.orders` before a write.
    Repeat(Generator),
    Write(Write),
    When(When),
    /// In an overlay: `remove require "the order has no lines to ship"` and its kin.
    Remove(Remove),
}

/// `from crm.Order as order { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct From {
    pub object: ObjectPath,
    pub name: Option<Name>,
    pub clauses: Vec<FromClause>,
}

/// `crm.Order`
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPath {
    pub connection: Name,
    pub object: Name,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FromClause {
    pub kind: FromClauseKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FromClauseKind {
    Where(Expr),
    /// `changed order.SystemModstamp, order.OrderItems.SystemModstamp overlap 10 minutes`
    Changed {
        stamps: Vec<Expr>,
        overlap: Option<Expr>,
    },
    /// `first when order.Status == "Cancelled"`
    FirstWhen(Expr),
    /// `every 5 minutes`
    EveryDuration(Expr),
    /// `every day at 02:00 in "Europe/London"`; a weekday's name may stand for `day`.
    EveryDay {
        day: Name,
        at: Expr,
        zone: Option<Spanned<String>>,
    },
    /// `every "0 6 * * 1-5" in "Europe/London"`
    EveryCron {
        cron: Spanned<String>,
        zone: Option<Spanned<String>>,
    },
    /// `on webhook SHIP_NOTIFY`
    Webhook(Name),
    /// `keep blank`
    KeepBlank,
    /// `including history`
    IncludingHistory,
}

/// `group by s.customerEmail as email`
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub by: Expr,
    pub name: Option<Name>,
    /// `over last 90 days`
    pub window: Option<Expr>,
}

/// `match order: crm.Order { by …  none -> …  many -> … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    pub name: Name,
    pub object: ObjectPath,
    /// `for each part in parts as packed`: one look-up for each element.
    pub each: Option<MatchEach>,
    pub clauses: Vec<MatchClause>,
}

/// The elements that a match looks up for, and the name of the rows of each element with what was found for it.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchEach {
    pub generator: Generator,
    pub rows: Option<Name>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MatchClause {
    pub kind: MatchClauseKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum MatchClauseKind {
    /// `by order.OrderNumber == shipment.orderNumber`
    By(Expr),
    None(Stop),
    Many(Stop),
}

/// `let lines = …`
#[derive(Debug, Clone, PartialEq)]
pub struct Let {
    pub name: Name,
    pub value: Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Validate {
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub doc: Option<String>,
    pub span: Span,
    pub kind: RuleKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// `require X "message" for "owner"`
    Require { condition: Expr, message: Option<Expr>, owner: Option<Spanned<String>> },
    /// `review when X "…"`, `review unless X "…"`
    Review { unless: bool, condition: Expr, message: Option<Expr>, owner: Option<Spanned<String>>, before: Option<Expr> },
    /// `warn when X "…"`, `warn unless X "…"`
    Warn { unless: bool, condition: Expr, message: Option<Expr>, owner: Option<Spanned<String>> },
    /// `reconcile a == b "…{difference}"`; a tolerance may follow: `within 0.01`.
    Reconcile { left: Expr, right: Expr, within: Option<Expr>, message: Option<Expr>, owner: Option<Spanned<String>> },
    /// `each line in lines { … }`
    Each { generators: Vec<Generator>, condition: Option<Expr>, rules: Vec<Rule> },
    /// `when X { rules }`
    When { condition: Expr, rules: Vec<Rule> },
    /// In an overlay.
    Remove(Remove),
}

/// `route store, warehouse { when … -> "Amazon US", "Reno DC"  else -> … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub names: Vec<RouteName>,
    pub rows: Vec<RouteRow>,
    pub removes: Vec<Remove>,
}

/// A result of a route; its type may be said: `store: a store of wms`.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteName {
    pub name: Name,
    pub of: Option<TypeExpr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RouteRow {
    /// `None` for `else`.
    pub condition: Option<Expr>,
    pub outcome: RouteOutcome,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RouteOutcome {
    Results(Vec<Expr>),
    Stop(Stop),
}

/// `split line in order.OrderItems by line.Warehouse__c as part`
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    pub generator: Generator,
    pub by: Expr,
    pub name: Option<Name>,
}

/// `create`, `update`, `upsert` with its head and its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    pub op: Spanned<WriteOp>,
    pub object: ObjectPath,
    /// `of order`
    pub of: Option<Name>,
    /// `key orderKey = "sf-{order.Id}"`
    pub key: Option<Key>,
    /// `as sent`
    pub name: Option<Name>,
    pub when: Option<Expr>,
    pub in_doubt: Option<Spanned<InDoubt>>,
    pub rows: Vec<FieldRow>,
    pub guards: Vec<Guard>,
    /// The head, from the word to before the block.
    pub head: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOp {
    Create,
    Update,
    Upsert,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InDoubt {
    LookUp,
    Review,
}

/// `key orderKey = "sf-{order.Id}"`, or `key "…"` where the system has no field for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub field: Option<Name>,
    pub value: Expr,
    pub span: Span,
}

/// One row of a write, a nested object or an `each` body.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldRow {
    pub doc: Option<String>,
    /// `shipTo.city` has two names.
    pub place: Vec<Name>,
    pub value: RowValue,
    pub policy: Option<Spanned<Policy>>,
    pub span: Span,
    /// Without the block behind it: `items = each line in lines`.
    pub head: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RowValue {
    Expr(Expr),
    /// `advancedOptions when … { … }`
    Object {
        when: Option<Expr>,
        rows: Vec<FieldRow>,
    },
    /// `clear Fulfilment_Error__c`
    Clear,
    /// In an overlay: `remove customerNotes`.
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Once,
    IfEmpty,
    Clear,
}

/// `guard target.orderStatus in (…) else review "…" for "warehouse" before order.Ship_By__c`
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    pub condition: Expr,
    pub otherwise: Option<Stop>,
    pub span: Span,
}

/// `when sent fails or is rejected { … }`, `when order is gone { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    pub subject: Name,
    pub events: Vec<Spanned<Event>>,
    /// Writes, with the `split`, `each` and `let` that may stand before them.
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Fails,
    IsRejected,
    IsInReview,
    Succeeds,
    IsGone,
    /// `is late after 2 hours`
    IsLate(Box<Expr>),
}

/// `remove require "message"`, `remove warn "…"`, `remove review "…"`, `remove let name`,
/// `remove when <condition>` (a route row), `remove upsert wms.Order`, `remove field`.
#[derive(Debug, Clone, PartialEq)]
pub struct Remove {
    /// The word behind `remove`: `require`, `warn`, `review`, `reconcile`, `let`, `match`, `route`,
    /// `guard`, `create`, `update`, `upsert`, `when`; empty for a field of a write.
    pub what: Name,
    pub subject: RemoveSubject,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RemoveSubject {
    /// A rule by its message, as written.
    Message(Expr),
    Name(Name),
    Object(ObjectPath),
    Condition(Expr),
    Nothing,
}

/// `expect tracked "…" { for export_orders  seen import_shipments within 2 days  else alert "…" }`
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    pub name: Name,
    pub title: Option<Spanned<String>>,
    pub clauses: Vec<ExpectClause>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExpectClause {
    pub kind: ExpectClauseKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExpectClauseKind {
    For(Name),
    Where(Expr),
    Seen { flow: Name, deadline: Deadline },
    Else(Stop),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Deadline {
    /// `within 2 days`
    Within(Expr),
    /// `before order.Ship_By__c - 4 hours`
    Before(Expr),
}

/// `test "a cancelled order is sent as cancelled" { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    pub name: Spanned<String>,
    pub clauses: Vec<TestClause>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TestClause {
    pub kind: TestClauseKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TestClauseKind {
    Flow(Name),
    /// `given "fixtures/uk-order.json" with { Status = "Cancelled" }`
    Given {
        path: Spanned<String>,
        with: Vec<FieldRow>,
    },
    /// `matched order "fixtures/order.json"`
    Matched {
        name: Name,
        path: Spanned<String>,
    },
    /// `target "fixtures/ss-order.json"`
    Target {
        path: Spanned<String>,
    },
    /// `now "2026-03-01T12:00:00Z"`
    Now(Spanned<String>),
    /// `sent wms.Order { orderStatus = cancelled }`
    Sent {
        object: ObjectPath,
        rows: Vec<FieldRow>,
    },
    /// `sent nothing`
    Nothing,
    Rejected(Vec<Spanned<String>>),
    Review(Vec<Spanned<String>>),
    Warned(Vec<Spanned<String>>),
    NotEligible,
}
