//! Plays a script: the clock, the order of events, blocked calls.

mod arguments;
mod call_numbers;
mod calls;
mod compare;
mod error_queue;
mod eval;
mod fast_open;
mod host_under_test;
mod icmp;
mod info;
mod inject;
mod io;
mod open_close;
mod options;
mod pipes;
mod poll;
mod render;
mod script_flow;
mod shell;
mod sockopt;
mod stop;
mod sysctl;

use std::collections::BTreeMap;
use std::net::IpAddr;

use sim_core::{SimDuration, SimTime};

use self::calls::{CallInProgress, CallProgress};
use self::eval::ScriptValue;
pub use self::host_under_test::Factory;
use self::host_under_test::TestHost;
use self::stop::{RunStop, Step, differs, invalid, no_such, unsupported};
use super::ast::{Action, Moment, Position, Script, ScriptEvent};
use super::report::{Report, ScriptOutcome, Skipped};
use super::speaks_of_bsd;
use crate::params::TcpParams;
use crate::seq::SeqNum;
use crate::sockets::{SocketNo, System};

/// How scripts are run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The host's TCP before the script changes anything.
    pub params: TcpParams,
    /// Whose socket API the script uses.
    pub system: System,
    /// The host's TCP after the usual preamble, `./defaults.sh`.
    pub preamble: TcpParams,
    /// Times and timestamps must be met exactly.
    pub exact: bool,
    /// The model's initial sequence number for its first connection.
    pub iss: SeqNum,
    /// Added to the model's timestamp clock.
    pub ts_offset: u32,
    /// Number of time-outs of the model after which the run stops.
    pub max_timeouts: u64,
    /// Text of the shell script `defaults.sh`, if there is one: its system parameters are set on top of
    /// `preamble`.
    pub preamble_text: Option<String>,
    /// Values of names that scripts use, in addition to those they define themselves.
    pub defines: BTreeMap<String, String>,
}

impl Default for RunOptions {
    /// Linux parameters; sequence numbers and timestamps that soon wrap, so that wrapping is tested.
    fn default() -> RunOptions {
        RunOptions {
            params: TcpParams::linux(),
            system: System::Linux,
            preamble: TcpParams::of_scripts(),
            exact: false,
            iss: SeqNum(0xffff_f000),
            ts_offset: 0xffff_ff00,
            max_timeouts: 1_000_000,
            preamble_text: None,
            defines: BTreeMap::new(),
        }
    }
}

impl RunOptions {
    /// The default; with FreeBSD's TCP for scripts that set FreeBSD's system parameters.
    pub fn for_script(script: &Script) -> RunOptions {
        let mut options = RunOptions::default();
        if speaks_of_bsd(script) {
            options.params = TcpParams::freebsd();
            options.system = System::FreeBsd;
        }
        options
    }
}

/// How far a time may differ from the script's.
#[derive(Clone, Copy, Debug)]
struct Tolerance {
    /// At least this much.
    least: SimDuration,
    /// Or this share of the time since the previous event, in thousandths, if that is more.
    per_mille: u64,
}

/// Differences that do not end a script (`--non_fatal`).
#[derive(Clone, Copy, Debug, Default)]
struct Forgiven {
    packets: bool,
    calls: bool,
}

/// A run in progress.
struct Runner<'s, 'm> {
    options: &'s RunOptions,
    /// The planned time of the previous event, or its actual time if later; relative times count from here.
    base: SimTime,
    host: TestHost<'m>,
    /// Sockets by the descriptors of the script.
    fds: BTreeMap<i64, SocketNo>,
    begun: Option<CallInProgress<'s>>,
    progress: CallProgress,
    tolerance: Tolerance,
    /// Length of a tick of the script's timestamps, if they are to be compared.
    ts_tick: Option<SimDuration>,
    /// Ports used by a bind and a connect that specify none.
    bind_port: u16,
    connect_port: u16,
    /// Length of the segments that an injected longer one consists of (`--mss`); 0 if it is a single one.
    joined: u16,
    /// Values of names, by `--define`.
    defines: BTreeMap<String, String>,
    /// The addresses that the script gives to the host under test and to its peer, by `--local_ip` and
    /// `--remote_ip`.
    own_address: Option<IpAddr>,
    remote_address: Option<IpAddr>,
    forgiven: Forgiven,
    variables: BTreeMap<String, ScriptValue>,
    skipped: Vec<Skipped>,
    printed: Vec<String>,
    timeouts: u64,
    /// Bytes in each pipe.
    pipes: Vec<u64>,
}

