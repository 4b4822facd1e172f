//! Ranges of swept values: `{ from = "100 /s", to = "800 /s", step = "100 /s" }`.

use reports::Unit;
use toml::{Table, Value};

use super::{MAX_VARIANTS, label};
use crate::dotted_path::{DottedPath, PathStep};
use crate::problem::Problem;
use crate::quantity::quantity;
use crate::suggest;

/// Keys of a range.
const KEYS: [&str; 5] = ["from", "to", "step", "count", "scale"];

/// True if a table is a range rather than part of a path.
pub(super) fn is_range(table: &Table) -> bool {
    ["from", "to"].iter().any(|key| {
        table
            .get(*key)
            .is_some_and(|v| !v.is_array() && !v.is_table())
    })
}

/// Returns the values of a range in order, with the unit of `from`. On a logarithmic scale they have equal
/// ratios. Whole numbers stay whole, without duplicates.
///
/// # Errors
/// When a key is missing, unknown or of another unit, or the range does not end.
pub(super) fn expand(name: &str, range: &Table) -> Result<Vec<Value>, Problem> {
    let (points, like) = points(range).map_err(|why| {
        let at = DottedPath(vec![PathStep::Key("sweep".into()), PathStep::Key(name.into())]);
        Problem::new(at, format!("the range of {name} {why}")).help(format!(
            "write for example \"{name}\" = {{ from = \"100 /s\", to = \"800 /s\", step = \"100 /s\" }}; or \
             `count` in place of `step`, with scale = \"log\" for equal ratios"
        ))
    })?;
    let mut values: Vec<Value> = points.into_iter().map(|p| like.value(p)).collect();
    values.dedup();
    Ok(values)
}

