//! Swept values as typed data: numbers in base units, switches, names.

use reports::{AxisValues, Unit};
use sim_core::{Bytes, QueueLimit, Rate, SimDuration};
use toml::Value;

use crate::file::values::{PerSecond, QueueSize};

/// The values of an axis as data. Values that have no type in common are names.
pub(super) fn typed(values: &[Value]) -> AxisValues {
    let switches: Option<Vec<bool>> = values.iter().map(Value::as_bool).collect();
    if let Some(switches) = switches {
        return AxisValues::Switches(switches);
    }
    let quantities: Option<Vec<(f64, Unit)>> = values.iter().map(quantity).collect();
    let Some(quantities) = quantities else {
        return AxisValues::Names;
    };
    let unit = quantities.first().map_or(Unit::One, |q| q.1);
    if quantities.iter().any(|q| q.1 != unit) {
        return AxisValues::Names;
    }
    AxisValues::Numbers {
        unit,
        values: quantities.into_iter().map(|q| q.0).collect(),
    }
}

/// A value in its base unit. The types of the scenario read it; the unit says which of them it is,
/// and no two of them share one.
pub(super) fn quantity(value: &Value) -> Option<(f64, Unit)> {
    match value {
        Value::Integer(n) => Some((*n as f64, Unit::One)),
        Value::Float(x) if x.is_finite() => Some((*x, Unit::One)),
        Value::String(text) => of_text(text),
        _ => None,
    }
}

fn of_text(text: &str) -> Option<(f64, Unit)> {
    if let Ok(duration) = text.parse::<SimDuration>() {
        return Some((duration.as_secs_f64(), Unit::Seconds));
    }
    if let Ok(rate) = text.parse::<Rate>() {
        return Some((rate.as_bps() as f64, Unit::BitsPerSecond));
    }
    if let Ok(PerSecond(rate)) = text.parse::<PerSecond>() {
        return Some((rate, Unit::PerSecond));
    }
    if let Ok(Bytes(bytes)) = text.parse::<Bytes>() {
        return Some((bytes as f64, Unit::Bytes));
    }
    match text.parse::<QueueSize>() {
        Ok(QueueSize(QueueLimit::Packets(n))) => Some((f64::from(n), Unit::Packets)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(toml: &str) -> AxisValues {
        let table: toml::Table = format!("v = {toml}").parse().unwrap();
        typed(table["v"].as_array().unwrap())
    }

    fn numbers(unit: Unit, values: &[f64]) -> AxisValues {
        AxisValues::Numbers {
            unit,
            values: values.to_vec(),
        }
    }

    #[test]
    fn quantities_are_numbers_in_base_units() {
        for (toml, unit, values) in [
            (
                r#"["1 Mbit/s", "2.5 Gbit/s"]"#,
                Unit::BitsPerSecond,
                [1e6, 2.5e9],
            ),
            (r#"["20 ms", "1 min"]"#, Unit::Seconds, [0.02, 60.0]),
            (r#"["450 /s", "60 /min"]"#, Unit::PerSecond, [450.0, 1.0]),
            (r#"["64 KiB", "1 MB"]"#, Unit::Bytes, [65_536.0, 1e6]),
            (r#"["1 packet", "30 packets"]"#, Unit::Packets, [1.0, 30.0]),
            ("[1, 64]", Unit::One, [1.0, 64.0]),
            ("[0.5, 2]", Unit::One, [0.5, 2.0]),
        ] {
            assert_eq!(of(toml), numbers(unit, &values), "{toml}");
        }
    }

    #[test]
    fn switches_names_and_mixtures_are_categories() {
        assert_eq!(of("[false, true]"), AxisValues::Switches(vec![false, true]));
        for toml in [
            r#"["cubic", "newreno"]"#,
            r#"["30 packets", "64 kB"]"#,
            r#"["10 Mbit/s", "unlimited"]"#,
            "[1, true]",
            "[[1, 2], [3, 4]]",
            r#"[{ kind = "constant" }]"#,
        ] {
            assert_eq!(of(toml), AxisValues::Names, "{toml}");
        }
    }
}
