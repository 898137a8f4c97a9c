//! What to say: pure functions from what is known to what is said, or to what must still be known. Must never do I/O.
