//! What code sees: `tcp_info` of the latest connection.

use sim_core::{SimDuration, SimTime};

use super::constants::{code_constant, code_names};
use super::dialect::{System, state_names};
use super::eval::{Datum, Scope};
use super::sockets::Role;
use super::{Runner, Step, Stop, differs, no_such, unsupported};
use crate::diagnostics::{CongestionState, Details};
use crate::packetdrill::code::Statement;
use crate::state::State;

/// Fields of Linux's `tcp_info` that are there.
const KNOWN: [&str; 52] = [
    "tcpi_advmss",
    "tcpi_ato",
    "tcpi_backoff",
    "tcpi_busy_time",
    "tcpi_bytes_acked",
    "tcpi_bytes_received",
    "tcpi_bytes_retrans",
    "tcpi_bytes_sent",
    "tcpi_ca_state",
    "tcpi_data_segs_in",
    "tcpi_data_segs_out",
    "tcpi_delivered",
    "tcpi_delivered_ce",
    "tcpi_dsack_dups",
    "tcpi_fackets",
    "tcpi_last_ack_recv",
    "tcpi_last_ack_sent",
    "tcpi_last_data_recv",
    "tcpi_last_data_sent",
    "tcpi_lost",
    "tcpi_min_rtt",
    "tcpi_notsent_bytes",
    "tcpi_options",
    "tcpi_pmtu",
    "tcpi_probes",
    "tcpi_rcv_mss",
    "tcpi_rcv_rtt",
    "tcpi_rcv_space",
    "tcpi_rcv_ssthresh",
    "tcpi_rcv_wnd",
    "tcpi_rcv_wscale",
    "tcpi_rehash",
    "tcpi_reordering",
    "tcpi_retrans",
    "tcpi_retransmits",
    "tcpi_rto",
    "tcpi_rwnd_limited",
    "tcpi_rtt",
    "tcpi_rttvar",
    "tcpi_sacked",
    "tcpi_segs_in",
    "tcpi_segs_out",
    "tcpi_snd_cwnd",
    "tcpi_snd_mss",
    "tcpi_snd_ssthresh",
    "tcpi_snd_wnd",
    "tcpi_snd_wscale",
    "tcpi_sndbuf_limited",
    "tcpi_state",
    "tcpi_total_retrans",
    "tcpi_total_rto",
    "tcpi_unacked",
];

/// Fields of Linux's `tcp_info` that no model tells.
const UNKNOWN: [&str; 20] = [
    "tcpi_rcv_ooopack",
    "tcpi_reord_seen",
    "tcpi_pacing_rate",
    "tcpi_max_pacing_rate",
    "tcpi_delivery_rate",
    "tcpi_delivery_rate_app_limited",
    "tcpi_fastopen_client_fail",
    "tcpi_total_rto_recoveries",
    "tcpi_total_rto_time",
    "tcpi_received_ce",
    "tcpi_received_ce_bytes",
    "tcpi_received_e0_bytes",
    "tcpi_received_e1_bytes",
    "tcpi_delivered_ce_bytes",
    "tcpi_delivered_e0_bytes",
    "tcpi_delivered_e1_bytes",
    "tcpi_accecn_fail_mode",
    "tcpi_accecn_opt_seen",
    "tcpi_ecn_mode",
    "tcpi_options2",
];

impl Runner<'_, '_> {
    pub(super) fn code(&mut self, statements: &[Statement]) -> Step<()> {
        for statement in statements {
            match statement {
                Statement::Assert {
                    at,
                    text,
                    test,
                    message,
                } => {
                    if self.evaluate(test)?.is_true() {
                        continue;
                    }
                    let said = match message {
                        Some(value) => self.evaluate(value)?.to_string(),
                        None => "false".to_string(),
                    };
                    return Err(Stop::Failed {
                        at: Some(*at),
                        what: "assertion".into(),
                        expected: text.clone(),
                        actual: said,
                    });
                }
                Statement::Print(values) => {
                    let mut words = Vec::new();
                    for value in values {
                        words.push(self.evaluate(value)?.to_string());
                    }
                    self.printed.push(words.join(" "));
                }
                Statement::Assign(name, value) => {
                    let datum = self.evaluate(value)?;
                    self.variables.insert(name.clone(), datum);
                }
                Statement::If(tests, otherwise) => {
                    let mut chosen = otherwise;
                    for (test, statements) in tests {
                        if self.evaluate(test)?.is_true() {
                            chosen = statements;
                            break;
                        }
                    }
                    self.code(chosen)?;
                }
                Statement::Value(value) => {
                    self.evaluate(value)?;
                }
                Statement::Pass => {}
            }
        }
        Ok(())
    }

