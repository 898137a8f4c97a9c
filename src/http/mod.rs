//! The doors that speak HTTP: turns requests into values and answers back into responses, and no more.
//! Must never decide what is said, or know a vendor.

pub mod chat;
pub mod problem;
