//! Any text as a packetdrill script: it is rejected with the place of the error, or it runs to an outcome.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/suite/fuzz_targets/packetdrill.rs"]
mod target;

fuzz_target!(|bytes: &[u8]| target::run(bytes));
