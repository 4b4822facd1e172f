//! Building segments: new data, retransmissions, ACKs, window probes (RFC 9293 sections 3.7.4, 3.8.6, RFC
//! 5681, RFC 6675).

use sim_core::SimTime;

use super::Connection;
use super::bursts::SendBurst;
use super::mtu_probing::ProbeStep;
use super::spaces::{Hold, SendStop};
use crate::congestion::CongestionControl;
use crate::model::Outputs;
use crate::options::Options;
use crate::recovery::RecoveryPhase;
use crate::resend_rule::RetransmitReason;
use crate::segment::{Flags, Segment};
use crate::seq::SeqNum;
use crate::state::State;

impl Connection {
    /// True when only the FIN remains to be sent.
    pub(super) fn fin_waits(&self) -> bool {
        self.may_finish() && !self.snd.fin_sent && self.snd.unsent() == 0
    }

    /// Sends everything that windows, Nagle and recovery allow, and sets the timers.
    pub(super) fn transmit(&mut self, now: SimTime, out: &mut Outputs) {
        let sends = matches!(
            self.state,
            State::Established
                | State::CloseWait
                | State::FinWait1
                | State::Closing
                | State::LastAck
        );
        let early = self.state == State::SynReceived && self.is_open_early();
        if !sends && !early {
            return;
        }
        if self.is_quiet() {
            self.snd.cwnd_limited = false;
            self.note_app_limit();
            return;
        }
        if self.recovery.phase() != RecoveryPhase::Open {
            self.retransmit_holes(None, now, out);
        }
        let before = self.snd.nxt;
        let (stop, pipe) = self.send_new(now, out);
        if self.snd.blocked && self.params.notsent_lowat.is_some() {
            self.signal_room(out);
        }
        if self.params.linux_cwnd {
            self.note_usage(stop, pipe, self.snd.nxt != before);
        } else {
            let half_used =
                |pipe: Option<u64>| pipe.unwrap_or_else(|| self.pipe()) * 2 > self.window();
            let limited =
                stop == SendStop::CongestionWindow || (self.in_slow_start() && half_used(pipe));
            // With pacing the window may be about to fill.
            self.snd.cwnd_limited = limited || (stop == SendStop::Pace && self.snd.cwnd_limited);
        }
        if stop == SendStop::NothingToSend && !self.params.linux_cwnd {
            self.note_app_limit();
        }
        if self.snd.flight() > 0 && !self.snd.probing {
            if self.snd.nxt != before {
                self.arm_after_sending(now);
            } else {
                self.arm_rto(now);
            }
        } else if stop == SendStop::PeerWindow {
            self.arm_persist(now);
        }
    }

    /// The data in flight as counted against the congestion window: octets, or on Linux outside recovery
    /// segments, each counted as a full one.
    #[inline(never)]
    fn load(&self, pipe: u64) -> u64 {
        match self.recovery.log() {
            Some(log) if self.params.linux_cwnd && self.recovery.phase() == RecoveryPhase::Open => {
                // Without SACK, a duplicate ACK stands for a segment that has left the network.
                let left = if self.rcv.sack_ok {
                    0
                } else {
                    self.recovery.dup_acks()
                };
                u64::from(log.in_flight().saturating_sub(left)) * u64::from(self.snd.mss)
            }
            _ => pipe,
        }
    }

    /// Outstanding text, counted likewise.
    fn outstanding_load(&self) -> u32 {
        match self.recovery.log() {
            Some(log) if self.params.linux_cwnd => (log.len() as u32).saturating_mul(self.snd.mss),
            _ => self.snd.flight(),
        }
    }

    /// True when there is nothing to send or outstanding, no application waits for room, and window usage
    /// does not matter: usually a receiver.
    #[inline]
    fn is_quiet(&self) -> bool {
        let snd = &self.snd;
        snd.flight() == 0
            && snd.unsent() == 0
            && !snd.blocked
            && !snd.fin_queued
            && self.recovery.phase() == RecoveryPhase::Open
            && !self.params.linux_cwnd
    }

