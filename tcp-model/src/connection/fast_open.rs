//! Fast Open at both ends of a connection (RFC 7413 section 4.2), and passive open from a SYN cookie.
//!
//! Leaves out pausing Fast Open on paths that drop it (RFC 7413 section 4.1.3.1; the host is notified of
//! each failure).

use sim_core::SimTime;

use super::Connection;
use crate::fast_open::{FastConnect, FastListen, FastOpenNews, FastOpenOption};
use crate::model::{Outputs, Signal};
use crate::options::{Options, TcpOption};
use crate::segment::{Flags, Segment};
use crate::state::State;
use crate::state_machine::StateMachine as _;
use crate::syn_cookie::CookieHandshake;
use crate::syn_options::SynOptions;

impl Connection {
    /// Active OPEN with Fast Open: the SYN carries as much data as fits, the rest follows.
    #[inline(never)]
    pub(super) fn on_connect_with(&mut self, call: &FastConnect, now: SimTime, out: &mut Outputs) {
        if self.state != State::Closed || self.is_over() {
            return;
        }
        self.rare().connect = Some(*call);
        self.enter(State::SynSent, out);
        self.queue(call.data);
        self.send_syn(None, now, out);
    }

    /// Passive OPEN with Fast Open.
    #[inline(never)]
    pub(super) fn on_listen_with(&mut self, call: &FastListen) {
        if self.state == State::Closed && !self.is_over() {
            self.rare().listen = Some(*call);
            self.on_listen();
        }
    }

    /// Passive OPEN from a SYN cookie: restores the state after SYN and SYN-ACK.
    #[inline(never)]
    pub(super) fn on_resume(&mut self, agreed: &CookieHandshake, out: &mut Outputs) {
        if self.state != State::Closed || self.is_over() {
            return;
        }
        self.on_listen();
        let snd = &mut self.snd;
        (snd.iss, snd.una, snd.nxt) = (agreed.iss, agreed.iss, agreed.iss + 1);
        snd.small_end = agreed.iss;
        self.agree_on_ecn(agreed.ecn);
        self.take_offer(
            agreed.irs,
            &SynOptions {
                mss: agreed.mss,
                sack: agreed.sack,
                timestamps: agreed.ts_recent.map(|val| (val, 0)),
                window_shift: agreed.window_shift,
            },
        );
        self.rcv.acked = self.rcv.nxt;
        // A passive end has the identity of the connection it answers.
        self.rcv.peer = self.conn;
        self.enter(State::SynReceived, out);
    }

    /// Adds the Fast Open option of a first SYN or SYN-ACK; returns the octets of data it carries.
    #[cold]
    pub(super) fn add_fast_open(&mut self, answers: bool, options: &mut Options) -> u32 {
        let (ip, mtu) = (self.params.ip_version, self.mtu());
        let written = self.snd.written;
        let rare = self.rare();
        if answers {
            if let Some(option) = rare.answer {
                let _ = option.push(options); // no room: the client asks again another time
            }
            return 0;
        }
        let Some(connect) = &rare.connect else {
            return 0;
        };
        if let Some(option) = connect.option
            && option.push(options).is_err()
        {
            return 0;
        }
        let len = written.min(connect.room(ip, mtu).into()) as u32;
        self.rare().syn_data = len;
        len
    }

    /// Handles the answer to a SYN with Fast Open. Returns false if it does not acknowledge the data, which
    /// are then retransmitted in the ordinary way (section 4.2.1).
    #[cold]
    pub(super) fn on_fast_open_answer(&mut self, seg: &Segment, out: &mut Outputs) -> bool {
        let again = self.snd.syn_retransmissions > 0;
        let Some(rare) = &mut self.rare else {
            return true;
        };
        let Some(connect) = rare.connect.take() else {
            return true;
        };
        let refused = rare.syn_data > 0 && seg.ack.before(self.snd.nxt);
        rare.syn_data_acked = rare.syn_data > 0 && !refused;
        if refused {
            self.snd.nxt = seg.ack;
            self.counts.retransmissions += 1;
        }
        let cookie = FastOpenOption::find(&seg.options).filter(|o| !o.cookie.is_request());
        let asked = connect.option.filter(|o| o.cookie.is_request());
        let mss = seg.options.iter().find_map(|option| match option {
            Ok(TcpOption::Mss(mss)) => Some(mss),
            _ => None,
        });
        out.signals.push(Signal::FastOpen(FastOpenNews {
            cookie: cookie.filter(|_| connect.option.is_some()),
            mss: mss.unwrap_or(self.params.ip_version.default_mss()),
            unanswered: asked.filter(|_| cookie.is_none() && !again).map(|o| o.form),
            syn_dropped: again && refused && cookie.is_none(),
        }));
        !refused
    }

    /// Retransmits the data of a refused SYN separately from later data. As retransmissions they do not
    /// count as a small segment for Nagle (Linux `tcp_rcv_fastopen_synack`). True when something was sent.
    #[cold]
    pub(super) fn resend_refused(&mut self, now: SimTime, out: &mut Outputs) -> bool {
        let small_end = self.snd.small_end;
        let syn_data = self.rare().syn_data;
        let (start, end) = (self.snd.nxt, self.snd.nxt + syn_data);
        while self.snd.nxt.before(end) && self.state.can_send() {
            let len = end.offset_from(self.snd.nxt).min(self.snd.mss);
            if self.snd.usable_window() < len {
                break;
            }
            self.send_range(self.snd.nxt, len, None, now, out);
        }
        self.snd.small_end = small_end;
        self.snd.nxt != start
    }

    /// Section 4.2.2: whether the SYN has a valid cookie. Otherwise a SYN that requests a cookie, or has a
    /// wrong one, gets the right one in the SYN-ACK.
    #[cold]
    pub(super) fn accept_early(&mut self, seg: &Segment) -> bool {
        let rare = self.rare();
        let Some(listen) = rare.listen.take() else {
            return false;
        };
        let option = FastOpenOption::find(&seg.options);
        if listen.cookie_not_required && (seg.len > 0 || option.is_some()) {
            return true;
        }
        let Some(option) = option else {
            return false;
        };
        if option.cookie == listen.expected && !option.cookie.is_request() {
            return true;
        }
        rare.answer = Some(FastOpenOption {
            cookie: listen.expected,
            ..option
        });
        false
    }

    /// Accepts the SYN: delivers its data to the application, which may answer before the handshake is
    /// complete.
    #[cold]
    pub(super) fn open_early(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let rare = self.rare();
        rare.open_early = true;
        rare.syn_data_acked = seg.len > 0;
        self.start_congestion_control();
        out.signals.push(Signal::Connected);
        let text = Segment {
            seq: seg.seq + 1,
            flags: seg.flags.without(Flags::SYN | Flags::FIN | Flags::URG) | Flags::PSH,
            ..*seg
        };
        self.on_text(&text, now, out);
        self.send_syn(None, now, out);
    }
}
