//! Closed forms: whether their conditions hold for a run, and the terms they need.
//!
//! A port is held from connect until its owner releases it: over the handshake, the exchange, the close,
//! the wait for the peer's FIN, and TIME-WAIT if that end enters it. [`hints`] computes how long that
//! takes on average. If a condition fails, it gives the reason in a sentence instead of a closed form.

use std::borrow::Cow;
use std::cell::OnceCell;

use reports::{AnalyticHints, ArrivalLaw, Theory, TimeWaitTheory};
use sim_core::Network;
use tcp_model::params::TwReuse;
use tcp_model::spec::{Arrivals, CloseHow, Closer, Exchange, Retries};

use crate::expected;
use crate::scenario::Scenario;
use crate::scenario::workload::{Workload, WorkloadKind};

mod conditions;
pub(crate) mod curves;
mod life;
mod spans;

use conditions::ClientPath;
use life::Life;

/// The reason why there is no closed form, as shown in the report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct NoTheory(Cow<'static, str>);

impl NoTheory {
    fn because(why: impl Into<Cow<'static, str>>) -> NoTheory {
        NoTheory(why.into())
    }
}

/// A workload of exchanges and its parts.
struct ExchangeCase<'a> {
    scenario: &'a Scenario,
    network: &'a Network,
    workload: &'a Workload,
    arrivals: &'a Arrivals,
    exchange: &'a Exchange,
    retries: &'a Retries,
    bind_first: bool,
    limit: Option<u64>,
    /// The paths, once they are looked up.
    ways: OnceCell<Result<Vec<ClientPath>, NoTheory>>,
}

impl<'a> ExchangeCase<'a> {
    /// Takes the only workload of a scenario. Several workloads would mix their connections on the hosts.
    fn new(scenario: &'a Scenario, network: &'a Network) -> Result<ExchangeCase<'a>, NoTheory> {
        let [workload] = scenario.workloads.as_slice() else {
            return Err(NoTheory::because("several workloads share the hosts"));
        };
        match &workload.kind {
            WorkloadKind::Exchange {
                arrivals,
                exchange,
                limit,
                retries,
                bind_first,
                pool: None,
                breaker: None,
                proxy: None,
                exchange_times: _,
            } => Ok(ExchangeCase {
                scenario,
                network,
                workload,
                arrivals,
                exchange,
                retries,
                bind_first: *bind_first,
                limit: *limit,
                ways: OnceCell::new(),
            }),
            WorkloadKind::Exchange { proxy: Some(_), .. } => {
                Err(NoTheory::because("requests pass a proxy"))
            }
            WorkloadKind::Exchange {
                breaker: Some(_), ..
            } => Err(NoTheory::because("clients have circuit breakers")),
            WorkloadKind::Exchange { .. } => {
                Err(NoTheory::because("connections are kept in a pool"))
            }
            WorkloadKind::SynFlood { .. } => {
                Err(NoTheory::because("a flood of SYNs opens no connection"))
            }
            WorkloadKind::Bulk { .. } => Err(NoTheory::because(
                "bulk transfers last as long as the network lets them",
            )),
            WorkloadKind::Named { .. } => {
                Err(NoTheory::because("what the application does is not known"))
            }
        }
    }

    fn group_of<'n>(&'n self, name: &'n str) -> &'n str {
        self.scenario.topology.group_named(name).unwrap_or(name)
    }

    /// Number of port pools: one for each combination of client address, server address and server port, or
    /// one per client address if the port is chosen before the destination.
    fn pairs(&self) -> u64 {
        let count = |name: &str, most: Option<u32>| {
            let addresses = self.scenario.topology.addresses_named(name);
            addresses
                .map(|n| u64::from(n.min(most.unwrap_or(u32::MAX))))
                .sum::<u64>()
        };
        let workload = self.workload;
        let own = count(&workload.client, workload.client_addresses);
        if self.bind_first {
            return own;
        }
        own.saturating_mul(count(&workload.server, workload.server_addresses))
            .saturating_mul(workload.ports.len() as u64)
    }

    fn offered(&self) -> Vec<(f64, f64)> {
        if self.limit.is_some() {
            return Vec::new();
        }
        let (start, stop) = (self.workload.start, self.workload.stop);
        expected::offered(self.arrivals, start.as_secs_f64(), stop.as_secs_f64())
            .unwrap_or_default()
    }

    /// The only group that enters TIME-WAIT, if there is one.
    fn time_wait_group(&self) -> Option<&str> {
        match (self.exchange.closer, self.exchange.how) {
            (_, CloseHow::Rst) | (Closer::Both, _) => None,
            (Closer::Client, _) => Some(self.group_of(&self.workload.client)),
            (Closer::Server, _) => Some(self.group_of(&self.workload.server)),
        }
    }

    fn law(&self) -> ArrivalLaw {
        let clients = self.scenario.topology.hosts_named(&self.workload.client);
        match self.arrivals {
            Arrivals::Poisson(_) if self.pairs() == clients.len() as u64 => ArrivalLaw::Poisson,
            Arrivals::Poisson(_) => ArrivalLaw::Turns,
            _ => ArrivalLaw::Even,
        }
    }
}