    fn in_slow_start(&self) -> bool {
        self.cc.ssthresh().is_none_or(|t| self.cc.cwnd() < t)
    }

    /// Tracks the use of the congestion window by rounds (Linux `tcp_cwnd_validate`).
    #[inline(never)]
    fn note_usage(&mut self, stop: SendStop, pipe: Option<u64>, sent: bool) {
        let pipe = pipe.unwrap_or_else(|| self.pipe());
        let full = self.load(pipe) + u64::from(self.snd.mss) > self.cc.cwnd();
        let paced = stop == SendStop::Pace && self.snd.cwnd_limited;
        let limited = stop == SendStop::CongestionWindow || full || paced;
        let flight = self.outstanding_load();
        let (una, snd) = (self.snd.una, &mut self.snd);
        let next_round = una.at_or_after(snd.usage_end);
        let more = !snd.cwnd_limited && flight > snd.most_out;
        if (sent || limited) && (next_round || limited || more) {
            (snd.cwnd_limited, snd.most_out, snd.usage_end) = (limited, flight, snd.nxt);
        }
    }

    /// Whether the congestion window was in use, so that an ACK may open it.
    pub(super) fn used_window(&self) -> bool {
        let snd = &self.snd;
        snd.cwnd_limited
            || (self.params.linux_cwnd
                && self.in_slow_start()
                && self.cc.cwnd() < 2 * u64::from(snd.most_out))
    }

    /// Sends new text; returns why it stops, and the octets in the network if it looked at them since the last
    /// segment.
    fn send_new(&mut self, now: SimTime, out: &mut Outputs) -> (SendStop, Option<u64>) {
        let mut burst = SendBurst::default();
        let mut after_full = false;
        let began_idle = self.params.nagle_by_burst && self.is_idle();
        let mut window = None;
        if self.params.mtu_probing > 0 && self.probe_mtu(now, out) == ProbeStep::Wait {
            return (SendStop::MtuProbe, None);
        }
        loop {
            let waiting = self.snd.unsent();
            if waiting == 0 && !self.fin_waits() {
                return (SendStop::NothingToSend, None);
            }
            // The end of a record is not held back if more data follow it.
            let unsent = self.unsent_of_record(waiting);
            let last = unsent == waiting;
            let usable = self.snd.usable_window();
            if usable == 0 {
                return (SendStop::PeerWindow, None);
            }
            let len = unsent.min(u64::from(self.snd.mss.min(usable))) as u32;
            let ends = u64::from(len) == unsent;
            let pipe = u64::from(self.recovery.pipe(&self.outstanding()));
            let most = *window.get_or_insert_with(|| self.window());
            if len > 0 && pipe > 0 && self.exceeds_window(most, pipe, len) {
                return (SendStop::CongestionWindow, Some(pipe));
            }
            if burst.is_over() && self.waits_for_pace(now) {
                return (SendStop::Pace, Some(pipe));
            }
            if len < self.snd.mss
                && (last || u64::from(len) < unsent)
                && !(began_idle && ends && !self.params.cork && self.snd.hold != Hold::More)
                && let Some(stop) = self.hold_small(len, ends || after_full)
            {
                return (stop, Some(pipe));
            }
            let joined = !burst.is_over();
            if !joined
                && self.params.tso
                && let room = most.saturating_sub(self.load(pipe))
                && let Some(stop) = self.burst_waits(unsent, usable.into(), room, now)
            {
                return (stop, Some(pipe));
            }
            if !joined {
                burst = match self.params.tso {
                    true if ends => burst,
                    true => self.next_burst(unsent, usable, pipe),
                    false if self.meter.is_some() => self.next_quantum(),
                    false => SendBurst::one_by_one(1),
                };
            }
            after_full = self.params.fill_window && len == self.snd.mss;
            let fin = ends && last && self.may_finish() && usable > len;
            self.send_range(self.snd.nxt, len + u32::from(fin), None, now, out);
            burst.advance(out);
            if self.recovery.phase() != RecoveryPhase::Open {
                window = None; // that of PRR follows what is sent
            }
            if joined && self.params.tso {
                self.note_joined();
            }
        }
    }

