//! The only integration binary: conformance over every registry entry, one file a trip, `routes/` mirrors the URLs.

// A test that cannot go on says so where it stands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod abuse;
mod api;
mod architecture;
mod carriers;
mod channels;
mod crash;
mod days;
mod dialog;
mod doubt;
mod faults;
mod forecast;
mod housekeeping;
mod import;
mod logs;
mod notices;
mod pages;
mod pickup;
mod privacy;
mod proof;
mod pushes;
mod ship;
mod simulator;
mod slow;
mod trips;
mod waybills;
mod world;
