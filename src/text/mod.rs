//! Pure functions on what people type.
