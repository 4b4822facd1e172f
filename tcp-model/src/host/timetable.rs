//! Connections without segments, for runs of 10^8 connections (`lifecycle_segments = false`).
//!
//! Every connection follows the timetable of one connection that is simulated beforehand, segment by segment,
//! on the idle path:
//!
//! ```text
//!   before the run   one connection of each client and server ──► timetable: what happens when,
//!                                                                 what the hosts and links count
//!   the run          arrival ──► port ──► its timetable, shifted ──► records, SYN queue, TIME-WAIT
//! ```
//!
//! What connections share is simulated as it is with segments: local ports, searched for with the host's
//! algorithm and occupied until the connection or its TIME-WAIT ends; the SYN queue of each listener with its
//! limits, SYN cookies, and the retransmission of dropped SYNs; TIME-WAIT with its expiry, `max_tw_buckets`,
//! reuse by the client (`tw_reuse`) and replacement by a new SYN at the server. A SYN that is dropped or
//! answered with a cookie changes to another timetable, which is simulated when it is first needed.
//!
//! Connections of a timetable pass its steps in the order in which they were opened. They therefore stand in
//! one queue with a cursor for each step, and an event costs no more than the comparison of a few cursors.
//!
//! Leaves out everything by which connections delay each other: queues of links, accept queues, workers. Timers
//! on Linux's wheel have the phase of the connection simulated beforehand, except the end of TIME-WAIT. [`check`]
//! lists what is refused.

mod admission;
mod counters;
mod due;
mod holders;
mod host_state;
mod life;
mod output;
mod ports;
mod probe;
mod scope;
mod template;
mod track;

use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::simulation::{SimulationError, SimulationProgress};
use sim_core::{Network, NodeId, Recorder, Rng, RunConfig, RunStats, SimTime};

use self::due::{Agenda, Source};
use self::holders::Pair;
use self::host_state::HostState;
use self::life::Life;
use self::output::Output;
pub use self::scope::check;
use self::scope::{Scope, applies_to};
use self::template::Course;
use self::track::Track;
use super::TcpHost;
use crate::app::client_arrivals::ClientArrivals;
use crate::app::spec::ClientSpec;
use crate::sample::TcpSample;

/// Records that are handed over together.
const BATCH: usize = 4096;

/// A run without segments.
#[derive(Debug)]
pub(super) struct TimetableSimulation {
    network: Arc<Network>,
    hosts: Vec<Option<TcpHost>>,
    seed: u64,
    end: SimTime,
    scope: Result<Scope, String>,
    clients: Vec<ClientState>,
    pairs: Vec<Pair>,
    tracks: Vec<Track>,
    states: Vec<HostState>,
    agenda: Agenda,
    /// Events of this event's making that are earlier than what the agenda has of their sources.
    earlier: Vec<(SimTime, Source)>,
    out: Output,
    events: u64,
}

/// A client during the run.
#[derive(Debug)]
struct ClientState {
    node: NodeId,
    spec: ClientSpec,
    arrivals: ClientArrivals,
    rng: Rng,
    turn: u64,
    /// When it opens its next connection; `MAX` for never.
    next: SimTime,
    /// Its pairs begin here, in the order of its servers.
    first_pair: usize,
}

/// Whether these hosts are to be simulated without segments.
pub(super) fn wanted(hosts: &[Option<TcpHost>]) -> bool {
    let mut params = hosts.iter().flatten().map(|host| &host.stack.params);
    params.any(|params| applies_to(params))
}

impl TimetableSimulation {
    pub(super) fn new(
        network: Arc<Network>,
        hosts: Vec<Option<TcpHost>>,
        config: &RunConfig,
    ) -> TimetableSimulation {
        let scope = Scope::of_hosts(&network, &hosts);
        TimetableSimulation {
            scope,
            seed: config.seed,
            end: config.end,
            clients: Vec::new(),
            pairs: Vec::new(),
            tracks: Vec::new(),
            states: Vec::new(),
            agenda: Agenda::default(),
            earlier: Vec::new(),
            out: Output::default(),
            events: 0,
            network,
            hosts,
        }
    }

    /// Runs to the end, or until `observe` breaks off.
    pub(super) fn run(
        &mut self,
        recorder: &mut dyn Recorder<TcpSample>,
        observe: &mut dyn FnMut(SimulationProgress) -> ControlFlow<()>,
    ) -> Result<RunStats, SimulationError> {
        self.start()?;
        let mut reached = self.end;
        while let Some((now, source)) = self.agenda.first().filter(|(at, _)| *at < self.end) {
            let (now, next) = match source {
                Source::Client(client) => (now, self.arrive(client as usize, now)?),
                Source::Track(track) => self.steps_of(track as usize, now)?,
            };
            self.agenda.move_first(next);
            while let Some((at, source)) = self.earlier.pop() {
                self.agenda.add(at, source);
            }
            if self.out.len() >= BATCH {
                self.out.hand_over(recorder)?;
                let events = self.events;
                if observe(SimulationProgress { now, events }).is_break() {
                    reached = now;
                    break;
                }
            }
        }
        if reached == self.end {
            for track in &mut self.tracks {
                track.cut_off(self.end, &mut self.out);
            }
        }
        self.out.hand_over(recorder)?;
        recorder.finish(reached)?;
        Ok(self.finish(reached))
    }

    pub(super) fn into_hosts(self) -> Vec<Option<TcpHost>> {
        self.hosts
    }

