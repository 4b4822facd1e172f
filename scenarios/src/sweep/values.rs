//! Swept values as typed data: numbers in base units, switches, names.

use reports::{AxisValues, Unit};
use toml::Value;

use crate::quantity::quantity;

/// Converts the values of an axis. Values of mixed types become names.
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
