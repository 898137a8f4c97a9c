//! Pure functions on what people type.

pub mod mask;
pub mod normalize;
pub mod numbers;
pub mod region;
pub mod script;
mod traditional;
