//! Evaluates expressions in code, by the rules of Python.

use std::cmp::Ordering;
use std::fmt;

use super::{Step, differs};
use crate::packetdrill::ast::Expr;

/// A value. Truth values are numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ScriptValue {
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<ScriptValue>),
    None,
}

impl ScriptValue {
    pub(super) fn is_true(&self) -> bool {
        match self {
            ScriptValue::Int(n) => *n != 0,
            ScriptValue::Float(x) => *x != 0.0,
            ScriptValue::Text(text) => !text.is_empty(),
            ScriptValue::List(all) => !all.is_empty(),
            ScriptValue::None => false,
        }
    }

    fn as_float(&self) -> Option<f64> {
        match self {
            ScriptValue::Int(n) => Some(*n as f64),
            ScriptValue::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// How two numbers compare; `None` if one of the values is not a number.
    fn order(&self, other: &ScriptValue) -> Option<Ordering> {
        match (self, other) {
            (ScriptValue::Int(x), ScriptValue::Int(y)) => Some(x.cmp(y)),
            _ => self.as_float()?.partial_cmp(&other.as_float()?),
        }
    }
}

impl From<bool> for ScriptValue {
    fn from(truth: bool) -> ScriptValue {
        ScriptValue::Int(truth.into())
    }
}

impl fmt::Display for ScriptValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScriptValue::Int(n) => write!(f, "{n}"),
            ScriptValue::Float(x) => write!(f, "{x:?}"),
            ScriptValue::Text(text) => f.write_str(text),
            ScriptValue::None => f.write_str("None"),
            ScriptValue::List(all) => {
                let each: Vec<String> = all.iter().map(ScriptValue::to_string).collect();
                write!(f, "[{}]", each.join(", "))
            }
        }
    }
}

/// A scope, which gives names their values.
pub(super) trait Scope {
    fn name(&mut self, name: &str) -> Step<ScriptValue>;

    /// The value of an expression.
    fn evaluate(&mut self, expr: &Expr) -> Step<ScriptValue> {
        match expr {
            Expr::Int(n) => Ok(ScriptValue::Int(*n)),
            Expr::Float(x) => Ok(ScriptValue::Float(*x)),
            Expr::Text(text) => Ok(ScriptValue::Text(text.clone())),
            Expr::Word(name) => match name.as_str() {
                "True" => Ok(true.into()),
                "False" => Ok(false.into()),
                "None" => Ok(ScriptValue::None),
                name => self.name(name),
            },
            Expr::List(all) => self.each(all).map(ScriptValue::List),
            Expr::Unary(operator, operand) => {
                let datum = self.evaluate(operand)?;
                match (*operator, &datum) {
                    ("not", _) => Ok((!datum.is_true()).into()),
                    ("-", ScriptValue::Int(n)) => Ok(ScriptValue::Int(n.wrapping_neg())),
                    ("~", ScriptValue::Int(n)) => Ok(ScriptValue::Int(!n)),
                    ("-", ScriptValue::Float(x)) => Ok(ScriptValue::Float(-x)),
                    ("+", ScriptValue::Int(_) | ScriptValue::Float(_)) => Ok(datum),
                    _ => wrong(operator, &datum, &ScriptValue::None),
                }
            }
            Expr::Binary(operator, a, b) => {
                let first = self.evaluate(a)?;
                match *operator {
                    "and" if !first.is_true() => Ok(first),
                    "or" if first.is_true() => Ok(first),
                    "and" | "or" => self.evaluate(b),
                    operator => arithmetic(operator, &first, &self.evaluate(b)?),
                }
            }
            Expr::Compare(first, rest) => {
                let mut left = self.evaluate(first)?;
                for (operator, expr) in rest {
                    let right = self.evaluate(expr)?;
                    if !compare(operator, &left, &right)? {
                        return Ok(false.into());
                    }
                    left = right;
                }
                Ok(true.into())
            }
            Expr::Choice(parts) => {
                let [test, then, other] = &**parts;
                let holds = self.evaluate(test)?.is_true();
                self.evaluate(if holds { then } else { other })
            }
            Expr::Item(parts) => {
                let [list, index] = &**parts;
                item(&self.evaluate(list)?, &self.evaluate(index)?)
            }
            Expr::Apply(name, args) => function(name, self.each(args)?),
            Expr::Any | Expr::Struct(_) => differs("code", "a value", format!("{expr:?}")),
        }
    }

    fn each(&mut self, all: &[Expr]) -> Step<Vec<ScriptValue>> {
        all.iter().map(|expr| self.evaluate(expr)).collect()
    }
}

fn wrong<T>(operator: &str, a: &ScriptValue, b: &ScriptValue) -> Step<T> {
    differs(
        "code",
        format!("numbers for '{operator}'"),
        format!("{a}, {b}"),
    )
}

/// An element of a list; negative indices count from the end.
fn item(list: &ScriptValue, index: &ScriptValue) -> Step<ScriptValue> {
    if let (ScriptValue::List(all), ScriptValue::Int(n)) = (list, index) {
        let at = if *n < 0 { all.len() as i64 + n } else { *n };
        if let Some(datum) = usize::try_from(at).ok().and_then(|at| all.get(at)) {
            return Ok(datum.clone());
        }
    }
    differs("code", format!("an element {index}"), list.to_string())
}

