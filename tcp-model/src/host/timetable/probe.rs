//! Timetables: one connection, simulated segment by segment on the idle path.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::link::LinkStats;
use sim_core::simulation::SimulationError;
use sim_core::{Finished, Network, NodeId, Rate, RunConfig, SimDuration, SimTime, Simulation};

use super::super::TcpHost;
use super::super::stats::HostStats;
use super::TimetableSimulation;

use super::scope::Scope;
use super::template::{
    Course, Ends, MOST_STEPS, Moment, Note, START, Step, StepKind, Template, When, reuses,
};
use crate::app::spec::{AppSpec, Arrivals, ClientSpec, HostConfig, KeptSegments};
use crate::params::{SynCookies, TcpParams};
use crate::sample::{StateChange, TcpSample};
use crate::segment::ConnId;
use crate::state::State;

/// End of a simulation of one connection, unless it ends by itself; some 115 days.
const LONGEST: SimTime = SimTime::from_ps(10_000_000 * 1_000_000_000_000);

/// What a timetable depends on, beside its course.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ProbeKey {
    server: NodeId,
    /// The client with a single connection, and without what differs from client to client.
    spec: ClientSpec,
    /// Rates and delays on the way there, and on the way back.
    paths: [Vec<(Option<Rate>, SimDuration)>; 2],
    /// Of client and server.
    params: [Option<Arc<TcpParams>>; 2],
}

impl TimetableSimulation {
    /// Where the connections of a client with a server are, and what their timetable depends on.
    pub(super) fn ends(
        &self,
        node: NodeId,
        spec: &ClientSpec,
        remote: SocketAddrV4,
    ) -> Result<(Ends, ProbeKey), SimulationError> {
        let server = self.network.owner(*remote.ip());
        let server = server.ok_or_else(|| not_modelled("a server that there is not"))?;
        let addresses: Arc<[Ipv4Addr]> = match spec.locals.as_slice() {
            [] => self.network.addresses(node).take(1).collect(),
            locals => locals.into(),
        };
        let there = self.path(node, server, Some(*remote.ip()));
        let back = self.path(server, node, addresses.first().copied());
        let described = |path: &[u32]| {
            let links = path
                .iter()
                .map(|&link| &self.network.links()[link as usize]);
            links.map(|link| (link.rate, link.delay)).collect()
        };
        let host = |node: NodeId| self.hosts.get(node.0 as usize).and_then(Option::as_ref);
        let key = ProbeKey {
            server,
            spec: ClientSpec {
                name: String::new(),
                locals: Vec::new(),
                start: START,
                stop: SimTime::MAX,
                limit: Some(1),
                arrivals: Arrivals::Burst(1),
                remotes: vec![remote].into(),
                ..spec.clone()
            },
            paths: [described(&there), described(&back)],
            params: [node, server].map(|node| host(node).map(|h| Arc::clone(&h.stack.params))),
        };
        let ends = Ends {
            nodes: [node, server],
            conn: ConnId::new(node.0, 0).with_class(spec.class),
            addresses,
            forward: there.len(),
            links: [there, back].concat(),
        };
        Ok((ends, key))
    }

    /// The links from a node to another, one of whose addresses is `address`.
    fn path(&self, from: NodeId, to: NodeId, address: Option<Ipv4Addr>) -> Vec<u32> {
        let (mut at, mut path) = (from, Vec::new());
        while at != to
            && let Some(link) = address.and_then(|address| self.network.next_link(at, address))
            && path.len() < self.network.links().len()
        {
            at = self.network.links()[link.0 as usize].to;
            path.push(link.0);
        }
        path
    }

    /// The timetable of the connections of a client with a server.
    pub(super) fn probe(
        &self,
        ends: &Ends,
        key: &ProbeKey,
        course: Course,
    ) -> Result<Template, SimulationError> {
        let scope = self.scope.as_ref();
        let scope = scope.map_err(|why| SimulationError::NotModelled(why.clone()))?;
        let remote = key.spec.remotes.get(0);
        let remote = remote.ok_or_else(|| not_modelled("a client without a server"))?;
        let [node, server] = ends.nodes;
        let probe = Probe {
            network: self.network_of(node, remote, course),
            seed: self.seed,
            scope,
            node,
            server,
            spec: &key.spec,
            course,
            links: &ends.links,
            params: &key.params,
        };
        probe.template()
    }

