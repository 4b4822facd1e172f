//! Any text as a scenario: it is accepted, or refused with a message; it never panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scenarios::problem::Source;
use scenarios::sweep::Plan;

fuzz_target!(|text: &str| {
    let source = Source {
        name: "fuzz.toml".to_owned(),
        text: text.to_owned(),
    };
    if let Err(message) = Plan::new(&source, &[]) {
        assert!(!message.to_string().is_empty());
    }
});
