//! Words that every room shares: places in a text, the texts themselves, names that are near
//! each other, and what is said to an author about a mistake.

pub mod bounds;
pub mod diag;
mod nearest;
mod source;
mod span;
mod spread;

pub use nearest::nearest;
pub use source::{Position, Source, Sources};
pub use span::{FileId, Span, Spanned};
pub use spread::{Spread, each, each_light, locked};
