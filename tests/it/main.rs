//! The only integration binary: conformance over every registry entry, one file a trip, `routes/` mirrors the URLs.
mod carriers;
mod channels;
mod simulator;