    pub(super) fn info(&mut self, field: &str) -> Step<i64> {
        let Some(last) = self.host.flows.len().checked_sub(1) else {
            return self.info_of_socket(field);
        };
        let now = self.now;
        let since = |at: Option<SimTime>| at.map_or(0, |t| now.since(t).as_millis() as i64);
        let (out, sacked) = self.host.packets_out(last);
        let Some(view) = self.host.view(last) else {
            return differs("tcp_info", "a connection", "none any more");
        };
        let (state, details) = (self.host.state(last), self.host.details(last));
        let delivered = self.host.flows[last].delivered(view.snd_una);
        let flow = &self.host.flows[last];
        let [busy, window, buffer] = flow.chrono.times(now).map(micros);
        let params = self.sockets.params_of(last, flow.local_port);
        let params = params.unwrap_or(&self.params);
        let mss = details
            .snd_mss
            .map_or_else(|| flow.mss(params.mss()), u64::from);
        if let Some(value) = detail(&details, field) {
            return match value {
                Some(n) => Ok(n),
                None => unsupported(format!("{field}: the model does not tell it")),
            };
        }
        // FreeBSD counts windows in bytes, Linux in segments.
        let bsd = self.options.system == System::FreeBsd;
        let unit = if bsd { 1 } else { mss.max(1) };
        Ok(match field {
            "tcpi_state" => self.options.system.state(state),
            "tcpi_snd_cwnd" => (view.cwnd / unit) as i64,
            "tcpi_snd_ssthresh" => view.ssthresh.map_or(0x7fff_ffff, |s| (s / unit) as i64),
            "tcpi_snd_rexmitpack" if bsd => i64::from(view.counts.retransmissions),
            "tcpi_unacked" => out as i64,
            "tcpi_sacked" => details.sacked.map_or(sacked as i64, i64::from),
            "tcpi_delivered" => details.delivered.unwrap_or(delivered) as i64,
            "tcpi_busy_time" => busy,
            "tcpi_rwnd_limited" => window,
            "tcpi_sndbuf_limited" => buffer,
            "tcpi_total_retrans" => i64::from(view.counts.retransmissions),
            "tcpi_rto" => micros(view.rto),
            "tcpi_rtt" => view.srtt.map_or(0, micros),
            "tcpi_snd_mss" => mss as i64,
            "tcpi_advmss" => i64::from(details.advertised_mss.unwrap_or(params.mss().into())),
            "tcpi_bytes_acked" => view.counts.bytes_acked as i64,
            "tcpi_bytes_received" => view.counts.bytes_received as i64,
            "tcpi_segs_out" => view.counts.segments_sent as i64,
            "tcpi_segs_in" => view.counts.segments_received as i64,
            "tcpi_options" => flow.seen.options() | agreed(&details),
            "tcpi_snd_wscale" => flow.seen.shifts().0,
            "tcpi_rcv_wscale" => flow.seen.shifts().1,
            "tcpi_pmtu" => i64::from(details.path_mtu.unwrap_or(params.mtu.into())),
            "tcpi_data_segs_out" => flow.seen.data_out as i64,
            "tcpi_data_segs_in" => flow.seen.data_in as i64,
            "tcpi_bytes_sent" => flow.seen.bytes_out as i64,
            "tcpi_bytes_retrans" => flow.seen.bytes_again as i64,
            "tcpi_total_rto" => i64::from(view.counts.timeouts),
            "tcpi_last_data_sent" => since(flow.seen.last_data_out),
            "tcpi_last_data_recv" => since(flow.seen.last_data_in),
            "tcpi_last_ack_recv" => since(flow.seen.last_ack_in),
            // What Linux has given up, and what no path changes here.
            "tcpi_fackets" | "tcpi_last_ack_sent" | "tcpi_rehash" => 0,
            "tcpi_snd_wnd" => i64::from(view.snd_wnd),
            "tcpi_rcv_wnd" => i64::from(view.rcv_wnd),
            _ if UNKNOWN.contains(&field) => {
                return unsupported(format!("{field}: no model tells it"));
            }
            _ => return no_such("field of tcp_info", field, KNOWN.into_iter().chain(UNKNOWN)),
        })
    }
}