    /// Starts the hosts and makes the first timetables.
    fn start(&mut self) -> Result<(), SimulationError> {
        let scope = match &self.scope {
            Ok(scope) => scope.clone(),
            Err(why) => return Err(SimulationError::NotModelled(why.clone())),
        };
        for (host, node) in self.hosts.iter_mut().zip(0..) {
            let Some(host) = host else {
                self.states.push(HostState::default());
                continue;
            };
            let addresses = self.network.addresses(NodeId(node)).collect();
            let rng = |purpose: &str| Rng::stream(self.seed, purpose, u64::from(node));
            host.stack.start_as(node, addresses, rng);
            self.states
                .push(HostState::new(&host.stack.params, scope.server(node)));
        }
        let mut started = vec![false; self.hosts.len()];
        for (node, spec) in scope.clients() {
            let first_pair = self.pairs.len();
            for remote in spec.remotes.iter() {
                let (ends, key) = self.ends(node, spec, remote)?;
                let server = ends.nodes[1].0 as usize;
                let pair = self.pairs.len();
                self.pairs
                    .push(Pair::new(self.clients.len(), remote, ends, key));
                let track = self.add_track(pair, Course::default())?;
                let template = self.tracks[track].template();
                self.pairs[pair].look_at(template);
                if !std::mem::replace(&mut started[server], true) {
                    self.out.start(&template.at_start, SimTime::ZERO);
                }
            }
            let index = self.clients.len();
            let mut client = ClientState {
                node,
                arrivals: ClientArrivals::new(spec),
                rng: Rng::stream(self.seed, &spec.name, u64::from(node.0)),
                spec: spec.clone(),
                turn: 0,
                next: SimTime::MAX,
                first_pair,
            };
            client.next = client.next_arrival();
            self.agenda.add(client.next, Source::Client(index as u32));
            self.clients.push(client);
        }
        Ok(())
    }

    /// Opens a connection. Returns when the client opens the next.
    fn arrive(&mut self, index: usize, now: SimTime) -> Result<SimTime, SimulationError> {
        self.events += 1;
        self.open(index, now)?;
        let client = &mut self.clients[index];
        client.next = client.next_arrival().max(now);
        Ok(client.next)
    }

    /// The next steps of a track, as long as it is the first in the agenda. Returns the time of the last one, and when
    /// the one after it is. If no step is due now, the entry of the agenda is stale, and there is another one for that
    /// step.
    fn steps_of(
        &mut self,
        index: usize,
        mut now: SimTime,
    ) -> Result<(SimTime, SimTime), SimulationError> {
        let (at, mut step) = self.tracks[index].next();
        if at != now {
            return Ok((now, SimTime::MAX));
        }
        let rival = self.agenda.second();
        let track = Source::Track(index as u32);
        loop {
            self.step(index, step, now)?;
            let (next, its_step) = self.tracks[index].next();
            let is_first = rival.is_none_or(|rival| (next, track) < rival);
            let goes_on = is_first && next < self.end && self.earlier.is_empty();
            if !goes_on || self.out.len() >= BATCH {
                return Ok((now, next));
            }
            (now, step) = (next, its_step);
        }
    }

    /// The connection whose turn it is takes a step of its timetable.
    fn step(&mut self, index: usize, step: usize, now: SimTime) -> Result<(), SimulationError> {
        self.events += 1;
        let place = self.tracks[index].cursor(step);
        if let Some(life) = self.tracks[index].living(step)
            && !(self.tracks[index].is_syn_arrival(step)
                && self.diverts((index, step), place, life, now)?)
        {
            self.pass(index, step, place, life, now);
        }
        self.tracks[index].advance(step);
        Ok(())
    }

    /// Adds a connection to a timetable, from its step `from` on. The first step of a new connection is taken at once.
    fn add_life(&mut self, index: usize, life: Life, now: SimTime) -> Result<(), SimulationError> {
        let track = &mut self.tracks[index];
        let before = track.next().0;
        track.push(life);
        if track.next() == (now, 0) {
            self.step(index, 0, now)?;
        }
        let next = self.tracks[index].next().0;
        if next < before {
            self.earlier.push((next, Source::Track(index as u32)));
        }
        Ok(())
    }

    /// Adds a timetable to a pair: that of another client with an equal path, or a new one.
    fn add_track(&mut self, pair: usize, course: Course) -> Result<usize, SimulationError> {
        let (ends, key) = (&self.pairs[pair].ends, &self.pairs[pair].key);
        let mut known = self.tracks.iter().filter(|track| track.course == course);
        let same = known.find(|track| self.pairs[track.pair].key == *key);
        let template = match same {
            Some(track) => Arc::clone(track.template()),
            None => Arc::new(self.probe(ends, key, course)?),
        };
        let track = Track::new(pair, template, ends.clone());
        let index = self.tracks.len();
        self.pairs[pair].add_track(course, index);
        self.tracks.push(track);
        Ok(index)
    }

    /// Writes the counters to the hosts and returns those of the engine.
    fn finish(&mut self, reached: SimTime) -> RunStats {
        let mut links = vec![Default::default(); self.network.links().len()];
        for track in &mut self.tracks {
            track.count(&mut self.states, &mut links);
        }
        for (host, state) in self.hosts.iter_mut().zip(&self.states) {
            if let Some(host) = host {
                state.write_to(&mut host.stack.stats);
            }
        }
        RunStats {
            events: self.events,
            links,
            reached,
            idle: self.agenda.first().is_none(),
            ..RunStats::default()
        }
    }
}

impl ClientState {
    fn next_arrival(&mut self) -> SimTime {
        let next = self.arrivals.next(&self.spec, &mut self.rng);
        next.unwrap_or(SimTime::MAX)
    }
}

#[cfg(test)]
mod tests;
