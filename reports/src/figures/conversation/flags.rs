//! The flags of a segment.

use std::ops::Deref;

/// Flags by name; the index of each is its bit.
const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];

/// The flags of a segment as tables write them, such as "SYN,ACK", tested without parsing the text
/// again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlagText {
    text: String,
    bits: u16,
}

impl FlagText {
    /// Returns true if the flag of this name is set; false for an unknown name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.bits & bit(name) != 0
    }
}

fn bit(name: &str) -> u16 {
    let place = NAMES.iter().position(|n| *n == name);
    place.map_or(0, |place| 1 << place)
}

impl From<String> for FlagText {
    fn from(text: String) -> FlagText {
        let bits = text.split(',').map(bit).fold(0, |all, one| all | one);
        FlagText { text, bits }
    }
}

impl From<&str> for FlagText {
    fn from(text: &str) -> FlagText {
        text.to_owned().into()
    }
}

impl Deref for FlagText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_of_the_text_is_set_and_no_other() {
        for text in ["", "SYN", "SYN,ACK", "FIN,PSH,ACK,ECE", "RST,ACK,URG,CWR"] {
            let flags = FlagText::from(text);
            assert_eq!(&*flags, text);
            for name in NAMES {
                let written = text.split(',').any(|f| f == name);
                assert_eq!(flags.has(name), written, "{name} of {text}");
            }
        }
    }

    #[test]
    fn the_names_are_those_that_tables_write() {
        for (i, name) in NAMES.iter().enumerate() {
            let written = tcp_model::segment::Flags(1 << i).to_string();
            assert_eq!(written, *name);
        }
    }
}
