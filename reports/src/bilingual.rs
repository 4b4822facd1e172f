//! Text in English and Chinese. Each text stands once, with both languages beside it: a text without Chinese does not
//! compile.

/// The language in which a page opens; readers can change it there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese.
    Chinese,
}

/// As `format!`, with a text in English and one in Chinese, of which the language chooses one. Both use all arguments,
/// perhaps in another order: `say!(language, "{} of {} failed", "{1} 次中有 {0} 次失败", failed, all)`.
macro_rules! say {
    ($language:expr, $english:literal, $chinese:literal $(, $($argument:tt)*)?) => {
        match $language {
            $crate::bilingual::Language::English => format!($english $(, $($argument)*)?),
            $crate::bilingual::Language::Chinese => format!($chinese $(, $($argument)*)?),
        }
    };
}
pub(crate) use say;

impl Language {
    /// One of two texts, or of two lists of them.
    pub(crate) fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// "a, b and c", "a、b 和 c".
    pub(crate) fn list(self, items: &[String]) -> String {
        match (self, items) {
            (Language::English, _) => crate::text::list(items),
            (Language::Chinese, []) => String::new(),
            (Language::Chinese, [one]) => one.clone(),
            (Language::Chinese, [most @ .., last]) => format!("{}和{last}", most.join("、")),
        }
    }

    /// The text as a sentence: English begins with a capital letter.
    pub(crate) fn sentence(self, text: &str) -> String {
        match self {
            Language::English => crate::text::sentence(text),
            Language::Chinese => text.to_owned(),
        }
    }

    /// The sentence as it is printed: in Chinese with a space between Chinese characters and Latin letters.
    pub(crate) fn printed(self, sentence: String) -> String {
        match self {
            Language::English => sentence,
            Language::Chinese => crate::text::spaced(&sentence),
        }
    }

    /// "1 socket", "5 sockets", "5 个套接字": a number with its noun, and in Chinese the measure word.
    pub(crate) fn counted(self, n: f64, one: &str, many: &str, chinese: &str) -> String {
        match self {
            Language::English => {
                let noun = if n == 1.0 { one } else { many };
                format!("{} {noun}", crate::format::count(n))
            }
            Language::Chinese => format!("{} {chinese}", crate::format::count(n)),
        }
    }
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
