//! A source NAT as data, and what it counts.

use sim_core::{SimDuration, SimTime};

use super::NatMapping;

/// How long a mapping outlives the last packet of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatTimeouts {
    /// Until both sides have acknowledged a SYN.
    pub opening: SimDuration,
    /// While the connection is established.
    pub established: SimDuration,
    /// After a FIN of one side.
    pub closing: SimDuration,
    /// After FINs of both sides.
    pub closed: SimDuration,
    /// After a reset.
    pub reset: SimDuration,
}

impl Default for NatTimeouts {
    /// Linux's time-outs (`nf_conntrack_tcp_timeout_…`: `syn_sent`, `established`, `fin_wait`,
    /// `time_wait`, `close`).
    fn default() -> Self {
        NatTimeouts {
            opening: SimDuration::from_secs(120),
            established: SimDuration::from_secs(5 * 24 * 3600),
            closing: SimDuration::from_secs(120),
            closed: SimDuration::from_secs(120),
            reset: SimDuration::from_secs(10),
        }
    }
}

/// A source NAT as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatSpec {
    /// First and last port of the pool, on each of the NAT's addresses.
    pub ports: (u16, u16),
    /// Time-outs.
    pub timeouts: NatTimeouts,
    /// Which connections share a port.
    pub mapping: NatMapping,
    /// A connection keeps the port of the inside host if that port is free on the NAT.
    pub keep_port: bool,
    /// Each inside host is limited to one block of this many ports; `None`: no limit.
    pub block: Option<u32>,
    /// Packets from inside that belong to no mapping, as after an idle time-out, are answered with a reset.
    pub answer_reset: bool,
    /// Hosts or groups behind the NAT to which it forwards connections to its own addresses, on ports outside of its
    /// pool; several take turns.
    pub forward: Vec<String>,
    /// Hosts or groups behind the NAT whose connections to its own addresses get an address of the NAT as their source
    /// too (hairpinning, RFC 4787 section 6).
    pub hairpin: Vec<String>,
}

impl Default for NatSpec {
    /// All ports from 1024 on, and the time-outs of Linux.
    fn default() -> Self {
        NatSpec {
            ports: (1024, u16::MAX),
            timeouts: NatTimeouts::default(),
            mapping: NatMapping::default(),
            keep_port: false,
            block: None,
            answer_reset: false,
            forward: Vec::new(),
            hairpin: Vec::new(),
        }
    }
}

/// The counters of a NAT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatStats {
    /// Current number of mappings.
    pub mappings: u32,
    /// Peak number of mappings.
    pub peak_mappings: u32,
    /// Mappings made.
    pub made: u64,
    /// Mappings that timed out.
    pub expired: u64,
    /// Mappings lost in crashes.
    pub lost: u64,
    /// SYNs dropped because no port was free.
    pub exhausted: u64,
    /// When the first of them was dropped.
    pub first_exhausted: Option<SimTime>,
    /// Peak number of ports in use towards one destination.
    pub peak_ports: u32,
    /// Number of ports towards each destination, over all addresses.
    pub ports: u32,
    /// Other packets dropped because they belonged to no mapping.
    pub unmapped: u64,
    /// Packets among these that were answered with a reset.
    pub resets: u64,
    /// Connections forwarded to hosts behind the NAT.
    pub forwarded: u64,
    /// Connections among the mappings made that hosts behind the NAT opened to its own addresses.
    pub hairpinned: u64,
}
