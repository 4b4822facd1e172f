//! FQ-CoDel (RFC 8290): a queue for each flow, served in turn with new flows first, and each
//! controlled by CoDel.
//!
//! Leaves out Linux's `ce_threshold`, and `drop_batch` as a parameter; see [`FairQueue`] for the
//! rest.

use std::sync::Arc;

use super::fair::FairQueue;
use super::{AnyQueueDisc, CoDel, CoDelParams, QueueLimit, common};
use crate::plugin::{ModelKind, ModelParameter, ModelValues};

const PARAMETERS: &[ModelParameter] = &[
    common::CODEL_TARGET,
    common::CODEL_INTERVAL,
    common::FLOWS,
    common::QUANTUM,
    common::joint_limit("10240 packets"),
    common::ecn("true"),
];

/// FQ-CoDel as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "fq-codel",
        "a CoDel queue for each flow, served in turn (RFC 8290)",
        PARAMETERS,
        |values: &ModelValues| {
            let codel = CoDelParams::of(values, QueueLimit::Unlimited)?;
            let (flows, quantum) = common::flows_and_quantum(values)?;
            let limit = values.limit("limit");
            Ok(Arc::new(move || {
                let make = Arc::new(move || CoDel::new(codel));
                AnyQueueDisc::custom(FairQueue::new(flows, quantum, limit, make))
            }))
        },
    )
}
