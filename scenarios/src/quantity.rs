//! Values of a scenario as numbers in base units.

use reports::Unit;
use sim_core::{Bytes, QueueLimit, Rate, SimDuration};
use toml::Value;

use crate::file::values::{PerSecond, QueueSize};

/// Returns a value in its base unit. Each quantity type of scenarios has its own unit, so the unit tells the
/// type.
pub(crate) fn quantity(value: &Value) -> Option<(f64, Unit)> {
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
