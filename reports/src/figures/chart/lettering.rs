//! Cuts names, or breaks them into lines, to fit their place.

use super::{AXIS_FONT, CATEGORY_LINES, LETTER};

/// Breaks a text into lines of at most this many letters, at blanks if there are any; cuts it after
/// [`CATEGORY_LINES`].
pub(super) fn wrap(text: &str, letters: usize) -> Vec<String> {
    // Characters of East Asian scripts are wider.
    let is_wide = crate::text::width(text) > text.chars().count() as f64;
    let letters = if is_wide {
        (letters * 10 / 17).max(2)
    } else {
        letters
    };
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

/// A text of at most so many letters; a longer one ends with "…".
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The font size at which a title fits into a width.
pub(super) fn title_size(title: &str, width: f64) -> u32 {
    let letters = crate::text::width(title).max(1.0);
    ((width / letters / 0.56) as u32).clamp(12, 19)
}

/// What is left out of the name of an axis that is too short for it; the title and the caption have the whole name.
const LEFT_OUT: [&str; 2] = [" over the whole run", " of all flows together"];

/// The name of an axis and its font size: as large as the axis allows, if necessary without details; only the unit if
/// the axis is too short for that.
pub(super) fn fitting(label: &str, length: f64) -> (String, u32) {
    let fits = |text: &str, size: &u32| {
        crate::text::width(text) * f64::from(*size) / f64::from(AXIS_FONT) * LETTER <= length
    };
    let mut brief = label.to_owned();
    for detail in LEFT_OUT {
        brief = brief.replace(detail, "");
    }
    for (text, least) in [(label, 13), (&brief, 12)] {
        let mut sizes = (least..=AXIS_FONT).rev();
        if let Some(size) = sizes.find(|size| fits(text, size)) {
            return (text.to_owned(), size);
        }
    }
    match label.rfind('(') {
        Some(unit) if label.ends_with(')') => {
            (label[unit + 1..label.len() - 1].to_owned(), AXIS_FONT)
        }
        _ => (label.to_owned(), AXIS_FONT),
    }
}
