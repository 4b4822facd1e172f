//! The tables of a run while it is recorded: each record is passed to those that it concerns.

use std::sync::Arc;

use sim_core::{Record, SimDuration, SimTime};
use tcp_model::TcpSample;
use tcp_model::app::http::HttpPayloads;

use super::capture::Capture;
use super::census::SocketCensus;
use super::connections::ConnectionsRecorder;
use super::exchanges::Exchanges;
use super::first::FirstConnections;
use super::flows::Flows;
use super::half_open::HalfOpen;
use super::outcomes::Outcomes;
use super::pools::{Pools, RetryCounts};
use super::proxies::Proxies;
use super::requests::Requests;
use super::row_texts::NodeNames;
use super::samples::SamplesRecorder;
use super::segments::SegmentsRecorder;
use super::slowdown::Slowdowns;
use super::states::States;
use super::tracked::Tracked;
use super::{WORTH_A_THREAD, both};
use crate::info::RunInfo;
use crate::metrics::Metrics;
use crate::store::beside::BatchWork;
use crate::store::table::Tables;
use crate::store::{LeftOut, StoreError};

/// The tables being recorded.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) names: Arc<NodeNames>,
    pub(super) census: SocketCensus,
    pub(super) outcomes: Outcomes,
    pub(super) requests: Requests,
    pub(super) pools: Pools,
    pub(super) retries: RetryCounts,
    pub(super) exchanges: Exchanges,
    pub(super) proxies: Proxies,
    pub(super) tracked: Tracked,
    pub(super) connections: ConnectionsRecorder,
    pub(super) flows: Flows,
    pub(super) slowdowns: Slowdowns,
    pub(super) half_open: HalfOpen,
    pub(super) states: States,
    pub(super) samples: SamplesRecorder,
    pub(super) segments: SegmentsRecorder,
    pub(super) capture: Option<Capture>,
    pub(super) records: u64,
    /// No row over time is due up to this time, inclusive.
    pub(super) quiet_until: Option<SimTime>,
}

impl Recording {
    pub(super) fn new(
        to: &Tables,
        info: &RunInfo,
        http: Option<HttpPayloads>,
    ) -> Result<Recording, StoreError> {
        let at = |s: f64| SimTime::ZERO + SimDuration::from_secs_f64(s);
        let (start, end) = info.steady_window();
        let window = (at(start), at(end));
        let record = &info.record;
        let capture = match to {
            Tables::In(dir) if record.pcapng => {
                let start = record.capture_start_ns;
                let filter = record.capture_filter.clone();
                Some(Capture::new(dir, &info.nodes, filter, start, http)?)
            }
            _ => None,
        };
        let first = |most| FirstConnections::new(most, info.nodes.len());
        Ok(Recording {
            names: Arc::new(NodeNames::new(&info.nodes)),
            census: SocketCensus::new(to, record, &info.nodes, window)?,
            outcomes: Outcomes::new(to, record, window)?,
            requests: Requests::new(to, record)?,
            pools: Pools::new(to, record.interval_s, window)?,
            retries: RetryCounts::default(),
            exchanges: Exchanges::default(),
            proxies: Proxies::default(),
            tracked: Tracked::new(to, record.interval_s)?,
            connections: ConnectionsRecorder::new(to, first(record.connections))?,
            flows: Flows::new(record.histograms),
            slowdowns: Slowdowns::new(to, record.slowdown.then_some(&info.paths))?,
            half_open: HalfOpen::default(),
            states: States::new(to, first(record.states))?,
            samples: SamplesRecorder::new(to, record.all_samples, record.samples_every_s)?,
            segments: SegmentsRecorder::new(to, record.segments)?,
            capture,
            records: 0,
            quiet_until: None,
        })
    }

