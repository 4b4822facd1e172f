//! Conditions over named values: `tcp.congestion == "cubic" && rate > "400 Mbit/s"`.
//!
//! Comparison `== != < <= > >=`, membership `in [a, b]`, `&& || !`, arithmetic `+ - * /` and
//! parentheses. A name is a dotted path, or its last parts if these are unique. A quantity with a unit is
//! written in quotation marks; a plain number is in base units (seconds, bytes, bit/s, 1/s).

use reports::Unit;

use crate::quantity::quantity;
use crate::suggest;

mod error;
mod parse;

pub use error::ConditionError;

/// A value in a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum ConditionValue {
    /// On or off.
    Switch(bool),
    /// A number in the base unit of its kind.
    Number(f64, Unit),
    /// A name.
    Text(String),
}

impl ConditionValue {
    /// A value of a scenario.
    pub fn of(value: &toml::Value) -> ConditionValue {
        match (value, quantity(value)) {
            (toml::Value::Boolean(on), _) => ConditionValue::Switch(*on),
            (_, Some((number, unit))) => ConditionValue::Number(number, unit),
            (toml::Value::String(text), None) => ConditionValue::Text(text.clone()),
            (other, None) => ConditionValue::Text(other.to_string()),
        }
    }

    fn words(&self) -> String {
        match self {
            ConditionValue::Switch(on) => on.to_string(),
            ConditionValue::Number(x, unit) => format!("{x}{}", unit.suffix().replace('_', " ")),
            ConditionValue::Text(text) => format!("{text:?}"),
        }
    }
}

/// A parsed condition with resolved names.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    root: ConditionNode,
}

#[derive(Clone, Debug, PartialEq)]
enum ConditionNode {
    Value(ConditionValue),
    /// The value at this index among the names.
    Named(usize),
    Not(Box<ConditionNode>),
    All(Box<ConditionNode>, Box<ConditionNode>),
    Any(Box<ConditionNode>, Box<ConditionNode>),
    Compare(Relation, Box<ConditionNode>, Box<ConditionNode>),
    Among(Box<ConditionNode>, Vec<ConditionNode>),
    Calculate(char, Box<ConditionNode>, Box<ConditionNode>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Condition {
    /// Parses a condition over these names.
    ///
    /// # Errors
    /// What is wrong with the text and where, or the unknown name.
    pub fn parse(text: &str, names: &[String]) -> Result<Condition, ConditionError> {
        let root = parse::parse(text, &|name| look_up(name, names))?;
        Ok(Condition {
            text: text.to_owned(),
            root,
        })
    }

    /// The condition as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the condition holds for values in the order of the names.
    ///
    /// # Errors
    /// When values of different kinds are compared, or the result is not a truth value.
    pub fn holds<'a>(
        &self,
        values: &dyn Fn(usize) -> &'a ConditionValue,
    ) -> Result<bool, ConditionError> {
        switch(&self.root.value(values)?)
    }
}

/// The index of a name, which is a whole path or its last parts.
fn look_up(name: &str, names: &[String]) -> Result<usize, ConditionError> {
    if let Some(place) = names.iter().position(|n| n == name) {
        return Ok(place);
    }
    let ends = format!(".{name}");
    let found: Vec<usize> = (0..names.len())
        .filter(|&i| names[i].ends_with(&ends))
        .collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => {
            let last = |n: &'_ String| n.rsplit('.').next().unwrap_or_default().to_owned();
            let lasts: Vec<String> = names.iter().map(last).collect();
            let all = names.iter().chain(&lasts).map(String::as_str);
            let hint = suggest::nearest(name, all).map_or_else(
                || format!("the values are {}", names.join(", ")),
                |meant| format!("did you mean {meant}?"),
            );
            let name = name.to_owned();
            Err(ConditionError::UnknownName { name, hint })
        }
        several => {
            let name = name.to_owned();
            let candidates = several.iter().map(|&i| names[i].clone()).collect();
            Err(ConditionError::AmbiguousName { name, candidates })
        }
    }
}

impl ConditionNode {
    fn value<'a>(
        &self,
        values: &dyn Fn(usize) -> &'a ConditionValue,
    ) -> Result<ConditionValue, ConditionError> {
        let is = |node: &ConditionNode| node.value(values).and_then(|v| switch(&v));
        Ok(match self {
            ConditionNode::Value(value) => value.clone(),
            ConditionNode::Named(place) => values(*place).clone(),
            ConditionNode::Not(inner) => ConditionValue::Switch(!is(inner)?),
            ConditionNode::All(a, b) => ConditionValue::Switch(is(a)? && is(b)?),
            ConditionNode::Any(a, b) => ConditionValue::Switch(is(a)? || is(b)?),
            ConditionNode::Compare(relation, a, b) => {
                ConditionValue::Switch(relation.holds(&a.value(values)?, &b.value(values)?)?)
            }
            ConditionNode::Among(a, list) => {
                let a = a.value(values)?;
                let mut found = false;
                for b in list {
                    found |= Relation::Equal.holds(&a, &b.value(values)?)?;
                }
                ConditionValue::Switch(found)
            }
            ConditionNode::Calculate(sign, a, b) => {
                calculate(*sign, &a.value(values)?, &b.value(values)?)?
            }
        })
    }
}

