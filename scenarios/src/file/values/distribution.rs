//! Distributions as text: a quantity, or a table with a `kind`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    self, Deserialize, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer,
};
use serde::{Serialize, Serializer};
use serde_json::json;
use sim_core::units::ParseUnitError;
use sim_core::{Bytes, SimDuration};
use tcp_model::spec::Distribution;

use crate::file::keys::{DURATION, KeyForm, SIZE, ScenarioValue, described};

/// The unit of the values of a distribution.
pub trait DistributionUnit: Clone + fmt::Debug + PartialEq + 'static {
    /// The form of a plain value, in words.
    const TAKES: &'static str;
    /// The pattern of a plain value.
    const PATTERN: &'static str;
    /// What is drawn, with an example, for messages.
    const EXPECTING: &'static str;
    /// Reads a quantity and returns it in the base unit.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn read(text: &str) -> Result<f64, ParseUnitError>;
    /// Prints a number in the base unit so that it can be read again.
    fn print(value: f64) -> String;
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InBytes;

impl DistributionUnit for InBytes {
    const TAKES: &'static str = "a size with its unit: B, kB, KiB, MB, MiB, GB or GiB";
    const PATTERN: &'static str = SIZE;
    const EXPECTING: &'static str = "a quoted size such as \"10 kB\", or a table such as { kind = \"exponential\", mean = \"10 kB\" }";
    fn read(text: &str) -> Result<f64, ParseUnitError> {
        text.parse::<Bytes>().map(|b| b.0 as f64)
    }
    fn print(value: f64) -> String {
        Bytes(value as u64).to_string()
    }
}

/// Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InSeconds;

impl DistributionUnit for InSeconds {
    const TAKES: &'static str = "a duration with its unit: ps, ns, us, ms, s, min or h";
    const PATTERN: &'static str = DURATION;
    const EXPECTING: &'static str = "a quoted time such as \"5 ms\", or a table such as { kind = \"exponential\", mean = \"5 ms\" }";
    fn read(text: &str) -> Result<f64, ParseUnitError> {
        text.parse::<SimDuration>().map(SimDuration::as_secs_f64)
    }
    fn print(value: f64) -> String {
        SimDuration::from_secs_f64(value).to_string()
    }
}

/// A distribution: a quantity (`"100 B"`, always the same) or a table with a `kind`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dist<U>(pub Distribution, PhantomData<U>);

impl<U> Dist<U> {
    /// Wraps a distribution.
    pub fn new(distribution: Distribution) -> Self {
        Dist(distribution, PhantomData)
    }
}

