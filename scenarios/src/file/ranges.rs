//! Rejects numbers outside the range in their key's definition. All such ranges are checked here, so that
//! every message names both ends.

use toml::{Table, Value};

use super::ScenarioFile;
use super::keys::{KeyForm, ScenarioKey, TableInfo};
use crate::dotted_path::DottedPath;
use crate::problem::Problem;

/// Checks all numbers of a scenario as written. Keys and types are not checked.
pub(crate) fn check(written: &Table) -> Result<(), Problem> {
    check_table(ScenarioFile::KEYS, written, &DottedPath::default())
}

fn check_table(info: &TableInfo, written: &Table, at: &DottedPath) -> Result<(), Problem> {
    for (name, value) in written {
        if let Some(key) = info.keys.iter().find(|key| key.name() == name) {
            check_value(key, value, at)?;
        }
    }
    Ok(())
}

fn check_value(key: &ScenarioKey, value: &Value, table: &DottedPath) -> Result<(), Problem> {
    let number = match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    };
    if let (Some(number), Some((least, most))) = (number, key.info.within) {
        // NaN is out of range as well.
        if !(least..=most).contains(&number) {
            let at = table.key(key.name());
            let choose = match (least, most) {
                (0.0, 1.0) => "choose 0 to 1: one percent is 0.01".to_owned(),
                _ if most.is_finite() => format!("choose {least} to {most}"),
                _ => format!("choose {least} or more"),
            };
            let message = format!("{at}: {value} is out of range");
            return Err(Problem::new(at, message).help(choose));
        }
    }
    let at = || table.key(key.name());
    match value {
        Value::Table(inner) => match (key.form)().table() {
            Some(info) => check_table(info, inner, &at()),
            None => Ok(()),
        },
        Value::Array(list) if list.iter().any(Value::is_table) => {
            let form = (key.form)();
            let (KeyForm::List(_), Some(info)) = (&form, form.table()) else {
                return Ok(());
            };
            let at = at();
            let tables = list.iter().enumerate();
            let mut tables = tables.filter_map(|(i, v)| Some((i, v.as_table()?)));
            tables.try_for_each(|(i, inner)| check_table(info, inner, &at.index(i)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects every key with a range, together with the tables that lead to it.
    fn ranged(
        info: &'static TableInfo,
        way: &[&'static ScenarioKey],
        all: &mut Vec<Vec<&'static ScenarioKey>>,
    ) {
        for key in info.keys {
            // Follow `reverse`, a link within a link, only once.
            if way
                .iter()
                .any(|k| k.name() == key.name() && (k.form)().table().is_some())
            {
                continue;
            }
            let mut way = way.to_vec();
            way.push(key);
            if key.info.within.is_some() {
                all.push(way.clone());
            }
            if let Some(inner) = (key.form)().table() {
                ranged(inner, &way, all);
            }
        }
    }

    /// A scenario in which only the last of these keys is given.
    fn written(way: &[&'static ScenarioKey], value: f64) -> Table {
        let whole = value.fract() == 0.0;
        let mut value = match whole {
            true => Value::Integer(value as i64),
            false => Value::Float(value),
        };
        for (i, key) in way.iter().enumerate().rev() {
            if i + 1 < way.len() && matches!((key.form)(), KeyForm::List(_)) {
                value = Value::Array(vec![value]);
            }
            value = Value::Table([(key.name().to_owned(), value)].into_iter().collect());
        }
        value.as_table().unwrap().clone()
    }

    #[test]
    fn every_range_of_the_reference_is_enforced_with_both_its_ends() {
        let mut all = Vec::new();
        ranged(ScenarioFile::KEYS, &[], &mut all);
        assert!(all.len() > 30, "{}", all.len());
        for way in all {
            let names: Vec<&str> = way.iter().map(|k| k.name()).collect();
            let (least, most) = way.last().unwrap().info.within.unwrap();
            let mut ends = vec![least];
            let mut beyond = vec![if least < 1.0 { -0.5 } else { least - 1.0 }];
            if most.is_finite() {
                ends.push(most);
                beyond.push(if most <= 1.0 { 1.5 } else { most + 1.0 });
            }
            for value in ends {
                assert_eq!(check(&written(&way, value)), Ok(()), "{names:?} = {value}");
            }
            for value in beyond {
                let problem = check(&written(&way, value)).unwrap_err();
                let help = problem.help.unwrap();
                assert!(help.contains(&least.to_string()), "{names:?}: {help}");
                let named = most.is_infinite() || help.contains(&most.to_string());
                assert!(named, "{names:?}: {help}");
            }
        }
    }
}
