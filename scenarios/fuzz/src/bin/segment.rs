//! Any bytes as an IPv4 packet with a TCP segment: what decodes must encode and decode to itself.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/suite/fuzz_targets/segment.rs"]
mod target;

fuzz_target!(|bytes: &[u8]| target::run(bytes));
