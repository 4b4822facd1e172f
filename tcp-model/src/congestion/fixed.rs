//! A window that never changes: no congestion control, for teaching and comparison.

use super::{
    AckEvent, Algorithm, AnyCc, CongestionControl, CongestionEvent, ConnectionStart,
    ControlParameter,
};

/// `fixed`.
pub(super) const ALGORITHM: Algorithm = Algorithm {
    name: "fixed",
    aliases: &[],
    doc: "keeps the congestion window at a fixed number of segments",
    source: "none: for teaching",
    version: 1,
    parameters: &[ControlParameter::count(
        "window",
        (1, 1_000_000),
        10,
        "the congestion window in full segments",
    )],
    make: |control, _| {
        AnyCc::own(Fixed {
            segments: control.count("window"),
            mss: 1,
        })
    },
};

#[derive(Clone, Debug)]
struct Fixed {
    segments: u32,
    mss: u32,
}

impl CongestionControl for Fixed {
    fn cwnd(&self) -> u64 {
        u64::from(self.segments) * u64::from(self.mss)
    }
    fn needs_measurements(&self) -> bool {
        false
    }
    fn state(&self) -> &'static str {
        "fixed"
    }
    fn on_start(&mut self, start: &ConnectionStart) {
        self.mss = start.mss;
    }
    fn on_ack(&mut self, _: &AckEvent) {}
    fn on_congestion(&mut self, _: &CongestionEvent) {}
    fn on_mss(&mut self, mss: u32) {
        self.mss = mss;
    }
}
