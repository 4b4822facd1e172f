//! A sender's samples on a grid whose step doubles when it is full.

use sim_core::SimTime;
use tcp_model::sample::SenderSample;

/// A sample with its time.
pub(super) type SamplePoint = (SimTime, SenderSample);

/// The samples of one step of the grid that are worth keeping.
#[derive(Clone, Copy, Debug)]
struct GridCell {
    place: u64,
    least_cwnd: SamplePoint,
    most_cwnd: SamplePoint,
    least_srtt: SamplePoint,
    most_srtt: SamplePoint,
    last: SamplePoint,
}

impl GridCell {
    fn new(place: u64, point: SamplePoint) -> GridCell {
        GridCell {
            place,
            least_cwnd: point,
            most_cwnd: point,
            least_srtt: point,
            most_srtt: point,
            last: point,
        }
    }

    /// Merges a later cell into this one.
    fn join(&mut self, later: &GridCell) {
        if later.least_cwnd.1.cwnd < self.least_cwnd.1.cwnd {
            self.least_cwnd = later.least_cwnd;
        }
        if later.most_cwnd.1.cwnd > self.most_cwnd.1.cwnd {
            self.most_cwnd = later.most_cwnd;
        }
        if later.least_srtt.1.srtt < self.least_srtt.1.srtt {
            self.least_srtt = later.least_srtt;
        }
        if later.most_srtt.1.srtt > self.most_srtt.1.srtt {
            self.most_srtt = later.most_srtt;
        }
        self.last = later.last;
    }

    /// Its samples in order of time, each once.
    fn points(&self, all: &mut Vec<SamplePoint>) {
        let start = all.len();
        all.extend([
            self.least_cwnd,
            self.most_cwnd,
            self.least_srtt,
            self.most_srtt,
            self.last,
        ]);
        all[start..].sort_by_key(|p| p.0);
        all.dedup_by_key(|p| p.0);
    }
}

/// Up to `most` cells of equal length. For each, the samples with extreme congestion window and
/// round-trip time are kept, and the last sample: peaks are kept, whatever the step.
#[derive(Debug)]
pub(super) struct GridCells {
    most: usize,
    step_ps: u64,
    cells: Vec<GridCell>,
    seen: u64,
}

impl GridCells {
    /// Nothing is left out until there are more than `most` samples.
    pub(super) fn new(most: usize) -> GridCells {
        GridCells {
            most: most.max(2),
            step_ps: 1,
            cells: Vec::new(),
            seen: 0,
        }
    }

    /// Adds a sample, which must be later than all before it.
    pub(super) fn add(&mut self, point: SamplePoint) {
        self.seen += 1;
        let mut place = point.0.as_ps() / self.step_ps;
        if self.cells.len() == self.most && self.cells.last().is_some_and(|c| c.place != place) {
            self.widen(point.0);
            place = point.0.as_ps() / self.step_ps;
        }
        let cell = GridCell::new(place, point);
        match self.cells.last_mut() {
            Some(last) if last.place == place => last.join(&cell),
            _ => self.cells.push(cell),
        }
    }

    /// Doubles the step until at most half of the cells remain.
    fn widen(&mut self, now: SimTime) {
        // Steps at which no cells would merge are skipped: cells are at least a whole step apart.
        let span = now.as_ps() / self.most as u64;
        self.step_ps = self.step_ps.max((span / 2).next_power_of_two());
        while self.cells.len() > self.most / 2 {
            self.step_ps = self.step_ps.saturating_mul(2);
            let step = self.step_ps;
            for cell in &mut self.cells {
                cell.place = cell.last.0.as_ps() / step;
            }
            self.cells.dedup_by(|later, earlier| {
                let same = later.place == earlier.place;
                if same {
                    earlier.join(later);
                }
                same
            });
        }
    }

    /// The samples kept, in order of time, and how many were left out.
    pub(super) fn finish(&self) -> (Vec<SamplePoint>, u64) {
        let mut all = Vec::new();
        self.cells.iter().for_each(|cell| cell.points(&mut all));
        let left_out = self.seen.saturating_sub(all.len() as u64);
        (all, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimDuration;
    use tcp_model::ConnId;
    use tcp_model::diagnostics::SenderState;
    use tcp_model::sample::Side;

    fn sample(i: u64, cwnd: u64) -> SamplePoint {
        let sample = SenderSample {
            conn: ConnId(1),
            side: Side::Active,
            cwnd,
            ssthresh: None,
            in_flight: 0,
            snd_wnd: 0,
            srtt: Some(SimDuration::from_micros(100 + i % 7)),
            rto: SimDuration::from_secs(1),
            acked: i,
            state: SenderState::default(),
        };
        (SimTime::ZERO + SimDuration::from_millis(10 * i), sample)
    }

    #[test]
    fn few_samples_are_all_kept() {
        let mut cells = GridCells::new(100);
        (0..100).for_each(|i| cells.add(sample(i, i)));
        let (points, left_out) = cells.finish();
        assert_eq!((points.len(), left_out), (100, 0));
    }

    #[test]
    fn however_many_there_are_the_cells_are_bounded_and_keep_the_peaks() {
        for n in [101u64, 1_000, 50_000] {
            let mut cells = GridCells::new(100);
            let peak = n * 2 / 3;
            let cwnd = |i| if i == peak { 1_000_000 } else { 1_000 + i % 10 };
            (0..n).for_each(|i| cells.add(sample(i, cwnd(i))));
            assert!(cells.cells.len() <= 100 && cells.cells.len() >= 25, "{n}");
            let (points, left_out) = cells.finish();
            assert_eq!(points.len() as u64 + left_out, n);
            assert!(points.is_sorted_by(|a, b| a.0 < b.0));
            assert!(points.iter().any(|p| p.1.cwnd == 1_000_000), "{n}");
            assert_eq!(points.last().unwrap().1.acked, n - 1);
            assert!(
                points
                    .iter()
                    .any(|p| p.1.srtt == Some(SimDuration::from_micros(106)))
            );
        }
    }
}
