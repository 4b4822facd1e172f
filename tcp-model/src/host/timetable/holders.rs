//! Which connection of a client and a server had a port last.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use super::probe::ProbeKey;
use super::template::{Course, Ends, StepKind, Template};

/// A connection: its track, and its number there.
pub(super) type LifeId = (usize, u64);

/// A client and one of its servers.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) client: usize,
    pub(super) remote: SocketAddrV4,
    pub(super) ends: Ends,
    /// What its timetables depend on.
    pub(super) key: ProbeKey,
    /// The timetables that were needed so far.
    tracks: Vec<(Course, usize)>,
    /// The last connection of each local address and port; only if somebody asks.
    holders: Option<Vec<PortHolders>>,
    /// By new connection, the old one that the server still has in TIME-WAIT.
    pub(super) replaces: BTreeMap<LifeId, LifeId>,
}

/// By port, a number and above it a track; zero for nobody.
type PortHolders = Vec<u64>;

/// Bits of the number of a connection. The number in a table is one more than that of the connection.
const NUMBER_BITS: u32 = 40;

impl Pair {
    pub(super) fn new(client: usize, remote: SocketAddrV4, ends: Ends, key: ProbeKey) -> Pair {
        Pair {
            client,
            remote,
            ends,
            key,
            tracks: Vec::new(),
            holders: None,
            replaces: BTreeMap::new(),
        }
    }

    /// Takes note of ports if this is the usual timetable of its connections and somebody asks for them.
    pub(super) fn look_at(&mut self, usual: &Template) {
        let ripens = usual.steps.iter().any(|step| step.kind == StepKind::Ripens);
        self.holders = (ripens || usual.time_wait[1].is_some()).then(Vec::new);
    }

    pub(super) fn add_track(&mut self, course: Course, track: usize) {
        self.tracks.push((course, track));
    }

    pub(super) fn track(&self, course: Course) -> Option<usize> {
        let found = self.tracks.iter().find(|(other, _)| *other == course);
        found.map(|(_, track)| *track)
    }

    /// Notes that a connection has a port; returns the one that had it before.
    pub(super) fn hold(&mut self, address: u16, port: u16, life: LifeId) -> Option<LifeId> {
        let holders = self.holders.as_mut()?;
        let address = usize::from(address);
        if holders.len() <= address {
            holders.resize_with(address + 1, Vec::new);
        }
        let of_address = &mut holders[address];
        if of_address.is_empty() {
            of_address.resize(1 << 16, 0);
        }
        let code = (life.0 as u64) << NUMBER_BITS | (life.1 + 1);
        let old = std::mem::replace(&mut of_address[usize::from(port)], code);
        let number = old & ((1 << NUMBER_BITS) - 1);
        (old > 0).then(|| ((old >> NUMBER_BITS) as usize, number - 1))
    }

    /// The same for a connection that has had this port and changes to another timetable.
    pub(super) fn moved(&mut self, address: u16, port: u16, from: LifeId, to: LifeId) {
        self.hold(address, port, to);
        if let Some(old) = self.replaces.remove(&from) {
            self.replaces.insert(to, old);
        }
    }
}
