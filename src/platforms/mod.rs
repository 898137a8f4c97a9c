//! The shops' own systems: what they export and what they push becomes [`crate::model::Order`]s here.
//! Adapters are codecs: must never touch the store, the network, or a carrier's rules.

mod cells;
mod columns;
mod delimited;
pub mod files;
mod rows;
mod workbook;
