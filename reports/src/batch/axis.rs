//! A swept parameter with its values, as written and as typed data.

use serde::{Deserialize, Serialize};

use crate::format;
use crate::metrics::MetricKind;

/// Values with more digits are shortened in legends.
const MOST_DIGITS: usize = 7;

/// A swept parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Axis {
    /// Dotted path.
    pub path: String,
    /// Its values in the order of the sweep, as written.
    pub values: Vec<String>,
    /// The same as typed data, if they have a common type.
    pub typed: AxisValues,
    /// Parameters that change together with it, each with the same number of values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Axis>,
    /// Of the points of a Saltelli design, the number of base points ([`saltelli`](crate::stats::saltelli));
    /// `None` for any other axis. Point number `b (d + 2) + k`, counted from 0 while values count from 1,
    /// belongs to base point `b` and is result `k` of it, where `d` is the number of companions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_points: Option<usize>,
}

/// The values of an axis as data, in the order of the sweep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisValues {
    /// Names, or values of several kinds: categories.
    #[default]
    Names,
    /// On or off: also categories.
    Switches(Vec<bool>),
    /// Quantities in one base unit.
    Numbers {
        /// The unit.
        unit: Unit,
        /// The quantities in it.
        values: Vec<f64>,
    },
}

/// The base unit of a swept quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A plain number.
    #[default]
    One,
    /// Seconds.
    Seconds,
    /// Events per second.
    PerSecond,
    /// Bits per second.
    BitsPerSecond,
    /// Bytes.
    Bytes,
    /// Packets.
    Packets,
}

impl Unit {
    /// Its symbol, 1 for a plain number.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Unit::One | Unit::Packets => "1",
            Unit::Seconds => "s",
            Unit::PerSecond => "1/s",
            Unit::BitsPerSecond => "bit/s",
            Unit::Bytes => "B",
        }
    }

    /// Suffix of the name of a column with this unit.
    pub fn suffix(self) -> &'static str {
        match self {
            Unit::One => "",
            Unit::Seconds => "_s",
            Unit::PerSecond => "_per_s",
            Unit::BitsPerSecond => "_bps",
            Unit::Bytes => "_bytes",
            Unit::Packets => "_pkts",
        }
    }

    /// The display unit for an axis up to `largest`, and the factor to convert to it.
    pub(crate) fn axis(self, largest: f64) -> (&'static str, f64) {
        match self {
            Unit::One => ("", 1.0),
            Unit::Seconds => MetricKind::Duration.axis(largest),
            Unit::PerSecond => MetricKind::PerSecond.axis(largest),
            Unit::BitsPerSecond => MetricKind::BitRate.axis(largest),
            Unit::Bytes => MetricKind::Bytes.axis(largest),
            Unit::Packets => ("packets", 1.0),
        }
    }
}

impl Axis {
    /// The axis itself and its companions.
    pub fn columns(&self) -> impl Iterator<Item = &Axis> {
        std::iter::once(self).chain(&self.companions)
    }

    /// The axis with only those values for which `keep` is true.
    pub fn only(&self, keep: &[bool]) -> Axis {
        fn chosen<T: Clone>(all: &[T], keep: &[bool]) -> Vec<T> {
            let both = all.iter().zip(keep);
            both.filter(|(_, keep)| **keep)
                .map(|(v, _)| v.clone())
                .collect()
        }
        Axis {
            path: self.path.clone(),
            values: chosen(&self.values, keep),
            typed: match &self.typed {
                AxisValues::Names => AxisValues::Names,
                AxisValues::Switches(all) => AxisValues::Switches(chosen(all, keep)),
                AxisValues::Numbers { unit, values } => AxisValues::Numbers {
                    unit: *unit,
                    values: chosen(values, keep),
                },
            },
            companions: self.companions.iter().map(|c| c.only(keep)).collect(),
            base_points: self.base_points,
        }
    }

    /// The values as numbers in a common base unit, if they have one.
    pub(crate) fn numbers(&self) -> Option<&[f64]> {
        match &self.typed {
            AxisValues::Numbers { values, .. } if values.len() == self.values.len() => Some(values),
            _ => None,
        }
    }

    /// The unit of the numbers; [`Unit::One`] for anything else.
    pub(crate) fn unit(&self) -> Unit {
        match self.typed {
            AxisValues::Numbers { unit, .. } => unit,
            _ => Unit::One,
        }
    }

    /// A number with the unit of the axis, to about three digits.
    pub(crate) fn in_words(&self, value: f64) -> String {
        match self.unit() {
            Unit::One => format::number(value),
            Unit::Seconds => format::seconds(value),
            Unit::PerSecond => format!("{} /s", format::number(value)),
            Unit::BitsPerSecond => format::bit_rate(value),
            Unit::Bytes => format::bytes(value),
            Unit::Packets => format!("{} packets", format::number(value)),
        }
    }

    /// A value for a legend: as written, or with fewer digits if it has many, as those of a logarithmic range have.
    pub(crate) fn short(&self, at: usize) -> String {
        let written = &self.values[at];
        let digits = written.chars().filter(char::is_ascii_digit);
        match self.numbers() {
            Some(numbers) if digits.count() > MOST_DIGITS => self.in_words(numbers[at]),
            _ => written.clone(),
        }
    }

    /// The index of a value as written.
    pub(crate) fn place(&self, value: &str) -> Option<usize> {
        // The points of a sample are numbered from 1, and there may be many.
        let numbered = value.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let is_there = |&at: &usize| self.values.get(at).is_some_and(|v| v == value);
        if let Some(at) = numbered.filter(is_there) {
            return Some(at);
        }
        self.values.iter().position(|v| v == value)
    }
}
