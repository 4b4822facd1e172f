//! How long a sender was busy, and what limited it: Linux's chronographs.

use sim_core::{SimDuration, SimTime};

use crate::diagnostics::ConnectionDetails;
use crate::model::TcpView;

/// What limits the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SenderLimit {
    /// Everything is acknowledged.
    #[default]
    Idle,
    /// Acknowledgements, or the network.
    Busy,
    /// The peer's window, with data to send.
    Window,
    /// The application, which waits for room in the send buffer while all is sent.
    Buffer,
}

impl SenderLimit {
    /// What limits a connection; `starved` when its application waits for room.
    pub(super) fn of(view: &TcpView, details: &ConnectionDetails, starved: bool) -> SenderLimit {
        let flight = view.snd_nxt.offset_from(view.snd_una);
        let mss = details.snd_mss.unwrap_or(536);
        let may_send = u64::from(flight + mss) <= view.cwnd;
        match details.unsent {
            _ if view.send_queue == 0 => SenderLimit::Idle,
            Some(0) if starved && may_send => SenderLimit::Buffer,
            Some(unsent) if unsent > 0 && may_send => {
                let room = view.snd_wnd.saturating_sub(flight);
                if u64::from(room) < unsent.min(mss.into()) {
                    SenderLimit::Window
                } else {
                    SenderLimit::Busy
                }
            }
            _ => SenderLimit::Busy,
        }
    }
}

/// Times spent so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chrono {
    limit: SenderLimit,
    since: SimTime,
    busy: SimDuration,
    window: SimDuration,
    buffer: SimDuration,
}

impl Chrono {
    /// Notes that the sender is limited by `limit` from `now` on.
    pub(super) fn turn(&mut self, limit: SenderLimit, now: SimTime) {
        let spent = now.since(self.since);
        self.since = now;
        if self.limit != SenderLimit::Idle {
            self.busy += spent;
        }
        match self.limit {
            SenderLimit::Window => self.window += spent,
            SenderLimit::Buffer => self.buffer += spent,
            SenderLimit::Idle | SenderLimit::Busy => {}
        }
        self.limit = limit;
    }

    /// Time busy, and parts of it limited by the peer's window and by the send buffer (`tcpi_busy_time`,
    /// `tcpi_rwnd_limited`, `tcpi_sndbuf_limited`).
    pub(super) fn times(mut self, now: SimTime) -> [SimDuration; 3] {
        self.turn(self.limit, now);
        [self.busy, self.window, self.buffer]
    }
}
