//! Cuts names, or breaks them into lines, to fit their place.

use super::{CATEGORY_LINES, LETTER};

/// Breaks a text into lines of at most this many letters, at blanks if there are any; cuts it after
/// [`CATEGORY_LINES`].
pub(super) fn wrap(text: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut length = 0;
    for word in text.split_whitespace() {
        for (i, part) in word.chars().collect::<Vec<_>>().chunks(letters).enumerate() {
            let blank = usize::from(length > 0 && i == 0);
            if length > 0 && (i > 0 || length + 1 + part.len() > letters) {
                lines.push(String::new());
                length = 0;
            } else if blank == 1 {
                lines.last_mut().into_iter().for_each(|l| l.push(' '));
                length += 1;
            }
            lines.last_mut().into_iter().for_each(|l| l.extend(part));
            length += part.len();
        }
    }
    if lines.len() > CATEGORY_LINES {
        lines.truncate(CATEGORY_LINES);
        if let Some(last) = lines.last_mut() {
            if last.chars().count() >= letters {
                last.pop();
            }
            last.push('…');
        }
    }
    lines
}

/// The font size at which a title fits into a width.
pub(super) fn title_size(title: &str, width: f64) -> u32 {
    let letters = title.chars().count().max(1) as f64;
    ((width / letters / 0.56) as u32).clamp(12, 19)
}

/// The name of an axis, or only its unit if the axis is too short for the name, which is also in
/// the title.
pub(super) fn fitting(label: &str, length: f64) -> String {
    let fits = label.chars().count() as f64 * LETTER <= length;
    match label.rfind('(') {
        Some(unit) if !fits && label.ends_with(')') => label[unit + 1..label.len() - 1].to_owned(),
        _ => label.to_owned(),
    }
}
