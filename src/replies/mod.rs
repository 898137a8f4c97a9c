//! Every sentence that a person reads, in the person's language: Fluent texts in layers, filled, checked and reloaded.
//! The last step before a channel: everything before it works on keys and arguments. Must never decide what to say.
//!
//! - A wrong sentence: `locales/<lang>/*.ftl`; which sentences there are and what each may use: [`keys`].
//! - Whose text wins, and what happens to a broken one: [`catalog`].
//! - How times are said: `when`; scans, statuses, carriers: `render`.
//! - What a merchant is told about a text: [`lint`]; a change on disk: [`watch`].

pub mod catalog;
pub mod functions;
pub mod keys;
pub mod lint;
pub mod negotiate;
mod render;
mod syntax;
pub mod watch;
mod when;

pub use catalog::Catalog;
pub use lint::{Limit, lint};
pub use render::Context;
pub use syntax::{MAX_FILE, Source};
pub use watch::{LiveCatalog, Watch};

#[cfg(test)]
mod tests;
