//! How to reach each state, and the facts that hold there.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};
use tcp_model::model::{Input, OpenContext, Outputs, SendCall, TcpModel};
use tcp_model::options::{Options, TcpOption};
use tcp_model::{ConnId, Connection, Flags, Segment, SeqNum, State, TcpParams};

const ISS: SeqNum = SeqNum(u32::MAX - 120); // the octets sent cross the end of the space
const IRS: SeqNum = SeqNum(50_000);
/// The peer's window.
pub(super) const PEER_WINDOW: u16 = 2_000;
/// The peer's timestamp so far.
pub(super) const TS_RECENT: u32 = 1_000;
const BUFFER: u32 = 1_000;

/// What the rules need to know about an end point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) state: State,
    pub(super) iss: SeqNum,
    pub(super) una: SeqNum,
    pub(super) nxt: SeqNum,
    pub(super) snd_wnd: u32,
    pub(super) max_snd_wnd: u32,
    pub(super) wl1: SeqNum,
    pub(super) wl2: SeqNum,
    pub(super) rcv_nxt: SeqNum,
    pub(super) rcv_wnd: u32,
    /// Octets received but not read.
    pub(super) unread: u32,
    pub(super) passive: bool,
    pub(super) fin_sent: bool,
    /// CLOSE was called: the application no longer reads.
    pub(super) nobody_reads: bool,
    /// Shift count of the peer's window.
    pub(super) shift: u8,
    pub(super) setting: Setting,
}

/// What was negotiated, and which optional rules apply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) timestamps: bool,
    pub(super) scaling: bool,
    /// Segments without a timestamp are dropped.
    pub(super) strict: bool,
    /// Resets are ignored in TIME-WAIT (RFC 1337).
    pub(super) rfc1337: bool,
    /// A SYN may end TIME-WAIT (MAY-2).
    pub(super) accept_syn: bool,
}

/// The profile `rfc9293`.
pub(super) const PLAIN: Setting = Setting {
    timestamps: false,
    scaling: false,
    strict: true,
    rfc1337: false,
    accept_syn: true,
};

/// The peer's shift count, if window scaling was negotiated.
const SHIFT: u8 = 3;

#[derive(Clone)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) tcp: Connection,
    pub(super) facts: Facts,
    pub(super) params: Arc<TcpParams>,
}

/// When the segment in question arrives.
pub(super) fn moment() -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(11)
}

fn before() -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(10)
}

struct Builder {
    tcp: Connection,
    params: Arc<TcpParams>,
    setting: Setting,
    wl: (SeqNum, SeqNum),
    passive: bool,
    fin_sent: bool,
    nobody_reads: bool,
    /// Sequence number of the peer's next octet, and the number that it acknowledges.
    seq: SeqNum,
    ack: SeqNum,
}