    /// Notes that the last segment left in one burst with the one before it.
    #[inline(never)]
    fn note_joined(&mut self) {
        if let Some(log) = self.recovery.log_mut() {
            log.join_last();
        }
    }

    /// True if the congestion window has no room for `len` more octets beside `pipe` in flight. On Linux
    /// every segment takes the room of a full one.
    #[inline]
    fn exceeds_window(&self, window: u64, pipe: u64, len: u32) -> bool {
        if !self.params.linux_cwnd {
            return pipe + u64::from(len) > window;
        }
        let load = self.load(pipe);
        let len = if load == pipe { len } else { self.snd.mss };
        load + u64::from(len) > window
    }

    /// Whether a FIN is to be sent after the data; not before the handshake is complete.
    fn may_finish(&self) -> bool {
        self.snd.fin_queued && self.state != State::SynReceived
    }

    /// Sends one segment of new text regardless of the congestion window and Nagle; false if there is none,
    /// or the peer's window does not allow it.
    pub(super) fn send_one_more(&mut self, now: SimTime, out: &mut Outputs) -> bool {
        let unsent = self.unsent_of_record(self.snd.unsent());
        let len = unsent.min(u64::from(self.snd.mss)) as u32;
        let usable = self.snd.usable_window();
        if (len == 0 && !self.fin_waits()) || usable < len.max(1) {
            return false;
        }
        let ends = u64::from(len) == self.snd.unsent();
        let fin = ends && self.may_finish() && usable > len;
        self.send_range(self.snd.nxt, len + u32::from(fin), None, now, out);
        true
    }

    /// The sender's silly-window avoidance and Nagle (RFC 9293 sections 3.8.6.2.1 and 3.7.4) for
    /// less than a full segment; a FIN waiting behind the text pushes it.
    ///
    /// `ends`: it is all the unsent text, or follows full segments sent together with it.
    #[inline(never)]
    pub(super) fn hold_small(&self, len: u32, ends: bool) -> Option<SendStop> {
        // Neither a FIN nor urgent data are held back, as on Linux.
        let urgent = self.snd.urgent > self.snd.acked;
        if ends && (self.snd.fin_queued || urgent || self.snd.hold == Hold::Push) {
            return None;
        }
        if self.params.cork || self.snd.hold == Hold::More {
            // The persist timer will send it if nothing in flight triggers that (Linux).
            return Some(SendStop::PeerWindow);
        }
        let nagle = self.params.nagle
            && if self.params.minshall {
                self.snd.small_end.after(self.snd.una)
            } else {
                !self.is_idle()
            };
        let worth_it = ends || len >= self.snd.max_wnd / 2;
        match (worth_it, nagle) {
            (true, false) => None,
            (true, true) => Some(SendStop::SmallInFlight),
            (false, _) => Some(SendStop::PeerWindow),
        }
    }

    /// True when no data are in flight; a SYN does not count.
    fn is_idle(&self) -> bool {
        self.snd.flight() == u32::from(self.state == State::SynReceived)
    }

