//! Embeds data in a page.

use std::fmt::Write as _;

use crate::text::is_hidden;

/// JSON text as the content of a `<script>` element: nothing in it ends the element, and hidden
/// characters and marks that change the direction of text are escaped in its strings.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Most of the text is plain, and copied in one piece.
    let is_special = |b: u8| matches!(b, b'<' | b'>' | b'&' | 0..0x20 | 0x7f..);
    while let Some(plain) = rest.bytes().position(is_special) {
        let (before, from) = rest.split_at(plain);
        out.push_str(before);
        let mut chars = from.chars();
        match chars.next() {
            Some(c @ ('<' | '>' | '&')) => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            Some(c) if !is_hidden(c) => out.push(c),
            _ => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// A text as a JSON string, escaped likewise.
pub(super) fn string(text: &str) -> String {
    json(&serde_json::Value::from(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element() {
        let evil = "</script><script>alert(1)</script><!-- \u{202e}\u{2028}\"' 中文 \u{1b}";
        let text = string(evil);
        assert!(
            !text.contains(['<', '>', '\u{202e}', '\u{2028}', '\u{1b}']),
            "{text}"
        );
        let back: String = serde_json::from_str(&text).unwrap();
        assert!(back.starts_with("</script><script>") && back.contains("中文"));
    }
}
