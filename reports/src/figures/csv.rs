//! The numbers of a figure.

/// Builds CSV text (RFC 4180): numbers in their shortest exact form, nothing for NaN.
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

    pub(crate) fn text(&mut self, value: &str) {
        if value.contains([',', '"', '\n', '\r']) {
            self.cell(&format!("\"{}\"", value.replace('"', "\"\"")));
        } else {
            self.cell(value);
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

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
