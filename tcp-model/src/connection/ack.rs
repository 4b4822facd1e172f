//! SEGMENT ARRIVES, fifth: the ACK field (RFC 9293 section 3.10.7.4), with RFC 5681, 6582, 6675,
//! 6298 and 5961.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::measure::BeforeAck;
use crate::congestion::CongestionControl;
use crate::model::{ConnectionEnd, Outputs};
use crate::recovery::RecoveryPhase;
use crate::resend_rule::RetransmitReason;
use crate::segment::Segment;
use crate::state::State;
use crate::state_machine::StateMachine as _;

impl Connection {
    /// Returns true when the segment is to be processed further.
    pub(super) fn on_ack(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> bool {
        if self.state == State::SynReceived {
            return self.on_first_ack(seg, now, out);
        }
        if self.state == State::FinWait1
            && self.is_closed_early()
            && let Some(goes_on) = self.on_first_ack_after_close(seg, now, out)
        {
            return goes_on;
        }
        // RFC 5961 section 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT.
        // On Linux, at most the octets acknowledged so far count below SND.UNA.
        let back = match self.params.linux_input {
            true => u64::from(self.snd.max_wnd).min(self.snd.acked) as u32,
            false => self.snd.max_wnd,
        };
        if seg.ack.after(self.snd.nxt) || seg.ack.before(self.snd.una - back) {
            self.challenge(now, out);
            return false;
        }
        let window = u32::from(seg.window) << self.snd.shift;
        let was_closed = self.snd.wnd == 0;
        let una = self.snd.una;
        let marked = match self.rare {
            Some(_) => self.flight_when_marked(seg),
            None => None,
        };
        if seg.ack.after(self.snd.una) {
            self.take_window(seg, window);
            self.on_new_ack(seg, now, out);
        } else if self.says_nothing_new(seg) {
            if seg.ack == self.snd.una {
                self.take_window(seg, window);
            }
        } else {
            self.on_old_ack(seg, window, now, out);
        }
        let persists = self.timers.persist != SimTime::MAX;
        if persists {
            self.timers.retries = 0; // MUST-37: the probe was answered
        } else if was_closed || self.snd.wnd == 0 {
            // SHLD-17: retransmissions of octets beyond a window that shrank to zero are probes; if
            // answered, they do not count towards giving up.
            self.timers.retries = self.timers.retries.min(1);
            self.timers.first_sent = now;
        }
        if let Some(flight) = marked {
            self.on_ecn_echo(flight, self.snd.una.offset_from(una), now);
        }
        if persists {
            self.on_window(now);
        }
        self.state != State::Closed
    }

    /// "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state", else a reset.
    #[inline(never)]
    fn on_first_ack(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> bool {
        if !(seg.ack.after(self.snd.una) && seg.ack.at_or_before(self.snd.nxt)) {
            self.refuse(seg, out);
            return false;
        }
        if self.params.defer_accept.is_some() && self.defers(seg) {
            return false;
        }
        self.note_last_ack(seg);
        self.establish(seg, now, out);
        true
    }

    /// The same after a CLOSE in SYN-RECEIVED; `None` if the ACK is to be processed as any other.
    #[cold]
    fn on_first_ack_after_close(
        &mut self,
        seg: &Segment,
        now: SimTime,
        out: &mut Outputs,
    ) -> Option<bool> {
        if !(seg.ack.after(self.snd.una) && seg.ack.at_or_before(self.snd.nxt)) {
            self.refuse(seg, out);
            return Some(false);
        }
        self.complete_closed(seg, now);
        (seg.ack == self.snd.una).then_some(true)
    }

    /// True for an ACK that acknowledges no new data and does not matter to recovery: it carries
    /// text, or nothing is outstanding.
    #[inline]
    fn says_nothing_new(&self, seg: &Segment) -> bool {
        let is_no_duplicate = seg.len > 0 || self.snd.flight() == 0;
        is_no_duplicate && self.recovery.is_untouched() && !self.may_bring_sack(seg)
    }

    /// Handles an ACK that acknowledges nothing new: possibly a duplicate, possibly with SACK information.
    #[inline(never)]
    fn on_old_ack(&mut self, seg: &Segment, window: u32, now: SimTime, out: &mut Outputs) {
        let same_window = window == self.snd.wnd;
        let before = self.before_ack();
        let (sacked, rtt) = self.take_sack(seg, true, now);
        let duplicate = seg.ack == self.snd.una
            && self.snd.flight() > 0
            && !self.snd.probing
            && (sacked > 0 || (seg.seq_len() == 0 && same_window && !self.rcv.sack_ok));
        if seg.ack == self.snd.una {
            self.take_window(seg, window);
        }
        let late = self.cc.governs_recovery();
        if duplicate {
            self.on_duplicate_ack(now, out, |tcp| {
                if !late {
                    tcp.tell_control(seg, 0, rtt, &before, now);
                }
            });
        }
        if self.recovery.episode().is_some() {
            let phase = self.recovery.phase();
            let undone = self.judge_timeout(0, sacked > 0 || duplicate, now)
                || self.judge_reduction(seg, phase, false, now);
            if undone {
                self.restart_rto(now);
            }
        }
        if sacked > 0 {
            self.restart_rto_for_sack(rtt, now);
        }
        self.judge_probe(seg, false, sacked > 0, now);
        self.look_for_losses(now, out);
        if late && duplicate {
            let phase = self.recovery.phase();
            self.tell_control(seg, 0, rtt, &before.in_phase(phase), now);
        }
        self.reduce_in_proportion(0, &before);
    }

    /// The data in flight before this ACK, when congestion was encountered; `None` if the ACK
    /// reports no congestion marks.
    #[inline(never)]
    fn flight_when_marked(&mut self, seg: &Segment) -> Option<u64> {
        if let Some(rare) = &mut self.rare {
            rare.soft_error = None; // the path works
        }
        self.reports_marks(seg).then(|| self.flight_size())
    }

    /// Whether the ACK reports congestion marks.
    fn reports_marks(&mut self, seg: &Segment) -> bool {
        if self.accurate().is_none() {
            return seg.flags.is_ece() && self.speaks_ecn();
        }
        if seg.len == 0 {
            self.count_mark(seg);
        }
        let octets = seg.ack.offset_from(self.snd.una);
        // A duplicate stands for one segment.
        let octets = match seg.ack.after(self.snd.una) {
            true => octets.saturating_sub(self.recovery.arrived(&self.outstanding())),
            false => self.snd.mss,
        };
        self.take_feedback(seg, octets.max(1).into())
    }

    /// "If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set SND.WND."
    fn take_window(&mut self, seg: &Segment, window: u32) {
        let snd = &mut self.snd;
        let same = snd.wl1 == seg.seq;
        let counts = match self.params.linux_input {
            // Deviation: among segments with equal numbers, a larger window or a zero window
            // counts.
            true => snd.una.before(seg.ack) || (same && (window > snd.wnd || window == 0)),
            false => same && snd.wl2.at_or_before(seg.ack),
        };
        if snd.wl1.before(seg.seq) || counts {
            snd.wnd = window;
            snd.max_wnd = snd.max_wnd.max(window);
            (snd.wl1, snd.wl2) = (seg.seq, seg.ack);
        }
    }

    /// An opened window ends probing; an octet sent as a probe then counts as ordinary data, lost unless
    /// acknowledged.
    fn on_window(&mut self, now: SimTime) {
        if self.snd.wnd > 0 && self.timers.persist != SimTime::MAX {
            self.stop_probing();
            if std::mem::take(&mut self.snd.probing) && self.snd.flight() > 0 {
                self.enter_loss(RetransmitReason::WindowProbe, now);
            }
        } else if self.timers.persist != SimTime::MAX && self.params.probes_from_answer {
            self.rearm_persist(now);
        }
    }

    /// Processes SACK blocks. `sample`: take an RTT sample from SACKed data, since nothing is acknowledged.
    #[inline]
    fn take_sack(
        &mut self,
        seg: &Segment,
        sample: bool,
        now: SimTime,
    ) -> (u32, Option<SimDuration>) {
        if !self.may_bring_sack(seg) {
            return (0, None);
        }
        self.take_sack_blocks(seg, sample, now)
    }

    #[inline]
    fn may_bring_sack(&self, seg: &Segment) -> bool {
        self.rcv.sack_ok && !seg.options.is_usual()
    }

    #[inline(never)]
    fn take_sack_blocks(
        &mut self,
        seg: &Segment,
        sample: bool,
        now: SimTime,
    ) -> (u32, Option<SimDuration>) {
        let outstanding = self.outstanding();
        self.note_echo(seg, true, now);
        let (new, first_sent) = self
            .recovery
            .on_sack(seg.options.sack_blocks(), &outstanding, now);
        if self.params.linux_cwnd
            && !sample
            && let Some(log) = self.recovery.log_mut()
        {
            log.end_sack();
        }
        let watched = self.recovery.uses_rack() || self.recovery.episode().is_some();
        if watched && self.reports_duplicate(seg) {
            self.note_duplicate_report(seg);
            if let Some(log) = self.recovery.log_mut() {
                log.on_duplicate_report(&outstanding);
            }
        }
        let rtt = first_sent.filter(|_| sample).map(|sent| now.since(sent));
        if let Some(rtt) = rtt {
            self.sample_rtt(rtt);
        }
        (new, rtt)
    }

    fn on_new_ack(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) {
        let before = self.before_ack();
        let octets = seg.ack.offset_from(self.snd.una);
        let fin_acked = self.snd.fin_sent && seg.ack == self.snd.nxt;
        let bytes = u64::from(octets - u32::from(fin_acked));
        self.snd.acked += bytes;
        self.snd.una = seg.ack;
        self.counts.bytes_acked = self.snd.acked;
        if self.params.mtu_probing > 0 {
            self.judge_mtu_probe();
        }
        if self.recovery.is_untouched() && !self.may_bring_sack(seg) {
            let rtt = self.take_rtt(seg, now);
            self.tell_control(seg, bytes, rtt, &before, now);
            self.end_probe();
            self.restart_rto(now);
        } else {
            self.recover(seg, (octets, bytes), &before, now, out);
        }
        self.signal_room(out);
        if fin_acked {
            self.on_fin_acked(now, out);
        }
    }

    /// Everything outstanding, possibly including a window probe, is acknowledged.
    #[inline]
    fn end_probe(&mut self) {
        if self.snd.flight() == 0 {
            self.snd.probing = false;
        }
    }

    /// Processes an ACK of `octets` of sequence space with `bytes` of payload: during or after a
    /// loss, with SACK information, or if a log is kept.
    #[inline(never)]
    fn recover(
        &mut self,
        seg: &Segment,
        (octets, bytes): (u32, u64),
        before: &BeforeAck,
        now: SimTime,
        out: &mut Outputs,
    ) {
        let mut counted = bytes;
        self.note_echo(seg, false, now);
        let rtt = match self.recovery.on_delivered(seg.ack, now) {
            Some(delivered) => {
                if self.params.linux_cwnd && bytes > 0 {
                    // Every segment counts as a full one, however small.
                    let full = u64::from(delivered.segments) * u64::from(self.snd.mss);
                    counted = bytes.max(full);
                }
                self.take_logged_rtt(&delivered, seg, now)
            }
            None => self.take_rtt(seg, now),
        };
        let phase = self.recovery.phase();
        let outstanding = self.outstanding();
        self.take_sack(seg, false, now);
        let lost = self.lost_so_far();
        let (sack, beyond) = (self.rcv.sack_ok, self.params.linux_cwnd);
        let over = self.recovery.on_ack(octets, sack, beyond, &outstanding);
        self.count_lost(lost);
        // Linux first checks whether the next recovery starts at once; otherwise the ACK that ends a
        // recovery already opens the window. A control that governs recovery always hears of an ACK when
        // the losses it shows are known.
        let ends_late = over && self.params.linux_cwnd && phase == RecoveryPhase::Fast;
        let late = ends_late || self.cc.governs_recovery();
        if !late {
            self.tell_control(seg, counted, rtt, before, now);
        }
        let undone = self.recovery.episode().is_some()
            && (self.judge_timeout(octets, false, now)
                || self.judge_reduction(seg, phase, true, now));
        let ended = over && !undone;
        if ended && !late {
            self.leave_recovery(phase, now);
        } else if !ended
            && phase == RecoveryPhase::Fast
            && !self.rcv.sack_ok
            && !self.recovery.is_held(seg.ack)
        {
            // RFC 6582 section 3.2 step 3: "retransmit the first unacknowledged segment",
            // regardless of the window.
            self.retransmit_holes(Some(RetransmitReason::PartialAck), now, out);
        }
        self.end_probe();
        let reneged = self.recovery.has_reneged();
        if reneged {
            self.wait_for_reneged(now);
        } else {
            self.restart_rto(now);
            self.judge_probe(seg, true, false, now);
            self.look_for_losses(now, out);
        }
        if late {
            let next = self.recovery.phase();
            if ended && next == RecoveryPhase::Open {
                self.leave_recovery(phase, now);
            }
            self.tell_control(seg, counted, rtt, &before.in_phase(next), now);
        }
        if !reneged {
            self.reduce_in_proportion(bytes, before);
        }
    }

    fn on_fin_acked(&mut self, now: SimTime, out: &mut Outputs) {
        match self.state {
            State::FinWait1 => {
                self.enter(State::FinWait2, out);
                self.touch_keepalive(now);
                self.start_fin_timeout(now);
            }
            State::Closing => self.enter_time_wait(now, out),
            State::LastAck => self.end(ConnectionEnd::Closed, out),
            _ => {}
        }
    }
}
