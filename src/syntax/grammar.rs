//! The parser that is derived from `grammar/crossdock.pest`.

// The derive makes an enum called `Rule`; it is imported as `G`.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/crossdock.pest"]
pub(super) struct Grammar;
