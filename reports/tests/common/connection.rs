//! The segments of a made-up connection.

use std::net::SocketAddrV4;

use sim_core::{LossCause, NodeId};
use tcp_model::options::{Options, TcpOption};
use tcp_model::sample::*;
use tcp_model::segment::Tag;
use tcp_model::{ConnId, Flags, RetransmitReason, Segment, SeqNum, State, TcpSample};

use super::*;

struct Sending {
    conn: ConnId,
    from: NodeId,
    port: u16,
    flags: Flags,
    seq: u32,
    ack: u32,
    len: u32,
    states: (State, State),
    lost: bool,
    again: bool,
}

impl Made {
    fn send(&mut self, t: f64, s: &Sending) {
        self.packets += 1;
        let (src, dst) = (s.from.0 as usize, 1 - s.from.0 as usize);
        let ports = if s.from == CLIENT {
            (s.port, 80)
        } else {
            (80, s.port)
        };
        let mut options = Options::NONE;
        if s.flags.is_syn() {
            options.push(TcpOption::Mss(1460)).unwrap();
            options.push(TcpOption::SackPermitted).unwrap();
        }
        let segment = Segment {
            src_port: ports.0,
            dst_port: ports.1,
            seq: SeqNum(s.seq),
            ack: SeqNum(s.ack),
            flags: s.flags,
            window: 65_535,
            options,
            len: s.len,
            tag: Tag {
                conn: s.conn,
                offset: 0,
                traced: true,
                ..Tag::default()
            },
            ..Segment::default()
        };
        let mut trace = SegmentTrace {
            packet: self.packets,
            at: None,
            number: 0,
            event: SegmentEvent::Sent,
            src: ADDRESSES[src],
            dst: ADDRESSES[dst],
            ttl: 64,
            tos: 0,
            state: Some(s.states.0),
            retransmission: s.again.then_some(RetransmitReason::Timeout),
            spurious: None,
            segment,
        };
        let sent = TcpSample::Segment(Box::new(trace.clone()));
        if s.lost {
            trace.event = SegmentEvent::Lost(LossCause::Scripted);
            trace.state = None;
            let lost = TcpSample::Segment(Box::new(trace));
            // A full queue reports the loss before the sender has recorded the packet as sent; a
            // wire reports it afterwards.
            let order = if s.conn.serial().is_multiple_of(2) {
                [sent, lost]
            } else {
                [lost, sent]
            };
            order
                .into_iter()
                .for_each(|sample| self.sample(t, s.from, sample));
            return;
        }
        self.sample(t, s.from, sent);
        trace.event = SegmentEvent::Received;
        trace.state = Some(s.states.1);
        let node = NodeId(dst as u32);
        self.sample(
            t + ONE_WAY_MS / 1e3,
            node,
            TcpSample::Segment(Box::new(trace)),
        );
    }

