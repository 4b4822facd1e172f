//! Descriptions of the keys of a scenario, written at each key's definition and used by the reference, the
//! schema and `synfin explain`.

use serde_json::{Value as Json, json};
use sim_core::{Bytes, Rate, SimDuration};

/// A table of a scenario and its keys.
#[derive(Debug)]
pub struct TableInfo {
    /// Its name in the schema.
    pub name: &'static str,
    /// What it is, as Markdown.
    pub(crate) doc: &'static str,
    /// Its keys, in the order of their definition.
    pub keys: &'static [ScenarioKey],
}

/// A key of a scenario.
#[derive(Debug)]
pub struct ScenarioKey {
    /// The name of its field.
    field: &'static str,
    /// What it is, as Markdown.
    doc: &'static str,
    /// Its description beyond type and doc.
    pub info: KeyInfo,
    /// True if its table cannot be parsed without it.
    pub required: bool,
    /// The form of its values.
    pub form: fn() -> KeyForm,
}

/// The names of the topology shapes, which are defined on top of the files described here.
pub type Shapes = [&'static str];

/// The description of a key beyond its type and doc.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Its name, if it differs from the field's.
    pub name: &'static str,
    /// The default, in words.
    pub default: &'static str,
    /// An example value, as TOML.
    pub example: &'static str,
    /// The smallest and largest number.
    pub within: Option<(f64, f64)>,
    /// The words it takes; empty if it is not limited to a set of words.
    pub one_of: fn(&Shapes) -> Vec<&'static str>,
    /// True if a scenario is not complete without it.
    pub needed: bool,
}

impl KeyInfo {
    /// No information.
    pub const NONE: KeyInfo = KeyInfo {
        name: "",
        default: "",
        example: "",
        within: None,
        one_of: |_| Vec::new(),
        needed: false,
    };
}

