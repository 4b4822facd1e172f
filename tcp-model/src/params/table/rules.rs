//! Conversions of some Linux and FreeBSD values.

use super::super::value::ParamValue;

/// Masks `tcp_fastopen` to known bits: higher ones belong to older kernels and have no effect in newer
/// ones.
pub(super) fn known_bits(n: i64) -> Option<ParamValue> {
    Some(ParamValue::Number(n & 0x7ff))
}

/// `tcp_orphan_retries` = 0 means 8.
pub(super) fn eight_for_zero(n: i64) -> Option<ParamValue> {
    Some(ParamValue::Number(if n == 0 { 8 } else { n }))
}

/// `tcp_slow_start_after_idle`.
pub(super) fn halving_unless_zero(n: i64) -> Option<ParamValue> {
    Some(ParamValue::text(if n == 0 { "off" } else { "halving" }))
}

pub(super) fn unlimited_from_i32_max(n: i64) -> Option<ParamValue> {
    Some(unlimited_from(n, i64::from(i32::MAX)))
}

pub(super) fn unlimited_from_u32_max(n: i64) -> Option<ParamValue> {
    Some(unlimited_from(n, i64::from(u32::MAX)))
}

fn unlimited_from(n: i64, limit: i64) -> ParamValue {
    if n >= limit {
        ParamValue::text("unlimited")
    } else {
        ParamValue::Number(n)
    }
}

/// `tcp_syncookies`: every number from 2 up means always.
pub(super) fn cookies(n: i64) -> Option<ParamValue> {
    Some(match n {
        0 | 1 => ParamValue::Number(n),
        _ => ParamValue::text("always"),
    })
}

/// FreeBSD's `syncookies`.
pub(super) fn cookies_when_full(n: i64) -> Option<ParamValue> {
    Some(ParamValue::text(if n == 0 { "off" } else { "when-full" }))
}

/// FreeBSD's `syncookies_only`.
pub(super) fn cookies_only(n: i64) -> Option<ParamValue> {
    Some(ParamValue::text(if n == 0 {
        "when-full"
    } else {
        "always"
    }))
}
