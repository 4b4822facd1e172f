//! Any bytes as the options of a TCP header: iterating over them terminates, and they keep their bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/suite/fuzz_targets/options.rs"]
mod target;

fuzz_target!(|bytes: &[u8]| target::run(bytes));
