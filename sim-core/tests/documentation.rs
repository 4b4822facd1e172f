//! What the documentation promises: a first example of 20 lines, and short examples.

use std::fs;
use std::path::Path;

fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_first_example_of_the_crate_has_at_most_twenty_lines() {
    let text = source("src/lib.rs");
    let docs = text.lines().map_while(|line| line.strip_prefix("//!"));
    // The block with the diagram comes first, and begins with `` `text.
    let example = docs
        .skip_while(|line| line.trim() != "```text")
        .skip_while(|line| line.trim() != "```")
        .skip(1)
        .skip_while(|line| line.trim() != "```")
        .skip(1)
        .take_while(|line| line.trim() != "```");
    let code: Vec<&str> = example
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!((10..=20).contains(&code.len()), "{code:#?}");
    assert!(code.iter().any(|line| line.starts_with("impl Host for")));
}

#[test]
fn every_example_of_a_protocol_has_less_than_eighty_lines() {
    for name in ["ping", "gossip", "mm1", "token_ring"] {
        let lines = source(&format!("examples/{name}.rs")).lines().count();
        assert!((30..80).contains(&lines), "{name}: {lines} lines");
    }
}
