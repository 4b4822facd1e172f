//! Applications: what opens connections, writes, reads and closes.

pub mod spec;
