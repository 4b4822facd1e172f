//! Your own TCP in a ready-made scenario: one that resets connections instead of closing
//! them, as some load generators do, and so never waits in TIME-WAIT.
//!
//! `cargo run --release -p synfin --example own_tcp`

use std::error::Error;
use std::sync::Arc;

use scenarios::library;
use scenarios::overrides::Override;
use scenarios::run::execute_with;
use scenarios::sweep::Plan;
use sim_core::SimTime;
use tcp_model::spec::HostConfig;
use tcp_model::time_wait::TimeWait;
use tcp_model::{Connection, Input, OpenContext, Outputs, TcpHost, TcpModel, TcpView};

/// The built-in TCP, except for the close.
#[derive(Debug)]
struct Abrupt(Connection);

impl TcpModel for Abrupt {
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        let input = match input {
            Input::Close => Input::Abort,
            other => other,
        };
        self.0.step(input, now, out);
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.0.next_timeout()
    }

    fn view(&self) -> TcpView {
        self.0.view()
    }

    fn time_wait(&self) -> Option<TimeWait> {
        self.0.time_wait()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let scenario = library::find("time-wait").ok_or("no such scenario")?;
    let rate = Override::parse("workload.web.arrivals.rate=660 /s")?;
    let plan = Plan::new(&scenario.source(), &[rate])?;
    let abrupt = |config: HostConfig| {
        let factory =
            |open: OpenContext| Box::new(Abrupt(Connection::new(open))) as Box<dyn TcpModel>;
        TcpHost::new(config).with_model(Arc::new(factory))
    };
    let dir = std::env::temp_dir().join(format!("synfin-own-tcp-{}", std::process::id()));
    let summary = execute_with(&plan.runs[0], &dir, false, &abrupt, &mut |_| ())?;
    println!("{}", summary.findings.join("\n"));
    println!("report: {}", dir.join("report.html").display());
    Ok(())
}
