//! What the runs have done so far, for a browser (`synfin run --serve`) and a terminal (`--live`).
//!
//! ```text
//!   records ──► WatchedRecorder ──► recorder of the results
//!                     │ counts, a few times a second
//!                     ▼
//!                 LiveBoard ──► terminal, server
//! ```
//!
//! Without either option there is no board, and a run does not pass through here. With one, the records reach
//! the results unchanged.

mod recorder;
mod request;
mod server;
mod terminal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reports::live::{LiveEnd, LiveProgress, LiveRow, LiveRun, LiveView};
use sim_core::SimTime;

pub(crate) use recorder::WatchedRecorder;
pub(crate) use server::LiveServer;
pub(crate) use terminal::LiveTerminal;

use crate::run_spec::RunSpec;
use crate::sweep::Plan;

/// Metrics that are shown of every completed run; the first of the scenario's figures follows.
const METRICS: [&str; 3] = ["time_wait_peak", "bytes_acked", "connects_failed"];

/// Completed runs that are kept, from the last.
const MOST_ROWS: usize = 2000;

/// The state of all runs. Runs write it, viewers read it.
#[derive(Debug)]
pub struct LiveBoard {
    /// Directory of the results.
    dir: PathBuf,
    /// Whether names of runs include the replica.
    has_replicas: bool,
    state: Mutex<BoardState>,
}

#[derive(Debug)]
struct BoardState {
    view: LiveView,
    /// The runs that are being executed, by number.
    running: BTreeMap<u64, (String, LiveRun)>,
    started: u64,
    /// The run that ended last. It stays visible if no other is being executed.
    last: Option<(String, LiveRun)>,
}

impl LiveBoard {
    /// A board for the runs of a plan with results in `dir`.
    pub fn new(plan: &Plan, dir: &Path) -> Arc<LiveBoard> {
        let of_figure = plan.figures.first().map(|f| f.y.clone());
        let mut metrics: Vec<String> = METRICS.map(str::to_owned).to_vec();
        if let Some(metric) = of_figure {
            metrics.retain(|m| *m != metric);
            metrics.push(metric);
        }
        let view = LiveView {
            name: plan.name.clone(),
            question: plan.question.clone(),
            question_zh: plan
                .zh
                .as_ref()
                .map(|zh| zh.question.clone())
                .unwrap_or_default(),
            is_batch: !plan.is_single(),
            metrics,
            ..LiveView::default()
        };
        Arc::new(LiveBoard {
            dir: dir.to_path_buf(),
            has_replicas: plan.runs.iter().any(|r| r.replica != plan.runs[0].replica),
            state: Mutex::new(BoardState {
                view,
                running: BTreeMap::new(),
                started: 0,
                last: None,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BoardState> {
        // A thread that panicked while it held the lock can only have spoilt the displayed numbers.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a viewer sees now.
    pub fn view(&self) -> LiveView {
        let state = self.lock();
        let running: Vec<(String, LiveRun)> = match state.running.is_empty() {
            true => state.last.iter().cloned().collect(),
            false => state.running.values().cloned().collect(),
        };
        LiveView {
            running,
            ..state.view.clone()
        }
    }

    /// Replaces the progress.
    pub fn set_progress(&self, progress: LiveProgress) {
        self.lock().view.progress = progress;
    }

    /// Notes that everything has ended.
    pub fn end(&self, how: LiveEnd) {
        self.lock().view.ended = Some(how);
    }

    /// Starts watching a run.
    pub fn watch(self: &Arc<LiveBoard>, spec: &RunSpec) -> RunWatch {
        let mut name: Vec<String> = spec
            .parameters
            .iter()
            .map(|(path, value)| format!("{} = {value}", path.rsplit('.').next().unwrap_or(path)))
            .collect();
        if self.has_replicas {
            name.push(format!("replica {}", spec.replica));
        }
        let name = name.join(", ");
        let mut state = self.lock();
        let number = state.started;
        state.started += 1;
        let end_s = spec.scenario.duration.as_secs_f64();
        let run = LiveRun {
            end_s,
            ..LiveRun::default()
        };
        state.running.insert(number, (name.clone(), run));
        RunWatch {
            board: Arc::clone(self),
            number,
            name,
        }
    }
}

/// Puts one run on the board.
#[derive(Debug)]
pub struct RunWatch {
    board: Arc<LiveBoard>,
    number: u64,
    name: String,
}

impl RunWatch {
    /// Shows the run so far.
    pub fn show(&self, run: LiveRun) {
        if let Some((_, shown)) = self.board.lock().running.get_mut(&self.number) {
            *shown = run;
        }
    }

    /// Shows the simulated time reached, which can be later than the last record.
    pub fn reached(&self, now: SimTime) {
        if let Some((_, shown)) = self.board.lock().running.get_mut(&self.number) {
            shown.now_s = shown.now_s.max(now.as_secs_f64().min(shown.end_s));
        }
    }

    /// The run has ended, with these metrics unless it failed, in this directory if it has one.
    pub fn ended(self, metrics: Option<&BTreeMap<String, f64>>, dir: Option<&Path>) {
        let page = dir.and_then(|dir| dir.strip_prefix(&self.board.dir).ok()?.to_str());
        let page = page.filter(|dir| !dir.is_empty());
        let mut state = self.board.lock();
        let names = &state.view.metrics;
        let values = metrics.map(|m| names.iter().map(|name| m.get(name).copied()).collect());
        state.last = state.running.remove(&self.number).or(state.last.take());
        let rows = &mut state.view.completed;
        if rows.len() >= 2 * MOST_ROWS {
            rows.drain(..MOST_ROWS);
        }
        rows.push(LiveRow {
            name: self.name,
            page: page.map(|dir| format!("{}/report.html", dir.replace('\\', "/"))),
            values,
        });
    }
}
