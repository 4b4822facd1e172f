//! How long a connection holds its port, and when it is in TIME-WAIT.

use reports::Span;
use sim_core::SimDuration;
use tcp_model::TcpParams;
use tcp_model::params::TwReuse;
use tcp_model::spec::{CloseHow, Closer, Distribution, Exchange};

use super::spans::{added, half, hull, shifted};
use super::{ExchangeCase, NoTheory, conditions};
use crate::expected::{self, HEADERS, mean};

/// Largest acceptable uncertainty of a mean holding time, relative to it.
const UNCERTAINTY: f64 = 0.01;
/// Share of the mean holding time that may still be outstanding when a run counts as settled.
const MISSING: f64 = 0.0002;
/// Message sizes and waits with a smaller probability of being exceeded are ignored.
const RARE: f64 = 1e-3;

/// The phases of a connection, in seconds from connect.
#[derive(Clone, Debug)]
pub(super) struct Life<'a> {
    /// Time until the connection is established.
    pub(super) connect_s: f64,
    /// Time until the client's port is free.
    pub(super) held_s: Span,
    /// Standard deviation of the holding time.
    pub(super) held_sd_s: f64,
    /// Time after which nearly all connections have released their ports; `None` if there is no such time.
    pub(super) settles_s: Option<f64>,
    /// The end in TIME-WAIT.
    pub(super) time_wait: Option<ClosingStay<'a>>,
    /// Why there is no closed form for sockets in TIME-WAIT.
    pub(super) no_time_wait: Option<String>,
    /// Extra time of a connect when the server still has the previous connection on that port: it answers
    /// the SYN with a challenge ACK, the client resets the old connection, and the retransmitted SYN
    /// succeeds.
    sent_again_s: f64,
}

/// A stay in TIME-WAIT.
#[derive(Clone, Debug)]
pub(super) struct ClosingStay<'a> {
    /// The host or group, as named in the workload.
    pub(super) host: &'a str,
    pub(super) after_s: Span,
    pub(super) stay_s: f64,
}

/// Time from connect until the client has the last response, without the applications' waits.
#[derive(Clone, Copy, Debug)]
struct NetworkTimes {
    /// Time until the last response.
    exchange_s: Span,
    /// A round trip.
    trip_s: Span,
}

