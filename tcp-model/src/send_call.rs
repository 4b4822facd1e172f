//! What an application writes.

/// A SEND call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SendCall {
    /// Bytes written.
    pub bytes: u64,
    /// Set PSH on the last octet.
    pub push: bool,
    /// The last octet written is urgent.
    pub urgent: bool,
    /// More will follow at once: what does not fill a segment waits for it (`MSG_MORE`).
    pub more: bool,
    /// The last octet ends a record: no segment carries it with what is written later (`MSG_EOR`).
    pub ends_record: bool,
}