    /// The network, which loses the SYNs that a full queue is to drop.
    fn network_of(&self, node: NodeId, remote: SocketAddrV4, course: Course) -> Arc<Network> {
        if course.dropped == 0 {
            return Arc::clone(&self.network);
        }
        let mut links = self.network.links().to_vec();
        let first = self.network.next_link(node, *remote.ip());
        if let Some(link) = first.and_then(|link| links.get_mut(link.0 as usize)) {
            link.impairments.drop = (1..=u64::from(course.dropped)).collect();
        }
        let changed = Network::new(self.network.nodes().to_vec(), links);
        changed.map_or_else(|_| Arc::clone(&self.network), Arc::new)
    }
}

fn not_modelled(why: &str) -> SimulationError {
    SimulationError::NotModelled(format!("not possible without segments: {why}"))
}

struct Probe<'a> {
    network: Arc<Network>,
    seed: u64,
    scope: &'a Scope,
    node: NodeId,
    server: NodeId,
    spec: &'a ClientSpec,
    course: Course,
    links: &'a [u32],
    /// Of client and server.
    params: &'a [Option<Arc<TcpParams>>; 2],
}

impl Probe<'_> {
    /// Simulates the connection until `end`.
    fn run(&self, end: SimTime) -> Result<Finished<TcpHost>, SimulationError> {
        self.run_traced(end, false)
    }

    /// The same; `traced`: with a record of every segment.
    fn run_traced(&self, end: SimTime, traced: bool) -> Result<Finished<TcpHost>, SimulationError> {
        let hosts = self.network.place(|node| {
            let mut config = self.scope.config(node);
            config.apps.retain(|app| match app {
                AppSpec::Server(_) => node == self.server,
                _ => false,
            });
            if node == self.node {
                config.apps.push(AppSpec::Client(self.spec.clone()));
                config.trace.segments = u32::from(traced);
                config.trace.keep = KeptSegments::All;
            }
            if node == self.server && self.course.cookie {
                Arc::make_mut(&mut config.params).syn_cookies = SynCookies::Always;
            }
            TcpHost::new(config)
        });
        let config = RunConfig::new(self.seed, end);
        let mut done = Simulation::new(Arc::clone(&self.network), hosts, &config).run_to_end();
        done.error.take().map_or(Ok(done), Err)
    }

    fn template(&self) -> Result<Template, SimulationError> {
        let whole = self.run(LONGEST)?;
        let mut at_start = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        let mut time_wait = [None; 2];
        for record in whole.records.iter().filter(|r| r.time < LONGEST) {
            if record.time < START {
                at_start.push((record.node, record.sample.clone()));
                continue;
            }
            let at = record.time.since(START);
            match &record.sample {
                TcpSample::Connect(_) => continue, // the port is chosen in the run
                TcpSample::State(StateChange { side, to, .. }) if *to == State::TimeWait => {
                    time_wait[*side as usize] = Some(at);
                }
                _ => {}
            }
            let note = self.note(record.node, &record.sample)?;
            let (when, kind) = self.kind(at, &record.sample, &time_wait);
            match steps.last_mut().filter(|last| last.when == when) {
                Some(last) => {
                    if kind == StepKind::SynArrives {
                        last.kind = kind;
                    }
                    last.notes.push(note);
                }
                None => steps.push(Step::new(when, kind, vec![note], at)),
            }
        }
        self.add_ripening(&mut steps, time_wait);
        if steps.len() >= MOST_STEPS {
            return Err(not_modelled(
                "more than 255 steps in the life of a connection",
            ));
        }
        let moments = self.moments(&steps)?;
        // Something may still be counted after the last record, such as a segment for a closed connection.
        if let (Some(step), Some(moment)) = (steps.last(), moments.last())
            && moment.at > step.at
        {
            let at = moment.at;
            steps.push(Step::new(When::After(at), StepKind::Usual, Vec::new(), at));
        }
        for step in &mut steps {
            step.moment = moments.partition_point(|m| m.at <= step.at).max(2) - 1;
        }
        Ok(Template {
            course: self.course,
            steps,
            at_start,
            moments,
            time_wait,
        })
    }

    /// When the step of a record comes, and what it is.
    fn kind(
        &self,
        at: SimDuration,
        sample: &TcpSample,
        time_wait: &[Option<SimDuration>; 2],
    ) -> (When, StepKind) {
        let usual = When::After(at);
        let TcpSample::State(StateChange { side, from, to, .. }) = *sample else {
            return (usual, StepKind::Usual);
        };
        let params = &self.params[side as usize];
        match (from, to, time_wait[side as usize], params) {
            (State::TimeWait, State::Closed, Some(since), Some(params)) => {
                let when = When::TimeWaitSince(since, params.time_wait, params.timers);
                (when, StepKind::TimeWaitEnds(side))
            }
            (State::Listen, State::SynReceived, ..) if !self.course.cookie => {
                (usual, StepKind::SynArrives)
            }
            _ => (usual, StepKind::Usual),
        }
    }

    /// Simulates the connection up to each of its events.
    fn moments(&self, steps: &[Step]) -> Result<Vec<Moment>, SimulationError> {
        let traced = self.run_traced(LONGEST, true)?.records;
        let times = traced.iter().map(|record| record.time);
        let times = times.filter(|time| (START..LONGEST).contains(time));
        let mut times: Vec<SimDuration> = times
            .map(|time| time.since(START))
            .chain(steps.iter().map(|step| step.at))
            .collect();
        times.sort_unstable();
        times.dedup();
        let before = self.run(START)?;
        let mut moments = vec![Moment {
            at: SimDuration::ZERO,
            if_cut_off: Vec::new(),
            hosts: self.stats(&before),
            links: self.counted(&before),
        }];
        for at in times {
            let end = START + at + SimDuration::from_ps(1);
            let done = self.run(end)?;
            let cut_off = done.records.iter().filter(|r| r.time == end);
            let notes = cut_off.map(|r| self.note(r.node, &r.sample));
            moments.push(Moment {
                at,
                if_cut_off: notes.collect::<Result<_, _>>()?,
                hosts: self.stats(&done),
                links: self.counted(&done),
            });
        }
        Ok(moments)
    }

    /// The counters of the links that carry the connection.
    fn counted(&self, done: &Finished<TcpHost>) -> Vec<LinkStats> {
        let links = self.links.iter();
        links.map(|&link| done.stats.links[link as usize]).collect()
    }

    fn stats(&self, done: &Finished<TcpHost>) -> [HostStats; 2] {
        [self.node, self.server].map(|node| {
            let host = done.hosts.get(node.0 as usize).and_then(Option::as_ref);
            host.map(TcpHost::stats).unwrap_or_default()
        })
    }

    /// `tw_reuse`: a step at which the port of a connection in TIME-WAIT may be used again.
    fn add_ripening(&self, steps: &mut Vec<Step>, time_wait: [Option<SimDuration>; 2]) {
        let ([Some(since), _], Some(params)) = (time_wait, &self.params[0]) else {
            return;
        };
        let at = since + params.tw_reuse_delay;
        if !reuses(params, self.spec) || params.tw_reuse_delay >= params.time_wait {
            return;
        }
        let before = |step: &Step| step.at <= at && matches!(step.when, When::After(_));
        let place = steps.iter().take_while(|step| before(step)).count();
        steps.insert(
            place,
            Step::new(When::After(at), StepKind::Ripens, Vec::new(), at),
        );
    }

    fn note(&self, node: NodeId, sample: &TcpSample) -> Result<Note, SimulationError> {
        match sample {
            TcpSample::State(_)
            | TcpSample::Outcome(_)
            | TcpSample::Request(_)
            | TcpSample::Unanswered(_)
            | TcpSample::CutShort(_)
            | TcpSample::Exchange(_)
            | TcpSample::Ended(_) => Ok(Note {
                end: usize::from(node == self.server),
                sample: sample.clone(),
            }),
            other => Err(not_modelled(&format!("records like {other:?}"))),
        }
    }
}

impl Scope {
    /// The configuration of a host.
    fn config(&self, node: NodeId) -> HostConfig {
        self.configs[node.0 as usize].clone()
    }
}