/// The form of a key's values.
#[derive(Clone, Debug)]
pub enum KeyForm {
    /// A plain value.
    Leaf {
        /// In words.
        takes: String,
        /// As a JSON schema.
        schema: Json,
    },
    /// A table with keys.
    Table(&'static TableInfo),
    /// A list.
    List(Box<KeyForm>),
    /// A plain value or a table.
    Either(Box<KeyForm>, &'static TableInfo),
    /// TCP parameters, whose table is in `tcp-model`.
    Tcp,
}

/// A type of values in a scenario.
pub trait ScenarioValue {
    /// True if the key may be absent.
    const OPTIONAL: bool = false;

    /// The form of the values.
    fn form() -> KeyForm;
}

impl<T: ScenarioValue> ScenarioValue for Option<T> {
    const OPTIONAL: bool = true;
    fn form() -> KeyForm {
        T::form()
    }
}

impl<T: ScenarioValue> ScenarioValue for Vec<T> {
    fn form() -> KeyForm {
        KeyForm::List(Box::new(T::form()))
    }
}

impl<T: ScenarioValue> ScenarioValue for Box<T> {
    fn form() -> KeyForm {
        T::form()
    }
}

impl<const N: usize> ScenarioValue for [String; N] {
    fn form() -> KeyForm {
        KeyForm::Leaf {
            takes: format!("a list of {N} strings"),
            schema: json!({
                "type": "array", "items": { "type": "string" }, "minItems": N, "maxItems": N
            }),
        }
    }
}

impl<const N: usize> ScenarioValue for [u16; N] {
    fn form() -> KeyForm {
        KeyForm::Leaf {
            takes: format!("a list of {N} whole numbers from 0 to 65535"),
            schema: json!({
                "type": "array", "minItems": N, "maxItems": N,
                "items": { "type": "integer", "minimum": 0, "maximum": 65535 },
            }),
        }
    }
}

/// Defines types of plain values: the form in words, and the JSON schema.
macro_rules! leaf {
    ($($type:ty: $takes:expr, $schema:tt;)*) => {$(
        impl $crate::file::keys::ScenarioValue for $type {
            fn form() -> $crate::file::keys::KeyForm {
                $crate::file::keys::KeyForm::Leaf {
                    takes: $takes.to_owned(),
                    schema: ::serde_json::json!($schema),
                }
            }
        }
    )*};
}
pub(crate) use leaf;

leaf! {
    String: "a string", { "type": "string" };
    bool: "`true` or `false`", { "type": "boolean" };
    u16: "a whole number from 0 to 65535", { "type": "integer", "minimum": 0, "maximum": 65535 };
    u32: "a whole number", { "type": "integer", "minimum": 0, "maximum": u32::MAX };
    u64: "a whole number", { "type": "integer", "minimum": 0 };
    f64: "a number", { "type": "number" };
    SimDuration: "a duration with its unit: ps, ns, us, ms, s, min or h",
        { "type": "string", "pattern": DURATION };
    Bytes: "a size with its unit: B, kB, KiB, MB, MiB, GB or GiB",
        { "type": "string", "pattern": SIZE };
    Rate: "a bit rate with its unit: bit/s, kbit/s, Mbit/s, Gbit/s or Tbit/s",
        { "type": "string", "pattern": RATE };
}

/// The pattern of a duration.
pub const DURATION: &str = r"^\s*[0-9.][0-9._]*\s*(ps|ns|us|µs|μs|ms|s|min|h)\s*$";
/// The pattern of a size.
pub const SIZE: &str = r"^\s*[0-9.][0-9._]*\s*(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB)\s*$";
/// The pattern of a bit rate.
pub const RATE: &str = r"^\s*[0-9.][0-9._]*\s*(bit/s|kbit/s|Mbit/s|Gbit/s|Tbit/s)\s*$";

/// A number, or a quantity with its unit.
impl ScenarioValue for toml::Value {
    fn form() -> KeyForm {
        KeyForm::Leaf {
            takes: "a number, or a quantity with its unit".to_owned(),
            schema: json!({ "type": ["number", "string"] }),
        }
    }
}

/// A table of values by dotted path.
impl ScenarioValue for toml::Table {
    fn form() -> KeyForm {
        KeyForm::Leaf {
            takes: "a table of values by dotted path".to_owned(),
            schema: json!({ "type": "object" }),
        }
    }
}

/// Defines a struct and the description of its keys. A field's type may be followed by more description:
/// `=> { default: "1", example: "5", within: Some((1.0, 9.0)) }`, see [`KeyInfo`].
macro_rules! described {
    (
        $(#[doc = $table_doc:literal])*
        $(#[derive($($derive:tt)*)])?
        $(#[serde($($table_serde:tt)*)])?
        $vis:vis struct $name:ident {$(
            $(#[doc = $doc:literal])*
            $(#[serde($($serde:tt)*)])*
            $field_vis:vis $field:ident : $type:ty $(=> { $($info:tt)* })?
        ),* $(,)?}
    ) => {
        $(#[doc = $table_doc])*
        $(#[derive($($derive)*)])?
        $(#[serde($($table_serde)*)])?
        $vis struct $name {$(
            $(#[doc = $doc])*
            $(#[serde($($serde)*)])*
            $field_vis $field: $type,
        )*}

        impl $name {
            /// The description of its keys.
            #[allow(unreachable_pub)] // as visible as the struct
            pub const KEYS: &'static $crate::file::keys::TableInfo =
                &$crate::file::keys::TableInfo {
                    name: stringify!($name),
                    doc: concat!($($table_doc, "\n"),*),
                    keys: &[$($crate::file::keys::ScenarioKey::new(
                        stringify!($field),
                        concat!($($doc, "\n"),*),
                        $crate::file::keys::KeyInfo {
                            $($($info)*,)?
                            ..$crate::file::keys::KeyInfo::NONE
                        },
                        !<$type as $crate::file::keys::ScenarioValue>::OPTIONAL
                            && !$crate::file::keys::mentions_default(
                                concat!($(stringify!($($serde)*), " "),*)
                            ),
                        <$type as $crate::file::keys::ScenarioValue>::form,
                    )),*],
                };
        }

        impl $crate::file::keys::ScenarioValue for $name {
            fn form() -> $crate::file::keys::KeyForm {
                $crate::file::keys::KeyForm::Table($name::KEYS)
            }
        }
    };
}
pub(crate) use described;

/// True if the serde attributes give a field a default.
pub(crate) const fn mentions_default(attributes: &str) -> bool {
    let (text, word) = (attributes.as_bytes(), b"default");
    let mut i = 0;
    while i + word.len() <= text.len() {
        let mut same = 0;
        while same < word.len() && text[i + same] == word[same] {
            same += 1;
        }
        if same == word.len() {
            return true;
        }
        i += 1;
    }
    false
}

impl TableInfo {
    /// What it is, in one paragraph.
    pub fn text(&self) -> String {
        paragraph(self.doc)
    }
}

impl ScenarioKey {
    /// A key, as defined by [`described`].
    pub(crate) const fn new(
        field: &'static str,
        doc: &'static str,
        info: KeyInfo,
        required: bool,
        form: fn() -> KeyForm,
    ) -> ScenarioKey {
        ScenarioKey {
            field,
            doc,
            info,
            required,
            form,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self.info.name {
            "" => self.field,
            name => name,
        }
    }

    /// What it is, in one paragraph.
    pub fn text(&self) -> String {
        paragraph(self.doc)
    }

    /// The form of its values in words, with their range.
    pub fn takes(&self, shapes: &Shapes) -> String {
        let words = (self.info.one_of)(shapes);
        if !words.is_empty() {
            let quoted: Vec<String> = words.iter().map(|w| format!("`\"{w}\"`")).collect();
            return quoted.join(", ");
        }
        let takes = (self.form)().takes();
        match self.info.within {
            Some((least, most)) if most.is_finite() => {
                let takes = takes.split(" from ").next().unwrap_or(&takes);
                format!("{takes} from {least} to {most}")
            }
            Some((least, _)) => format!("{takes}, at least {least}"),
            None => takes,
        }
    }
}

fn paragraph(doc: &str) -> String {
    let lines: Vec<&str> = doc.lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

impl KeyForm {
    /// The form in words.
    pub fn takes(&self) -> String {
        match self {
            KeyForm::Leaf { takes, .. } => takes.clone(),
            KeyForm::Table(_) => "a table".to_owned(),
            KeyForm::List(of) => match &**of {
                KeyForm::Table(_) => "a list of tables".to_owned(),
                one => format!("a list, each {}", one.takes()),
            },
            KeyForm::Either(one, _) => format!("{}; or a table", one.takes()),
            KeyForm::Tcp => "a table of TCP parameters".to_owned(),
        }
    }

    /// The table that it contains, if any.
    pub fn table(&self) -> Option<&'static TableInfo> {
        match self {
            KeyForm::Table(info) | KeyForm::Either(_, info) => Some(info),
            KeyForm::List(of) => of.table(),
            KeyForm::Leaf { .. } | KeyForm::Tcp => None,
        }
    }
}
