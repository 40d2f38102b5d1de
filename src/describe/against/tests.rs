//! The descriptions of the drafts, held against the vendors' cut files.
