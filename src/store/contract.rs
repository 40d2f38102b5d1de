//! The contract of [`super::Store`] as tests that every keeper of it runs.
