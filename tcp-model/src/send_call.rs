//! The SEND call of an application.

/// A SEND call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SendCall {
    /// Bytes written.
    pub bytes: u64,
    /// Set PSH on the last octet.
    pub push: bool,
    /// The last octet written is urgent.
    pub urgent: bool,
    /// More data will follow at once: a partial segment waits for them (`MSG_MORE`).
    pub more: bool,
    /// The last octet ends a record: no segment carries it together with later data (`MSG_EOR`).
    pub ends_record: bool,
}

impl SendCall {
    /// A call that writes `bytes` bytes with PUSH.
    pub fn pushed(bytes: u64) -> SendCall {
        SendCall {
            bytes,
            push: true,
            ..SendCall::default()
        }
    }
}
