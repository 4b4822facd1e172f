//! The board in a terminal: sparklines that are drawn again a few times a second; where stderr is no terminal, a
//! line from time to time.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use reports::live::{LiveRun, LiveSeries, LiveView};
use reports::text::visible;
use tcp_model::State;

use super::LiveBoard;
use crate::console::note;

/// Time between two drawings.
const BETWEEN: Duration = Duration::from_millis(200);

/// Width of a terminal that does not say it, and the least with room for sparklines.
const USUAL_WIDTH: usize = 80;
const LEAST_WIDTH: usize = 44;
/// Most columns of a sparkline: one for each point of the run.
const MOST_COLUMNS: usize = 120;

/// Shows a board on stderr until it is dropped.
#[derive(Debug)]
pub(crate) struct LiveTerminal {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LiveTerminal {
    /// Starts. Without a thread nothing is shown.
    pub(crate) fn start(board: Arc<LiveBoard>) -> LiveTerminal {
        let (end, ended) = channel::<()>();
        let is_terminal = std::io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let colours = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let show = move || {
            let begun = Instant::now();
            let mut line_at = Duration::from_secs(5);
            let mut drawn = 0;
            loop {
                let wait = ended.recv_timeout(BETWEEN);
                let is_last = !matches!(wait, Err(RecvTimeoutError::Timeout));
                let elapsed = begun.elapsed();
                if is_terminal {
                    drawn = draw(&board.view(), colours, drawn);
                } else if is_last || elapsed >= line_at {
                    // Intervals grow, as for the usual progress.
                    line_at = elapsed + Duration::from_secs(5).max(elapsed / 2);
                    note(&line(&board.view()));
                }
                if is_last {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("live".to_owned()).spawn(show);
        LiveTerminal {
            end: Some(end),
            thread: thread.ok(),
        }
    }
}

impl Drop for LiveTerminal {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Draws over the `before` lines of the last drawing; returns the number of lines.
fn draw(view: &LiveView, colours: bool, before: usize) -> usize {
    let term = console::Term::stderr();
    let width = term
        .size_checked()
        .map_or(USUAL_WIDTH, |(_, w)| usize::from(w));
    let lines = picture(view, width, colours);
    let mut text = String::new();
    if before > 0 {
        text.push_str(&format!("\x1b[{before}A"));
    }
    for line in &lines {
        text.push_str(&format!("\x1b[2K{line}\n"));
    }
    // What is left of a longer drawing.
    text.push_str("\x1b[0J");
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    lines.len()
}

/// The drawing: progress, then a line for each quantity of the run that began last. No line is wider than the
/// terminal.
fn picture(view: &LiveView, width: usize, colours: bool) -> Vec<String> {
    // The last column stays free, since some terminals wrap there.
    let width = width.saturating_sub(1);
    let mut lines = vec![cut(&view.progress.words().0, width)];
    let Some((name, run)) = view.running.last() else {
        return lines;
    };
    if view.is_batch && !name.is_empty() {
        let others = match view.running.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        lines.push(cut(&format!("{name}{others}"), width));
    }
    for series in &run.series() {
        let (name, value) = (short_name(series), &series.last);
        if width < LEAST_WIDTH {
            lines.push(cut(&format!("{name} {value}"), width));
            continue;
        }
        let columns = (width - 16 - 15).min(MOST_COLUMNS);
        let marks = sparkline(&series.values, run, columns);
        let marks = match colours {
            true => format!("\x1b[{}m{marks}\x1b[0m", colour(series)),
            false => marks,
        };
        lines.push(format!("{name:<15} {marks} {value:>14}"));
    }
    lines
}

fn short_name(series: &LiveSeries) -> &'static str {
    series.name.0
}

/// The colours of pages, as far as a terminal has them.
fn colour(series: &LiveSeries) -> u8 {
    match series.state {
        Some(State::Established) => 32,
        Some(State::TimeWait) => 33,
        None if series.name.0 == "throughput" => 34,
        _ => 31,
    }
}

/// The quantity over the length of the run in this many columns; each shows the largest of its values, so that
/// a short peak stays visible. Columns in the future are blank.
fn sparkline(values: &[f64], run: &LiveRun, columns: usize) -> String {
    const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().fold(0.0, f64::max);
    let all = (run.end_s / run.step_s.max(1e-12)).round().max(1.0);
    let at =
        |i: usize| (((i as f64) / all * columns as f64) as usize).min(columns.saturating_sub(1));
    let mut heights: Vec<Option<f64>> = vec![None; columns];
    for (i, value) in values.iter().enumerate() {
        // With fewer points than columns, a value fills the columns up to the next one.
        for height in heights
            .iter_mut()
            .take(at(i + 1).max(at(i) + 1))
            .skip(at(i))
        {
            *height = Some(height.unwrap_or(0.0).max(*value));
        }
    }
    let mark = |height: Option<f64>| match height {
        None => ' ',
        Some(h) if h <= 0.0 || most <= 0.0 => MARKS[0],
        Some(h) => MARKS[((h / most * 7.0).round() as usize).min(7)],
    };
    heights.into_iter().map(mark).collect()
}

/// The first columns of a text. Wide characters take two.
fn cut(text: &str, width: usize) -> String {
    console::truncate_str(&visible(text), width, "…").into_owned()
}

/// The board as a line.
fn line(view: &LiveView) -> String {
    let mut line = view.progress.words().0;
    if let Some((name, run)) = view.running.last() {
        let of = match view.is_batch && !name.is_empty() {
            true => format!("; {name}"),
            false => String::new(),
        };
        let each = run
            .series()
            .map(|s| format!("{} {}", short_name(&s), s.last));
        line.push_str(&format!("{of}: {}", each.join(", ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use reports::live::{LivePoint, LiveProgress};

    use super::*;

    fn view() -> LiveView {
        let point = |time_wait| LivePoint {
            established: 5,
            time_wait,
            failed: 0,
            acked_bytes: 0,
        };
        let run = LiveRun {
            now_s: 4.0,
            end_s: 8.0,
            step_s: 1.0,
            census: vec![(State::TimeWait, 7)],
            points: [0, 7, 3, 7].map(point).to_vec(),
            ..LiveRun::default()
        };
        LiveView {
            is_batch: true,
            running: vec![("rate = \u{1b}[2J 1 /s".to_owned(), run)],
            progress: LiveProgress {
                runs: 3,
                ..LiveProgress::default()
            },
            ..LiveView::default()
        }
    }

    #[test]
    fn lines_fit_every_width_and_show_no_control_characters() {
        for width in [1, 10, 43, 44, 45, 46, 80, 400] {
            for line in picture(&view(), width, false) {
                assert!(
                    console::measure_text_width(&line) < width.max(2),
                    "{width}: {line:?}"
                );
                assert!(!line.contains('\u{1b}'), "{line:?}");
            }
        }
        let coloured = picture(&view(), 80, true).join("\n");
        assert_eq!(coloured.matches("\u{1b}[0m").count(), 4);
    }

    #[test]
    fn a_sparkline_covers_the_length_of_the_run_and_keeps_peaks() {
        let view = view();
        let run = &view.running[0].1;
        let values = [0.0, 7.0, 3.0, 7.0];
        assert_eq!(sparkline(&values, run, 8), "▁█▄█    ");
        assert_eq!(sparkline(&values, run, 4), "██  ");
        assert_eq!(sparkline(&values, run, 16), "▁▁██▄▄██        ");
        assert_eq!(sparkline(&[], run, 2), "  ");
    }

    #[test]
    fn a_line_names_the_run_and_its_figures() {
        let line = line(&view());
        assert!(
            line.starts_with("0 of 3 runs, ") && line.contains("TIME-WAIT 7, failed connects 0 /s"),
            "{line}"
        );
    }
}
