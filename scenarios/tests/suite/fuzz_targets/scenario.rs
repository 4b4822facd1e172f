//! Arbitrary text as a scenario: it is accepted, or rejected with a message; it never panics.

use scenarios::problem::SourceText;
use scenarios::sweep::Plan;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = SourceText {
        name: "fuzz.toml".to_owned(),
        text: text.to_owned(),
    };
    if let Err(message) = Plan::new(&source, &[]) {
        assert!(!message.to_string().is_empty());
    }
}