fn arithmetic(operator: &str, a: &ScriptValue, b: &ScriptValue) -> Step<ScriptValue> {
    let (kind, result) = match (operator, a, b) {
        ("+", ScriptValue::Text(a), ScriptValue::Text(b)) => {
            return Ok(ScriptValue::Text(format!("{a}{b}")));
        }
        ("%", ScriptValue::Text(text), _) => return Ok(ScriptValue::Text(formatted(text, b))),
        (_, ScriptValue::Int(x), ScriptValue::Int(y)) => {
            ("a number of 64 bits", of_whole(operator, *x, *y))
        }
        _ => match (a.as_float(), b.as_float()) {
            (Some(x), Some(y)) => match of_fractions(operator, x, y) {
                Some(x) => ("a number", x.is_finite().then_some(ScriptValue::Float(x))),
                None => return wrong(operator, a, b),
            },
            _ => return wrong(operator, a, b),
        },
    };
    match result {
        Some(datum) => Ok(datum),
        None => differs("code", format!("{kind} for {a} {operator} {b}"), "none"),
    }
}

/// `None` if the result does not fit 64 bits. "//" and "%" round towards minus infinity.
fn of_whole(operator: &str, x: i64, y: i64) -> Option<ScriptValue> {
    let (a, b) = (i128::from(x), i128::from(y));
    let sign = b.signum();
    let quotient = (a * sign).checked_div_euclid(b * sign);
    let n = match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" if a.checked_rem(b)? != 0 => return Some(ScriptValue::Float(x as f64 / y as f64)),
        "/" | "//" => quotient?,
        "%" => a - quotient? * b,
        "**" => a.checked_pow(u32::try_from(y).ok()?)?,
        "<<" if y < 64 => a << u32::try_from(y).ok()?,
        ">>" => a >> u32::try_from(y).ok()?.min(63),
        "&" => a & b,
        "|" => a | b,
        "^" => a ^ b,
        _ => return None,
    };
    i64::try_from(n).ok().map(ScriptValue::Int)
}

/// `None` for operators that only work on integers.
fn of_fractions(operator: &str, x: f64, y: f64) -> Option<f64> {
    Some(match operator {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" => x / y,
        "//" => (x / y).floor(),
        "%" => x - (x / y).floor() * y,
        _ => return None,
    })
}

/// Formats a text with '%' placeholders.
fn formatted(text: &str, values: &ScriptValue) -> String {
    let single = std::slice::from_ref(values);
    let mut values = match values {
        ScriptValue::List(all) => all.iter(),
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

fn compare(operator: &str, a: &ScriptValue, b: &ScriptValue) -> Step<bool> {
    let order = a.order(b);
    let same = order.map_or(a == b, |order| order == Ordering::Equal);
    Ok(match (operator, a, b, order) {
        ("==" | "is", ..) => same,
        ("!=" | "is not", ..) => !same,
        ("in", _, ScriptValue::List(all), _) => all.contains(a),
        ("not in", _, ScriptValue::List(all), _) => !all.contains(a),
        ("in", ScriptValue::Text(part), ScriptValue::Text(text), _) => text.contains(part),
        ("<", .., Some(order)) => order.is_lt(),
        ("<=", .., Some(order)) => order.is_le(),
        (">", .., Some(order)) => order.is_gt(),
        (">=", .., Some(order)) => order.is_ge(),
        _ => return wrong(operator, a, b),
    })
}

fn function(name: &str, args: Vec<ScriptValue>) -> Step<ScriptValue> {
    let listed = match (name, &args[..]) {
        ("min" | "max" | "sum", [ScriptValue::List(all)]) => all,
        _ => &args,
    };
    let numbers = listed.iter().all(|datum| datum.as_float().is_some());
    let best = |order: Ordering| {
        let all = listed.iter().cloned();
        let best = all.reduce(|best, next| match next.order(&best) == Some(order) {
            true => next,
            false => best,
        });
        Ok(best.unwrap_or(ScriptValue::None))
    };
    match (name, &args[..]) {
        ("abs", [ScriptValue::Int(n)]) => Ok(ScriptValue::Int(n.saturating_abs())),
        ("abs", [ScriptValue::Float(x)]) => Ok(ScriptValue::Float(x.abs())),
        ("int" | "round", [ScriptValue::Int(n)]) => Ok(ScriptValue::Int(*n)),
        ("int", [ScriptValue::Float(x)]) => Ok(ScriptValue::Int(*x as i64)),
        ("round", [ScriptValue::Float(x)]) => Ok(ScriptValue::Int(x.round_ties_even() as i64)),
        ("float", [one]) if numbers => {
            Ok(one.as_float().map_or(ScriptValue::None, ScriptValue::Float))
        }
        ("bool", [one]) => Ok(one.is_true().into()),
        ("min", [_, ..]) if numbers && !listed.is_empty() => best(Ordering::Less),
        ("max", [_, ..]) if numbers && !listed.is_empty() => best(Ordering::Greater),
        ("sum", [_]) if numbers => {
            let mut all = listed.iter();
            all.try_fold(ScriptValue::Int(0), |sum, next| arithmetic("+", &sum, next))
        }
        ("len", [ScriptValue::List(all)]) => Ok(ScriptValue::Int(all.len() as i64)),
        ("len", [ScriptValue::Text(text)]) => Ok(ScriptValue::Int(text.chars().count() as i64)),
        ("str" | "repr" | "hex", [one]) => Ok(ScriptValue::Text(one.to_string())),
        ("print", _) => Ok(ScriptValue::None),
        _ => differs(
            "code",
            "abs, bool, float, int, len, max, min, round, str or sum",
            format!("{name} with {} arguments", args.len()),
        ),
    }
}