impl<'a> Life<'a> {
    pub(super) fn new(case: &ExchangeCase<'a>) -> Result<Life<'a>, NoTheory> {
        let network = network(case)?;
        let e = case.exchange;
        let waits_s = expected::waits_s(e);
        if !waits_s.is_finite() {
            return Err(NoTheory::because(
                "the waits of the applications have no mean",
            ));
        }
        let (client, server) = conditions::ends(case);
        let mut life = Life {
            connect_s: network.trip_s.high,
            held_s: shifted(network.exchange_s, waits_s),
            held_sd_s: waits_sd_s(e),
            settles_s: None,
            time_wait: None,
            no_time_wait: None,
            sent_again_s: 0.0,
        };
        if !life.held_sd_s.is_finite() {
            return Err(NoTheory::because(
                "the waits of the applications vary without bound",
            ));
        }
        life.close(case, network, client, server)?;
        if !life.held_s.high.is_finite() {
            return Err(NoTheory::because("a port may be held for ever"));
        }
        let held = life.held_s;
        if held.width() > UNCERTAINTY * held.high {
            return Err(NoTheory::because(format!(
                "the network's delay is uncertain by {:.2} s, in {:.2} s that a port is held",
                held.width(),
                held.high
            )));
        }
        life.held_s.high += life.sent_again_s;
        life.settles_s = settles_s(e, life.held_s.high, waits_s);
        Ok(life)
    }

    /// Adds the times from the close until the port is free.
    fn close(
        &mut self,
        case: &ExchangeCase<'a>,
        network: NetworkTimes,
        client: &TcpParams,
        server: &TcpParams,
    ) -> Result<(), NoTheory> {
        let e = case.exchange;
        let (close_after, linger) = (e.close_after.as_secs_f64(), e.linger.as_secs_f64());
        let trip = network.trip_s;
        let workload = case.workload;
        if e.how == CloseHow::Half {
            // The server's FIN comes with the response, or after its linger.
            self.wait(linger);
            return self.client_time_wait(case, client, server);
        }
        self.wait(close_after);
        match (e.how, e.closer) {
            (CloseHow::Rst, Closer::Both) => self.cross(half(trip)),
            (CloseHow::Rst, _) => {}
            (_, Closer::Client) => {
                self.add(trip);
                if self.outlasts(e.linger, client, trip)? {
                    // The client gives up in FIN-WAIT-2, which starts with the ACK of its FIN.
                    self.held_s.high += server.delayed_ack.as_secs_f64();
                    self.wait(fin_wait(client, trip)?.0);
                    if conditions::early_reuse(case, self.held_s.high + linger).is_some() {
                        self.sent_again_s = client.initial_rto.as_secs_f64();
                    }
                    return Ok(());
                }
                self.wait(linger);
                return self.client_time_wait(case, client, server);
            }
            (_, Closer::Both) => {
                self.add(trip);
                self.cross(half(trip));
                return self.client_time_wait(case, client, server);
            }
            (_, Closer::Server) => {
                self.wait(linger);
                let after_s = added(self.held_s, half(trip));
                self.add(trip);
                let stay_s = server.time_wait.as_secs_f64();
                match conditions::early_reuse(case, self.held_s.high + stay_s) {
                    Some(why) => return Err(NoTheory::because(why)),
                    None if self.outlasts(e.linger, server, trip)? => {}
                    None => {
                        self.time_wait = Some(ClosingStay {
                            host: &workload.server,
                            after_s,
                            stay_s,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// True if the end that closes first leaves FIN-WAIT-2 before its lingering peer closes.
    fn outlasts(
        &self,
        linger: SimDuration,
        params: &TcpParams,
        trip: Span,
    ) -> Result<bool, NoTheory> {
        let linger = linger.as_secs_f64();
        if linger == 0.0 {
            return Ok(false);
        }
        let (low, high) = fin_wait(params, trip)?;
        if linger > high {
            return Ok(true);
        }
        if linger + trip.high < low {
            return Ok(false);
        }
        Err(NoTheory::because(
            "`linger` and the time-out of FIN-WAIT-2 end at about the same time",
        ))
    }

    /// Adds the client's TIME-WAIT, which holds its port.
    fn client_time_wait(
        &mut self,
        case: &ExchangeCase<'a>,
        client: &TcpParams,
        server: &TcpParams,
    ) -> Result<(), NoTheory> {
        let stay_s = client.time_wait.as_secs_f64();
        let both = case.exchange.closer == Closer::Both;
        let after_s = self.held_s;
        let wanted = match client.tw_reuse {
            TwReuse::Off => false,
            TwReuse::On => true,
            TwReuse::Loopback => case.workload.client == case.workload.server,
        };
        let reuses = wanted && client.timestamps && server.timestamps;
        let kept_s = if reuses {
            stay_s.min(client.tw_reuse_delay.as_secs_f64())
        } else {
            stay_s
        };
        if both && kept_s < server.time_wait.as_secs_f64() {
            return Err(NoTheory::because(
                "a port may be reused while the server has it in TIME-WAIT",
            ));
        }
        self.wait(kept_s);
        if both {
            self.no_time_wait = Some(
                "both ends close at once, and which of them is in TIME-WAIT depends on how their \
                 FINs cross"
                    .to_owned(),
            );
        } else if kept_s < stay_s {
            self.no_time_wait = Some(
                "`tw_reuse` ends TIME-WAIT when a port is needed, not after a time".to_owned(),
            );
        } else {
            self.time_wait = Some(ClosingStay {
                host: &case.workload.client,
                after_s,
                stay_s,
            });
        }
        Ok(())
    }

    fn wait(&mut self, s: f64) {
        self.held_s = shifted(self.held_s, s);
    }

    fn add(&mut self, span: Span) {
        self.held_s = added(self.held_s, span);
    }

    /// True if connections end in TIME-WAIT.
    pub(super) fn has_time_wait(&self, case: &ExchangeCase<'_>) -> bool {
        let ends = self.time_wait.is_some() || self.no_time_wait.is_some();
        case.exchange.how != CloseHow::Rst && ends
    }

    /// Widens the holding time for two ends that close at about the same time.
    fn cross(&mut self, within: Span) {
        self.held_s.low -= within.high;
        self.held_s.high += within.high;
    }
}

/// Bounds on the time that an orphan stays in FIN-WAIT-2, seconds; infinite without a time-out.
fn fin_wait(params: &TcpParams, trip: Span) -> Result<(f64, f64), NoTheory> {
    let Some(timeout) = params.fin_timeout else {
        return Ok((f64::INFINITY, f64::INFINITY));
    };
    let (timeout, time_wait) = (timeout.as_secs_f64(), params.time_wait.as_secs_f64());
    if !params.split_fin_timeout {
        return Ok((timeout, timeout));
    }
    // At least 3.5 times the retransmission time-out, as in Linux.
    let rto = 3.0 * trip.high + 2.0 * params.min_rto.as_secs_f64();
    if timeout < 3.5 * rto {
        return Err(NoTheory::because(
            "the wait in FIN-WAIT-2 depends on the round trips measured",
        ));
    }
    let wait = if timeout > time_wait {
        2.0 * (timeout - time_wait)
    } else {
        timeout
    };
    Ok((wait, wait))
}

/// The times of the handshake and the exchange over the paths of the workload.
fn network(case: &ExchangeCase<'_>) -> Result<NetworkTimes, NoTheory> {
    let (client, server) = conditions::ends(case);
    let e = case.exchange;
    let mut all: Option<NetworkTimes> = None;
    for way in conditions::ways(case)? {
        let trip = way.trip_s;
        let small = way.per_byte_s * (HEADERS + 8.0);
        // At most one earlier segment on each link is waited for; longer queues are rare.
        let queues = 4.0 * way.utilisation * way.per_byte_s * f64::from(client.mtu);
        let message = |size: Distribution, from: &TcpParams, to: &TcpParams| {
            let most = mean::upper(size, RARE);
            let rounds = extra_flights(most, from, to);
            let sent = way.per_byte_one_way_s * mean::mean(size);
            let late = way.per_byte_one_way_s * (most - mean::mean(size));
            (sent, rounds * (trip + to.delayed_ack.as_secs_f64()) + late)
        };
        let there = message(e.request, client, server);
        let back = message(e.response, server, client);
        let requests = f64::from(e.requests);
        let trips = 1.0 + requests;
        let low = trips * (trip + small) + requests * (there.0 + back.0);
        let one = NetworkTimes {
            exchange_s: Span {
                low,
                high: low + requests * (there.1 + back.1) + trips * queues,
            },
            trip_s: Span {
                low: trip + small,
                high: trip + small + queues,
            },
        };
        all = Some(all.map_or(one, |all| NetworkTimes {
            exchange_s: hull(all.exchange_s, one.exchange_s),
            trip_s: hull(all.trip_s, one.trip_s),
        }));
    }
    all.ok_or_else(|| NoTheory::because("there are no hosts"))
}

/// Round trips that a message needs beyond its first flight.
fn extra_flights(bytes: f64, from: &TcpParams, to: &TcpParams) -> f64 {
    let mss = f64::from(from.mss().min(to.mss())) - 12.0;
    let first = (f64::from(from.initial_window) * mss)
        .min(f64::from(to.first_window(12)))
        .min(f64::from(from.send_buffer));
    // The end of a message may have to wait for an ACK (Nagle).
    let held = bytes > mss && from.nagle && !from.minshall;
    let flights = if bytes <= first {
        0.0
    } else {
        // Slow start doubles the flight per round trip at best, and grows it by half with delayed ACKs.
        libm::ceil(libm::log(bytes / first) / libm::log(1.5)) + 1.0
    };
    flights + f64::from(u8::from(held))
}

fn waits_sd_s(e: &Exchange) -> f64 {
    let requests = f64::from(e.requests);
    let variance = mean::variance(e.service) * requests;
    let thinks = if e.requests > 1 {
        mean::variance(e.think) * (requests - 1.0)
    } else {
        0.0
    };
    libm::sqrt(variance + thinks)
}

/// The time after which less than [`MISSING`] of the mean holding time is outstanding.
///
/// Uses that the excess of a sum of waits over a time is at most the sum of the excesses of the waits over
/// their shares of that time.
fn settles_s(e: &Exchange, held_s: f64, waits_s: f64) -> Option<f64> {
    let (services, thinks) = (
        f64::from(e.requests),
        f64::from(e.requests.saturating_sub(1)),
    );
    let beyond = |t: f64| {
        // The time is shared in proportion to the means.
        let share = |d: Distribution| t * mean::mean(d) / waits_s.max(1e-12);
        let service = services * mean::beyond(e.service, share(e.service));
        let think = if thinks > 0.0 {
            thinks * mean::beyond(e.think, share(e.think))
        } else {
            0.0
        };
        service + think
    };
    if waits_s == 0.0 {
        return Some(held_s);
    }
    let fixed = held_s - waits_s;
    let mut t = waits_s;
    while beyond(t) > MISSING * held_s {
        t *= 1.2;
        if t > 1e9 {
            return None;
        }
    }
    Some(fixed + t)
}