/// Runs a script against models that `make` makes, one per connection.
pub fn run(script: &Script, make: &mut Factory<'_>, options: &RunOptions) -> Report {
    let mut runner = Runner {
        options,
        base: SimTime::ZERO,
        host: TestHost::new(make, options),
        fds: BTreeMap::new(),
        begun: None,
        progress: CallProgress::default(),
        tolerance: Tolerance {
            least: SimDuration::from_millis(4),
            per_mille: 125,
        },
        ts_tick: None,
        bind_port: 8080,
        connect_port: 8080,
        joined: 0,
        defines: options.defines.clone(),
        own_address: None,
        remote_address: None,
        forgiven: Forgiven::default(),
        variables: BTreeMap::new(),
        skipped: Vec::new(),
        printed: Vec::new(),
        timeouts: 0,
        pipes: Vec::new(),
    };
    let mut at = Position::default();
    let outcome = match runner.play(script, &mut at).map_err(|stop| stop.at(at)) {
        Ok(()) => ScriptOutcome::Passed,
        Err(RunStop::Invalid(what)) => ScriptOutcome::Invalid { at, what },
        Err(RunStop::Unsupported(what)) => ScriptOutcome::Unsupported { at, what },
        Err(RunStop::Failed(failure)) => ScriptOutcome::Failed(failure),
    };
    Report {
        outcome,
        unclaimed: runner.host.waiting(),
        ladder: runner.host.ladder,
        skipped: runner.skipped,
        printed: runner.printed,
    }
}

