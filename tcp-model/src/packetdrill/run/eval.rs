//! Values of expressions in code, by Python's rules for the little that is read.

use std::fmt;

use super::{Step, differs};
use crate::packetdrill::code::Value;

/// A value. Truth values are numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum {
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Datum>),
    None,
}

impl Datum {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Datum::Int(n) => *n != 0,
            Datum::Float(x) => *x != 0.0,
            Datum::Text(text) => !text.is_empty(),
            Datum::List(all) => !all.is_empty(),
            Datum::None => false,
        }
    }

    fn as_float(&self) -> Option<f64> {
        match self {
            Datum::Int(n) => Some(*n as f64),
            Datum::Float(x) => Some(*x),
            _ => None,
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
            Datum::Float(x) => write!(f, "{x:?}"),
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
            Value::Float(x) => Ok(Datum::Float(*x)),
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
                    ("-", Datum::Float(x)) => Ok(Datum::Float(-x)),
                    ("+", Datum::Int(_) | Datum::Float(_)) => Ok(datum),
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
            Value::Item(parts) => {
                let [list, index] = &**parts;
                item(self.evaluate(list)?, self.evaluate(index)?)
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

/// An element of a list, counted from the end when negative.
fn item(list: Datum, index: Datum) -> Step<Datum> {
    if let (Datum::List(all), Datum::Int(n)) = (&list, &index) {
        let at = if *n < 0 { all.len() as i64 + n } else { *n };
        if let Some(datum) = usize::try_from(at).ok().and_then(|at| all.get(at)) {
            return Ok(datum.clone());
        }
    }
    differs("code", format!("an element {index}"), list.to_string())
}

fn arithmetic(operator: &str, a: Datum, b: Datum) -> Step<Datum> {
    let (x, y) = match (operator, &a, &b) {
        (_, Datum::Int(x), Datum::Int(y)) => (*x, *y),
        ("+", Datum::Text(a), Datum::Text(b)) => return Ok(Datum::Text(format!("{a}{b}"))),
        ("%", Datum::Text(text), _) => return Ok(Datum::Text(formatted(text, &b))),
        _ => {
            return match (a.as_float(), b.as_float()) {
                (Some(x), Some(y)) => with_fractions(operator, x, y),
                _ => wrong(operator, &a, &b),
            };
        }
    };
    // "//" and "%" round towards minus infinity.
    let floor = |x: i64, y: i64| {
        let quotient = x.checked_div(y)?;
        let down = x % y != 0 && (x < 0) != (y < 0);
        Some(quotient - i64::from(down))
    };
    let result = match operator {
        "+" => x.checked_add(y),
        "-" => x.checked_sub(y),
        "*" => x.checked_mul(y),
        "/" if y != 0 && x.checked_rem(y) != Some(0) => {
            return Ok(Datum::Float(x as f64 / y as f64));
        }
        "/" => x.checked_div(y),
        "//" => floor(x, y),
        "%" => floor(x, y).map(|q| x.wrapping_sub(q.wrapping_mul(y))),
        "**" => u32::try_from(y).ok().and_then(|y| x.checked_pow(y)),
        "<<" => u32::try_from(y).ok().and_then(|y| {
            let shifted = x.checked_shl(y)?;
            (shifted >> y == x).then_some(shifted)
        }),
        ">>" => u32::try_from(y).ok().map(|y| x >> y.min(63)),
        "&" => Some(x & y),
        "|" => Some(x | y),
        "^" => Some(x ^ y),
        _ => None,
    };
    match result {
        Some(n) => Ok(Datum::Int(n)),
        None => differs(
            "code",
            format!("a number of 64 bits for {x} {operator} {y}"),
            "none",
        ),
    }
}

fn with_fractions(operator: &str, x: f64, y: f64) -> Step<Datum> {
    let result = match operator {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" => x / y,
        "//" => (x / y).floor(),
        "%" => x - (x / y).floor() * y,
        _ => return wrong(operator, &Datum::Float(x), &Datum::Float(y)),
    };
    if result.is_finite() {
        Ok(Datum::Float(result))
    } else {
        differs("code", format!("a number for {x} {operator} {y}"), "none")
    }
}

/// Puts values into the places of a text that begin with '%'.
fn formatted(text: &str, values: &Datum) -> String {
    let single = std::slice::from_ref(values);
    let mut values = match values {
        Datum::List(all) => all.iter(),
        _ => single.iter(),
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, place)) = rest.split_once('%') {
        out += before;
        let conversion = place.find(|c: char| c.is_ascii_alphabetic() || c == '%');
        rest = conversion.map_or("", |n| &place[n + 1..]);
        match (place.starts_with('%'), values.next()) {
            (true, _) => out.push('%'),
            (false, Some(value)) => out += &value.to_string(),
            (false, None) => {}
        }
    }
    out + rest
}

fn compare(operator: &str, a: &Datum, b: &Datum) -> Step<bool> {
    if let (Some(x), Some(y), false) = (
        a.as_float(),
        b.as_float(),
        matches!((a, b), (Datum::Int(_), Datum::Int(_))),
    ) {
        return Ok(match operator {
            "==" | "is" => x == y,
            "!=" => x != y,
            "<" => x < y,
            "<=" => x <= y,
            ">" => x > y,
            ">=" => x >= y,
            _ => return wrong(operator, a, b).map(|_| false),
        });
    }
    Ok(match (operator, a, b) {
        ("==" | "is", _, _) => a == b,
        ("!=", _, _) => a != b,
        ("in", _, Datum::List(all)) => all.contains(a),
        ("not in", _, Datum::List(all)) => !all.contains(a),
        ("in", Datum::Text(part), Datum::Text(text)) => text.contains(part),
        ("<", Datum::Int(x), Datum::Int(y)) => x < y,
        ("<=", Datum::Int(x), Datum::Int(y)) => x <= y,
        (">", Datum::Int(x), Datum::Int(y)) => x > y,
        (">=", Datum::Int(x), Datum::Int(y)) => x >= y,
        _ => return wrong(operator, a, b).map(|_| false),
    })
}

fn function(name: &str, args: Vec<Datum>) -> Step<Datum> {
    let listed = match (name, &args[..]) {
        ("min" | "max" | "sum", [Datum::List(all)]) => all.clone(),
        _ => args.clone(),
    };
    let numbers: Option<Vec<f64>> = listed.iter().map(Datum::as_float).collect();
    let best = |larger: bool| {
        let better = |a: &Datum, b: &Datum| compare(if larger { ">" } else { "<" }, a, b);
        let mut all = listed.iter();
        let first = all.next().cloned().unwrap_or(Datum::None);
        all.try_fold(first, |best, next| {
            Ok(if better(next, &best)? {
                next.clone()
            } else {
                best
            })
        })
    };
    match (name, &args[..], numbers) {
        ("abs", [Datum::Int(n)], _) => Ok(Datum::Int(n.saturating_abs())),
        ("abs", [Datum::Float(x)], _) => Ok(Datum::Float(x.abs())),
        ("int" | "round", [Datum::Int(n)], _) => Ok(Datum::Int(*n)),
        ("int", [Datum::Float(x)], _) => Ok(Datum::Int(*x as i64)),
        ("round", [Datum::Float(x)], _) => Ok(Datum::Int(x.round_ties_even() as i64)),
        ("float", [one], Some(_)) => Ok(one.as_float().map_or(Datum::None, Datum::Float)),
        ("bool", [one], _) => Ok(one.is_true().into()),
        ("min", [_, ..], Some(all)) if !all.is_empty() => best(false),
        ("max", [_, ..], Some(all)) if !all.is_empty() => best(true),
        ("sum", [_], Some(_)) => listed
            .into_iter()
            .try_fold(Datum::Int(0), |sum, next| arithmetic("+", sum, next)),
        ("len", [Datum::List(all)], _) => Ok(Datum::Int(all.len() as i64)),
        ("len", [Datum::Text(text)], _) => Ok(Datum::Int(text.chars().count() as i64)),
        ("str" | "repr" | "hex", [one], _) => Ok(Datum::Text(one.to_string())),
        ("print", _, _) => Ok(Datum::None),
        _ => differs(
            "code",
            "abs, bool, float, int, len, max, min, round, str or sum",
            format!("{name} with {} arguments", args.len()),
        ),
    }
}
