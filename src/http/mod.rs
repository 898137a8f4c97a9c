//! The doors that speak HTTP: turns requests into values and answers back into responses, and no more.
//! Must never decide what is said, or know a vendor.

pub mod api;
pub mod chat;
mod hooks;
mod operate;
pub mod problem;
pub mod server;
