//! Any text as a scenario: it is accepted, or refused with a message; it never panics.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/suite/fuzz_targets/scenario.rs"]
mod target;

fuzz_target!(|bytes: &[u8]| target::run(bytes));
