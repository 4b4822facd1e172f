//! synfin with your own congestion control: additive increase and multiplicative decrease (AIMD)
//! with any two parameters. `cargo run -- run sweep.toml` compares it with others.

use scenarios::registry::Registry;
use tcp_model::congestion::*;

const INCREASE: &str = "segments added each round trip";
const DECREASE: &str = "share that is left after a loss";

pub static AIMD: Algorithm = Algorithm {
    doc: "adds some segments each round trip and keeps a share of the window after a loss",
    parameters: &[
        ControlParameter::number("increase", (0.01, 100.0), 1.0, INCREASE),
        ControlParameter::number("decrease", (0.1, 0.99), 0.5, DECREASE),
    ],
    ..Algorithm::own("aimd", |control, _| {
        let (a, b) = (control.get("increase"), control.get("decrease"));
        AnyCc::own(Aimd(CongestionWindow::new(), a, b))
    })
};

/// The window, the increase and the decrease.
#[derive(Clone, Debug)]
struct Aimd(CongestionWindow, f64, f64);

impl CongestionControl for Aimd {
    fn cwnd(&self) -> u64 {
        self.0.bytes()
    }
    fn ssthresh(&self) -> Option<u64> {
        self.0.threshold()
    }
    fn on_start(&mut self, start: &ConnectionStart) {
        self.0.start(start);
    }
    fn on_ack(&mut self, ack: &AckEvent) {
        if CongestionWindow::may_grow(ack) {
            let rest = self.0.slow_start(ack.acked);
            self.0.increase(self.1, rest);
        }
    }
    fn on_congestion(&mut self, event: &CongestionEvent) {
        self.0.reduce_by(event, self.2);
    }
}

fn main() -> std::process::ExitCode {
    scenarios::cli::main_with(Registry::new().control(&AIMD))
}
