//! Formats numbers for human readers.

use crate::metrics::{self, MetricKind};

/// A whole number with commas between thousands: 28,232.
pub fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    if value < 0.0 && digits != "0" {
        out.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && c.is_ascii_digit() {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number with at least three significant digits, and commas if it is large.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "-".to_owned();
    }
    if size >= 1000.0 || (value.fract() == 0.0 && size >= 1.0) || size == 0.0 {
        return count(value);
    }
    if size < 1e-4 {
        return format!("{value:.2e}");
    }
    let digits = (2 - size.log10().floor() as i32).clamp(1, 7) as usize;
    trim(format!("{value:.digits$}"))
}

/// Seconds in a suitable unit: 12.3 ms.
pub fn seconds(value: f64) -> String {
    let size = value.abs();
    let (scale, unit) = match size {
        _ if size == 0.0 || size >= 1.0 => (1.0, "s"),
        _ if size >= 1e-3 => (1e3, "ms"),
        _ if size >= 1e-6 => (1e6, "us"),
        _ => (1e9, "ns"),
    };
    format!("{} {unit}", number(value * scale))
}

/// Bits per second in a suitable unit: 94.2 Mbit/s.
pub fn bit_rate(bps: f64) -> String {
    let (scale, unit) = match bps.abs() {
        b if b >= 1e9 => (1e-9, "Gbit/s"),
        b if b >= 1e6 => (1e-6, "Mbit/s"),
        b if b >= 1e3 => (1e-3, "kbit/s"),
        _ => (1.0, "bit/s"),
    };
    format!("{} {unit}", number(bps * scale))
}

/// A share as a percentage: 29.4 %.
pub fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// The value of a registered metric with its unit; for any other, a plain number.
pub fn metric(id: &str, value: f64) -> String {
    match metrics::kind(id) {
        MetricKind::BitRate => bit_rate(value),
        MetricKind::PerSecond => format!("{} /s", number(value)),
        MetricKind::Duration | MetricKind::Time => seconds(value),
        MetricKind::Share => percent(value),
        MetricKind::Bytes => bytes(value),
        MetricKind::Count | MetricKind::Index | MetricKind::Number => number(value),
    }
}

/// Bytes in a suitable unit: 1.5 MB.
pub fn bytes(value: f64) -> String {
    let (scale, unit) = match value.abs() {
        b if b >= 1e9 => (1e-9, "GB"),
        b if b >= 1e6 => (1e-6, "MB"),
        b if b >= 1e4 => (1e-3, "kB"),
        _ => (1.0, "B"),
    };
    format!("{} {unit}", number(value * scale))
}

/// Removes trailing zeros of the fraction.
fn trim(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (value, text) in [
            (0.0, "0"),
            (28_232.0, "28,232"),
            (1_234_567.8, "1,234,568"),
            (-1000.0, "-1,000"),
            (999.0, "999"),
            (470.533, "470.5"),
            (60.04, "60"),
            (59.96, "60"),
            (1.234, "1.23"),
            (0.012_34, "0.0123"),
            (0.000_012_3, "1.23e-5"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(count(-0.2), "0");
        assert_eq!(seconds(0.012_34), "12.3 ms");
        assert_eq!(seconds(60.0), "60 s");
        assert_eq!(seconds(0.000_1), "100 us");
        assert_eq!(bit_rate(94_240_000.0), "94.2 Mbit/s");
        assert_eq!(percent(0.294), "29.4 %");
        assert_eq!(metric("offered_per_s_steady", 450.0), "450 /s");
        assert_eq!(metric("first_failure_s", 60.0), "60 s");
        assert_eq!(metric("connects_failed_share_steady", 0.5), "50 %");
        assert_eq!(metric("flow_goodput.left-1_bps", 5e6), "5 Mbit/s");
        assert_eq!(metric("bytes_acked", 1.5e6), "1.5 MB");
        assert_eq!(metric("not_registered_s", 5.0), "5");
    }
}
