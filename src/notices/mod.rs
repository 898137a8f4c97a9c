//! Telling people things outside of a reply: the outbox and its delivery, one call at a time for each person.

pub mod delivery;
