//! All integration tests in one program: it is linked once, whatever a change touches.
//!
//! A test file is a module here. `cargo nextest run webhooks::` runs those of one file.

mod common;
mod contract;
mod live;

mod alive;
mod apispec;
mod app;
mod architecture;
mod calls;
mod clients;
mod commands;
mod corpus;
mod demo;
mod diff;
mod docs;
mod documented;
mod eval;
mod explain;
mod first;
mod format;
mod given;
mod hostile;
mod imitated;
mod independent;
mod inputs;
mod kept;
mod killed;
mod mistaken;
mod older;
mod operating;
mod own;
mod plan;
mod privacy;
mod promise;
mod reference;
mod renamed;
mod robust;
mod schemas;
mod secrets;
mod signoff;
mod simulate;
mod templates;
mod together;
mod total;
mod vm;
mod waits;
mod webhooks;