described! {
/// A distribution of sizes or times. `kind` says which of the other keys it takes.
#[derive(serde::Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct DistTable {
    /// Which distribution.
    kind: String => { example: r#""exponential""#, one_of: |_| KINDS.to_vec(), needed: true },
    /// The value (constant).
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String> => { default: "none; needed", example: r#""10 kB""# },
    /// The mean (exponential).
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<String> => { default: "none; needed", example: r#""10 kB""# },
    /// The median (lognormal); the mean is `median` times e to the power of half of `sigma` squared.
    #[serde(skip_serializing_if = "Option::is_none")]
    median: Option<String> => { default: "none; needed", example: r#""10 kB""# },
    /// The smallest value (uniform, pareto).
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String> => { default: "none; needed", example: r#""1 kB""# },
    /// The largest value (uniform).
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String> => { default: "none; needed", example: r#""10 kB""# },
    /// Standard deviation of the logarithm (lognormal).
    #[serde(skip_serializing_if = "Option::is_none")]
    sigma: Option<f64> => { default: "none; needed", example: "1.5", within: Some((0.0, f64::INFINITY)) },
    /// Shape (pareto); with 1 or less there is no mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha: Option<f64> => { default: "none; needed", example: "1.2", within: Some((0.0, f64::INFINITY)) },
}
}

/// The kinds of distributions.
const KINDS: [&str; 5] = ["constant", "uniform", "exponential", "lognormal", "pareto"];

impl<U: DistributionUnit> ScenarioValue for Dist<U> {
    fn form() -> KeyForm {
        let one = KeyForm::Leaf {
            takes: U::TAKES.to_owned(),
            schema: json!({ "type": "string", "pattern": U::PATTERN }),
        };
        KeyForm::Either(Box::new(one), DistTable::KEYS)
    }
}

/// What is wrong with the table of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum DistributionError {
    /// A quantity cannot be read.
    #[error(transparent)]
    Quantity(#[from] ParseUnitError),
    /// There is no such distribution; the message names the existing ones.
    #[error("{0}")]
    UnknownKind(String),
    #[error("the distribution {kind:?} needs `{key}`")]
    Missing { key: &'static str, kind: String },
    #[error("`{key}` does not belong to the distribution {kind:?}, which takes {takes}")]
    Foreign {
        key: &'static str,
        kind: String,
        takes: String,
    },
    #[error("`{0}` must be a number greater than zero")]
    NotPositive(&'static str),
    #[error("`min` of the uniform distribution is larger than its `max`; swap them")]
    Reversed,
}

impl DistTable {
    fn resolve<U: DistributionUnit>(&self) -> Result<Distribution, DistributionError> {
        let (uses, distribution): (&[&str], _) = match self.kind.as_str() {
            "constant" => (
                &["value"],
                Distribution::Constant(self.text::<U>("value", &self.value)?),
            ),
            "exponential" => (
                &["mean"],
                Distribution::Exponential(self.text::<U>("mean", &self.mean)?),
            ),
            "uniform" => {
                let low = self.text::<U>("min", &self.min)?;
                let high = self.text::<U>("max", &self.max)?;
                if low > high {
                    return Err(DistributionError::Reversed);
                }
                (&["min", "max"], Distribution::Uniform(low, high))
            }
            "lognormal" => (
                &["median", "sigma"],
                Distribution::LogNormal {
                    median: self.text::<U>("median", &self.median)?,
                    sigma: self.shape("sigma", self.sigma)?,
                },
            ),
            "pareto" => (
                &["min", "alpha"],
                Distribution::Pareto {
                    min: self.text::<U>("min", &self.min)?,
                    alpha: self.shape("alpha", self.alpha)?,
                },
            ),
            other => {
                let message = crate::suggest::unknown("distribution", other, KINDS);
                return Err(DistributionError::UnknownKind(message));
            }
        };
        let given = [
            ("value", self.value.is_some()),
            ("mean", self.mean.is_some()),
            ("median", self.median.is_some()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("sigma", self.sigma.is_some()),
            ("alpha", self.alpha.is_some()),
        ];
        match given
            .iter()
            .find(|(key, given)| *given && !uses.contains(key))
        {
            Some((key, _)) => Err(DistributionError::Foreign {
                key,
                kind: self.kind.clone(),
                takes: uses.join(" and "),
            }),
            None => Ok(distribution),
        }
    }

    fn text<U: DistributionUnit>(
        &self,
        key: &'static str,
        value: &Option<String>,
    ) -> Result<f64, DistributionError> {
        match value {
            Some(text) => Ok(U::read(text)?),
            None => Err(self.missing(key)),
        }
    }

    fn shape(&self, key: &'static str, value: Option<f64>) -> Result<f64, DistributionError> {
        match value {
            Some(v) if v.is_finite() && v > 0.0 => Ok(v),
            Some(_) => Err(DistributionError::NotPositive(key)),
            None => Err(self.missing(key)),
        }
    }

    fn missing(&self, key: &'static str) -> DistributionError {
        DistributionError::Missing {
            key,
            kind: self.kind.clone(),
        }
    }

    fn of<U: DistributionUnit>(distribution: Distribution) -> DistTable {
        let kind = |kind: &str| DistTable {
            kind: kind.to_owned(),
            ..DistTable::default()
        };
        let text = |v| Some(U::print(v));
        match distribution {
            Distribution::Constant(v) => DistTable {
                value: text(v),
                ..kind("constant")
            },
            Distribution::Uniform(a, b) => DistTable {
                min: text(a),
                max: text(b),
                ..kind("uniform")
            },
            Distribution::Exponential(m) => DistTable {
                mean: text(m),
                ..kind("exponential")
            },
            Distribution::LogNormal { median, sigma } => DistTable {
                median: text(median),
                sigma: Some(sigma),
                ..kind("lognormal")
            },
            Distribution::Pareto { min, alpha } => DistTable {
                min: text(min),
                alpha: Some(alpha),
                ..kind("pareto")
            },
        }
    }
}

impl<U: DistributionUnit> Serialize for Dist<U> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Distribution::Constant(v) => s.serialize_str(&U::print(v)),
            other => DistTable::of::<U>(other).serialize(s),
        }
    }
}

impl<'de, U: DistributionUnit> Deserialize<'de> for Dist<U> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct TextOrTable<U>(PhantomData<U>);
        impl<'de, U: DistributionUnit> Visitor<'de> for TextOrTable<U> {
            type Value = Dist<U>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(U::EXPECTING)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dist<U>, E> {
                U::read(text)
                    .map(|v| Dist::new(Distribution::Constant(v)))
                    .map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Dist<U>, A::Error> {
                let table: DistTable = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                table
                    .resolve::<U>()
                    .map(Dist::new)
                    .map_err(de::Error::custom)
            }
        }
        d.deserialize_any(TextOrTable(PhantomData))
    }
}
