//! The only integration binary: conformance over every registry entry, one file a trip, `routes/` mirrors the URLs.
mod architecture;
mod carriers;
mod channels;
mod pages;
mod simulator;
