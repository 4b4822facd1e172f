//! Counts the records of a run while it is executed.

use std::collections::HashMap;

use sim_core::{Record, SimDuration, SimTime};
use tcp_model::sample::{OpenResult, Side};
use tcp_model::segment::ConnId;
use tcp_model::{State, TcpSample};

use super::{LivePoint, LiveRun};

/// Points over the length of a run: more than a picture of a few centimetres can show.
const POINTS: u64 = 120;

/// Counts records. Its size does not grow with the run, except for one number for each open connection whose
/// sender is recorded.
#[derive(Debug)]
pub struct LiveCounts {
    end: SimTime,
    step: SimDuration,
    next: SimTime,
    census: [i64; State::ALL.len()],
    run: LiveRun,
    /// Payload bytes already counted of open end points.
    acked: HashMap<(ConnId, Side), u64>,
}

impl LiveCounts {
    /// Starts with a run of this length.
    pub fn new(length: SimDuration) -> LiveCounts {
        let step = SimDuration::from_ps((length.as_ps() / POINTS).max(1));
        LiveCounts {
            end: SimTime::ZERO + length,
            step,
            next: SimTime::ZERO + step,
            census: [0; State::ALL.len()],
            run: LiveRun {
                end_s: length.as_secs_f64(),
                step_s: step.as_secs_f64(),
                ..LiveRun::default()
            },
            acked: HashMap::new(),
        }
    }

    /// Counts a record; records come in canonical order.
    pub fn on_record(&mut self, record: &Record<TcpSample>) {
        if record.time > self.next {
            self.advance(record.time);
        }
        match &record.sample {
            TcpSample::State(change) => {
                self.census[change.leaves() as usize] -= 1;
                self.census[change.to as usize] += 1;
            }
            TcpSample::Connect(_) => self.run.attempted += 1,
            TcpSample::Outcome(outcome) => match outcome.result {
                OpenResult::Established => self.run.connected += 1,
                OpenResult::AddrNotAvailable
                | OpenResult::Refused
                | OpenResult::TimedOut
                | OpenResult::Aborted => self.run.failed += 1,
            },
            TcpSample::Request(_) => self.run.requests += 1,
            TcpSample::Sender(sender) => {
                let before = self.acked.entry((sender.conn, sender.side)).or_default();
                self.run.acked_bytes += sender.acked.saturating_sub(*before);
                *before = sender.acked;
            }
            TcpSample::Ended(end) => {
                let before = self.acked.remove(&(end.conn, end.side)).unwrap_or(0);
                self.run.acked_bytes += end.counts.bytes_acked.saturating_sub(before);
            }
            _ => {}
        }
    }

    /// Adds the points before `time`.
    fn advance(&mut self, time: SimTime) {
        while self.next < time && self.next <= self.end {
            self.run.points.push(LivePoint {
                established: self.census[State::Established as usize],
                time_wait: self.census[State::TimeWait as usize],
                failed: self.run.failed,
                acked_bytes: self.run.acked_bytes,
            });
            self.next += self.step;
        }
    }

    /// The run so far, at this time, which is not before that of the last record.
    pub fn snapshot(&mut self, now: SimTime) -> LiveRun {
        self.advance(now);
        let states = State::ALL.into_iter().skip(1);
        LiveRun {
            now_s: now.min(self.end).as_secs_f64(),
            census: states.map(|s| (s, self.census[s as usize])).collect(),
            ..self.run.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::{NodeId, Tie};
    use tcp_model::sample::{ConnectOutcome, StateChange};

    use super::*;

    fn at(ms: u64, sample: TcpSample) -> Record<TcpSample> {
        Record {
            time: SimTime::ZERO + SimDuration::from_millis(ms),
            tie: Tie::new(NodeId(0), 0),
            node: NodeId(0),
            sample,
        }
    }

    fn change(side: Side, from: State, to: State) -> TcpSample {
        TcpSample::State(StateChange {
            conn: ConnId(1),
            side,
            from,
            to,
        })
    }

    #[test]
    fn points_include_everything_up_to_their_time() {
        // A point every 100 ms.
        let mut counts = LiveCounts::new(SimDuration::from_secs(12));
        let failed = TcpSample::Outcome(ConnectOutcome {
            conn: ConnId(1),
            result: OpenResult::Refused,
            latency: SimDuration::ZERO,
        });
        counts.on_record(&at(0, change(Side::Passive, State::Closed, State::Listen)));
        counts.on_record(&at(
            50,
            change(Side::Passive, State::Listen, State::SynReceived),
        ));
        counts.on_record(&at(
            100,
            change(Side::Passive, State::SynReceived, State::Established),
        ));
        counts.on_record(&at(101, failed));
        let run = counts.snapshot(SimTime::ZERO + SimDuration::from_millis(250));
        assert_eq!(run.in_state(State::Listen), 1, "the listener stays");
        assert_eq!(run.in_state(State::SynReceived), 0);
        assert_eq!(run.in_state(State::Established), 1);
        let both = run.points.iter().map(|p| (p.established, p.failed));
        assert_eq!(both.collect::<Vec<_>>(), [(1, 0), (1, 1)]);
        let [established, _, failures, _] = run.series();
        assert_eq!(established.values, [1.0, 1.0]);
        assert_eq!(failures.values, [0.0, 10.0]);
        assert_eq!(failures.most, "10 /s");
    }

    #[test]
    fn a_long_gap_adds_no_more_points_than_the_run_has() {
        let mut counts = LiveCounts::new(SimDuration::from_secs(12));
        let run = counts.snapshot(SimTime::MAX);
        assert_eq!((run.points.len(), run.now_s), (120, 12.0));
        assert_eq!(
            LiveCounts::new(SimDuration::ZERO)
                .snapshot(SimTime::MAX)
                .now_s,
            0.0
        );
    }
}
