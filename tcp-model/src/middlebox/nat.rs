//! A source NAT (RFC 3022 "NAPT", terms of RFC 4787 and RFC 5382).
//!
//! Hosts inside share the NAT's addresses. Filtering depends on the endpoint outside, and so does
//! mapping unless [`NatSpec::mapping`] says otherwise: each connection has its own mapping, and one
//! port serves any number of connections to different addresses or ports, as in Linux. A SYN from
//! inside makes a mapping with the port that has been free longest, or with its own port if ports
//! are kept; a SYN that finds none is dropped. A host inside may be limited to a block of ports.
//! Mappings time out by the state of their connection, counted from its last packet, and their port
//! is free again after its last mapping.
//!
//! A packet from inside without a mapping is dropped, or answered with a reset
//! ([`NatSpec::answer_reset`]).
//!
//! Connections to the NAT's own addresses on ports outside of its pool go to a host behind it
//! ([`NatSpec::forward`]). Those that another host behind it opens (hairpinning, RFC 4787 section 6) get an address of
//! the NAT as their source ([`NatSpec::hairpin`]); without that, the answer may take another way, with an address that
//! the host does not know.
//!
//! Leaves out: hairpinning to mappings of hosts that are not forwarded to, ICMP, picking up connections in the middle,
//! several blocks per host, and Linux's checks of sequence numbers.

mod forward;
mod kind;
mod mapping;
mod pool;
mod ports;
mod spec;
mod tcp_state;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::{LazyTimer, Packet, SimTime};

pub use self::kind::NAT_PROFILES;
pub(super) use self::kind::kind;
pub use self::mapping::NatMapping;
use self::mapping::{Blocks, SharedPorts};
use self::pool::PortPool;
pub use self::spec::{NatSpec, NatStats, NatTimeouts};
use self::tcp_state::{MappingState, next_phase, timeout};
use super::refusal::refuse;
use super::{FxMap, Middlebox, MiddleboxCount, MiddleboxCx};
use crate::segment::{Flags, Packed};

/// A connection seen from inside: source and destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct InsideFlow {
    host: SocketAddrV4,
    remote: SocketAddrV4,
}

/// The same seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Outside {
    /// An address and a port of the NAT.
    mapped: SocketAddrV4,
    remote: SocketAddrV4,
}

/// A mapping.
#[derive(Clone, Copy, Debug)]
struct Mapping {
    inside: InsideFlow,
    mapped: SocketAddrV4,
    phase: MappingState,
    /// It was opened from outside, and its port is not one of the pool.
    forwarded: bool,
    deadline: SimTime,
    /// Its earliest entry in the list of deadlines.
    queued: SimTime,
    /// Distinguishes the uses of its slot.
    serial: u32,
}

impl Mapping {
    fn outside(&self) -> Outside {
        Outside {
            mapped: self.mapped,
            remote: self.inside.remote,
        }
    }
}

/// A slot of the table.
#[derive(Clone, Copy, Debug, Default)]
struct MappingSlot {
    mapping: Option<Mapping>,
    serial: u32,
}

/// A source NAT. It allocates only when there are more mappings or destinations than ever before.
#[derive(Debug)]
pub struct Nat {
    spec: NatSpec,
    addresses: Vec<Ipv4Addr>,
    slots: Vec<MappingSlot>,
    free: Vec<u32>,
    by_inside: FxMap<InsideFlow, u32>,
    by_outside: FxMap<Outside, u32>,
    /// Free ports by scope: by destination, where mappings depend on it.
    pools: FxMap<SocketAddrV4, PortPool>,
    shared: SharedPorts,
    blocks: Blocks,
    /// Hosts behind the NAT that connections to it are forwarded to, and whose turn it is.
    forwards: (Vec<Ipv4Addr>, usize),
    /// Hosts behind the NAT whose connections to it are hairpinned, in order.
    behind: Vec<Ipv4Addr>,
    /// (deadline, slot, its serial), at least one entry for each mapping, at its deadline or before.
    deadlines: BinaryHeap<Reverse<(SimTime, u32, u32)>>,
    timer: LazyTimer,
    stats: NatStats,
}

impl Nat {
    /// A NAT as described, without mappings.
    pub fn new(spec: NatSpec) -> Nat {
        Nat {
            spec,
            addresses: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            by_inside: FxMap::default(),
            by_outside: FxMap::default(),
            pools: FxMap::default(),
            shared: SharedPorts::default(),
            blocks: Blocks::default(),
            forwards: (Vec::new(), 0),
            behind: Vec::new(),
            deadlines: BinaryHeap::new(),
            timer: LazyTimer::default(),
            stats: NatStats::default(),
        }
    }

