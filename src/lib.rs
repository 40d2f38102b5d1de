//! Crossdock: a declarative mapping engine that keeps commerce and fulfillment systems in step.
//!
//! ```text
//! text -> syntax -> check -> plan -> eval -> payloads or a rejection
//!                     ^              ^
//!                   schema        a record
//! ```
//!
//! A room imports only from floors below its own; `tests/architecture.rs` holds that.
//!
//! | floor | room | what it does |
//! | --: | --- | --- |
//! | 0 | [`base`] | spans, sources, diagnostics |
//! | 1 | [`system`] | the systems: a manifest each |
//! | 1 | [`value`] | values, kinds, exact numbers, units |
//! | 2 | [`syntax`] | text to tree and back |
//! | 2 | [`schema`] | objects, fields, what is required |
//! | 2 | [`yaml`] | YAML as written, every value with its place |
//! | 3 | [`apispec`] | API descriptions of vendors (OpenAPI, GraphQL) as one model |
//! | 3 | [`builtin`] | functions that a mapping may call |
//! | 4 | [`ir`] | the typed tree: what `check` yields and a plan holds |
//! | 5 | [`check`] | tree and schemas to a typed tree, or diagnostics |
//! | 6 | [`plan`] | typed tree to ordered steps: hashed, serialized |
//! | 7 | [`eval`] | plan and record to payloads or a rejection |
//! | 8 | [`vm`] | the same, compiled: bytes to bytes, for common records |
//! | 8 | [`describe`] | descriptions of systems: read and checked |
//! | 9 | [`project`] | many files, connections; the one door `compile` |
//! | 10 | [`testkit`] | test cases, coverage, preview |
//! | 11 | [`fault`] | how the outside fails |
//! | 12 | [`http`] | requests and answers as values, limits, secrets |
//! | 13 | [`store`] | what is kept across restarts |
//! | 13 | [`connector`] | what is known of one service only |
//! | 14 | [`engine`] | what happens to a record between two systems |
//! | 14 | [`sandbox`] | the systems themselves, on this machine |
//! | 15 | [`run`] | flows over files, and between systems |
//! | 16 | [`app`] | what the commands do, without arguments and printing |
//! | 16 | [`simulate`] | the same engine under a seeded scheduler |
//! | 17 | [`serve`] | the HTTP server: webhooks, health, metrics |
//! | 18 | [`cli`] | arguments, printing, exit codes |

pub mod apispec;
pub mod app;
pub mod base;
pub mod builtin;
pub mod check;
pub mod cli;
pub mod connector;
pub mod describe;
pub mod engine;
pub mod eval;
pub mod fault;
pub mod http;
pub mod ir;
pub mod plan;
pub mod project;
pub mod run;
pub mod sandbox;
pub mod schema;
pub mod serve;
pub mod simulate;
pub mod store;
pub mod syntax;
pub mod system;
pub mod testkit;
pub mod value;
pub mod vm;
pub mod yaml;
