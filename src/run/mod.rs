//! Runs flows. So far from files to files: [`files`].

pub mod files;
