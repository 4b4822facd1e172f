//! `tcp_info`: in code that of the latest connection, in getsockopt() that of a socket.

use sim_core::{Rate, SimDuration, SimTime};

use super::eval::{Scope, ScriptValue};
use super::script_flow::ScriptFlow;
use super::{RunStop, Runner, Step, differs, no_such, unsupported};
use crate::diagnostics::{AccurateCounts, CongestionState, ConnectionDetails};
use crate::model::TcpView;
use crate::packetdrill::ast::Statement;
use crate::params::TcpParams;
use crate::sockets::socket_constants::{code_constant, code_names};
use crate::sockets::{SocketNo, SocketRole, System, state_names};
use crate::state::State;

/// What the fields of `tcp_info` are read from.
struct TcpInfoSource<'a> {
    now: SimTime,
    /// The system's number.
    state: i64,
    view: TcpView,
    details: ConnectionDetails,
    flow: &'a ScriptFlow,
    params: &'a TcpParams,
    /// The pacing rate, if segments are paced.
    paced: Option<Rate>,
    /// Payload of a full segment.
    mss: u64,
    /// Unit of windows, in bytes.
    unit: u64,
    /// Segments in flight, and those delivered.
    unacked: u64,
    delivered: u64,
    /// Time busy, limited by the peer's window, and by the send buffer.
    chrono: [SimDuration; 3],
}

impl TcpInfoSource<'_> {
    /// Bytes a second, whether segments are paced or not (Linux `tcp_update_pacing_rate`): the window, or the
    /// data in flight if that is more, per round trip, times 200 % in slow start up to half of the threshold and
    /// 120 % from there on.
    fn pacing_rate(&self) -> Option<u64> {
        if let Some(rate) = self.paced {
            return Some(rate.as_bps() / 8);
        }
        let srtt = u64::try_from(micros(self.view.srtt?)).ok()?.max(1);
        let cwnd = self.view.cwnd / self.unit;
        let below = |threshold: u64| cwnd < threshold / self.unit / 2;
        let percent = match self.view.ssthresh.is_none_or(below) {
            true => self.params.pacing_ss_ratio,
            false => self.params.pacing_ca_ratio,
        };
        let rate = self.mss * cwnd.max(self.unacked) * u64::from(percent) * 10_000 / srtt;
        Some(rate)
    }

    /// Milliseconds since `at`.
    fn since(&self, at: Option<SimTime>) -> u64 {
        at.map_or(0, |at| self.now.since(at).as_millis())
    }
}

/// A value of `tcp_info`; times count in microseconds.
trait TcpInfoValue {
    /// `None` if the model does not report it.
    fn number(self) -> Option<i64>;
}

macro_rules! number {
    ($($kind:ty),*) => {
        $(impl TcpInfoValue for $kind {
            fn number(self) -> Option<i64> {
                i64::try_from(self).ok()
            }
        })*
    };
}

number!(i64, u64, u32, u16, u8);

impl TcpInfoValue for SimDuration {
    fn number(self) -> Option<i64> {
        Some(micros(self))
    }
}

impl<T: TcpInfoValue> TcpInfoValue for Option<T> {
    fn number(self) -> Option<i64> {
        self.and_then(T::number)
    }
}

