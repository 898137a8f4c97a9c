//! Telling people things outside of a reply: what is news, when it may be told and in which words, and the outbox with
//! its delivery, one call at a time for each person.

pub mod alerts;
pub mod announce;
pub mod delivery;
pub mod quiet;
pub mod teller;
pub mod triggers;
pub mod wording;