impl Builder {
    fn new(setting: Setting) -> Builder {
        let params = Arc::new(TcpParams {
            receive_buffer: BUFFER,
            window_scaling: setting.scaling,
            timestamps: setting.timestamps,
            require_timestamps: setting.strict,
            rfc1337: setting.rfc1337,
            tw_accept_syn: setting.accept_syn,
            delayed_ack: SimDuration::ZERO, // every reply is to be seen
            nagle: false,
            hold_until_push: false,
            ..TcpParams::rfc9293()
        });
        let end = |n| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), u16::from(n));
        let tcp = Connection::new(OpenContext {
            params: Arc::clone(&params),
            conn: ConnId::new(0, 0),
            traced: false,
            local: end(1),
            remote: end(2),
            iss: ISS,
            ts_offset: 0,
        });
        Builder {
            tcp,
            params,
            setting,
            wl: (SeqNum(0), SeqNum(0)),
            passive: false,
            fin_sent: false,
            nobody_reads: false,
            seq: IRS,
            ack: ISS + 1,
        }
    }

    fn call(mut self, input: Input<'_>) -> Self {
        self.passive |= matches!(input, Input::Listen);
        self.fin_sent |= matches!(input, Input::Shutdown | Input::Close);
        self.nobody_reads |= matches!(input, Input::Close);
        self.tcp.step(input, before(), &mut Outputs::default());
        self
    }

    fn send(self, bytes: u64) -> Self {
        self.call(Input::Send(SendCall::pushed(bytes)))
    }

    /// The next segment of the peer.
    fn peer(mut self, flags: Flags, len: u32) -> Self {
        let segment = Segment {
            src_port: 2,
            dst_port: 1,
            seq: self.seq,
            ack: self.ack,
            flags,
            window: PEER_WINDOW,
            options: self.options(flags),
            len,
            ..Segment::default()
        };
        self.wl = (
            segment.seq,
            if flags.is_ack() {
                segment.ack
            } else {
                SeqNum(0)
            },
        );
        self.seq = segment.seq_end();
        self.tcp
            .step(Input::Segment(&segment), before(), &mut Outputs::default());
        self
    }

    fn options(&self, flags: Flags) -> Options {
        let mut options = options(self.setting.timestamps.then_some(TS_RECENT));
        if flags.is_syn() && self.setting.scaling {
            options.push(TcpOption::WindowScale(SHIFT)).unwrap();
        }
        options
    }

    fn acks(mut self, octets: u32) -> Self {
        self.ack += octets;
        self.peer(Flags::ACK, 0)
    }

    fn established(self) -> Self {
        let up = self
            .call(Input::Listen)
            .peer(Flags::SYN, 0)
            .peer(Flags::ACK, 0);
        // 100 octets each way, read and acknowledged; 100 more in flight.
        let mut up = up.send(100).acks(100).peer(Flags::ACK, 100);
        up = up.call(Input::Receive(100));
        up.send(100)
    }

    /// Fills the receive window, except for `but` octets.
    fn fill(self, but: u32) -> Self {
        let left = self.tcp.view().rcv_wnd;
        self.peer(Flags::ACK, left - but)
    }

    fn place(self, name: &str, state: State) -> Place {
        let view = self.tcp.view();
        assert_eq!(view.state, state, "{name} is not reached");
        let shift = if self.setting.scaling { SHIFT } else { 0 };
        Place {
            name: name.to_string(),
            facts: Facts {
                state,
                iss: ISS,
                una: view.snd_una,
                nxt: view.snd_nxt,
                snd_wnd: view.snd_wnd,
                max_snd_wnd: u32::from(PEER_WINDOW) << shift,
                wl1: self.wl.0,
                wl2: self.wl.1,
                rcv_nxt: view.rcv_nxt,
                rcv_wnd: view.rcv_wnd,
                unread: view.readable as u32,
                passive: self.passive,
                fin_sent: self.fin_sent,
                nobody_reads: self.nobody_reads,
                shift,
                setting: self.setting,
            },
            tcp: self.tcp,
            params: self.params,
        }
    }
}

/// Timestamps as stacks send them.
pub(super) fn options(ts: Option<u32>) -> Options {
    ts.map_or(Options::NONE, |val| Options::timestamps_only(val, 0))
}

/// Every state, reached in every way that matters, with the receive window open or closed.
pub(super) fn all(setting: Setting) -> Vec<Place> {
    let new = || Builder::new(setting);
    let fin = Flags::FIN | Flags::ACK;
    let mut places = vec![
        new().place("CLOSED", State::Closed),
        new().call(Input::Listen).place("LISTEN", State::Listen),
        new().call(Input::Connect).place("SYN-SENT", State::SynSent),
        new()
            .call(Input::Listen)
            .peer(Flags::SYN, 0)
            .place("SYN-RECEIVED from LISTEN", State::SynReceived),
        new()
            .call(Input::Connect)
            .peer(Flags::SYN, 0)
            .place("SYN-RECEIVED from SYN-SENT", State::SynReceived),
    ];
    for closed in [false, true] {
        let tag = |name: &str| format!("{name}{}", if closed { ", closed window" } else { "" });
        // Before the peer's FIN, and up to it: the FIN takes the last octet of the window.
        let open = || new().established();
        let fill = |b: Builder| if closed { b.fill(0) } else { b };
        let fill_but_fin = |b: Builder| if closed { b.fill(1) } else { b };
        let fin_wait_1 = || open().call(Input::Shutdown);
        let fin_wait_2 = || fin_wait_1().acks(101);
        let close_wait = || fill_but_fin(open()).peer(fin, 0);
        places.extend([
            fill(open()).place(&tag("ESTABLISHED"), State::Established),
            fill(fin_wait_1()).place(&tag("FIN-WAIT-1"), State::FinWait1),
            fill(fin_wait_2()).place(&tag("FIN-WAIT-2"), State::FinWait2),
            close_wait().place(&tag("CLOSE-WAIT"), State::CloseWait),
            fill_but_fin(fin_wait_1())
                .peer(fin, 0)
                .place(&tag("CLOSING"), State::Closing),
            close_wait()
                .call(Input::Shutdown)
                .place(&tag("LAST-ACK"), State::LastAck),
            fill_but_fin(fin_wait_2())
                .peer(fin, 0)
                .place(&tag("TIME-WAIT"), State::TimeWait),
        ]);
    }
    places.extend([
        new()
            .established()
            .call(Input::Close)
            .place("FIN-WAIT-1, nobody reads", State::FinWait1),
        new()
            .established()
            .call(Input::Close)
            .acks(101)
            .place("FIN-WAIT-2, nobody reads", State::FinWait2),
    ]);
    places
}
