//! Values of expressions in code, by Python's rules for the little that is read.

use std::fmt;

use super::{Step, differs};
use crate::packetdrill::code::Value;

/// A value. Truth values are numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum {
    Int(i64),
    Text(String),
    List(Vec<Datum>),
    None,
}

impl Datum {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Datum::Int(n) => *n != 0,
            Datum::Text(text) => !text.is_empty(),
            Datum::List(all) => !all.is_empty(),
            Datum::None => false,
        }
    }
}

impl From<bool> for Datum {
    fn from(truth: bool) -> Datum {
        Datum::Int(truth.into())
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Datum::Int(n) => write!(f, "{n}"),
            Datum::Text(text) => f.write_str(text),
            Datum::None => f.write_str("None"),
            Datum::List(all) => {
                f.write_str("[")?;
                for (i, datum) in all.iter().enumerate() {
                    write!(f, "{}{datum}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// Where names have values.
pub(super) trait Scope {
    fn name(&mut self, name: &str) -> Step<Datum>;

    /// The value of an expression.
    fn evaluate(&mut self, value: &Value) -> Step<Datum> {
        match value {
            Value::Int(n) => Ok(Datum::Int(*n)),
            Value::Text(text) => Ok(Datum::Text(text.clone())),
            Value::Name(name) => match name.as_str() {
                "True" => Ok(true.into()),
                "False" => Ok(false.into()),
                "None" => Ok(Datum::None),
                name => self.name(name),
            },
            Value::List(all) => all
                .iter()
                .map(|v| self.evaluate(v))
                .collect::<Step<Vec<_>>>()
                .map(Datum::List),
            Value::Unary(operator, value) => {
                let datum = self.evaluate(value)?;
                match (*operator, &datum) {
                    ("not", _) => Ok((!datum.is_true()).into()),
                    ("-", Datum::Int(n)) => Ok(Datum::Int(n.wrapping_neg())),
                    ("~", Datum::Int(n)) => Ok(Datum::Int(!n)),
                    ("+", Datum::Int(_)) => Ok(datum),
                    _ => wrong(operator, &datum, &Datum::None),
                }
            }
            Value::Binary("and", a, b) => match self.evaluate(a)? {
                first if first.is_true() => self.evaluate(b),
                first => Ok(first),
            },
            Value::Binary("or", a, b) => match self.evaluate(a)? {
                first if first.is_true() => Ok(first),
                _ => self.evaluate(b),
            },
            Value::Binary(operator, a, b) => {
                let (a, b) = (self.evaluate(a)?, self.evaluate(b)?);
                arithmetic(operator, a, b)
            }
            Value::Compare(first, rest) => {
                let mut left = self.evaluate(first)?;
                for (operator, value) in rest {
                    let right = self.evaluate(value)?;
                    if !compare(operator, &left, &right)? {
                        return Ok(false.into());
                    }
                    left = right;
                }
                Ok(true.into())
            }
            Value::Choice(parts) => {
                let [test, then, other] = &**parts;
                let chosen = if self.evaluate(test)?.is_true() {
                    then
                } else {
                    other
                };
                self.evaluate(chosen)
            }
            Value::Call(name, args) => {
                let args: Vec<Datum> =
                    args.iter().map(|v| self.evaluate(v)).collect::<Step<_>>()?;
                function(name, args)
            }
        }
    }
}

fn wrong(operator: &str, a: &Datum, b: &Datum) -> Step<Datum> {
    differs(
        "code",
        format!("numbers for '{operator}'"),
        format!("{a}, {b}"),
    )
}

fn arithmetic(operator: &str, a: Datum, b: Datum) -> Step<Datum> {
    let (x, y) = match (operator, a, b) {
        (_, Datum::Int(x), Datum::Int(y)) => (x, y),
        ("+", Datum::Text(a), Datum::Text(b)) => return Ok(Datum::Text(a + &b)),
        // A format: the values follow the text.
        ("%", Datum::Text(text), b) => return Ok(Datum::Text(format!("{text} {b}"))),
        (_, a, b) => return wrong(operator, &a, &b),
    };
    let result = match operator {
        "+" => x.checked_add(y),
        "-" => x.checked_sub(y),
        "*" => x.checked_mul(y),
        // Exact quotients only: there are no fractions here.
        "/" => x.checked_rem(y).filter(|r| *r == 0).and(x.checked_div(y)),
        "//" => x.checked_div_euclid(y).filter(|_| y > 0),
        "%" => x.checked_rem_euclid(y).filter(|_| y > 0),
        "<<" => u32::try_from(y).ok().and_then(|y| x.checked_shl(y)),
        ">>" => u32::try_from(y).ok().and_then(|y| x.checked_shr(y)),
        "&" => Some(x & y),
        "|" => Some(x | y),
        "^" => Some(x ^ y),
        _ => None,
    };
    match result {
        Some(n) => Ok(Datum::Int(n)),
        None => differs(
            "code",
            format!("a whole number for {x} {operator} {y}"),
            "none",
        ),
    }
}

fn compare(operator: &str, a: &Datum, b: &Datum) -> Step<bool> {
    Ok(match (operator, a, b) {
        ("==" | "is", _, _) => a == b,
        ("!=", _, _) => a != b,
        ("in", _, Datum::List(all)) => all.contains(a),
        ("<", Datum::Int(x), Datum::Int(y)) => x < y,
        ("<=", Datum::Int(x), Datum::Int(y)) => x <= y,
        (">", Datum::Int(x), Datum::Int(y)) => x > y,
        (">=", Datum::Int(x), Datum::Int(y)) => x >= y,
        _ => {
            return differs(
                "code",
                format!("numbers for '{operator}'"),
                format!("{a}, {b}"),
            );
        }
    })
}

fn function(name: &str, args: Vec<Datum>) -> Step<Datum> {
    let numbers: Vec<i64> = args
        .iter()
        .filter_map(|a| match a {
            Datum::Int(n) => Some(*n),
            _ => None,
        })
        .collect();
    let all_numbers = numbers.len() == args.len();
    match (name, &numbers[..]) {
        ("abs", [n]) => Ok(Datum::Int(n.wrapping_abs())),
        ("int", [n]) if all_numbers => Ok(Datum::Int(*n)),
        ("min", [_, ..]) if all_numbers => Ok(Datum::Int(numbers.into_iter().min().unwrap_or(0))),
        ("max", [_, ..]) if all_numbers => Ok(Datum::Int(numbers.into_iter().max().unwrap_or(0))),
        ("str" | "repr", _) if args.len() == 1 => Ok(Datum::Text(args[0].to_string())),
        _ => differs(
            "code",
            "abs, int, min, max or str",
            format!("{name} with {} arguments", args.len()),
        ),
    }
}