/// Returns what can be said about a scenario's connections before it runs, with closed forms where their
/// conditions hold.
pub fn hints(scenario: &Scenario, network: &Network) -> AnalyticHints {
    let case = match ExchangeCase::new(scenario, network) {
        Ok(case) => case,
        Err(why) => {
            return AnalyticHints {
                no_closed_form: vec![why.to_string()],
                ..AnalyticHints::default()
            };
        }
    };
    let group = case.time_wait_group();
    let client = scenario.tcp.of(case.group_of(&case.workload.client));
    let mut hints = AnalyticHints {
        time_wait_s: group.map(|g| scenario.tcp.of(g).time_wait.as_secs_f64()),
        time_wait_group: group.map(str::to_owned),
        ports_per_destination: Some(u64::from(client.port_count())),
        destinations: case.pairs(),
        offered_per_s: case.offered(),
        ..AnalyticHints::default()
    };
    match theory(&case) {
        Ok((theory, without)) => {
            hints.theory = Some(theory);
            hints.no_closed_form.extend(without);
        }
        Err(reasons) => hints.no_closed_form = reasons,
    }
    hints
}

/// The terms of the closed forms, and the reason if those for TIME-WAIT are missing.
///
/// # Errors
/// The reasons why there are no terms at all.
fn theory(case: &ExchangeCase<'_>) -> Result<(Theory, Option<String>), Vec<String>> {
    let reasons = conditions::of_network(case);
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let life = Life::new(case).map_err(|why| vec![why.to_string()])?;
    let reasons = conditions::of_load(case, life.has_time_wait(case));
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let client = case.scenario.tcp.of(case.group_of(&case.workload.client));
    let without = life.no_time_wait.clone();
    let time_wait = life.time_wait.as_ref().map(|stay| TimeWaitTheory {
        group: case.group_of(stay.host).to_owned(),
        after_s: stay.after_s,
        stay_s: stay.stay_s,
    });
    Ok((
        Theory {
            arrivals: case.law(),
            start_s: case.workload.start.as_secs_f64(),
            ports: f64::from(client.port_count()),
            pairs: case.pairs() as f64,
            connect_s: life.connect_s,
            held_s: life.held_s,
            held_sd_s: life.held_sd_s,
            settles_s: life.settles_s,
            time_wait,
        },
        without,
    ))
}

/// Returns the start and end of the steady state, seconds: as many whole periods as fit before the workload
/// stops. A period is TIME-WAIT plus the time for which a connection is open, or the time for which it holds
/// its port if that is known to differ. Under a fixed load above the limit, success and failure alternate
/// with that period, so shares must be taken over whole periods.
pub fn steady(scenario: &Scenario, hints: &AnalyticHints, network: &Network) -> Option<(f64, f64)> {
    let case = ExchangeCase::new(scenario, network).ok()?;
    if !matches!(case.arrivals, Arrivals::Fixed(_) | Arrivals::Poisson(_)) {
        return None;
    }
    let open_s = expected::open_s(case.exchange, conditions::round_trip_s(&case));
    let nominal = hints.time_wait_s? + open_s;
    let held_s = hints.theory.as_ref().map(|t| t.held_s.middle());
    // The period is shorter if an end gives up early or a port can be reused during TIME-WAIT.
    let period = match held_s {
        Some(held_s) if held_s > 1.01 * nominal || held_s < 0.99 * nominal => held_s,
        _ => nominal,
    };
    if !period.is_finite() || period <= 0.0 {
        return None;
    }
    // The number of sockets in TIME-WAIT takes this long to settle even if ports are reused before it ends.
    let settled = match conditions::ends(&case).0.tw_reuse {
        TwReuse::On => period.max(hints.time_wait_s?),
        _ => period,
    };
    let end = case.workload.stop.as_secs_f64();
    let whole = ((end - case.workload.start.as_secs_f64() - settled) / period).floor();
    (whole >= 1.0).then_some((end - whole * period, end))
}
