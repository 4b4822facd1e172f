//! Parameters that several disciplines have, each with its name, kind and meaning once; only
//! defaults differ.

use super::{CoDelParams, QueueLimit};
use crate::plugin::{Parameter, ValueKind, Values};

/// The most that may wait.
pub(super) const fn limit(default: &'static str) -> Parameter {
    Parameter::new(
        "limit",
        ValueKind::Limit,
        default,
        "the most that may wait; what does not fit is dropped on arrival",
    )
}

/// The most that may wait in all queues of a discipline together.
pub(super) const fn joint_limit(default: &'static str) -> Parameter {
    Parameter::new(
        "limit",
        ValueKind::Limit,
        default,
        "the most that may wait in all queues together; the longest queue loses packets beyond it",
    )
}

/// Marks in place of drops.
pub(super) const fn ecn(default: &'static str) -> Parameter {
    Parameter::new(
        "ecn",
        ValueKind::Flag,
        default,
        "mark packets of ECN-capable senders instead of dropping them",
    )
}

/// Number of queues of a discipline with a queue for each flow.
pub(super) const FLOWS: Parameter = Parameter::new(
    "flows",
    ValueKind::Count,
    "1024",
    "number of queues; flows are hashed to them",
);

/// Bytes a queue may send in a turn.
pub(super) const QUANTUM: Parameter = Parameter::new(
    "quantum",
    ValueKind::Count,
    "1514",
    "bytes that a queue may send in a turn",
);

/// CoDel's target (RFC 8289 section 4.3).
pub(super) const CODEL_TARGET: Parameter = Parameter::new(
    "target",
    ValueKind::Duration,
    "5 ms",
    "the longest wait that is acceptable for good",
);

/// CoDel's interval (RFC 8289 section 4.3).
pub(super) const CODEL_INTERVAL: Parameter = Parameter::new(
    "interval",
    ValueKind::Duration,
    "100 ms",
    "how long waits may stay above the target before the first drop; about the longest round trip",
);

/// The parameters of CoDel among the values of a discipline.
///
/// # Errors
/// When the target is zero or longer than the interval.
pub(super) fn codel(values: &Values, limit: QueueLimit) -> Result<CoDelParams, String> {
    let params = CoDelParams {
        target: values.duration("target"),
        interval: values.duration("interval"),
        limit,
        ecn: values.flag("ecn"),
    };
    if params.target.is_zero() || params.interval < params.target {
        return Err(
            "`target` must be greater than zero and `interval` no shorter; RFC 8289 has 5 ms and 100 ms"
                .to_owned(),
        );
    }
    Ok(params)
}

/// Number of queues and bytes of a turn.
///
/// # Errors
/// When one is out of range.
pub(super) fn flows_and_quantum(values: &Values) -> Result<(u64, i64), String> {
    let (flows, quantum) = (values.count("flows"), values.count("quantum"));
    if !(1..=65_536).contains(&flows) {
        return Err(format!(
            "`flows` = {flows} must lie between 1 and 65536; RFC 8290 has 1024"
        ));
    }
    if !(64..=1_000_000).contains(&quantum) {
        return Err(format!(
            "`quantum` = {quantum} must lie between 64 and 1000000 bytes; RFC 8290 has 1514"
        ));
    }
    Ok((flows, quantum as i64))
}

/// Two lists of parameters as one; `N` is the sum of their lengths.
pub(super) const fn join<const A: usize, const B: usize, const N: usize>(
    first: [Parameter; A],
    second: [Parameter; B],
) -> [Parameter; N] {
    assert!(A + B == N && A > 0, "the length of both");
    let mut all = [first[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < A { first[i] } else { second[i - A] };
        i += 1;
    }
    all
}
