//! synfin
fn main() {}
