//! The steps of connections that concern what they share: the SYN queue, TIME-WAIT, ports.

use sim_core::SimTime;
use sim_core::simulation::SimulationError;

use super::TimetableSimulation;
use super::host_state::Admission;
use super::life::Life;
use super::template::{Course, StepKind};
use crate::ports::Destination;
use crate::sample::{EndReason, Side, StateChange, TcpSample};
use crate::state::State;

impl TimetableSimulation {
    /// A SYN arrives. True if its connection changes to another timetable.
    pub(super) fn diverts(
        &mut self,
        (track, step): (usize, usize),
        number: u64,
        life: Life,
        now: SimTime,
    ) -> Result<bool, SimulationError> {
        let (id, pair) = ((track, number), self.tracks[track].pair);
        let (server, _) = self.tracks[track].end(Side::Passive);
        let old = self.pairs[pair].replaces.get(&id).copied();
        let old = old.and_then(|old| Some((old, self.tracks[old.0].life(old.1)?)));
        let gone = Life::NO_TIME_WAIT[Side::Passive as usize];
        let old = old.filter(|(_, old)| !old.has(gone));
        let state = &mut self.states[server.0 as usize];
        let course = match state.admit(old.is_some()) {
            Admission::Take => {
                self.pairs[pair].replaces.remove(&id);
                if let Some((old, of)) = old {
                    self.states[server.0 as usize].stats.time_wait_recycled += 1;
                    self.end_time_wait(old, of, Side::Passive, now);
                }
                return Ok(false);
            }
            Admission::Cookie => Course {
                cookie: true,
                ..self.tracks[track].course
            },
            Admission::Drop => {
                state.stats.listen_drops += 1;
                state.stats.segments_received += 1;
                let dropped = self.tracks[track].course.dropped + 1;
                Course {
                    dropped,
                    cookie: false,
                }
            }
        };
        let other = match self.pairs[pair].track(course) {
            Some(track) => track,
            None => self.add_track(pair, course)?,
        };
        self.tracks[track].leave(step, life);
        let from = self.tracks[other].enter(now.since(life.start));
        let moved = (other, self.tracks[other].next_number());
        self.pairs[pair].moved(life.address, life.port, id, moved);
        self.add_life(other, Life { from, ..life }, now)?;
        Ok(true)
    }

    /// A connection takes a step.
    pub(super) fn pass(
        &mut self,
        index: usize,
        step: usize,
        number: u64,
        life: Life,
        now: SimTime,
    ) {
        self.tracks[index].took(step);
        let track = &self.tracks[index];
        let (step, ends) = (&track.template().steps[step], track.ends());
        let mut flags = 0;
        let mut frees_port = step.kind == StepKind::Ripens;
        if frees_port {
            flags |= Life::RIPE;
        }
        for note in &step.notes {
            let state = &mut self.states[ends.nodes[note.end].0 as usize];
            match &note.sample {
                TcpSample::State(change) => {
                    if change.to == State::TimeWait && state.is_time_wait_full() {
                        flags |= Life::NO_TIME_WAIT[change.side as usize];
                        let change = StateChange {
                            to: State::Closed,
                            ..*change
                        };
                        self.out.write_state((note.end, &change), ends, life, now);
                        continue;
                    }
                    let expires = state.changes(change);
                    frees_port |= expires && change.side == Side::Active && !life.has(Life::RIPE);
                    self.out.write_state((note.end, change), ends, life, now);
                    continue;
                }
                TcpSample::Ended(summary) => {
                    state.ended();
                    let is_client = summary.side == Side::Active;
                    let overflows = flags & Life::NO_TIME_WAIT[summary.side as usize] != 0;
                    if summary.time_wait && overflows {
                        state.stats.time_wait_overflows += 1;
                        frees_port |= is_client;
                        let mut summary = summary.clone();
                        summary.time_wait = false;
                        summary.reason = EndReason::TimeWaitOverflow;
                        let full = TcpSample::Ended(summary);
                        self.out.write((note.end, &full), ends, life, now, None);
                        continue;
                    }
                    if summary.time_wait {
                        state.enters_time_wait();
                    } else {
                        frees_port |= is_client;
                    }
                }
                _ => {}
            }
            self.out
                .write((note.end, &note.sample), ends, life, now, None);
        }
        if flags != 0 {
            self.tracks[index].set(number, flags);
        }
        if frees_port {
            self.free_port(index, life);
        }
    }

    fn free_port(&mut self, track: usize, life: Life) {
        let pair = &self.pairs[self.tracks[track].pair];
        let client = &self.clients[pair.client];
        let Some(host) = &mut self.hosts[client.node.0 as usize] else {
            return;
        };
        let stack = &mut host.stack;
        let locals = &client.spec.locals;
        let local = locals
            .get(usize::from(life.address))
            .or(stack.addresses.first());
        if let Some(&local) = local {
            let to = Destination {
                local,
                remote: pair.remote,
            };
            stack.ports.release(to, life.port);
        }
    }
}