fn switch(value: &ConditionValue) -> Result<bool, ConditionError> {
    match value {
        ConditionValue::Switch(on) => Ok(*on),
        other => Err(ConditionError::NotASwitch(other.words())),
    }
}

impl Relation {
    fn holds(self, a: &ConditionValue, b: &ConditionValue) -> Result<bool, ConditionError> {
        use Relation::{AtLeast, AtMost, Equal, Greater, Less, Unequal};
        match (a, b) {
            (ConditionValue::Number(x, of_x), ConditionValue::Number(y, of_y)) => {
                if of_x != of_y && *of_x != Unit::One && *of_y != Unit::One {
                    return Err(ConditionError::DifferentKinds(a.words(), b.words()));
                }
                Ok(match self {
                    Equal => x == y,
                    Unequal => x != y,
                    Less => x < y,
                    AtMost => x <= y,
                    Greater => x > y,
                    AtLeast => x >= y,
                })
            }
            _ if self == Equal => Ok(a == b),
            _ if self == Unequal => Ok(a != b),
            _ => Err(ConditionError::Unordered(a.words(), b.words())),
        }
    }
}

fn calculate(
    sign: char,
    a: &ConditionValue,
    b: &ConditionValue,
) -> Result<ConditionValue, ConditionError> {
    let (ConditionValue::Number(x, of_x), ConditionValue::Number(y, of_y)) = (a, b) else {
        let (left, right) = (a.words(), b.words());
        return Err(ConditionError::NotNumbers { left, sign, right });
    };
    let unit = match (sign, *of_x, *of_y) {
        (_, unit, Unit::One) => unit,
        ('*', Unit::One, unit) | ('+' | '-', Unit::One, unit) => unit,
        ('+' | '-', one, other) if one == other => one,
        ('/', one, other) if one == other => Unit::One,
        // The unit of a product or quotient is not tracked.
        ('*' | '/', ..) => Unit::One,
        _ => return Err(ConditionError::DifferentKinds(a.words(), b.words())),
    };
    let number = match sign {
        '+' => x + y,
        '-' => x - y,
        '*' => x * y,
        _ => x / y,
    };
    Ok(ConditionValue::Number(number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = [
        "topology.path.rate",
        "tcp.congestion",
        "tcp.tw_reuse",
        "workload.web.arrivals.rate",
        "topology.path.delay",
    ];

    fn value(text: &str) -> ConditionValue {
        let table: toml::Table = format!("v = {text}").parse().unwrap();
        ConditionValue::of(&table["v"])
    }

    fn holds(condition: &str) -> Result<bool, ConditionError> {
        let names = NAMES.map(str::to_owned);
        let values = [
            value("\"10 Mbit/s\""),
            value("\"cubic\""),
            value("true"),
            value("\"450 /s\""),
            value("\"20 ms\""),
        ];
        Condition::parse(condition, &names)?.holds(&|i| &values[i])
    }

    #[test]
    fn conditions_compare_quantities_names_and_switches() {
        for (condition, expected) in [
            ("congestion == \"cubic\"", true),
            ("tcp.congestion != 'cubic'", false),
            ("tw_reuse", true),
            ("!tw_reuse || congestion == 'bbr'", false),
            ("not tw_reuse or arrivals.rate > 400", true),
            ("path.rate >= '10000 kbit/s' && path.rate <= 1e7", true),
            ("congestion in ['bbr', 'cubic']", true),
            ("congestion in ['bbr']", false),
            ("delay in ['0.02 s']", true),
            ("path.rate * delay / 8 > 24999", true),
            ("path.rate * delay / 8 > 25000", false),
            ("delay + '5 ms' == '25 ms'", true),
            ("2 * (1 + 1) - 1 == 3 and true", true),
            ("1 - -1 == 2", true),
            ("congestion == 7", false),
        ] {
            assert_eq!(holds(condition), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_compared_is_explained() {
        for (condition, part) in [
            (
                "rate > 4",
                "rate could be topology.path.rate or workload.web.arrivals.rate",
            ),
            ("congestoin == 'x'", "did you mean"),
            ("congestion == cubic", "quotation marks"),
            ("congestion < 'x'", "have no order"),
            ("delay < '4 /s'", "of different kinds"),
            ("delay", "neither true nor false"),
            ("tw_reuse &", "`&`"),
            ("(tw_reuse", "`)`"),
            ("tw_reuse)", "after the end"),
            ("", "ends where a value"),
            ("'abc", "quotation mark"),
            ("tw_reuse == [1]", "where a value"),
            ("delay + congestion == 1", "cannot be calculated"),
            ("delay + arrivals.rate == 1", "of different kinds"),
        ] {
            let message = holds(condition).unwrap_err().to_string();
            assert!(message.contains(part), "{condition}: {message}");
        }
        let deep = "(".repeat(100_000);
        assert_eq!(holds(&deep), Err(ConditionError::TooDeep(64)));
        let deep = "!".repeat(100_000);
        assert_eq!(holds(&deep), Err(ConditionError::TooDeep(64)));
    }
}
