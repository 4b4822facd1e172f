//! Progress of a batch on stderr: a bar on a terminal, occasional lines elsewhere. Write errors are
//! ignored.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};
use reports::live::LiveProgress;
use sim_core::SimDuration;
use sim_core::simulation::SimulationProgress;

use crate::console::note;
use crate::live::{LiveBoard, LiveTerminal, RunWatch};
use crate::run_spec::RunSpec;

/// Progress of all runs, shared by their threads.
#[derive(Debug)]
pub struct BatchProgress {
    state: Mutex<ProgressState>,
    bar: Option<ProgressBar>,
    quiet: bool,
    /// A file for other programs, written periodically.
    file: Option<PathBuf>,
    /// Where viewers see the runs.
    board: Option<Arc<LiveBoard>>,
    /// The board in the terminal, while runs are executed.
    terminal: Mutex<Option<LiveTerminal>>,
    is_live: bool,
}

#[derive(Debug)]
struct ProgressState {
    started: Instant,
    /// Time since the start at which the next line is due.
    next_line: Duration,
    runs: usize,
    runs_done: usize,
    /// Simulated seconds of the runs to execute: in total, and completed.
    total_s: f64,
    done_s: f64,
    events: u64,
    file_written: Instant,
}

/// Time between two writes of the file.
const BETWEEN_FILES: Duration = Duration::from_secs(1);

/// Minimum time between two lines if there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// The time of the line after one at `elapsed`. Intervals grow, so that a batch of a day prints two dozen
/// lines.
fn next_line(elapsed: Duration) -> Duration {
    elapsed + BETWEEN_LINES.max(elapsed / 2)
}

