//! What a description says, typed, every value with its place. Each file has a part of the notation: the form, and how it is read.

mod answers;
mod auth;
mod call;
mod connection;
mod find;
mod limits;
mod names;
mod object;
mod page;
mod receipt;
mod stream;
mod webhooks;
mod write;

pub use answers::{Answer, AnswerClass, Errors, FieldOf, Wait};
pub use auth::{Auth, Client, Grant, Refresh, Sign, SignIn, SignedPart, TokenCall};
pub use call::{Ask, Pick, Request};
pub use connection::{Described, Hook, Setting, SettingKind, Spec, SpecForm, TimeForm, Zone};
pub use find::{Batched, Find, Get, Look, Scan, With, WithOf};
pub use limits::{Credits, Limit, Measure, Unit};
pub use names::{Hello, Named, NamedOf};
pub use object::{Id, IdForm, Object, PartOf, is_object_name};
pub use page::{Destination, Growth, Number, Page, Paging};
pub use receipt::{Matching, Receipt, Results};
pub use stream::{Gone, Listed, Shaped, Stream, Until};
pub use webhooks::{Hint, HintBy, Pointer, Register, Verify, Webhooks};
pub use write::{Action, Actions, Batch, Guarantee, Lines, Means, Replaces, Resolve, Step, There, Write};
