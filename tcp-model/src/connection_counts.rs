//! Counters of end points.

use std::ops::AddAssign;

/// Counters of an end point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Payload bytes the peer acknowledged.
    pub bytes_acked: u64,
    /// Payload bytes received in order.
    pub bytes_received: u64,
    /// Segments sent, including retransmissions.
    pub segments_sent: u64,
    /// Segments received and verified.
    pub segments_received: u64,
    /// Segments retransmitted, including SYN and FIN.
    pub retransmissions: u32,
    /// Retransmission time-outs.
    pub timeouts: u32,
    /// Entries into fast recovery.
    pub fast_recoveries: u32,
    /// Segments received whose data had all arrived before: spurious retransmissions of the peer, and
    /// copies made by the network.
    pub duplicates_received: u32,
    /// Payload bytes accepted that were sent by an earlier incarnation: the corruption that TIME-WAIT
    /// exists to prevent. Only the simulator can know.
    pub old_duplicate_bytes: u64,
}

impl AddAssign for ConnectionCounts {
    fn add_assign(&mut self, other: ConnectionCounts) {
        self.bytes_acked += other.bytes_acked;
        self.bytes_received += other.bytes_received;
        self.segments_sent += other.segments_sent;
        self.segments_received += other.segments_received;
        self.retransmissions += other.retransmissions;
        self.timeouts += other.timeouts;
        self.fast_recoveries += other.fast_recoveries;
        self.duplicates_received += other.duplicates_received;
        self.old_duplicate_bytes += other.old_duplicate_bytes;
    }
}