    /// Its counters.
    pub fn stats(&self) -> NatStats {
        self.stats
    }

    /// Gives a packet from inside its source outside; `None` if it was dropped or answered.
    fn translate_out(
        &mut self,
        mut packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        let (src, dst) = packet.payload.ports();
        let inside = InsideFlow {
            host: SocketAddrV4::new(packet.src, src),
            remote: SocketAddrV4::new(packet.dst, dst),
        };
        let flags = packet.payload.flags();
        let opens = flags.is_syn() && !flags.is_ack();
        let place = match self.by_inside.get(&inside) {
            Some(&place) => place,
            None if opens && !packet.corrupt => match self.map(inside, cx.now()) {
                Some(place) => place,
                None => {
                    self.stats.exhausted += 1;
                    self.stats.first_exhausted.get_or_insert(cx.now());
                    cx.drop(packet);
                    return None;
                }
            },
            None => {
                self.stats.unmapped += 1;
                match self.spec.answer_reset && refuse(&mut packet) {
                    true => {
                        self.stats.resets += 1;
                        cx.pass_on(packet);
                    }
                    false => cx.drop(packet),
                }
                return None;
            }
        };
        if !packet.corrupt {
            self.heed(place, flags, true, cx);
        }
        if let Some(mapping) = self.slots[place as usize].mapping {
            packet.src = *mapping.mapped.ip();
            packet.payload.set_ports(mapping.mapped.port(), dst);
        }
        Some(packet)
    }

    /// Gives a packet to the NAT its destination inside, and passes it on.
    fn inward(&mut self, mut packet: Packet<Packed>, cx: &mut MiddleboxCx<'_, '_>) {
        let (src, dst) = packet.payload.ports();
        let outside = Outside {
            mapped: SocketAddrV4::new(packet.dst, dst),
            remote: SocketAddrV4::new(packet.src, src),
        };
        let known = self.by_outside.get(&outside).copied();
        let Some(place) = known.or_else(|| self.forward(outside, &packet, cx.now())) else {
            self.stats.unmapped += 1;
            cx.drop(packet);
            return;
        };
        if !packet.corrupt {
            self.heed(place, packet.payload.flags(), false, cx);
        }
        if let Some(mapping) = self.slots[place as usize].mapping {
            packet.dst = *mapping.inside.host.ip();
            packet.payload.set_ports(src, mapping.inside.host.port());
        }
        cx.pass_on(packet);
    }

    /// Makes a mapping; `None` when no port is free.
    fn map(&mut self, inside: InsideFlow, now: SimTime) -> Option<u32> {
        let port = self.take_port(inside)?;
        if self.spec.block.is_some() {
            self.blocks.add(*inside.host.ip());
        }
        let mapped = self.endpoint(port);
        Some(self.insert(inside, mapped, false, now))
    }

    /// Inserts a mapping into the table.
    fn insert(
        &mut self,
        inside: InsideFlow,
        mapped: SocketAddrV4,
        forwarded: bool,
        now: SimTime,
    ) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(MappingSlot::default());
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[place as usize];
        slot.serial = slot.serial.wrapping_add(1);
        let mapping = Mapping {
            inside,
            mapped,
            phase: MappingState::Opening,
            forwarded,
            deadline: now,
            queued: SimTime::MAX,
            serial: slot.serial,
        };
        slot.mapping = Some(mapping);
        self.by_inside.insert(inside, place);
        self.by_outside.insert(mapping.outside(), place);
        self.stats.made += 1;
        self.stats.mappings += 1;
        self.stats.peak_mappings = self.stats.peak_mappings.max(self.stats.mappings);
        place
    }

    /// Tracks the state of a connection, and postpones its time-out.
    fn heed(&mut self, place: u32, flags: Flags, inside: bool, cx: &mut MiddleboxCx<'_, '_>) {
        let Some(mapping) = &mut self.slots[place as usize].mapping else {
            return;
        };
        let before = mapping.phase;
        mapping.phase = next_phase(before, flags, inside != mapping.forwarded);
        if (before, mapping.phase) == (MappingState::Reset, MappingState::Reset) {
            return;
        }
        let timeout = timeout(&self.spec.timeouts, mapping.phase);
        mapping.deadline = cx.now().saturating_add(timeout);
        if mapping.deadline < mapping.queued {
            mapping.queued = mapping.deadline;
            let entry = (mapping.deadline, place, mapping.serial);
            self.deadlines.push(Reverse(entry));
            self.arm(cx);
        }
    }

    /// Frees the mappings that have timed out.
    fn expire(&mut self, now: SimTime) {
        while let Some(&Reverse((at, place, serial))) = self.deadlines.peek() {
            if at > now {
                return;
            }
            self.deadlines.pop();
            let slot = &mut self.slots[place as usize];
            let Some(mapping) = &mut slot.mapping else {
                continue;
            };
            if (mapping.serial, mapping.queued) != (serial, at) {
                continue;
            }
            if mapping.deadline > now {
                mapping.queued = mapping.deadline;
                self.deadlines
                    .push(Reverse((mapping.deadline, place, serial)));
                continue;
            }
            let over = *mapping;
            slot.mapping = None;
            self.free.push(place);
            self.by_inside.remove(&over.inside);
            self.by_outside.remove(&over.outside());
            if !over.forwarded {
                self.give_back(&over);
            }
            self.stats.mappings -= 1;
            self.stats.expired += 1;
        }
    }

    fn arm(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let first = self.deadlines.peek().map(|Reverse((at, ..))| *at);
        let token = cx.token();
        self.timer.set(first, token, cx.wakes());
    }
}

