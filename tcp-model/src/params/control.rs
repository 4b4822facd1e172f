//! Parameters whose values users can register by name. A TCP model: `"full"`, or a user's own. A congestion
//! control as written in scenarios and sysctls: `"cubic"`, or `{ kind = "cubic", beta = 0.8 }`.

use std::collections::BTreeMap;

use super::kind::ParamKind;
use super::model_choice::ModelChoice;
use super::value::{ParamField, Refusal, Value};
use crate::congestion::{Control, ParameterKind, Setting};

/// The key of the name in a table.
const NAME: &str = "kind";

impl ParamField for Control {
    fn read(value: &Value, kind: &ParamKind) -> Result<Control, Refusal> {
        let refused = |e: crate::congestion::ControlError| Refusal::Unreadable(e.to_string());
        match value {
            Value::Text(name) => Control::named(name).map_err(refused),
            Value::Table(table) => {
                let Some(Value::Text(name)) = table.get(NAME) else {
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
    fn write(&self, _: &ParamKind) -> Value {
        let name = Value::text(self.algorithm().name);
        let mut table: BTreeMap<String, Value> = self
            .values()
            .filter(|(p, v)| *v != p.default)
            .map(|(p, v)| (p.name.to_owned(), written(p.kind, v)))
            .collect();
        if table.is_empty() {
            return name;
        }
        table.insert(NAME.to_owned(), name);
        Value::Table(table)
    }
}

impl ParamField for ModelChoice {
    fn read(value: &Value, kind: &ParamKind) -> Result<ModelChoice, Refusal> {
        let found = match value {
            Value::Text(name) => ModelChoice::named(name),
            _ => None,
        };
        found.ok_or_else(|| Refusal::wrong_type(value, kind))
    }

    fn write(&self, _: &ParamKind) -> Value {
        Value::text(self.name())
    }
}

/// A value of a parameter of an algorithm.
fn setting(value: &Value) -> Result<Setting, Refusal> {
    match value {
        Value::Flag(on) => Ok(Setting::Switch(*on)),
        Value::Number(n) => Ok(Setting::Number(*n as f64)),
        Value::Decimal(x) => Ok(Setting::Number(*x)),
        Value::Text(text) => text
            .parse()
            .map(Setting::Time)
            .map_err(|e: sim_core::units::ParseUnitError| Refusal::Unreadable(e.to_string())),
        Value::List(_) | Value::Table(_) => Err(Refusal::Type {
            found: value.to_string(),
            expected: "a number, a duration, true or false".to_owned(),
        }),
    }
}

fn written(kind: ParameterKind, value: f64) -> Value {
    match kind {
        ParameterKind::Switch => Value::Flag(value != 0.0),
        ParameterKind::Count => Value::Number(value as i64),
        ParameterKind::Number => Value::Decimal(value),
        ParameterKind::Time => Value::text(sim_core::SimDuration::from_secs_f64(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pairs: &[(&str, Value)]) -> Value {
        Value::Table(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.clone()))
                .collect(),
        )
    }

    #[test]
    fn a_control_is_a_name_or_a_table_and_is_written_as_short_as_can_be() {
        let kind = ParamKind::control();
        let read = |value: &Value| Control::read(value, &kind);
        let cubic = Value::text("cubic");
        assert_eq!(read(&cubic).map(|c| c.write(&kind)), Ok(cubic.clone()));
        let defaults = table(&[("kind", cubic.clone()), ("beta", Value::Decimal(0.7))]);
        assert_eq!(read(&defaults), read(&cubic));
        let own = table(&[
            ("kind", cubic.clone()),
            ("beta", Value::Decimal(0.8)),
            ("hystart", Value::Flag(false)),
        ]);
        assert_eq!(read(&own).map(|c| c.write(&kind)), Ok(own));
        assert_eq!(read(&Value::text("reno")), Ok(Control::default()));
    }

    #[test]
    fn invalid_values_are_refused_with_the_allowed_ones() {
        let kind = ParamKind::control();
        let with = |name, value| table(&[("kind", Value::text("cubic")), (name, value)]);
        for (value, says) in [
            (Value::text("cubik"), "did you mean \"cubic\"?"),
            (with("bta", Value::Decimal(0.5)), "did you mean \"beta\"?"),
            (with("beta", Value::Decimal(2.0)), "between 0.1 and 0.99"),
            (with("hystart", Value::Number(3)), "true or false"),
            (with("beta", Value::List(vec![])), "a number"),
            (Value::Number(1), "\"newreno\""),
            (table(&[("beta", Value::Decimal(0.5))]), "`kind`"),
        ] {
            let error = Control::read(&value, &kind).unwrap_err().to_string();
            assert!(error.contains(says), "{value}: {error}");
        }
    }
}
