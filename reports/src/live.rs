//! Runs while they are executed, for people who watch: what has happened so far, and the page that shows it.
//!
//! ```text
//!   records ──► LiveCounts ── snapshot ──► LiveRun ──► LiveView ──► page, sparklines
//! ```
//!
//! Nothing of this is part of the results.

mod counts;

pub use counts::LiveCounts;
use tcp_model::State;

use crate::format;

/// A run so far.
#[derive(Clone, Debug, Default)]
pub struct LiveRun {
    /// Simulated time reached, and at the end, seconds.
    pub now_s: f64,
    /// See `now_s`.
    pub end_s: f64,
    /// Number of end points in each state except CLOSED, over all hosts.
    pub census: Vec<(State, i64)>,
    /// Calls of connect.
    pub attempted: u64,
    /// Connects that were established.
    pub connected: u64,
    /// Connects that failed, for any reason.
    pub failed: u64,
    /// Requests with a complete response.
    pub requests: u64,
    /// Payload bytes acknowledged: as they are acknowledged on connections whose sender is recorded
    /// (`record.samples`), and when the end point ends on others.
    pub acked_bytes: u64,
    /// Distance of `points`, simulated seconds.
    pub step_s: f64,
    /// The past; the point with index i is at `(i + 1) * step_s`, and includes everything up to then.
    pub points: Vec<LivePoint>,
}

/// The counts at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LivePoint {
    /// End points in ESTABLISHED.
    pub established: i64,
    /// End points in TIME-WAIT.
    pub time_wait: i64,
    /// Failed connects since the start.
    pub failed: u64,
    /// Payload bytes acknowledged since the start.
    pub acked_bytes: u64,
}

/// One quantity of a run over simulated time.
#[derive(Clone, Debug)]
pub struct LiveSeries {
    /// Its name, in English and in Chinese.
    pub name: (&'static str, &'static str),
    /// Its value at each point of [`LiveRun::points`].
    pub values: Vec<f64>,
    /// The last value with its unit.
    pub last: String,
    /// The largest value with its unit.
    pub most: String,
    /// The state that it counts, if it counts one.
    pub state: Option<State>,
}

impl LiveRun {
    /// Number of end points in a state.
    pub fn in_state(&self, state: State) -> i64 {
        let found = self.census.iter().find(|(s, _)| *s == state);
        found.map_or(0, |(_, n)| *n)
    }

    /// ESTABLISHED, TIME-WAIT, failed connects per second, and payload acknowledged per second.
    pub fn series(&self) -> [LiveSeries; 4] {
        let count = |state: State, of: fn(&LivePoint) -> i64| {
            let values: Vec<f64> = self.points.iter().map(|p| of(p) as f64).collect();
            LiveSeries {
                name: (state.name(), state.name()),
                last: format::count(self.in_state(state) as f64),
                most: format::count(largest(&values).max(self.in_state(state) as f64)),
                values,
                state: Some(state),
            }
        };
        let rate = |name, of: fn(&LivePoint) -> f64, unit: fn(f64) -> String| {
            let values = self.rates(of);
            LiveSeries {
                name,
                last: unit(values.last().copied().unwrap_or(0.0)),
                most: unit(largest(&values)),
                values,
                state: None,
            }
        };
        [
            count(State::Established, |p| p.established),
            count(State::TimeWait, |p| p.time_wait),
            rate(
                ("failed connects", "失败的连接"),
                |p| p.failed as f64,
                |v| format!("{} /s", format::number(v)),
            ),
            rate(
                ("throughput", "吞吐量"),
                |p| p.acked_bytes as f64 * 8.0,
                format::bit_rate,
            ),
        ]
    }

    /// The increase per second from point to point.
    fn rates(&self, of: impl Fn(&LivePoint) -> f64) -> Vec<f64> {
        let mut before = 0.0;
        let each = self.points.iter().map(|point| {
            let now = of(point);
            (now - std::mem::replace(&mut before, now)) / self.step_s.max(1e-12)
        });
        each.collect()
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Progress of all runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LiveProgress {
    /// Number of runs, and of those that are done.
    pub runs: usize,
    /// See `runs`.
    pub runs_done: usize,
    /// Simulated seconds: done, and in total.
    pub simulated_s: f64,
    /// See `simulated_s`.
    pub to_simulate_s: f64,
    /// Events handled.
    pub events: u64,
    /// Wall-clock time since the start, and the estimate for the rest, seconds.
    pub elapsed_s: f64,
    /// See `elapsed_s`.
    pub left_s: f64,
}

impl LiveProgress {
    /// The share that is done, from 0 to 1.
    pub fn share(&self) -> f64 {
        match self.to_simulate_s > 0.0 {
            true => (self.simulated_s / self.to_simulate_s).clamp(0.0, 1.0),
            false => 0.0,
        }
    }

    /// A sentence in English and Chinese.
    pub fn words(&self) -> (String, String) {
        let (done, all) = (self.simulated_s, self.to_simulate_s);
        let millions = self.events as f64 / self.elapsed_s.max(1e-3) / 1e6;
        let left = self.left_s;
        let (mut english, mut chinese) = match self.runs > 1 {
            true => (
                format!("{} of {} runs, ", self.runs_done, self.runs),
                format!("{} / {} 次运行，", self.runs_done, self.runs),
            ),
            false => (String::new(), String::new()),
        };
        english.push_str(&format!(
            "{done:.1} of {all:.1} s simulated, {millions:.2} million events/s, about {left:.0} s left"
        ));
        chinese.push_str(&format!(
            "已模拟 {done:.1} / {all:.1} 秒，每秒 {millions:.2} 百万个事件，大约还需 {left:.0} 秒"
        ));
        (english, chinese)
    }
}

/// Everything that a viewer sees.
#[derive(Clone, Debug, Default)]
pub struct LiveView {
    /// Name of the scenario.
    pub name: String,
    /// Its question, and the same in Chinese if it has one.
    pub question: String,
    /// See `question`.
    pub question_zh: String,
    /// Progress of all runs.
    pub progress: LiveProgress,
    /// Whether there are several runs.
    pub is_batch: bool,
    /// The runs that are being executed: their swept values, and the run.
    pub running: Vec<(String, LiveRun)>,
    /// Names of the metrics of completed runs; the last is drawn.
    pub metrics: Vec<String>,
    /// Runs completed since the program started, in the order in which they ended.
    pub completed: Vec<LiveRow>,
    /// Set when everything has ended.
    pub ended: Option<LiveEnd>,
}

/// A run that has ended.
#[derive(Clone, Debug, Default)]
pub struct LiveRow {
    /// Its swept values.
    pub name: String,
    /// Its page, relative to the directory of the results.
    pub page: Option<String>,
    /// Its metrics, in the order of [`LiveView::metrics`]; none if it failed.
    pub values: Option<Vec<Option<f64>>>,
}

/// How everything ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveEnd {
    /// With a report.
    Report,
    /// Without one, for this reason.
    NoReport(String),
}