impl Runner<'_, '_> {
    /// A socket without a connection has a state and nothing else.
    fn info_of_socket(&self, field: &str) -> Step<i64> {
        let Some(socket) = self.sockets.all.last() else {
            return differs("tcp_info", "a socket", "none yet");
        };
        let state = match socket.role {
            Role::Listening(_) => State::Listen,
            _ => State::Closed,
        };
        match field {
            "tcpi_state" => Ok(self.options.system.state(state)),
            _ => unsupported(format!("{field} of a socket without a connection")),
        }
    }
}

impl Scope for Runner<'_, '_> {
    fn name(&mut self, name: &str) -> Step<Datum> {
        if let Some(datum) = self.variables.get(name) {
            return Ok(datum.clone());
        }
        let state = self.options.system.state_named(name);
        if let Some(n) = state.or_else(|| code_constant(name)) {
            return Ok(Datum::Int(n));
        }
        if name.starts_with("tcpi_") {
            return self.info(name).map(Datum::Int);
        }
        let known = code_names().chain(state_names()).chain(KNOWN);
        no_such("name in code", name, known)
    }
}

pub(super) fn micros(d: SimDuration) -> i64 {
    (d.as_ps() / 1_000_000) as i64
}

/// A field that only details have; the inner `None` where the model does not tell it.
fn detail(details: &Details, field: &str) -> Option<Option<i64>> {
    let count = |n: Option<u32>| n.map(i64::from);
    Some(match field {
        "tcpi_ca_state" => details.congestion_state.map(|state| match state {
            CongestionState::Open => 0,
            CongestionState::Disorder => 1,
            CongestionState::Reduced => 2,
            CongestionState::Recovery => 3,
            CongestionState::Loss => 4,
        }),
        "tcpi_lost" => count(details.lost),
        "tcpi_retrans" => count(details.retransmitted),
        "tcpi_retransmits" => count(details.timeouts_in_row),
        "tcpi_backoff" => count(details.backoff),
        "tcpi_ato" => details.ato.map(micros),
        "tcpi_rcv_mss" => count(details.rcv_mss),
        "tcpi_rcv_ssthresh" => count(details.rcv_ssthresh),
        "tcpi_rcv_space" => count(details.rcv_space),
        "tcpi_rcv_rtt" => details.rcv_rtt.map(micros),
        "tcpi_delivered_ce" => details.delivered_ce.map(|n| n as i64),
        "tcpi_dsack_dups" => count(details.dsacks_received),
        "tcpi_probes" => count(details.probes),
        "tcpi_rttvar" => details.rttvar.map(micros),
        "tcpi_min_rtt" => details.min_rtt.map(micros),
        "tcpi_reordering" => count(details.reordering),
        "tcpi_notsent_bytes" => details.unsent.map(|n| n as i64),
        _ => return None,
    })
}

/// Linux's TCPI_OPT_ECN, TCPI_OPT_ECN_SEEN and TCPI_OPT_SYN_DATA.
fn agreed(details: &Details) -> i64 {
    let bit = |told: Option<bool>, bit: i64| if told == Some(true) { bit } else { 0 };
    bit(details.ecn, 8) | bit(details.ecn_seen, 16) | bit(details.syn_data_acked, 32)
}
