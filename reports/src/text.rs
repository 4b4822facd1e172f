//! Makes untrusted text safe for terminals, pages and files, and builds sentences from parts.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns true for invisible characters that have an effect: control characters, which can move a
/// terminal's cursor or change its colours, and marks that change the direction of text, so that it
/// reads differently from what it is. Line feed and tab are not included.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

/// The text with hidden characters escaped as `\u001B`, which TOML and JSON strings read back as the
/// character.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{:04X}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A Chinese sentence with a space between a Chinese character and a Latin letter or digit beside it, as it is
/// printed. Texts in double quotes stay as they are.
pub(crate) fn spaced(text: &str) -> String {
    let is_chinese = |c: char| matches!(c, '\u{4e00}'..='\u{9fff}');
    let meet = |a: char, b: char| is_chinese(a) && b.is_ascii_alphanumeric();
    let mut out = String::with_capacity(text.len() + 8);
    let (mut last, mut quoted) = (' ', false);
    for c in text.chars() {
        if !quoted && (meet(last, c) || meet(c, last)) {
            out.push(' ');
        }
        quoted ^= c == '"';
        out.push(c);
        last = c;
    }
    out
}

/// The width of a text in letters: characters of East Asian scripts are as wide as two.
pub(crate) fn width(text: &str) -> f64 {
    let wide = |c: char| matches!(u32::from(c), 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60);
    text.chars().map(|c| if wide(c) { 1.7 } else { 1.0 }).sum()
}

/// Capitalises the first letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// "a", "a and b", "a, b and c".
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_characters_and_latin_letters_are_kept_apart() {
        assert_eq!(
            spaced("丢弃103 个，client-0 和client-1的 99 %：\"方案A\"。"),
            "丢弃 103 个，client-0 和 client-1 的 99 %：\"方案A\"。"
        );
    }

    #[test]
    fn hidden_characters_are_escaped() {
        for (text, shown) in [
            ("plain, äöü ≥ 5\n\tµs", "plain, äöü ≥ 5\n\tµs"),
            ("\u{1b}[31mred", "\\u001B[31mred"),
            ("a\rb\u{7f}\u{9b}c\0", "a\\u000Db\\u007F\\u009Bc\\u0000"),
            ("user\u{202e}nimda", "user\\u202Enimda"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
