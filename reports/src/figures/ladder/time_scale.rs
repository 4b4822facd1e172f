//! Maps times to positions on a ladder; periods in which nothing happens are compressed.

use super::{FLIGHT, ROW, TOP};
use crate::bilingual::{Language, say};
use crate::figures::conversation::SegmentFate;
use crate::figures::ladder_choice::{Fold, ShownSegments};
use crate::figures::ladder_rows::Rows;
use crate::format::{count, seconds};

/// The times at which something happens, and their positions on the page.
pub(super) struct TimeScale {
    pub(super) times: Vec<f64>,
    pub(super) ys: Vec<f64>,
    /// Compressed periods: upper and lower end, and the text written there.
    pub(super) gaps: Vec<(f64, f64, String)>,
    /// Position of the last row of the last instant.
    end: f64,
}

impl TimeScale {
    pub(super) fn new(shown: &ShownSegments, language: Language) -> TimeScale {
        let c = &shown.conversation;
        let mut times: Vec<f64> = c.changes.iter().map(|change| change.time).collect();
        let mut flights = Vec::new();
        for s in &c.segments {
            times.push(s.sent);
            if let SegmentFate::Received(t) = s.fate {
                times.push(t);
                flights.push(t - s.sent);
            }
        }
        times.sort_by(f64::total_cmp);
        times.dedup();
        flights.sort_by(f64::total_cmp);
        let flight = flights
            .get(flights.len() / 2)
            .copied()
            .unwrap_or(0.0)
            .max(1e-9);
        let mut scale = TimeScale {
            times,
            ys: Vec::new(),
            gaps: Vec::new(),
            end: TOP,
        };
        let rows = Rows::of(c);
        let folds = fold_ends(&shown.folds, &scale.times);
        let mut y = TOP;
        for (i, &t) in scale.times.iter().enumerate() {
            if let Some(before) = i.checked_sub(1).map(|b| scale.times[b]) {
                let gap = t - before;
                let from = y + ROW * f64::from(rows.last(before));
                y = from + (gap / flight * FLIGHT).clamp(ROW, 1.6 * FLIGHT);
                let later = gap > 4.0 * flight;
                let texts = [
                    folds
                        .iter()
                        .find(|f| f.0 == t)
                        .map(|f| not_drawn(f.1, language)),
                    later.then(|| say!(language, "{} later", "{} 之后", seconds(gap))),
                ];
                let texts: Vec<String> = texts.into_iter().flatten().collect();
                if !texts.is_empty() {
                    // Room for a loss before it and for its label.
                    y = from + 2.0 * FLIGHT;
                    scale.gaps.push((from, y, texts.join(", ")));
                }
            }
            scale.ys.push(y);
            scale.end = y + ROW * f64::from(rows.last(t));
        }
        scale
    }

    pub(super) fn y(&self, time: f64) -> f64 {
        let i = self.times.partition_point(|t| *t < time);
        let last = self.ys.last().copied().unwrap_or(TOP);
        self.ys.get(i).copied().unwrap_or(last)
    }

    pub(super) fn bottom(&self) -> f64 {
        self.end + 2.0 * ROW
    }
}

/// The time before which each fold is written: the end of the longest pause within it.
pub(super) fn fold_ends(folds: &[Fold], times: &[f64]) -> Vec<(f64, u64)> {
    let end = |fold: &Fold| {
        let (from, to) = fold.between;
        let within = times.windows(2).filter(|w| w[0] >= from && w[1] <= to);
        let longest = within.max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
        (longest.map_or(to, |w| w[1]), fold.count)
    };
    folds.iter().map(end).collect()
}

pub(super) fn not_drawn(n: u64, language: Language) -> String {
    match n {
        1 => language
            .pick("1 segment not drawn", "1 个报文段未画")
            .to_owned(),
        _ => say!(
            language,
            "{} segments not drawn",
            "{} 个报文段未画",
            count(n as f64)
        ),
    }
}
