//! Any text as a packetdrill script: it is refused with its place, or it runs to an outcome.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tcp_model::Connection;
use tcp_model::packetdrill::{RunOptions, parse, run};

fuzz_target!(|text: &str| {
    let Ok(script) = parse(text) else { return };
    let options = RunOptions::default();
    let _ = run(&script, &mut |open| Box::new(Connection::new(open)), &options);
});
