//! What is understood.
use super::*;