impl<'s> Runner<'s, '_> {
    fn play(&mut self, script: &'s Script, at: &mut Position) -> Step<()> {
        for option in &script.options {
            *at = option.at;
            self.option(option)?;
        }
        let driver = self.host.sockets.driver();
        driver.set_fast_open_key(fast_open::USUAL_KEY);
        self.host.by_ports = script.events.iter().any(|event| match &event.action {
            Action::Packet(packet) => packet.ports.is_some(),
            _ => false,
        });
        if self.options.exact {
            self.tolerance = Tolerance {
                least: SimDuration::ZERO,
                per_mille: 0,
            };
            self.ts_tick.get_or_insert(SimDuration::from_millis(1));
        }
        for command in &script.init {
            *at = command.at;
            self.command(command)?;
        }
        for event in &script.events {
            *at = event.at;
            let outcome = self.event(event);
            self.forgive(event, outcome)?;
        }
        self.finish_call()
    }

    /// Turns a difference that `--non_fatal` tolerates into an entry of the list of skipped things.
    fn forgive(&mut self, event: &ScriptEvent, outcome: Step<()>) -> Step<()> {
        let forgiven = match event.action {
            Action::Packet(_) => self.forgiven.packets,
            Action::Call(_) => self.forgiven.calls,
            _ => false,
        };
        match outcome.map_err(|stop| stop.at(event.at)) {
            Err(RunStop::Failed(found)) if forgiven => {
                let (what, expected, actual) = (found.what, found.expected, found.actual);
                self.skipped.push(Skipped {
                    at: found.at,
                    text: format!("{what}: expected {expected}, actual {actual}"),
                });
                Ok(())
            }
            other => other,
        }
    }

    fn event(&mut self, event: &'s ScriptEvent) -> Step<()> {
        if let Action::Packet(packet) = &event.action
            && packet.ip.flow_label.is_some()
        {
            return unsupported("IPv6 flow labels");
        }
        let base = self.base;
        let after = |d: SimDuration| base + d;
        let since_start = |d: SimDuration| SimTime::ZERO + d;
        let (start, end) = match event.moment {
            Moment::Any => (self.host.sockets.now, SimTime::MAX),
            Moment::At(t) => (since_start(t), since_start(t)),
            Moment::After(d) => (after(d), after(d)),
            Moment::Between(a, b) => (since_start(a), since_start(b)),
            Moment::AfterBetween(a, b) => (after(a), after(b)),
        };
        let until = event.until.map(|d| match event.moment {
            Moment::At(_) | Moment::Between(..) => since_start(d),
            _ => after(d),
        });
        if let Action::Packet(packet) = &event.action
            && !packet.inbound
        {
            let span = (event.moment != Moment::Any).then_some((start, end));
            self.expect_packet(packet, span)?;
            self.base = self.host.sockets.now.max(if span.is_some() {
                start
            } else {
                self.host.sockets.now
            });
            return Ok(());
        }
        // Everything else is done by the script itself, at the beginning of a time span.
        if start + self.tolerance(start, base) < self.host.sockets.now {
            return differs(
                "the time of this event has passed",
                seconds(start),
                seconds(self.host.sockets.now),
            );
        }
        self.advance_to(start)?;
        self.base = self.host.sockets.now;
        match &event.action {
            Action::Packet(packet) => self.inject(packet),
            Action::Icmp(icmp) => self.icmp(icmp),
            Action::Call(call) => {
                self.call(call, event.at, until)?;
                self.base = self.host.sockets.now;
                Ok(())
            }
            Action::Command(command) => {
                self.command(command)?;
                self.base = self.host.sockets.now;
                Ok(())
            }
            Action::Code(statements) => self.code(statements),
            Action::Other(what) => unsupported(what.clone()),
        }
    }

    fn tolerance(&self, expected: SimTime, base: SimTime) -> SimDuration {
        let gap = expected.since(base);
        self.tolerance.least.max(SimDuration::from_ps(
            (u128::from(gap.as_ps()) * u128::from(self.tolerance.per_mille) / 1000) as u64,
        ))
    }

    /// Changes parameters of the host before anything happens.
    fn set_params(&mut self, change: impl FnOnce(&mut TcpParams)) {
        let mut params = self.host.sockets.params().clone();
        change(&mut params);
        self.host.sockets.set_params(params);
    }

    /// The time of the next event that is not in the script.
    fn next_wake(&self) -> Option<SimTime> {
        let deadline = self.begun.and(self.progress.deadline);
        let wake = self.host.sockets.next_timeout();
        wake.into_iter().chain(deadline).min()
    }

    /// Advances the clock to `t`, with all time-outs up to and including `t`.
    fn advance_to(&mut self, t: SimTime) -> Step<()> {
        while let Some(wake) = self.next_wake().filter(|&wake| wake <= t) {
            self.wake(wake)?;
        }
        self.host.sockets.now = self.host.sockets.now.max(t);
        self.poke()
    }

    /// Advances the clock to a time at which something is due, and runs it.
    fn wake(&mut self, at: SimTime) -> Step<()> {
        self.timeouts += 1;
        if self.timeouts > self.options.max_timeouts {
            return differs(
                "the model's time-outs",
                "an end of them",
                format!("{} at {}", self.timeouts, seconds(self.host.sockets.now)),
            );
        }
        self.host.time_out(at);
        self.poke()
    }
}

/// An address without the prefix length that may follow it.
fn ip_address(text: &str) -> Step<IpAddr> {
    match text.parse() {
        Ok(address) => Ok(address),
        Err(_) => invalid(format!("{text} is not an IP address")),
    }
}

/// "0.100000 s".
fn seconds(t: SimTime) -> String {
    format!("{:.6} s", t.as_secs_f64())
}