    /// A whole connection that begins at `t`; its data segment is lost once if `lossy`. Returns the time when
    /// its port is free again.
    pub(super) fn connection(
        &mut self,
        t: f64,
        conn: ConnId,
        port: u16,
        traced: bool,
        lossy: bool,
        time_wait_s: f64,
    ) -> f64 {
        use State::*;
        let d = ONE_WAY_MS / 1e3;
        let (a, p) = (Side::Active, Side::Passive);
        // The data leave when the handshake is done, or a retransmission time-out later.
        let data = t + 2.0 * d + if lossy { 0.2 } else { 0.0 };
        let close = data + 2.0 * d;
        let wait = close + 2.0 * d;
        for (time, node, side, from, to) in [
            (t, CLIENT, a, Closed, SynSent),
            (t + d, SERVER, p, Listen, SynReceived),
            (t + 2.0 * d, CLIENT, a, SynSent, Established),
            (t + 3.0 * d, SERVER, p, SynReceived, Established),
            (close, CLIENT, a, Established, FinWait1),
            (close + d, SERVER, p, Established, CloseWait),
            (close + d + 0.001, SERVER, p, CloseWait, LastAck),
            (wait, CLIENT, a, FinWait1, FinWait2),
            (wait + 0.001, CLIENT, a, FinWait2, TimeWait),
            (wait + d + 0.001, SERVER, p, LastAck, Closed),
            (wait + 0.001 + time_wait_s, CLIENT, a, TimeWait, Closed),
        ] {
            self.state(time, node, conn, side, from, to);
        }
        self.outcome(t + 2.0 * d, conn, OpenResult::Established, 2.0 * d);
        for (node, side, ended) in [(CLIENT, a, wait + 0.001), (SERVER, p, wait + d + 0.001)] {
            let socket = |i: usize, port: u16| SocketAddrV4::new(ADDRESSES[i], port);
            let ends = [socket(0, port), socket(1, 80)];
            let me = node.0 as usize;
            let summary = EndpointSummary {
                undone: Default::default(),
                marked: Default::default(),
                conn,
                side,
                local: ends[me],
                remote: ends[1 - me],
                opened: at(t),
                established: Some(at(t + 2.0 * d)),
                app_closed: Some(at(close)),
                ended: at(ended),
                reason: EndReason::Closed,
                closed_first: side == a,
                time_wait: side == a,
                counts: ConnectionCounts {
                    bytes_acked: if side == a { 100 } else { 0 },
                    bytes_received: if side == a { 0 } else { 100 },
                    segments_sent: 5,
                    segments_received: 5,
                    retransmissions: u32::from(lossy && side == a),
                    ..ConnectionCounts::default()
                },
                srtt: Some(SimDuration::from_millis(20)),
            };
            self.sample(ended, node, TcpSample::Ended(Box::new(summary)));
        }
        if traced {
            self.segments(t, conn, port, lossy, (data, close, wait));
        }
        wait + 0.001 + time_wait_s
    }

    fn segments(&mut self, t: f64, conn: ConnId, port: u16, lossy: bool, times: (f64, f64, f64)) {
        use State::*;
        let (x, y) = (1_000_000 + conn.serial() * 7, 4_000_000_000);
        let ((data, close, wait), d) = (times, ONE_WAY_MS / 1e3);
        let (psh, fin) = (Flags::PSH | Flags::ACK, Flags::FIN | Flags::ACK);
        let mut list = vec![
            (
                t,
                CLIENT,
                Flags::SYN,
                x,
                0,
                0,
                (SynSent, SynReceived),
                false,
                false,
            ),
            (
                t + d,
                SERVER,
                Flags::SYN_ACK,
                y,
                x + 1,
                0,
                (SynReceived, Established),
                false,
                false,
            ),
            (
                t + 2.0 * d,
                CLIENT,
                Flags::ACK,
                x + 1,
                y + 1,
                0,
                (Established, Established),
                false,
                false,
            ),
            (
                data,
                CLIENT,
                psh,
                x + 1,
                y + 1,
                100,
                (Established, Established),
                false,
                lossy,
            ),
            (
                data + d,
                SERVER,
                Flags::ACK,
                y + 1,
                x + 101,
                0,
                (Established, Established),
                false,
                false,
            ),
            (
                close,
                CLIENT,
                fin,
                x + 101,
                y + 1,
                0,
                (FinWait1, CloseWait),
                false,
                false,
            ),
            (
                close + d,
                SERVER,
                Flags::ACK,
                y + 1,
                x + 102,
                0,
                (CloseWait, FinWait2),
                false,
                false,
            ),
            (
                close + d + 0.001,
                SERVER,
                fin,
                y + 1,
                x + 102,
                0,
                (LastAck, TimeWait),
                false,
                false,
            ),
            (
                wait + 0.001,
                CLIENT,
                Flags::ACK,
                x + 102,
                y + 2,
                0,
                (TimeWait, Closed),
                false,
                false,
            ),
        ];
        if lossy {
            let first = t + 2.0 * d + 1e-5;
            list.push((
                first,
                CLIENT,
                psh,
                x + 1,
                y + 1,
                100,
                (Established, Closed),
                true,
                false,
            ));
        }
        for (time, from, flags, seq, ack, len, states, lost, again) in list {
            let sending = Sending {
                conn,
                from,
                port,
                flags,
                seq,
                ack,
                len,
                states,
                lost,
                again,
            };
            self.send(time, &sending);
        }
    }
}
