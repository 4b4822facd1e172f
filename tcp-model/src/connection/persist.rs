//! The persist timer: probes of a closed window (RFC 9293 section 3.8.6.1).

use sim_core::{SimDuration, SimTime};

use super::Connection;
use crate::model::Outputs;
use crate::params::GiveUp;

impl Connection {
    /// The peer's window is closed and data wait: probe it (MUST-35, MUST-36), first after one
    /// time-out (SHLD-29), then at doubling intervals (SHLD-30).
    #[inline(never)]
    pub(super) fn arm_persist(&mut self, now: SimTime) {
        if self.timers.persist == SimTime::MAX {
            self.rearm_persist(now);
        }
    }

    /// Restarts the interval to the next window probe.
    #[inline(never)]
    pub(super) fn rearm_persist(&mut self, now: SimTime) {
        let doubled = 1u64 << self.timers.probe_backoff.min(32);
        let wait = match self.params.probe_interval {
            None => {
                let base = self.rtt.rto().max(self.params.min_rto);
                base.saturating_mul(doubled).min(self.params.max_rto)
            }
            Some(least) => self.probe_interval(doubled).max(least),
        };
        self.timers.persist = self.expiry(now, wait);
    }

    /// The interval of FreeBSD's `tcp_setpersist`, at most a minute (`net.inet.tcp.persmax`).
    pub(super) fn probe_interval(&self, doubled: u64) -> SimDuration {
        const MOST: SimDuration = SimDuration::from_secs(60);
        let srtt = self.rtt.srtt().unwrap_or_default();
        let rttvar = self.rtt.rttvar().unwrap_or_default();
        let base = srtt * 4 + rttvar * 8;
        let wait = base.saturating_mul(doubled);
        wait.min(MOST).min(MOST - self.params.rto_slop) + self.params.rto_slop
    }

    /// Whether enough window probes are unanswered to give up; every probe counts.
    pub(super) fn probed_enough(&self, now: SimTime) -> bool {
        match self.give_up() {
            GiveUp::Retries(n) => self.timers.retries >= n,
            GiveUp::After(time) => now.since(self.timers.first_sent) >= time,
            GiveUp::Never => false,
        }
    }

    pub(super) fn on_persist_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        let waiting = self.snd.unsent() > 0 || self.snd.probing || self.fin_waits();
        // A small segment held back by a cork has been sent meanwhile, or waits behind others.
        let in_flight = self.snd.flight() > 0 && !self.snd.probing;
        if !self.state.is_synchronized() || !waiting || in_flight {
            return;
        }
        // MUST-37: answered probes keep the connection open for ever; unanswered ones count.
        if self.timers.retries > 0 && self.probed_enough(now) {
            self.time_out(now, out);
            return;
        }
        if self.timers.retries == 0 {
            self.timers.first_sent = now;
        }
        self.timers.retries += 1;
        self.timers.probe_backoff = self.timers.probe_backoff.saturating_add(1);
        self.send_window_probe(now, out);
        if self.snd.flight() > 0 && !self.snd.probing {
            self.stop_probing(); // it was data, which the retransmission timer looks after
        } else {
            self.arm_persist(now);
        }
    }

    /// The peer has room for more data: a probe was acknowledged, or its window opened.
    pub(super) fn stop_probing(&mut self) {
        self.timers.persist = SimTime::MAX;
        self.timers.probe_backoff = 0;
        self.timers.retries = 0;
    }
}
