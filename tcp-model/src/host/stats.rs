//! What a host counts, and what it costs.

use crate::resend_rule::ByRule;

/// Counters of a host over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    /// Segments handed to the network.
    pub segments_sent: u64,
    /// Segments that arrived with a right checksum.
    pub segments_received: u64,
    /// Segments dropped for a wrong checksum.
    pub checksum_failures: u64,
    /// Segments sent again, by rule.
    pub resent: ByRule,
    /// Data that arrived a second time because their sender sent them again, by its rule: those
    /// retransmissions were spurious. One that the network loses is not judged, nor is one whose
    /// original comes later.
    pub spurious: ByRule,
    /// RSTs sent.
    pub resets_sent: u64,
    /// SYNs and final ACKs of handshakes dropped because an accept queue was full.
    pub listen_overflows: u64,
    /// SYNs and final ACKs dropped at a listener for any reason.
    pub listen_drops: u64,
    /// SYN-ACKs with a SYN cookie.
    pub syn_cookies_sent: u32,
    /// SYN cookies that came back and made a connection.
    pub syn_cookies_received: u32,
    /// Segments that should have brought a SYN cookie and brought none, or one too old.
    pub syn_cookies_failed: u32,
    /// Connections opened by the data of their SYN (Fast Open).
    pub fast_opens_accepted: u32,
    /// Challenge ACKs not sent because the host's limit was reached.
    pub challenges_suppressed: u32,
    /// Times IP was advised that a path is in doubt (R1).
    pub path_advices: u32,
    /// Segments to or from an address that is not one host's, dropped.
    pub not_unicast: u32,
    /// Connections that went to TIME-WAIT. Each entry ends of one cause: it expires, is reused, recycled,
    /// killed or lost, and one that was recycled may be restored.
    pub time_wait_made: u64,
    /// TIME-WAIT entries whose time was over.
    pub time_wait_expired: u64,
    /// Connections that should have gone to TIME-WAIT and found the table full.
    pub time_wait_overflows: u64,
    /// TIME-WAIT entries whose port a new active open took over (`tw_reuse`).
    pub time_wait_reused: u64,
    /// TIME-WAIT entries that gave way to a SYN of a new incarnation.
    pub time_wait_recycled: u64,
    /// Of these, entries that came back because the SYN was an old duplicate.
    pub time_wait_restored: u64,
    /// FINs that came again in TIME-WAIT and were acknowledged again: what TIME-WAIT is for.
    pub time_wait_fins_answered: u64,
    /// TIME-WAIT entries ended by an RST.
    pub time_wait_killed: u64,
    /// TIME-WAIT entries lost in crashes.
    pub time_wait_lost: u64,
    /// Most TIME-WAIT entries at a time.
    pub peak_time_wait: u32,
    /// Most connections at a time, TIME-WAIT entries not counted.
    pub peak_connections: u32,
    /// Calls of connect that searched for a port.
    pub port_searches: u64,
    /// Ports looked at in all searches.
    pub port_probes: u64,
    /// Searches that found no port.
    pub ports_exhausted: u64,
    /// Most ports in use towards one destination at a time.
    pub peak_ports_per_destination: u32,
    /// Ports there are towards each destination.
    pub ports_per_destination: u32,
}

/// Connections in one state, and their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateMemory {
    /// How many.
    pub count: u64,
    /// All their bytes: slots, shares of the table of 4-tuples, and what they have allocated
    /// beside.
    pub bytes: u64,
    /// The largest of them, bytes.
    pub largest: u64,
}

impl StateMemory {
    pub(super) fn add(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
        self.largest = self.largest.max(bytes as u64);
    }
}

impl std::ops::AddAssign for StateMemory {
    fn add_assign(&mut self, other: StateMemory) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.largest = self.largest.max(other.largest);
    }
}

/// Memory of a host's tables in bytes. Allocated, not used: tables do not shrink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryReport {
    /// One connection: slot with its model, and its place in the table of 4-tuples at worst.
    /// Leaves out what a model allocates by itself.
    pub per_connection: usize,
    /// One TIME-WAIT entry with its place in the table of 4-tuples at worst.
    pub per_time_wait: usize,
    /// A connection's place in an accept queue; a half-open one is a whole connection.
    pub per_accept_queue_entry: usize,
    /// A listening port.
    pub per_listener: usize,
    /// A destination in the port allocator, with the first ports used towards it.
    pub per_destination: usize,
    /// All connection slots.
    pub connections: usize,
    /// All TIME-WAIT entries.
    pub time_wait: usize,
    /// The table of 4-tuples.
    pub demux: usize,
    /// Port allocator.
    pub ports: usize,
}

impl MemoryReport {
    /// The sum of the tables.
    pub fn total(&self) -> usize {
        self.connections + self.time_wait + self.demux + self.ports
    }
}