    /// Closes the tables and adds their metrics; returns what was left out of the tables.
    pub(super) fn close(
        self,
        end: SimTime,
        metrics: &mut Metrics,
    ) -> Result<Vec<LeftOut>, StoreError> {
        let acked = self.connections.bytes_acked();
        metrics.put("records", self.records as f64);
        self.census.close(end, metrics)?;
        self.outcomes.close(end, metrics)?;
        self.requests.close(end, metrics)?;
        self.pools.close(end, metrics)?;
        self.retries.close(metrics);
        self.exchanges.close(metrics);
        self.proxies.close(metrics);
        self.tracked.close(end, &self.names)?;
        self.flows.close(metrics);
        self.slowdowns.close(metrics)?;
        self.half_open.close(metrics);
        let (opened, traced) = (self.connections.opened(), self.samples.traced());
        let connections = self.connections;
        // Usually the largest table.
        let of_connections = || {
            let mut metrics = Metrics::default();
            let left_out = connections.close(&mut metrics)?;
            Ok::<_, StoreError>((metrics, left_out))
        };
        let others = || {
            Ok::<_, StoreError>([
                self.states.close()?,
                self.samples.close(end, acked, &self.names, metrics)?,
                self.segments.close(&self.names)?,
            ])
        };
        let is_large = opened >= WORTH_A_THREAD as u64;
        let (of_connections, others) = both(is_large, of_connections, others);
        let [states, samples, segments] = others?;
        let (of_connections, connections) = of_connections?;
        metrics.merge(of_connections);
        self.capture.map(Capture::close).transpose()?;
        let untraced = LeftOut::untraced(opened, traced);
        let left_out = [untraced, connections, states, samples, segments];
        Ok(left_out.into_iter().flatten().collect())
    }

    /// Writes the rows over time that are due before a record at `time`.
    #[cold]
    fn advance(&mut self, time: SimTime) -> Result<(), StoreError> {
        self.census.advance(time)?;
        self.outcomes.advance(time)?;
        self.samples.advance(time, &self.names)?;
        let quiet = self.census.quiet_until().min(self.outcomes.quiet_until());
        self.quiet_until = Some(quiet.min(self.samples.quiet_until()));
        Ok(())
    }

    fn on_record(&mut self, record: &Record<TcpSample>) -> Result<(), StoreError> {
        let (time, node) = (record.time, record.node);
        if self.quiet_until.is_none_or(|until| time > until) {
            self.advance(time)?;
        }
        match &record.sample {
            TcpSample::State(change) => {
                self.census.on_state(time, node, change);
                self.connections.on_state(change);
                self.states.on_state(time, node, change, &self.names)?;
            }
            TcpSample::Connect(attempt) => self.outcomes.on_connect(time, attempt),
            TcpSample::Outcome(outcome) => self.outcomes.on_outcome(time, outcome),
            TcpSample::Request(request) => {
                self.slowdowns.on_request(node, request);
                self.requests.on_request(time, request)?;
            }
            TcpSample::Unanswered(request) => self.requests.on_unanswered(time, request),
            TcpSample::Waiting(waiting) => self.requests.on_waiting(waiting),
            TcpSample::Pool(pool) => self.pools.on_pool(time, pool)?,
            TcpSample::Retry(retry) => self.retries.on_retry(retry),
            TcpSample::Exchange(end) => self.exchanges.on_end(end),
            TcpSample::Proxy(sample) => self.proxies.on_proxy(sample),
            TcpSample::Upstream(sample) => self.proxies.on_upstream(sample),
            TcpSample::Tracked(n) => self.tracked.on_tracked(time, node, *n, &self.names)?,
            TcpSample::CutShort(_) => self.requests.on_cut_short(),
            TcpSample::Flow(flow) => {
                self.slowdowns.on_flow(node, flow);
                self.flows.on_flow(flow);
            }
            TcpSample::Ended(end) => {
                self.flows.on_ended(end);
                self.half_open.on_ended(end);
                self.connections.on_ended(node, end, &self.names)?;
                self.samples.on_ended(end);
            }
            TcpSample::Segment(trace) => {
                self.segments.on_segment(time, node, trace, &self.names)?;
                if let Some(capture) = &mut self.capture {
                    capture.on_segment(time, node, trace)?;
                }
            }
            TcpSample::Sender(sample) => {
                self.samples.on_sender(time, node, sample, &self.names)?;
            }
        }
        Ok(())
    }
}

impl BatchWork for Recording {
    type Item = Record<TcpSample>;

    fn work(&mut self, batch: &[Record<TcpSample>]) -> Result<(), StoreError> {
        self.records += batch.len() as u64;
        batch.iter().try_for_each(|record| self.on_record(record))
    }
}
