//! How diagnostics look: on a terminal, as JSON, as SARIF, as GitHub annotations.
