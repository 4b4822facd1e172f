//! Parameters whose values users can register by name. A TCP model: `"full"`, or a user's own. A congestion
//! control as written in scenarios and sysctls: `"cubic"`, or `{ kind = "cubic", beta = 0.8 }`.

use std::collections::BTreeMap;

use super::kind::ParamKind;
use super::model_choice::ModelChoice;
use super::value::{ParamField, ParamValue, Refusal};
use crate::congestion::{Control, ControlValue, ParameterKind};

/// The key of the name in a table.
const NAME: &str = "kind";

impl ParamField for Control {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<Control, Refusal> {
        let refused = |e: crate::congestion::ControlError| Refusal::Unreadable(e.to_string());
        match value {
            ParamValue::Text(name) => Control::named(name).map_err(refused),
            ParamValue::Table(table) => {
                let Some(ParamValue::Text(name)) = table.get(NAME) else {
                    return Err(Refusal::wrong_type(value, kind));
                };
                let mut control = Control::named(name).map_err(refused)?;
                for (name, value) in table.iter().filter(|(name, _)| *name != NAME) {
                    control = control.with(name, setting(value)?).map_err(refused)?;
                }
                Ok(control)
            }
            _ => Err(Refusal::wrong_type(value, kind)),
        }
    }

    /// Writes only the name if all parameters have their defaults.
    fn write(&self, _: &ParamKind) -> ParamValue {
        let name = ParamValue::text(self.algorithm().name);
        let mut table: BTreeMap<String, ParamValue> = self
            .values()
            .filter(|(p, v)| *v != p.default)
            .map(|(p, v)| (p.name.to_owned(), written(p.kind, v)))
            .collect();
        if table.is_empty() {
            return name;
        }
        table.insert(NAME.to_owned(), name);
        ParamValue::Table(table)
    }
}

impl ParamField for ModelChoice {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<ModelChoice, Refusal> {
        let found = match value {
            ParamValue::Text(name) => ModelChoice::named(name),
            _ => None,
        };
        found.ok_or_else(|| Refusal::wrong_type(value, kind))
    }

    fn write(&self, _: &ParamKind) -> ParamValue {
        ParamValue::text(self.name())
    }
}

/// A value of a parameter of an algorithm.
fn setting(value: &ParamValue) -> Result<ControlValue, Refusal> {
    match value {
        ParamValue::Flag(on) => Ok(ControlValue::Switch(*on)),
        ParamValue::Number(n) => Ok(ControlValue::Number(*n as f64)),
        ParamValue::Decimal(x) => Ok(ControlValue::Number(*x)),
        ParamValue::Text(text) => text
            .parse()
            .map(ControlValue::Time)
            .map_err(|e: sim_core::units::ParseUnitError| Refusal::Unreadable(e.to_string())),
        ParamValue::List(_) | ParamValue::Table(_) => Err(Refusal::Type {
            found: value.to_string(),
            expected: "a number, a duration, true or false".to_owned(),
        }),
    }
}

fn written(kind: ParameterKind, value: f64) -> ParamValue {
    match kind {
        ParameterKind::Switch => ParamValue::Flag(value != 0.0),
        ParameterKind::Count => ParamValue::Number(value as i64),
        ParameterKind::Number => ParamValue::Decimal(value),
        ParameterKind::Time => ParamValue::text(sim_core::SimDuration::from_secs_f64(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pairs: &[(&str, ParamValue)]) -> ParamValue {
        ParamValue::Table(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.clone()))
                .collect(),
        )
    }

    #[test]
    fn a_control_is_a_name_or_a_table_and_is_written_as_short_as_can_be() {
        let kind = ParamKind::control();
        let read = |value: &ParamValue| Control::read(value, &kind);
        let cubic = ParamValue::text("cubic");
        assert_eq!(read(&cubic).map(|c| c.write(&kind)), Ok(cubic.clone()));
        let defaults = table(&[("kind", cubic.clone()), ("beta", ParamValue::Decimal(0.7))]);
        assert_eq!(read(&defaults), read(&cubic));
        let own = table(&[
            ("kind", cubic.clone()),
            ("beta", ParamValue::Decimal(0.8)),
            ("hystart", ParamValue::Flag(false)),
        ]);
        assert_eq!(read(&own).map(|c| c.write(&kind)), Ok(own));
        assert_eq!(read(&ParamValue::text("reno")), Ok(Control::default()));
    }

    #[test]
    fn invalid_values_are_refused_with_the_allowed_ones() {
        let kind = ParamKind::control();
        let with = |name, value| table(&[("kind", ParamValue::text("cubic")), (name, value)]);
        for (value, says) in [
            (ParamValue::text("cubik"), "did you mean \"cubic\"?"),
            (
                with("bta", ParamValue::Decimal(0.5)),
                "did you mean \"beta\"?",
            ),
            (
                with("beta", ParamValue::Decimal(2.0)),
                "between 0.1 and 0.99",
            ),
            (with("hystart", ParamValue::Number(3)), "true or false"),
            (with("beta", ParamValue::List(vec![])), "a number"),
            (ParamValue::Number(1), "\"newreno\""),
            (table(&[("beta", ParamValue::Decimal(0.5))]), "`kind`"),
        ] {
            let error = Control::read(&value, &kind).unwrap_err().to_string();
            assert!(error.contains(says), "{value}: {error}");
        }
    }
}