impl Middlebox for Nat {
    fn on_start(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        self.addresses = cx.addresses().collect();
        self.stats.ports = self.pool_size();
        self.find_hosts(cx);
    }

    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        self.expire(cx.now());
        if !self.addresses.contains(&packet.dst) {
            if let Some(packet) = self.translate_out(packet, cx) {
                cx.pass_on(packet);
            }
        } else if self.turns_back(&packet) {
            if let Some(packet) = self.translate_out(packet, cx) {
                self.inward(packet, cx);
            }
        } else {
            self.inward(packet, cx);
        }
        None
    }

    fn on_wake(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let token = cx.token();
        if self.timer.fire(token, cx.wakes()) {
            self.expire(cx.now());
        }
        self.arm(cx);
    }

    fn entries(&self) -> Option<u32> {
        Some(self.stats.mappings)
    }

    fn counts(&self) -> Vec<(&'static str, MiddleboxCount)> {
        let s = &self.stats;
        let share = f64::from(s.peak_ports) / f64::from(s.ports.max(1));
        let mut all = vec![
            ("nat_mappings_made", MiddleboxCount::Sum(s.made as f64)),
            (
                "nat_mappings_expired",
                MiddleboxCount::Sum(s.expired as f64),
            ),
            ("nat_mappings_lost", MiddleboxCount::Sum(s.lost as f64)),
            ("nat_mappings_end", MiddleboxCount::Sum(s.mappings.into())),
            ("nat_syns_dropped", MiddleboxCount::Sum(s.exhausted as f64)),
            (
                "nat_packets_unmapped",
                MiddleboxCount::Sum(s.unmapped as f64),
            ),
            (
                "nat_mappings_peak",
                MiddleboxCount::Most(s.peak_mappings.into()),
            ),
            (
                "nat_ports_in_use_peak",
                MiddleboxCount::Most(s.peak_ports.into()),
            ),
            (
                "nat_ports_in_use_share_peak",
                MiddleboxCount::Most(share.min(1.0)),
            ),
        ];
        if self.spec.answer_reset {
            all.push(("nat_resets_sent", MiddleboxCount::Sum(s.resets as f64)));
        }
        if !self.spec.forward.is_empty() {
            all.push(("nat_forwarded", MiddleboxCount::Sum(s.forwarded as f64)));
        }
        if !self.spec.hairpin.is_empty() {
            let hairpinned = MiddleboxCount::Sum(s.hairpinned as f64);
            all.push(("nat_hairpinned", hairpinned));
        }
        if let Some(first) = s.first_exhausted {
            let dropped = MiddleboxCount::Sum(s.exhausted as f64);
            let first = MiddleboxCount::Least(first.as_secs_f64());
            all.push(("nat.<name>_syns_dropped", dropped));
            all.push(("nat.<name>_first_drop_s", first));
        }
        all
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let s = &self.stats;
        vec![
            ("nat_mappings_made", s.made),
            ("nat_mappings_peak", s.peak_mappings.into()),
            ("nat_syns_dropped", s.exhausted),
            ("nat_packets_unmapped", s.unmapped),
        ]
    }

    fn on_crash(&mut self) {
        let (spec, stats) = (self.spec.clone(), self.stats);
        *self = Nat {
            addresses: std::mem::take(&mut self.addresses),
            forwards: std::mem::take(&mut self.forwards),
            behind: std::mem::take(&mut self.behind),
            stats: NatStats {
                mappings: 0,
                lost: stats.lost + u64::from(stats.mappings),
                ..stats
            },
            ..Nat::new(spec)
        };
    }
}