type Read = fn(&TcpInfoSource<'_>) -> Option<i64>;

macro_rules! fields {
    (|$facts:ident| $($name:ident: $value:expr;)*) => {
        &[$((stringify!($name), |$facts| {
            let _ = $facts;
            ($value).number()
        })),*]
    };
}

/// The supported fields of Linux's `tcp_info`.
const FIELDS: &[(&str, Read)] = fields! { |f|
    tcpi_advmss: f.details.advertised_mss.unwrap_or(f.params.mss().into());
    tcpi_ato: f.details.ato;
    tcpi_backoff: f.details.backoff;
    tcpi_busy_time: f.chrono[0];
    tcpi_bytes_acked: f.view.counts.bytes_acked;
    tcpi_bytes_received: f.view.counts.bytes_received;
    tcpi_bytes_retrans: f.flow.seen.bytes_again;
    tcpi_bytes_sent: f.flow.seen.bytes_out;
    tcpi_ca_state: f.details.congestion_state.map(congestion_state);
    tcpi_data_segs_in: f.flow.seen.data_in;
    tcpi_data_segs_out: f.flow.seen.data_out;
    tcpi_delivered: f.details.delivered.unwrap_or(f.delivered);
    tcpi_delivered_ce: f.details.delivered_ce;
    tcpi_delivered_ce_bytes: accurate(f, |a| a.delivered_bytes[0]);
    tcpi_delivered_e0_bytes: accurate(f, |a| a.delivered_bytes[1]);
    tcpi_delivered_e1_bytes: accurate(f, |a| a.delivered_bytes[2]);
    tcpi_dsack_dups: f.details.dsacks_received;
    tcpi_fackets: 0u8; // no longer used by Linux
    tcpi_last_ack_recv: f.since(f.flow.seen.last_ack_in);
    tcpi_last_ack_sent: 0u8; // Linux does not set it
    tcpi_last_data_recv: f.since(f.flow.seen.last_data_in.or(f.flow.seen.open_since));
    tcpi_last_data_sent: f.since(f.flow.seen.last_data_out.or(f.flow.seen.open_since));
    tcpi_lost: f.details.lost;
    tcpi_min_rtt: f.details.min_rtt;
    tcpi_notsent_bytes: f.details.unsent;
    tcpi_options: agreed(&f.details);
    tcpi_pacing_rate: f.pacing_rate();
    tcpi_max_pacing_rate: f.params.max_pacing_rate;
    tcpi_pmtu: f.details.path_mtu.unwrap_or(f.params.mtu.into());
    tcpi_probes: f.details.probes;
    tcpi_rcv_mss: f.details.rcv_mss;
    tcpi_rcv_rtt: f.details.rcv_rtt;
    tcpi_rcv_space: f.details.rcv_space;
    tcpi_rcv_ssthresh: f.details.rcv_ssthresh;
    tcpi_rcv_wnd: f.view.rcv_wnd;
    tcpi_rcv_wscale: f.details.window_scale.map_or(0, |(_, own)| own);
    tcpi_received_ce: accurate(f, |a| a.received_ce);
    tcpi_received_ce_bytes: accurate(f, |a| a.received_bytes[0]);
    tcpi_received_e0_bytes: accurate(f, |a| a.received_bytes[1]);
    tcpi_received_e1_bytes: accurate(f, |a| a.received_bytes[2]);
    tcpi_rehash: 0u8; // there is one path
    tcpi_reordering: f.details.reordering;
    tcpi_retrans: f.details.retransmitted;
    tcpi_retransmits: f.details.timeouts_in_row;
    tcpi_rto: f.view.rto;
    tcpi_rtt: f.view.srtt.unwrap_or(SimDuration::ZERO);
    tcpi_rttvar: f.details.rttvar;
    tcpi_rwnd_limited: f.chrono[1];
    tcpi_sacked: f.details.sacked;
    tcpi_segs_in: f.view.counts.segments_received;
    tcpi_segs_out: f.view.counts.segments_sent;
    tcpi_snd_cwnd: f.view.cwnd / f.unit;
    tcpi_snd_mss: f.mss;
    tcpi_snd_rexmitpack: f.view.counts.retransmissions; // FreeBSD's name
    tcpi_snd_ssthresh: f.view.ssthresh.map_or(0x7fff_ffff, |s| s / f.unit);
    tcpi_snd_wnd: f.view.snd_wnd;
    tcpi_snd_wscale: f.details.window_scale.map_or(0, |(peer, _)| peer);
    tcpi_sndbuf_limited: f.chrono[2];
    tcpi_state: f.state;
    tcpi_total_retrans: f.view.counts.retransmissions;
    tcpi_total_rto: f.view.counts.timeouts;
    tcpi_unacked: f.unacked;
};

/// Fields that no model reports.
const NOT_REPORTED: &str = "\
    tcpi_rcv_ooopack tcpi_reord_seen tcpi_delivery_rate \
    tcpi_delivery_rate_app_limited tcpi_fastopen_client_fail tcpi_total_rto_recoveries \
    tcpi_total_rto_time tcpi_accecn_fail_mode tcpi_accecn_opt_seen tcpi_ecn_mode \
    tcpi_options2";

/// A counter of accurate ECN: zero without it.
fn accurate(source: &TcpInfoSource<'_>, count: fn(&AccurateCounts) -> u32) -> u32 {
    source.details.accurate.as_ref().map_or(0, count)
}

fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

/// How the field of this name is read.
fn field_named(field: &str) -> Step<Read> {
    if let Some((_, read)) = FIELDS.iter().find(|(name, _)| *name == field) {
        return Ok(*read);
    }
    let mut not_reported = NOT_REPORTED.split_whitespace();
    if not_reported.any(|known| known == field) {
        return unsupported(format!("{field}: no model reports it"));
    }
    let known = field_names().chain(NOT_REPORTED.split_whitespace());
    no_such("field of tcp_info", field, known)
}

/// Checks that there is a field of this name, whether a model reports it or not.
pub(super) fn is_field(field: &str) -> Step<()> {
    match field_named(field) {
        Err(RunStop::Unsupported(_)) => Ok(()),
        other => other.map(drop),
    }
}

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
                    return differs("assertion", text.as_str(), said)
                        .map_err(|stop: RunStop| stop.at(*at));
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

    /// A field in code: that of the latest connection, or if there is none of the latest socket.
    fn info(&mut self, field: &str) -> Step<i64> {
        let Some(last) = self.host.flows.len().checked_sub(1) else {
            return match self.host.sockets.latest().map(|socket| socket.role.clone()) {
                Some(role) => self.info_of_socket(&role, field),
                None => differs("tcp_info", "a socket", "none yet"),
            };
        };
        self.info_of_flow(last, field)
    }

    /// A field of a socket.
    pub(super) fn info_of(&mut self, socket: SocketNo, field: &str) -> Step<i64> {
        let connection = self.host.sockets.connection(socket);
        match connection.and_then(|id| self.host.flow_of(id)) {
            Some(flow) => self.info_of_flow(flow, field),
            None => {
                let role = self.host.sockets.at(socket).role.clone();
                self.info_of_socket(&role, field)
            }
        }
    }

    fn info_of_flow(&mut self, flow: usize, field: &str) -> Step<i64> {
        let read = field_named(field)?;
        match read(&self.facts(flow)?) {
            Some(value) => Ok(value),
            None => unsupported(format!("{field}: the model does not tell it")),
        }
    }

    fn facts(&mut self, flow: usize) -> Step<TcpInfoSource<'_>> {
        let system = self.options.system;
        let Some(view) = self.host.view(flow) else {
            return differs("tcp_info", "a connection", "none any more");
        };
        let (state, details) = (self.host.state(flow), self.host.details(flow));
        let (unacked, delivered) = self.host.flows[flow].packets_out(view.snd_una);
        let known = &self.host.flows[flow];
        let sockets = &self.host.sockets;
        let mss = details.snd_mss.map_or(0, u64::from);
        let params = sockets.params_of(known.id, known.local_port);
        Ok(TcpInfoSource {
            now: sockets.now,
            state: system.state(state),
            view,
            details,
            flow: known,
            params,
            paced: known.id.and_then(|id| sockets.pacing_rate(id)),
            mss,
            // FreeBSD counts windows in bytes, Linux in segments.
            unit: match system {
                System::Linux => mss.max(1),
                System::FreeBsd => 1,
            },
            unacked,
            delivered,
            chrono: known
                .id
                .map_or_else(Default::default, |id| sockets.times(id)),
        })
    }

    /// A field of a socket without a connection, which has only a state.
    fn info_of_socket(&self, role: &SocketRole, field: &str) -> Step<i64> {
        field_named(field)?;
        let state = match role {
            SocketRole::Listening(_) => State::Listen,
            _ => State::Closed,
        };
        match field {
            "tcpi_state" => Ok(self.options.system.state(state)),
            _ => unsupported(format!("{field} of a socket without a connection")),
        }
    }
}

