//! Parameters that several disciplines share, each with its name, kind and meaning defined once;
//! only the defaults differ.

use crate::plugin::{InvalidValue, ModelParameter, ModelValues, ValueKind};

/// The limit of a queue.
pub(super) const fn limit(default: &'static str) -> ModelParameter {
    ModelParameter::new(
        "limit",
        ValueKind::Limit,
        default,
        "the most that may wait; what does not fit is dropped on arrival",
    )
}

/// The limit of all queues of a discipline together.
pub(super) const fn joint_limit(default: &'static str) -> ModelParameter {
    ModelParameter::new(
        "limit",
        ValueKind::Limit,
        default,
        "the most that may wait in all queues together; the longest queue loses packets beyond it",
    )
}

/// Whether packets are marked instead of dropped.
pub(super) const fn ecn(default: &'static str) -> ModelParameter {
    ModelParameter::new(
        "ecn",
        ValueKind::Flag,
        default,
        "mark packets of ECN-capable senders instead of dropping them",
    )
}

/// Number of queues of a discipline that has a queue for each flow.
pub(super) const FLOWS: ModelParameter = ModelParameter::new(
    "flows",
    ValueKind::Count,
    "1024",
    "number of queues; flows are hashed to them",
);

/// Bytes that a queue may send in a turn.
pub(super) const QUANTUM: ModelParameter = ModelParameter::new(
    "quantum",
    ValueKind::Count,
    "1514",
    "bytes that a queue may send in a turn",
);

/// CoDel's target (RFC 8289 section 4.3).
pub(super) const CODEL_TARGET: ModelParameter = ModelParameter::new(
    "target",
    ValueKind::Duration,
    "5 ms",
    "the longest wait that is acceptable for good",
);

/// CoDel's interval (RFC 8289 section 4.3).
pub(super) const CODEL_INTERVAL: ModelParameter = ModelParameter::new(
    "interval",
    ValueKind::Duration,
    "100 ms",
    "how long waits may stay above the target before the first drop; about the longest round trip",
);

/// Reads the number of queues and the bytes of a turn.
///
/// # Errors
/// When one is out of range.
pub(super) fn flows_and_quantum(values: &ModelValues) -> Result<(u64, i64), InvalidValue> {
    let flows = values.count_within("flows", 1..=65_536, "RFC 8290 has 1024")?;
    let quantum = values.count_within("quantum", 64..=1_000_000, "RFC 8290 has 1514 bytes")?;
    Ok((flows, quantum as i64))
}

/// Two lists of parameters as one; `N` is the sum of their lengths.
pub(super) const fn join<const A: usize, const B: usize, const N: usize>(
    first: [ModelParameter; A],
    second: [ModelParameter; B],
) -> [ModelParameter; N] {
    assert!(A + B == N && A > 0, "the length of both");
    let mut all = [first[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < A { first[i] } else { second[i - A] };
        i += 1;
    }
    all
}
