//! Counters and memory of a host.

use crate::resend_rule::ByRule;

/// Counters of a host over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    /// Segments handed to the network.
    pub segments_sent: u64,
    /// Segments that arrived with a valid checksum.
    pub segments_received: u64,
    /// Segments dropped because of a wrong checksum.
    pub checksum_failures: u64,
    /// Segments retransmitted, by rule.
    pub resent: ByRule,
    /// Spurious retransmissions received, by the sender's rule: all their data had arrived before.
    /// Retransmissions that the network loses, or that arrive before their original, are not counted.
    pub spurious: ByRule,
    /// RSTs sent.
    pub resets_sent: u64,
    /// SYNs and final ACKs of handshakes dropped because an accept queue was full.
    pub listen_overflows: u64,
    /// SYNs and final ACKs dropped at a listener for any reason.
    pub listen_drops: u64,
    /// SYNs among these whose timestamp was older than the last one of their address (`tw_recycle`).
    pub old_stamp_syns: u64,
    /// SYN-ACKs with a SYN cookie.
    pub syn_cookies_sent: u32,
    /// SYN cookies that were returned and established a connection.
    pub syn_cookies_received: u32,
    /// Segments that should have returned a SYN cookie but had none, or an expired one.
    pub syn_cookies_failed: u32,
    /// Connections opened by the data of their SYN (Fast Open).
    pub fast_opens_accepted: u32,
    /// Challenge ACKs not sent because the host's limit was reached.
    pub challenges_suppressed: u32,
    /// Times IP was advised that a path is in doubt (R1).
    pub path_advices: u32,
    /// Segments dropped because an address was not unicast.
    pub not_unicast: u32,
    /// Connections that went to TIME-WAIT. Each entry has one end: it expires, is reused, recycled, killed
    /// or lost; a recycled one may be restored.
    pub time_wait_made: u64,
    /// TIME-WAIT entries that expired.
    pub time_wait_expired: u64,
    /// Connections that should have entered TIME-WAIT but found the table full.
    pub time_wait_overflows: u64,
    /// TIME-WAIT entries whose port was reused by a new active open (`tw_reuse`).
    pub time_wait_reused: u64,
    /// TIME-WAIT entries replaced by the SYN of a new incarnation.
    pub time_wait_recycled: u64,
    /// Entries among these that were restored because the SYN was an old duplicate.
    pub time_wait_restored: u64,
    /// FINs retransmitted to TIME-WAIT and acknowledged again: the purpose of TIME-WAIT.
    pub time_wait_fins_answered: u64,
    /// TIME-WAIT entries ended by an RST.
    pub time_wait_killed: u64,
    /// TIME-WAIT entries lost in crashes.
    pub time_wait_lost: u64,
    /// Peak number of TIME-WAIT entries.
    pub peak_time_wait: u32,
    /// Peak number of connections, without TIME-WAIT entries.
    pub peak_connections: u32,
    /// Calls of connect that searched for a port.
    pub port_searches: u64,
    /// Ports tried in all searches.
    pub port_probes: u64,
    /// Searches that found no port.
    pub ports_exhausted: u64,
    /// Peak number of ports in use towards one destination.
    pub peak_ports_per_destination: u32,
    /// Number of ports towards each destination.
    pub ports_per_destination: u32,
}

/// Adds to fields of `$sum` what they counted between `$before` and `$after`, times `$times`.
macro_rules! add_counts {
    ($sum:ident, $before:ident, $after:ident, $times:ident: $($name:ident)*) => {
        $(add_count(&mut $sum.$name, $before.$name, $after.$name, $times);)*
    };
}

/// A count stays at its largest value.
fn add_count<N: Copy + Into<u64> + TryFrom<u64>>(sum: &mut N, before: N, after: N, times: u64) {
    let more = after
        .into()
        .saturating_sub(before.into())
        .saturating_mul(times);
    let largest = u64::MAX >> (64 - 8 * size_of::<N>());
    let all = (*sum).into().saturating_add(more).min(largest);
    *sum = N::try_from(all).unwrap_or(*sum);
}