impl BatchProgress {
    /// Starts the progress of runs of the given lengths; nothing is shown if `quiet`.
    pub fn new(lengths: impl Iterator<Item = SimDuration>, quiet: bool) -> BatchProgress {
        let lengths: Vec<f64> = lengths.map(SimDuration::as_secs_f64).collect();
        let total_s: f64 = lengths.iter().sum();
        let now = Instant::now();
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new((total_s * 1000.0) as u64);
            if let Ok(style) =
                ProgressStyle::with_template("{bar:30} {percent:>3}% {msg}, {eta} left")
            {
                bar.set_style(style);
            }
            bar
        });
        let state = ProgressState {
            started: now,
            next_line: next_line(Duration::ZERO),
            runs: lengths.len(),
            runs_done: 0,
            total_s,
            done_s: 0.0,
            events: 0,
            file_written: now,
        };
        BatchProgress {
            state: Mutex::new(state),
            bar,
            quiet,
            file: None,
            board: None,
            terminal: Mutex::default(),
            is_live: false,
        }
    }

    /// Also writes the progress to a file as JSON, every second and at the end.
    #[must_use]
    pub fn with_file(self, file: Option<PathBuf>) -> BatchProgress {
        BatchProgress { file, ..self }
    }

    /// Also shows the runs on a board, and if `is_live` the board in the terminal.
    #[must_use]
    pub fn with_board(self, board: Option<Arc<LiveBoard>>, is_live: bool) -> BatchProgress {
        let progress = BatchProgress {
            board,
            is_live,
            ..self
        };
        progress.show(&progress.lock(), false);
        progress.start_terminal();
        progress
    }

    fn start_terminal(&self) {
        if let Some(board) = self.board.as_ref().filter(|_| self.is_live) {
            let mut terminal = self.terminal.lock().unwrap_or_else(PoisonError::into_inner);
            terminal.get_or_insert_with(|| LiveTerminal::start(Arc::clone(board)));
        }
    }

    /// Puts a run on the board, if there is one.
    pub fn watch(&self, spec: &RunSpec) -> Option<RunWatch> {
        self.board.as_ref().map(|board| board.watch(spec))
    }

    /// Starts again with runs of these lengths.
    pub fn restart(&self, lengths: impl Iterator<Item = SimDuration>) {
        let lengths: Vec<f64> = lengths.map(SimDuration::as_secs_f64).collect();
        let mut state = self.lock();
        (state.runs, state.runs_done) = (lengths.len(), 0);
        (state.total_s, state.done_s) = (lengths.iter().sum(), 0.0);
        drop(state);
        self.start_terminal();
    }

    /// Starts tracking one run.
    pub fn run(&self) -> RunProgress<'_> {
        RunProgress {
            all: self,
            seen_s: 0.0,
            seen_events: 0,
        }
    }

    /// Records that a run of this length was already complete, and leaves it out of the estimate of the time
    /// left.
    pub fn kept(&self, length: SimDuration) {
        let mut state = self.lock();
        state.keep(length);
        self.show(&state, false);
        if let Some(bar) = &self.bar {
            bar.set_length((state.total_s * 1000.0) as u64);
            bar.reset_eta();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressState> {
        // A thread that panicked while it held the lock can only have spoilt the displayed numbers.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn advance(&self, seconds: f64, events: u64, run_done: bool) {
        let mut state = self.lock();
        state.done_s += seconds;
        state.events += events;
        state.runs_done += usize::from(run_done);
        if self.file.is_some() && state.file_written.elapsed() >= BETWEEN_FILES {
            state.file_written = Instant::now();
            self.write(&state, false);
        }
        self.show(&state, false);
        if let Some(bar) = &self.bar {
            bar.set_position((state.done_s * 1000.0) as u64);
            bar.set_message(state.words());
        } else if !self.quiet && state.started.elapsed() >= state.next_line {
            state.next_line = next_line(state.started.elapsed());
            note(&state.line());
        }
    }

    fn show(&self, state: &ProgressState, has_ended: bool) {
        if let Some(board) = &self.board {
            board.set_progress(state.live(has_ended));
        }
    }

    /// Writes the file by renaming a temporary one, so that readers never see part of it. Errors are ignored.
    fn write(&self, state: &ProgressState, has_ended: bool) {
        let Some(file) = &self.file else { return };
        let mut aside = file.clone().into_os_string();
        aside.push(".tmp");
        let text = state.json(has_ended);
        let written = std::fs::write(&aside, text);
        let _ = written.and_then(|()| std::fs::rename(&aside, file));
    }

    /// Removes the bar, ends the drawing in the terminal, and writes the file for the last time.
    pub fn finish(&self) {
        let state = self.lock();
        self.write(&state, true);
        self.show(&state, true);
        drop(state);
        // What is printed from now on comes below the last drawing.
        drop(
            self.terminal
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl ProgressState {
    /// Counts a run that was already complete, and restarts the clock: the time to verify it does not count.
    fn keep(&mut self, length: SimDuration) {
        self.started = Instant::now();
        self.runs_done += 1;
        self.total_s = (self.total_s - length.as_secs_f64()).max(0.0);
    }

    /// Seconds until the rest is done if the speed stays the same.
    fn left_s(&self, elapsed_s: f64) -> f64 {
        (elapsed_s * (self.total_s / self.done_s.max(1e-9) - 1.0)).max(0.0)
    }

    fn live(&self, has_ended: bool) -> LiveProgress {
        let elapsed_s = self.started.elapsed().as_secs_f64();
        LiveProgress {
            runs: self.runs,
            runs_done: self.runs_done,
            simulated_s: self.done_s,
            to_simulate_s: self.total_s,
            events: self.events,
            elapsed_s,
            left_s: match has_ended {
                true => 0.0,
                false => self.left_s(elapsed_s),
            },
        }
    }

    fn json(&self, has_ended: bool) -> String {
        let live = self.live(has_ended);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let all = serde_json::json!({
            "runs": self.runs,
            "runs_done": self.runs_done,
            "simulated_s": self.done_s,
            "to_simulate_s": self.total_s,
            "events": self.events,
            "elapsed_s": live.elapsed_s,
            "left_s": live.left_s,
            "has_ended": has_ended,
            "written_unix_s": now.map_or(0, |since| since.as_secs()),
        });
        format!("{all}\n")
    }

    fn words(&self) -> String {
        let rate = self.events as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        let runs = if self.runs > 1 {
            format!("{} of {} runs, ", self.runs_done, self.runs)
        } else {
            String::new()
        };
        format!(
            "{runs}{:.1} of {:.1} s simulated, {:.2} million events/s",
            self.done_s,
            self.total_s,
            rate / 1e6
        )
    }

    fn line(&self) -> String {
        let elapsed = self.started.elapsed().as_secs_f64();
        let left = self.left_s(elapsed);
        format!("{}, about {left:.0} s left", self.words())
    }
}

/// Progress of one run, which is added to that of the batch.
#[derive(Debug)]
pub struct RunProgress<'a> {
    all: &'a BatchProgress,
    seen_s: f64,
    seen_events: u64,
}

impl RunProgress<'_> {
    /// Updates the progress of the run.
    pub fn observe(&mut self, seen: SimulationProgress) {
        let now_s = seen.now.as_secs_f64();
        self.all
            .advance(now_s - self.seen_s, seen.events - self.seen_events, false);
        (self.seen_s, self.seen_events) = (now_s, seen.events);
    }

    /// Records that the run, of this length, has ended, successfully or not.
    pub fn done(self, length: SimDuration) {
        self.all
            .advance(length.as_secs_f64() - self.seen_s, 0, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completed_runs_do_not_affect_the_estimate_of_the_time_left() {
        let ten = SimDuration::from_secs(10);
        let progress = BatchProgress::new([ten; 10].into_iter(), true);
        for _ in 0..8 {
            progress.kept(ten);
        }
        progress.run().done(ten);
        let state = progress.state.into_inner().unwrap();
        assert_eq!((state.runs_done, state.runs), (9, 10));
        // One of two took five seconds, and so does the other.
        assert_eq!(state.left_s(5.0), 5.0);
        assert!(
            state.words().starts_with("9 of 10 runs, 10.0 of 20.0 s"),
            "{}",
            state.words()
        );
    }

    #[test]
    fn a_days_work_takes_a_screen_of_lines() {
        let day = Duration::from_secs(86_400);
        let first = next_line(Duration::ZERO);
        let lines = std::iter::successors(Some(first), |at| Some(next_line(*at)));
        let lines: Vec<Duration> = lines.take_while(|at| *at < day).collect();
        assert_eq!(lines[..2], [5, 10].map(Duration::from_secs));
        assert!((20..=24).contains(&lines.len()), "{}", lines.len());
    }
}
