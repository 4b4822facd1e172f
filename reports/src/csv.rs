//! CSV files with the numbers of a figure.

use crate::text::visible;

/// Builds CSV text (RFC 4180): numbers are written in their shortest exact form, NaN as an empty
/// field.
#[derive(Debug)]
pub(crate) struct Csv {
    text: String,
    begun: bool,
}

impl Csv {
    pub(crate) fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Csv {
        let mut csv = Csv {
            text: String::new(),
            begun: false,
        };
        header.into_iter().for_each(|name| csv.text(name));
        csv.end();
        csv
    }

    pub(crate) fn number(&mut self, value: f64) {
        if value.is_finite() {
            self.cell(&value.to_string());
        } else {
            self.cell("");
        }
    }

    /// Adds a text. Hidden characters are escaped; text that a spreadsheet would take for a formula gets an
    /// apostrophe in front, which makes it plain text.
    pub(crate) fn text(&mut self, value: &str) {
        let value = visible(value);
        let value = if is_formula(&value) {
            format!("'{value}")
        } else {
            value.into_owned()
        };
        if value.contains([',', '"', '\n', '\r']) {
            self.cell(&format!("\"{}\"", value.replace('"', "\"\"")));
        } else {
            self.cell(&value);
        }
    }

    fn cell(&mut self, text: &str) {
        if self.begun {
            self.text.push(',');
        }
        self.begun = true;
        self.text.push_str(text);
    }

    pub(crate) fn end(&mut self) {
        self.text.push('\n');
        self.begun = false;
    }

    pub(crate) fn row(&mut self, numbers: impl IntoIterator<Item = f64>) {
        numbers.into_iter().for_each(|n| self.number(n));
        self.end();
    }

    /// Bytes of the text so far.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes the text so far, leaving an empty one; call it between two rows.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

fn is_formula(text: &str) -> bool {
    match text.strip_prefix(['+', '-']) {
        // A number with a unit, "-5 ms", is not a formula.
        Some(rest) => {
            let starts_as_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | ' ' | '/' | '%');
            !(starts_as_number && rest.chars().all(plain))
        }
        None => text.starts_with(['=', '@', '\t']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_hides_anything() {
        let mut csv = Csv::new(["a"]);
        for text in [
            "=1+1",
            "@x",
            "-x",
            "+y",
            "-5 ms",
            "-5+x",
            "a\u{1b}[2J",
            "=\"\u{202e}\"",
        ] {
            csv.text(text);
        }
        csv.end();
        assert_eq!(
            csv.finish(),
            "a\n'=1+1,'@x,'-x,'+y,-5 ms,'-5+x,a\\u001B[2J,\"'=\"\"\\u202E\"\"\"\n"
        );
    }

    #[test]
    fn cells_with_commas_and_quotes_are_quoted_and_nan_is_empty() {
        let mut csv = Csv::new(["time_s", "a, \"b\""]);
        csv.row([0.1, f64::NAN]);
        csv.text("x");
        csv.number(28_232.0);
        csv.end();
        assert_eq!(csv.finish(), "time_s,\"a, \"\"b\"\"\"\n0.1,\nx,28232\n");
    }
}
