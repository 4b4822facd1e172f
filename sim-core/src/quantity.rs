//! Quantities as text: a decimal number and a unit, converted exactly.

use std::fmt;

/// A quantity could not be read from text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {text:?} as a {what}: {problem}; write for example {example:?}")]
pub struct ParseUnitError {
    pub(crate) text: String,
    pub(crate) what: &'static str,
    pub(crate) problem: String,
    pub(crate) example: &'static str,
}

/// Reads `number unit` exactly: the decimal number times the unit must be a whole number of the
/// base unit that fits in 64 bits.
pub(crate) fn parse_scaled(
    text: &str,
    what: &'static str,
    example: &'static str,
    units: &[(&str, u64)],
) -> Result<u64, ParseUnitError> {
    let fail = |problem: String| ParseUnitError {
        text: text.to_owned(),
        what,
        problem,
        example,
    };
    let trimmed = text.trim();
    let split = trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(trimmed.len());
    let (number, unit) = (trimmed[..split].replace('_', ""), trimmed[split..].trim());
    let names = || units.iter().map(|u| u.0).collect::<Vec<_>>().join(", ");
    if number.is_empty() {
        return Err(fail(if trimmed.starts_with('-') {
            "it must not be negative".into()
        } else {
            "it must start with a number".into()
        }));
    }
    if unit.is_empty() {
        return Err(fail(format!("the unit is missing (one of {})", names())));
    }
    let &(_, scale) = units
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| fail(format!("unknown unit {unit:?} (one of {})", names())))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let too_large = || {
        let most = u64::MAX / scale;
        fail(format!("it is too large; choose 0 to {most} {unit}"))
    };
    let digits = |s: &str| -> Result<u128, ParseUnitError> {
        if s.is_empty() {
            return Ok(0);
        }
        s.parse::<u128>()
            .map_err(|_| fail("the number is malformed or too large".into()))
    };
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 18 {
        return Err(fail("it has too many decimal places".into()));
    }
    let denominator = 10u128.pow(fraction.len() as u32);
    let numerator = digits(whole)?
        .checked_mul(denominator)
        .and_then(|w| w.checked_add(digits(fraction).ok()?))
        .and_then(|n| n.checked_mul(u128::from(scale)))
        .ok_or_else(too_large)?;
    if numerator % denominator != 0 {
        return Err(fail("it is finer than the smallest step".into()));
    }
    u64::try_from(numerator / denominator).map_err(|_| too_large())
}

/// Prints a value in the largest unit that makes it a whole number.
pub(crate) fn print_scaled(
    f: &mut fmt::Formatter<'_>,
    value: u64,
    units: &[(&str, u64)],
) -> fmt::Result {
    let &(unit, scale) = units
        .iter()
        .rev()
        .find(|&&(_, scale)| value >= scale && value.is_multiple_of(scale))
        .unwrap_or(&units[0]);
    write!(f, "{} {unit}", value / scale)
}