impl Scope for Runner<'_, '_> {
    fn name(&mut self, name: &str) -> Step<ScriptValue> {
        if let Some(datum) = self.variables.get(name) {
            return Ok(datum.clone());
        }
        let state = self.options.system.state_named(name);
        if let Some(n) = state.or_else(|| code_constant(name)) {
            return Ok(ScriptValue::Int(n));
        }
        if name.starts_with("tcpi_") {
            return self.info(name).map(ScriptValue::Int);
        }
        let known = code_names().chain(state_names()).chain(field_names());
        no_such("name in code", name, known)
    }
}

pub(super) fn micros(d: SimDuration) -> i64 {
    (d.as_ps() / 1_000_000) as i64
}

/// Linux's number of a congestion state.
fn congestion_state(state: CongestionState) -> u8 {
    match state {
        CongestionState::Open => 0,
        CongestionState::Disorder => 1,
        CongestionState::Reduced => 2,
        CongestionState::Recovery => 3,
        CongestionState::Loss => 4,
    }
}

/// The options agreed on: Linux's TCPI_OPT_….
fn agreed(details: &ConnectionDetails) -> i64 {
    let bits = [
        (details.timestamps, 1),
        (details.sack, 2),
        (Some(details.window_scale.is_some()), 4),
        (details.ecn, 8),
        (details.ecn_seen, 16),
        (details.syn_data_acked, 32),
    ];
    let set = bits.iter().filter(|(agreed, _)| *agreed == Some(true));
    set.map(|(_, bit)| bit).sum()
}
