//! Text in English and Chinese.

/// The language in which a page opens; readers can change it there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese.
    Chinese,
}

/// A text in two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bilingual {
    pub(crate) english: String,
    pub(crate) chinese: String,
}

impl Bilingual {
    pub(crate) fn new(english: impl Into<String>, chinese: impl Into<String>) -> Bilingual {
        Bilingual {
            english: english.into(),
            chinese: chinese.into(),
        }
    }

    /// Appends another sentence.
    pub(crate) fn and(mut self, more: Bilingual) -> Bilingual {
        if !self.english.is_empty() && !more.english.is_empty() {
            self.english.push(' ');
        }
        self.english.push_str(&more.english);
        self.chinese.push_str(&more.chinese);
        self
    }
}
