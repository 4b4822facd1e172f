//! Proxies, circuit breakers and health checks.

use sim_core::SimDuration;
use tcp_model::sample::{BreakerChange, ProxyResult, ProxySample, TryFailure, UpstreamSample};

use super::histogram::{Histogram, put_quantiles};
use crate::metrics::Metrics;

/// Counts what proxies do with requests, and what clients and proxies find out about servers.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    begun: u64,
    answered: u64,
    bad_gateway: u64,
    unavailable: u64,
    gateway_timeout: u64,
    client_gone: u64,
    pending: u64,
    /// Requests that waited for a connection at the end, and the longest wait among them.
    never_sent: u64,
    longest_wait: SimDuration,
    tries: u64,
    no_port: u64,
    lost: u64,
    timed_out: u64,
    again: u64,
    times: Histogram,
    breakers: BreakerCounts,
    checks: CheckCounts,
}

#[derive(Clone, Copy, Debug, Default)]
struct BreakerCounts {
    opened: u64,
    closed: u64,
    rejected: u64,
    changes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct CheckCounts {
    made: u64,
    failed: u64,
    down: u64,
    up: u64,
}

impl Proxies {
    pub(crate) fn on_proxy(&mut self, sample: &ProxySample) {
        match *sample {
            ProxySample::Begun => self.begun += 1,
            ProxySample::Pending {
                requests,
                waiting,
                longest,
            } => {
                self.pending += requests;
                self.never_sent += waiting;
                self.longest_wait = self.longest_wait.max(longest);
            }
            ProxySample::TryFailed { cause, again } => {
                self.again += u64::from(again);
                match cause {
                    TryFailure::NoPort => self.no_port += 1,
                    TryFailure::Connection => self.lost += 1,
                    TryFailure::TimedOut => self.timed_out += 1,
                }
            }
            ProxySample::Done {
                took,
                tries,
                result,
            } => {
                self.tries += u64::from(tries);
                match result {
                    ProxyResult::Answered => {
                        self.answered += 1;
                        self.times.add(took);
                    }
                    ProxyResult::BadGateway => self.bad_gateway += 1,
                    ProxyResult::Unavailable => self.unavailable += 1,
                    ProxyResult::GatewayTimeout => self.gateway_timeout += 1,
                    ProxyResult::ClientGone => self.client_gone += 1,
                }
            }
        }
    }

    pub(crate) fn on_upstream(&mut self, sample: &UpstreamSample) {
        match *sample {
            UpstreamSample::Breaker(change) => {
                self.breakers.changes += 1;
                match change {
                    BreakerChange::Opened => self.breakers.opened += 1,
                    BreakerChange::HalfOpened => {}
                    BreakerChange::Closed => self.breakers.closed += 1,
                }
            }
            UpstreamSample::Rejected => self.breakers.rejected += 1,
            UpstreamSample::Check { success } => {
                self.checks.made += 1;
                self.checks.failed += u64::from(!success);
            }
            UpstreamSample::Health { up: true } => self.checks.up += 1,
            UpstreamSample::Health { up: false } => self.checks.down += 1,
        }
    }

    pub(crate) fn close(&self, metrics: &mut Metrics) {
        let (breakers, checks) = (self.breakers, self.checks);
        if breakers.changes + breakers.rejected > 0 {
            metrics.put("breaker_opened", breakers.opened as f64);
            metrics.put("breaker_closed", breakers.closed as f64);
            metrics.put("breaker_rejected", breakers.rejected as f64);
        }
        if checks.made > 0 {
            metrics.put("health_checks", checks.made as f64);
            metrics.put("health_checks_failed", checks.failed as f64);
            metrics.put("health_down", checks.down as f64);
            metrics.put("health_up", checks.up as f64);
        }
        if self.begun == 0 {
            return;
        }
        let errors = self.bad_gateway + self.unavailable + self.gateway_timeout;
        let counts = [
            ("proxy_requests", self.begun),
            ("proxy_answered", self.answered),
            ("proxy_errors", errors),
            ("proxy_errors_502", self.bad_gateway),
            ("proxy_errors_503", self.unavailable),
            ("proxy_errors_504", self.gateway_timeout),
            ("proxy_client_gone", self.client_gone),
            ("proxy_pending", self.pending),
            (
                "proxy_tries_failed",
                self.no_port + self.lost + self.timed_out,
            ),
            ("proxy_tries_failed_no_port", self.no_port),
            ("proxy_tries_failed_connection", self.lost),
            ("proxy_tries_failed_timed_out", self.timed_out),
            ("proxy_next_upstream", self.again),
        ];
        for (name, n) in counts {
            metrics.put(name, n as f64);
        }
        if self.never_sent > 0 {
            metrics.put("proxy_never_sent", self.never_sent as f64);
            let longest = self.longest_wait.as_secs_f64();
            metrics.put("proxy_never_sent_wait_max_s", longest);
        }
        metrics.put("proxy_errors_share", errors as f64 / self.begun as f64);
        let done = self.answered + errors + self.client_gone;
        if done > 0 {
            metrics.put("proxy_tries_per_request", self.tries as f64 / done as f64);
        }
        if !self.times.is_empty() {
            put_quantiles(&self.times, "proxy_time", metrics);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_what_became_of_them() {
        let mut proxies = Proxies::default();
        let done = |tries, result| ProxySample::Done {
            took: SimDuration::from_millis(5),
            tries,
            result,
        };
        for _ in 0..6 {
            proxies.on_proxy(&ProxySample::Begun);
        }
        for sample in [
            ProxySample::TryFailed {
                cause: TryFailure::TimedOut,
                again: true,
            },
            done(2, ProxyResult::Answered),
            ProxySample::TryFailed {
                cause: TryFailure::NoPort,
                again: false,
            },
            done(1, ProxyResult::BadGateway),
            done(0, ProxyResult::Unavailable),
            done(1, ProxyResult::GatewayTimeout),
            done(0, ProxyResult::ClientGone),
            ProxySample::Pending {
                requests: 1,
                waiting: 1,
                longest: SimDuration::from_secs(2),
            },
        ] {
            proxies.on_proxy(&sample);
        }
        let mut metrics = Metrics::default();
        proxies.close(&mut metrics);
        let metrics = metrics.finish().unwrap();
        for (name, value) in [
            ("proxy_requests", 6.0),
            ("proxy_answered", 1.0),
            ("proxy_errors", 3.0),
            ("proxy_errors_share", 0.5),
            ("proxy_errors_502", 1.0),
            ("proxy_errors_503", 1.0),
            ("proxy_errors_504", 1.0),
            ("proxy_client_gone", 1.0),
            ("proxy_pending", 1.0),
            ("proxy_never_sent", 1.0),
            ("proxy_never_sent_wait_max_s", 2.0),
            ("proxy_tries_failed", 2.0),
            ("proxy_tries_failed_no_port", 1.0),
            ("proxy_next_upstream", 1.0),
            ("proxy_tries_per_request", 0.8),
        ] {
            assert!((metrics[name] - value).abs() < 1e-12, "{name}");
        }
        assert!((metrics["proxy_time_max_s"] - 0.005).abs() < 1e-9);
    }
}