impl HostStats {
    /// Adds what is counted between `before` and `after`, so many times: all but ports, peaks, and the births and ends
    /// of TIME-WAIT.
    pub(super) fn add_times(&mut self, before: &HostStats, after: &HostStats, times: u64) {
        let sum = self;
        add_counts!(sum, before, after, times:
            segments_sent segments_received checksum_failures resets_sent listen_overflows listen_drops
            old_stamp_syns syn_cookies_sent syn_cookies_received syn_cookies_failed fast_opens_accepted
            challenges_suppressed path_advices not_unicast time_wait_fins_answered);
        sum.resent.add_times(&before.resent, &after.resent, times);
        sum.spurious
            .add_times(&before.spurious, &after.spurious, times);
    }
}

/// A counter of a host, by its name in results.
#[derive(Clone, Copy, Debug)]
pub struct HostCounter {
    /// Its name in results.
    pub name: &'static str,
    /// Its name in Linux's `/proc/net/snmp` or `/proc/net/netstat`, or one of this simulator's that is shown
    /// beside them; `None` where there is neither.
    pub nstat: Option<&'static str>,
    /// Its value.
    pub get: fn(&HostStats) -> u64,
}

/// A list of counters: the name in results, which is also that of the field (a field that is a sum
/// over rules follows in parentheses), and the name in `nstat`.
macro_rules! counters {
    (@get $name:ident) => { |stats| u64::from(stats.$name) };
    (@get $name:ident $by_rule:ident) => { |stats| stats.$by_rule.total() };
    ($($name:ident $(($by_rule:ident))? $(= $nstat:literal)?;)*) => {
        &[$(HostCounter {
            name: stringify!($name),
            nstat: [$(Some($nstat),)? None][0],
            get: counters!(@get $name $($by_rule)?),
        },)*]
    };
}

impl HostStats {
    /// The counters in results, in the order of Linux's files as far as Linux has them.
    ///
    /// The names of counters that Linux lacks begin with `synfin`: among others TIME-WAIT entries
    /// made, and those that a reset or a new SYN ends. (Linux's `TWKilled` counts entries that
    /// expire within 4 s.)
    pub const COUNTERS: &[HostCounter] = counters! {
        segments_received = "TcpInSegs";
        segments_sent = "TcpOutSegs";
        segments_resent(resent) = "TcpRetransSegs";
        checksum_failures = "TcpInCsumErrors";
        resets_sent = "TcpOutRsts";
        syn_cookies_sent = "TcpExtSyncookiesSent";
        syn_cookies_received = "TcpExtSyncookiesRecv";
        syn_cookies_failed = "TcpExtSyncookiesFailed";
        time_wait_expired = "TcpExtTW";
        time_wait_reused = "TcpExtTWRecycled";
        old_stamp_syns = "TcpExtPAWSPassive";
        time_wait_overflows = "TcpExtTCPTimeWaitOverflow";
        listen_overflows = "TcpExtListenOverflows";
        listen_drops = "TcpExtListenDrops";
        fast_opens_accepted = "TcpExtTCPFastOpenPassive";
        challenges_suppressed = "TcpExtTCPACKSkippedChallenge";
        time_wait_made = "synfinTimeWaitMade";
        time_wait_recycled = "synfinTimeWaitReplaced";
        time_wait_killed = "synfinTimeWaitReset";
        time_wait_lost = "synfinTimeWaitLost";
        port_probes = "synfinPortProbes";
        ports_exhausted = "synfinPortsExhausted";
        port_searches;
        path_advices;
        time_wait_restored;
        time_wait_fins_answered;
    };
}

/// Connections in one state, and their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateMemory {
    /// How many.
    pub count: u64,
    /// Their total bytes: slots, shares of the table of 4-tuples, and separate allocations.
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

/// Memory of a host's tables in bytes: allocated, not used, since tables do not shrink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryReport {
    /// One connection: slot with its model, and at worst its share of the table of 4-tuples. Leaves out a
    /// model's own allocations.
    pub per_connection: usize,
    /// One TIME-WAIT entry with at worst its share of the table of 4-tuples.
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
