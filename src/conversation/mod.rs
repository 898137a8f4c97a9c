//! What to say: pure functions from what is known to what is said, or to what must still be known. Must never do I/O.

mod builtin;
pub mod intents;
mod keywords;
mod lexicon;
pub mod matcher;
mod prepare;
mod scorer;

pub use intents::{Intent, lint};
pub use matcher::{Language, Matcher, Understood};