/// Why a range has no values; the message continues "the range of NAME …".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum RangeError {
    #[error("has an {0}")]
    UnknownKey(String),
    #[error("has no `{0}`")]
    Missing(&'static str),
    #[error("has a `{key}` that is not a number: {value}")]
    NotANumber { key: &'static str, value: Value },
    #[error("goes from {from} to {to}, which are of different kinds")]
    DifferentKinds { from: String, to: String },
    #[error("is logarithmic and must lie above 0")]
    LogOfZero,
    #[error("has a `scale` that is neither \"linear\" nor \"log\"")]
    UnknownScale,
    #[error("has a `{0}`, which cannot be used since values are drawn from it")]
    Drawn(&'static str),
    #[error("does not increase")]
    NotUpward,
    #[error("has a `count` that is not a whole number from 2 to {MAX_VARIANTS}")]
    BadCount,
    #[error("has a `step` of another kind than `from`")]
    StepOfAnotherKind,
    #[error("has a `step` that does not lead from `from` to `to` in at most {MAX_VARIANTS} values")]
    EndlessStep,
    #[error("is logarithmic and needs a `count` instead of a `step`")]
    LogNeedsCount,
    #[error("needs either a `step` or a `count`")]
    NoStep,
}

/// The ends of a range in base units, and the notation of values between them.
#[derive(Clone, Debug)]
pub(crate) struct SearchRange {
    from: f64,
    to: f64,
    unit: Unit,
    log: bool,
    like: RangeNotation,
}

impl SearchRange {
    /// Reads the ends of a range to draw from, which has neither `step` nor `count`.
    ///
    /// # Errors
    /// As [`expand`].
    pub(super) fn to_draw_from(name: &str, range: &Table) -> Result<SearchRange, Problem> {
        let mut keys = ["step", "count"].into_iter();
        let extra = keys.find(|key| range.contains_key(*key));
        let ends = match extra {
            Some(key) => Err(RangeError::Drawn(key)),
            None => SearchRange::of(range),
        };
        ends.map_err(|why| {
            let at = super::swept("sample").key("over").key(name);
            Problem::new(at, format!("the range of {name} {why}")).help(format!(
                "write for example \"{name}\" = {{ from = 1e-5, to = 0.1, scale = \"log\" }}"
            ))
        })
    }

    /// Makes an interval to search in from two values as written.
    ///
    /// # Errors
    /// When they are not numbers, are of different kinds, or are equal.
    pub(crate) fn to_search(
        from: &Value,
        to: &Value,
        log: bool,
    ) -> Result<SearchRange, RangeError> {
        let mut table = Table::new();
        table.insert("from".to_owned(), from.clone());
        table.insert("to".to_owned(), to.clone());
        let scale = if log { "log" } else { "linear" };
        table.insert("scale".to_owned(), scale.into());
        let ends = SearchRange::of(&table)?;
        if ends.from < ends.to {
            Ok(ends)
        } else {
            Err(RangeError::NotUpward)
        }
    }

    /// The value at a position, rounded to `digits`, and the same in base units.
    pub(crate) fn near(&self, place: f64, digits: usize) -> (Value, f64) {
        let value = self.like.value(rounded(
            between(self.from, self.to, place, self.log),
            digits,
        ));
        let base = quantity(&value).map_or(f64::NAN, |(base, _)| base);
        (value, base)
    }

    /// The value at a position between `from` (0) and `to` (1).
    pub(super) fn at(&self, place: f64) -> Value {
        self.like
            .value(between(self.from, self.to, place, self.log))
    }

    fn of(range: &Table) -> Result<SearchRange, RangeError> {
        if let Some(key) = range.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(RangeError::UnknownKey(suggest::unknown("key", key, KEYS)));
        }
        let ((from, unit), (to, other)) = (given(range, "from")?, given(range, "to")?);
        if unit != other {
            let (from, to) = (label(&range["from"]), label(&range["to"]));
            return Err(RangeError::DifferentKinds { from, to });
        }
        let log = match range.get("scale").map(Value::as_str) {
            None | Some(Some("linear")) => false,
            Some(Some("log")) if from > 0.0 && to > 0.0 => true,
            Some(Some("log")) => return Err(RangeError::LogOfZero),
            Some(_) => return Err(RangeError::UnknownScale),
        };
        Ok(SearchRange {
            from,
            to,
            unit,
            log,
            like: RangeNotation::new(range),
        })
    }
}

/// The value of a key of a range, in base units.
fn given(range: &Table, key: &'static str) -> Result<(f64, Unit), RangeError> {
    let value = range.get(key).ok_or(RangeError::Missing(key))?;
    quantity(value).ok_or_else(|| RangeError::NotANumber {
        key,
        value: value.clone(),
    })
}

/// The values in base units, or what is wrong.
fn points(range: &Table) -> Result<(Vec<f64>, RangeNotation), RangeError> {
    let SearchRange {
        from,
        to,
        unit,
        log,
        like,
    } = SearchRange::of(range)?;
    match (range.get("count"), range.get("step")) {
        (Some(count), None) => {
            let count = count.as_integer().and_then(|n| usize::try_from(n).ok());
            let count = count.filter(|n| (2..=MAX_VARIANTS).contains(n));
            let count = count.ok_or(RangeError::BadCount)?;
            Ok((spread(from, to, count, log), like))
        }
        (None, Some(_)) if !log => {
            let (step, other) = given(range, "step")?;
            if unit != other {
                return Err(RangeError::StepOfAnotherKind);
            }
            // A millionth short of a whole step counts as a whole step, because decimal fractions are not
            // exact in binary.
            let steps = ((to - from) / step + 1e-6).floor();
            if !(0.0..MAX_VARIANTS as f64).contains(&steps) {
                return Err(RangeError::EndlessStep);
            }
            let all = (0..=steps as usize).map(|i| from + i as f64 * step);
            Ok((all.collect(), like))
        }
        _ if log => Err(RangeError::LogNeedsCount),
        _ => Err(RangeError::NoStep),
    }
}

/// `count` values, including both ends.
fn spread(from: f64, to: f64, count: usize, log: bool) -> Vec<f64> {
    let at = |i: usize| between(from, to, i as f64 / (count - 1) as f64, log);
    (0..count).map(at).collect()
}

/// The value at a position from 0 to 1 between two ends.
fn between(from: f64, to: f64, place: f64, log: bool) -> f64 {
    match place {
        1.0 => to,
        part if log => from * (to / from).powf(part),
        part => from + (to - from) * part,
    }
}

/// The notation of a range's values.
#[derive(Clone, Debug)]
enum RangeNotation {
    /// Whole numbers.
    Whole,
    /// Numbers.
    Number,
    /// Numbers with a unit, its size in base units, and whether values must be whole.
    Quantity {
        unit: String,
        scale: f64,
        whole: bool,
    },
}

impl RangeNotation {
    fn new(range: &Table) -> RangeNotation {
        let Some(text) = range["from"].as_str() else {
            return match range.values().any(Value::is_float) {
                true => RangeNotation::Number,
                false => RangeNotation::Whole,
            };
        };
        let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | ' ');
        let unit = text.trim().trim_start_matches(digits).to_owned();
        let one = quantity(&Value::String(format!("1 {unit}")));
        let whole = |q: (f64, Unit)| q.1 == Unit::Packets || (q.1 == Unit::Bytes && q.0 == 1.0);
        RangeNotation::Quantity {
            scale: one.map_or(1.0, |one| one.0),
            whole: one.is_some_and(whole),
            unit,
        }
    }

    fn value(&self, base: f64) -> Value {
        match self {
            RangeNotation::Whole => Value::Integer(base.round() as i64),
            RangeNotation::Number => Value::Float(rounded(base, DIGITS[0])),
            RangeNotation::Quantity { unit, scale, whole } => {
                let written = |digits| {
                    let number = rounded(base / scale, digits);
                    let number = if *whole { number.round() } else { number };
                    Value::String(format!("{number} {unit}"))
                };
                // A duration may be finer than the clock's resolution: try fewer digits.
                let readable = DIGITS.into_iter().map(written);
                let readable = readable.filter(|value| quantity(value).is_some());
                readable
                    .into_iter()
                    .next()
                    .unwrap_or_else(|| written(DIGITS[0]))
            }
        }
    }
}

/// Numbers of digits after the first to try, so that 0.3 is not written 0.30000000000000004.
const DIGITS: [usize; 4] = [11, 8, 5, 2];

fn rounded(x: f64, digits: usize) -> f64 {
    format!("{x:.digits$e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests;