    /// Sends `len` octets of sequence space from `seq`: text, and the FIN if it is due. Returns the octets
    /// sent.
    pub(super) fn send_range(
        &mut self,
        seq: SeqNum,
        len: u32,
        why: Option<RetransmitReason>,
        now: SimTime,
        out: &mut Outputs,
    ) -> u32 {
        let again = why.is_some();
        let data_end = self.snd.data_end();
        let data = len.min(if seq.before(data_end) {
            data_end.offset_from(seq)
        } else {
            0
        });
        let end = seq + data;
        let fin = self.snd.fin_queued && end == data_end && len > data;
        let mut segment = self.header(Flags::ACK, seq, now);
        let with_option =
            !again && self.rare.is_some() && self.add_option_to_data(&mut segment.options);
        // SACK blocks and the option of accurate feedback may take room needed by the text.
        let headers = self.params.ip_version.header_len() + segment.header_len();
        let mut room = u32::from(self.mtu()).saturating_sub(headers);
        if self.rcv.ahead.is_some() || with_option {
            room = room.min(self.mss_beside(&segment.options));
        }
        let (data, end, fin) = if data > room.max(1) {
            (room.max(1), seq + room.max(1), false)
        } else {
            (data, end, fin)
        };
        segment.len = data;
        segment.tag.offset = self.snd.offset_of(seq);
        if data > 0 {
            let (from, to) = (segment.tag.offset, segment.tag.offset + u64::from(data));
            let log = self.recovery.log().filter(|_| again);
            if self.pushes(from, to)
                || self.ends_record(to)
                || log.is_some_and(|log| log.was_pushed(seq, end))
            {
                segment.flags |= Flags::PSH;
            }
            if self.snd.urgent > from {
                segment.flags |= Flags::URG;
                segment.urgent = (self.snd.urgent - from).min(0xffff) as u16;
            }
            if data < self.snd.mss && !again {
                self.snd.small_end = end;
            }
            self.snd.last_sent = now;
            if !again && self.rare.is_some() {
                self.mark_data(&mut segment);
            }
        }
        if fin {
            segment.flags |= Flags::FIN;
        }
        let octets = data + u32::from(fin);
        let stop = seq + octets;
        if again {
            self.note_resent(seq);
        } else {
            if with_option {
                self.note_option_sent(stop);
            }
            if self.keeps_log() {
                self.log_departure(&segment, stop, now);
            } else {
                self.snd.timed.get_or_insert((stop, now));
            }
            self.snd.nxt = stop;
            self.snd.fin_sent |= fin;
        }
        if self.recovery.phase() != RecoveryPhase::Open || self.recovery.is_reducing_for_ecn() {
            self.note_sent_in_recovery(&segment, octets, again);
        }
        self.emit(segment, why, out);
        self.note_departure(seq, octets, again, now);
        if data > 0 && self.rcv.adaptive.is_some() {
            self.note_data_sent(now);
        }
        octets
    }

    #[inline(never)]
    fn note_resent(&mut self, seq: SeqNum) {
        if self.snd.timed.is_some_and(|(timed, _)| seq.before(timed)) {
            self.snd.timed = None; // Karn: its acknowledgement would be ambiguous
        }
        if self.rare.is_some() {
            self.note_resent_octets(seq);
            self.drop_mtu_probe();
        }
    }

    /// Logs a segment of new text that ends at `stop`.
    #[inline(never)]
    fn log_departure(&mut self, segment: &Segment, stop: SeqNum, now: SimTime) {
        let rack = self.params.rack && self.rcv.sack_ok;
        self.recovery
            .keep_log(self.snd.nxt, rack, now, || self.rtt.srtt());
        self.recovery.on_sent(stop, now);
        let ends = self.ends_record(segment.tag.offset + u64::from(segment.len));
        if let Some(log) = self.recovery.log_mut() {
            if segment.flags.is_psh() {
                log.push_last();
            }
            if ends {
                log.end_last();
            }
        }
    }

    #[inline(never)]
    fn note_sent_in_recovery(&mut self, segment: &Segment, octets: u32, again: bool) {
        let timestamp = segment.options.timestamps().map(|(val, _)| val);
        self.recovery.note_sent(octets, again.then_some(timestamp));
    }

    /// The most text beside these options: what they have beyond those of every segment shares the peer's MSS
    /// with it (RFC 9293 section 3.7.1).
    #[inline(never)]
    fn mss_beside(&self, options: &Options) -> u32 {
        let usual = if self.rcv.ts_ok { 12 } else { 0 };
        let further = (options.padded_len() as u32).saturating_sub(usual);
        self.snd.mss.saturating_sub(further)
    }
}
