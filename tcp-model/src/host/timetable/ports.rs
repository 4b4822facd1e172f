//! Active opens: the local port, and old connections whose port is used again.

use sim_core::simulation::SimulationError;
use sim_core::{SimDuration, SimTime};

use super::TimetableSimulation;
use super::holders::LifeId;
use super::life::{Life, conn_of};
use super::template::Course;
use crate::app::connecting::pair;
use crate::ports::Destination;
use crate::sample::{ConnectAttempt, ConnectOutcome, OpenResult, Side, StateChange, TcpSample};
use crate::segment::ConnId;
use crate::state::State;

impl TimetableSimulation {
    /// The next connection of a client.
    pub(super) fn open(&mut self, index: usize, now: SimTime) -> Result<(), SimulationError> {
        let client = &mut self.clients[index];
        let (node, spec) = (client.node, &client.spec);
        client.arrivals.begin();
        let (local, server) = pair(client.turn, spec.locals.len(), spec.remotes.len());
        client.turn += 1;
        let Some(host) = self.hosts.get_mut(node.0 as usize).and_then(Option::as_mut) else {
            return Ok(());
        };
        let stack = &mut host.stack;
        let address = spec.locals.get(local).or(stack.addresses.first()).copied();
        let (Some(address), Some(remote)) = (address, spec.remotes.get(server)) else {
            return Ok(()); // no server at all
        };
        let serial = stack.serial;
        stack.serial = serial.checked_add(1).ok_or_else(|| {
            SimulationError::NotModelled("a client cannot open more than 2^32 connections".into())
        })?;
        let conn = ConnId::new(node.0, serial).with_class(spec.class);
        let to = Destination {
            local: address,
            remote,
        };
        let found = stack.search_port(to, spec.bind_first, now);
        self.out.record(
            node,
            TcpSample::Connect(ConnectAttempt {
                conn,
                local_port: found.port,
                probes: found.probes,
            }),
            now,
        );
        let Some(port) = found.port else {
            self.out.record(
                node,
                TcpSample::Outcome(ConnectOutcome {
                    conn,
                    result: OpenResult::AddrNotAvailable,
                    latency: SimDuration::ZERO,
                }),
                now,
            );
            return Ok(());
        };
        let pair = client.first_pair + server % spec.remotes.len();
        let life = Life {
            start: now,
            serial,
            address: local as u16,
            port,
            from: 0,
            flags: 0,
        };
        let Some(track) = self.pairs[pair].track(Course::default()) else {
            return Ok(());
        };
        let id = (track, self.tracks[track].next_number());
        if let Some(old) = self.pairs[pair].hold(life.address, port, id) {
            self.take_over(pair, id, old, now);
        }
        self.states[node.0 as usize].opened();
        self.add_life(track, life, now)
    }

    /// A connection has the port of an earlier one, which may be in TIME-WAIT.
    fn take_over(&mut self, pair: usize, new: LifeId, old: LifeId, now: SimTime) {
        let track = &self.tracks[old.0];
        let Some(life) = track.life(old.1) else {
            return;
        };
        if life.has(Life::RIPE) && !life.has(Life::NO_TIME_WAIT[Side::Active as usize]) {
            let node = self.clients[self.pairs[pair].client].node;
            self.states[node.0 as usize].stats.time_wait_reused += 1;
            self.end_time_wait(old, life, Side::Active, now);
        }
        let stays = !life.has(Life::NO_TIME_WAIT[Side::Passive as usize]);
        if stays && self.tracks[old.0].has_time_wait(Side::Passive) {
            self.pairs[pair].replaces.insert(new, old);
        }
    }

    /// Ends a TIME-WAIT before its time.
    pub(super) fn end_time_wait(&mut self, id: LifeId, life: Life, side: Side, now: SimTime) {
        let track = &mut self.tracks[id.0];
        track.set(id.1, Life::NO_TIME_WAIT[side as usize]);
        let (node, conn) = track.end(side);
        self.states[node.0 as usize].time_waits -= 1;
        let conn = conn_of(conn, life.serial);
        let (from, to) = (State::TimeWait, State::Closed);
        let change = StateChange {
            conn,
            side,
            from,
            to,
        };
        self.out.record(node, TcpSample::State(change), now);
    }
}
