//! RFC 9293 section 3.10.7 with RFC 5961 and RFC 7323, written a second time: numbers are distances
//! from RCV.NXT and SND.UNA, and each rule returns a complete verdict.
//!
//! Where synfin departs from the text, the rule says so: "Deviation".

use tcp_model::model::ConnectionEnd;
use tcp_model::{Segment, SeqNum, State};

use super::opening::{closed, listen, syn_sent};
use super::places::{Facts, TS_RECENT};

/// The segment to be sent as the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`.
    Ack,
    /// `<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>`.
    SynAck,
    /// `<SEQ=...><CTL=RST>`.
    Reset(SeqNum),
    /// `<SEQ=...><ACK=...><CTL=RST,ACK>`.
    ResetAck(SeqNum, SeqNum),
}

/// What must happen to the segment and the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OracleVerdict {
    pub(super) state: State,
    pub(super) reply: Option<Reply>,
    pub(super) end: Option<ConnectionEnd>,
    /// Octets newly delivered.
    pub(super) delivered: u32,
    pub(super) una: SeqNum,
    pub(super) snd_wnd: u32,
    pub(super) rcv_nxt: SeqNum,
    /// Urgent data are announced.
    pub(super) urgent: bool,
    /// The 2 MSL timer restarts.
    pub(super) restart: bool,
    /// The timestamp echoed from now on.
    pub(super) ts_recent: u32,
}

/// How far `a` lies after `b`; negative when before.
pub(super) fn after(a: SeqNum, b: SeqNum) -> i64 {
    i64::from(a.0.wrapping_sub(b.0) as i32)
}

/// The peer's window. "The window field in a segment where the SYN bit is set MUST NOT be scaled"
/// (RFC 7323 section 2.2).
fn window(f: &Facts, s: &Segment) -> u32 {
    let shift = if s.flags.is_syn() { 0 } else { f.shift };
    u32::from(s.window) << shift
}

/// Nothing happens.
pub(super) fn nothing(f: &Facts) -> OracleVerdict {
    OracleVerdict {
        state: f.state,
        reply: None,
        end: None,
        delivered: 0,
        una: f.una,
        snd_wnd: f.snd_wnd,
        rcv_nxt: f.rcv_nxt,
        urgent: false,
        restart: false,
        ts_recent: TS_RECENT,
    }
}

pub(super) fn answered(reply: Reply, v: OracleVerdict) -> OracleVerdict {
    OracleVerdict {
        reply: Some(reply),
        ..v
    }
}

pub(super) fn over(end: Option<ConnectionEnd>, v: OracleVerdict) -> OracleVerdict {
    OracleVerdict {
        state: State::Closed,
        end,
        ..v
    }
}

pub(super) fn verdict(f: &Facts, s: &Segment) -> OracleVerdict {
    match f.state {
        State::Closed => closed(f, s),
        State::Listen => listen(f, s),
        State::SynSent => syn_sent(f, s),
        State::TimeWait => time_wait(f, s),
        _ => otherwise(f, s),
    }
}

pub(super) fn ts_val(s: &Segment) -> Option<u32> {
    s.options.timestamps().map(|(val, _)| val)
}

/// The position of a segment relative to the window.
#[derive(PartialEq, Eq)]
enum Place {
    Acceptable,
    /// A closed window and a segment at RCV.NXT: "special allowance should be made to accept valid
    /// ACKs, URGs, and RSTs".
    ControlOnly,
    Not,
}

/// First: the table of four cases, by the distance from RCV.NXT.
fn place(f: &Facts, s: &Segment) -> Place {
    let (first, wnd) = (after(s.seq, f.rcv_nxt), i64::from(f.rcv_wnd));
    let last = first + i64::from(s.seq_len()) - 1;
    let inside = |octet: i64| 0 <= octet && octet < wnd;
    let acceptable = match (s.seq_len(), f.rcv_wnd) {
        (0, 0) => first == 0,
        // Deviation: also at the right edge itself, while there may be something to acknowledge.
        (0, _) => inside(first) || (first == wnd && f.state != State::TimeWait),
        (_, 0) => false,
        _ => inside(first) || inside(last),
    };
    if acceptable {
        Place::Acceptable
    } else if wnd == 0 && first == 0 {
        Place::ControlOnly
    } else {
        Place::Not
    }
}

/// 3.10.7.4, SYN-RECEIVED to LAST-ACK.
fn otherwise(f: &Facts, s: &Segment) -> OracleVerdict {
    let mut v = nothing(f);
    if f.state == State::SynReceived
        && s.flags.is_syn()
        && !s.flags.is_rst()
        && after(s.seq, f.rcv_nxt) == -1
    {
        return syn_again(f, s);
    }
    // RFC 7323 section 5.3 R1, section 3.2.
    if f.setting.timestamps && !s.flags.is_rst() {
        match ts_val(s) {
            None if f.setting.strict => return v,
            Some(val) if val < TS_RECENT => return answered(Reply::Ack, v),
            _ => {}
        }
    }
    let place = place(f, s);
    if place == Place::Not {
        return if s.flags.is_rst() {
            v
        } else {
            answered(Reply::Ack, v)
        };
    }
    // RFC 7323 section 4.3: SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent.
    if let (true, Some(val)) = (f.setting.timestamps, ts_val(s))
        && val > TS_RECENT
        && after(s.seq, f.rcv_nxt) <= 0
    {
        v.ts_recent = val;
    }
    if s.flags.is_rst() {
        return reset(f, s, v);
    }
    if s.flags.is_syn() {
        return match f.state {
            // "If the connection was initiated with a passive OPEN, then return this connection to
            // the LISTEN state": the listener is another object here.
            State::SynReceived if f.passive => over(Some(ConnectionEnd::Reset), v),
            _ => answered(Reply::Ack, v),
        };
    }
    if !s.flags.is_ack() {
        // With a closed window, the special allowance does not apply.
        return match place {
            Place::ControlOnly => answered(Reply::Ack, v),
            _ => v,
        };
    }
    let v = match acknowledgment(f, s, v) {
        Ok(v) => v,
        Err(v) => return v,
    };
    if place == Place::ControlOnly {
        let urgent = is_urgent(f, s, v.state);
        let v = OracleVerdict { urgent, ..v };
        return if s.seq_len() > 0 && v.state != State::Closed {
            answered(Reply::Ack, v)
        } else {
            v
        };
    }
    let skip = after(s.seq, f.rcv_nxt);
    urgent_text_fin(f, s, skip, s.len, v)
}

/// Deviation: a SYN seen before is not an unacceptable segment. Alone, it means that our SYN-ACK
/// was lost; with an ACK, it is the peer's half of a simultaneous open (section 3.5, figure 7),
/// whose SYN-ACK the sequence check would otherwise reject.
fn syn_again(f: &Facts, s: &Segment) -> OracleVerdict {
    if !s.flags.is_ack() {
        return answered(Reply::SynAck, nothing(f));
    }
    match acknowledgment(f, s, nothing(f)) {
        Ok(v) => urgent_text_fin(f, s, 0, s.len, v),
        Err(v) => v,
    }
}

/// Second: RFC 5961 section 3.2.
fn reset(f: &Facts, s: &Segment, v: OracleVerdict) -> OracleVerdict {
    let first = after(s.seq, f.rcv_nxt);
    if first == 0 {
        let end = match f.state {
            State::SynReceived if !f.passive => ConnectionEnd::Refused,
            State::Closing | State::LastAck => ConnectionEnd::Closed,
            _ => ConnectionEnd::Reset,
        };
        over(Some(end), v)
    } else if first > 0 && first < i64::from(f.rcv_wnd) {
        answered(Reply::Ack, v)
    } else {
        v
    }
}

/// Fifth. `Err`: the segment is not processed further.
fn acknowledgment(
    f: &Facts,
    s: &Segment,
    v: OracleVerdict,
) -> Result<OracleVerdict, OracleVerdict> {
    let new = after(s.ack, f.una);
    let in_flight = after(f.nxt, f.una);
    if f.state == State::SynReceived {
        if new <= 0 || new > in_flight {
            return Err(answered(Reply::Reset(s.ack), v));
        }
        return Ok(OracleVerdict {
            state: State::Established,
            una: s.ack,
            snd_wnd: window(f, s),
            ..v
        });
    }
    // RFC 5961 section 5.2
    if new > in_flight || new < -i64::from(f.max_snd_wnd) {
        return Err(answered(Reply::Ack, v));
    }
    let mut v = v;
    if new >= 0 {
        let newer = after(s.seq, f.wl1) > 0;
        let same = s.seq == f.wl1 && after(s.ack, f.wl2) >= 0;
        if newer || same {
            v.snd_wnd = window(f, s);
        }
    }
    if new > 0 {
        v.una = s.ack;
    }
    let fin_acked = f.fin_sent && new == in_flight && new > 0;
    Ok(match f.state {
        State::FinWait1 if fin_acked => OracleVerdict {
            state: State::FinWait2,
            ..v
        },
        State::Closing if fin_acked => OracleVerdict {
            state: State::TimeWait,
            end: Some(ConnectionEnd::Closed),
            restart: true,
            ..v
        },
        State::LastAck if fin_acked => over(Some(ConnectionEnd::Closed), v),
        _ => v,
    })
}

fn receives(state: State) -> bool {
    matches!(
        state,
        State::Established | State::FinWait1 | State::FinWait2
    )
}

/// Sixth: urgent octets beyond what the user has taken.
fn is_urgent(f: &Facts, s: &Segment, state: State) -> bool {
    let pointer = after(s.seq, f.rcv_nxt) + i64::from(s.flags.is_syn()) + i64::from(s.urgent);
    s.flags.is_urg() && receives(state) && pointer > -i64::from(f.unread)
}

/// Sixth to eighth, for `len` octets of text that begin `first` octets after RCV.NXT.
pub(super) fn urgent_text_fin(
    f: &Facts,
    s: &Segment,
    first: i64,
    len: u32,
    v: OracleVerdict,
) -> OracleVerdict {
    let urgent = is_urgent(f, s, v.state);
    let v = OracleVerdict { urgent, ..v };
    let wnd = i64::from(f.rcv_wnd);
    let end = first + i64::from(len);
    // "This should not occur, since a FIN has been received from the remote side. Ignore."
    if !receives(v.state) || (len == 0 && !s.flags.is_fin()) {
        return v;
    }
    let new = end.min(wnd) - first.max(0);
    if new > 0 && f.nobody_reads {
        // Section 3.6.1: "a TCP implementation should send a RST to show that data was lost".
        let seq = next_seq(f, &v);
        let reset = Reply::ResetAck(seq, f.rcv_nxt);
        return answered(reset, over(Some(ConnectionEnd::Aborted), v));
    }
    if first > 0 {
        return answered(Reply::Ack, v); // held; a duplicate ACK says so
    }
    // A FIN counts if all the text before it does. Deviation: also just beyond the right edge.
    let fin = s.flags.is_fin() && end <= wnd;
    let taken = new.max(0) as u32;
    let v = OracleVerdict {
        delivered: taken,
        rcv_nxt: f.rcv_nxt + taken + u32::from(fin),
        ..answered(Reply::Ack, v)
    };
    if !fin {
        return v;
    }
    match v.state {
        State::Established => OracleVerdict {
            state: State::CloseWait,
            ..v
        },
        State::FinWait1 => OracleVerdict {
            state: State::Closing,
            ..v
        },
        _ => OracleVerdict {
            state: State::TimeWait,
            end: Some(ConnectionEnd::Closed),
            restart: true,
            ..v
        },
    }
}

/// The sequence number of a segment without text. Deviation: SND.NXT only up to the right edge of
/// the peer's window; the peer would reject a segment beyond it.
pub(super) fn next_seq(f: &Facts, v: &OracleVerdict) -> SeqNum {
    let room = i64::from(v.snd_wnd).min(after(f.nxt, v.una));
    v.una + room as u32
}

/// TIME-WAIT: section 3.10.7.4 and MAY-2 of section 3.6.1, RFC 6191 if timestamps are in use.
fn time_wait(f: &Facts, s: &Segment) -> OracleVerdict {
    let v = nothing(f);
    let first = after(s.seq, f.rcv_nxt);
    let ts = ts_val(s).filter(|_| f.setting.timestamps);
    if s.flags.is_syn() && !s.flags.is_ack() && !s.flags.is_rst() {
        // "its initial sequence number ... is larger than the largest sequence number it used on
        // the previous connection incarnation", that of its FIN; a newer timestamp also shows it.
        let opens = match ts {
            Some(val) if val > TS_RECENT => true,
            Some(val) if val < TS_RECENT => false,
            _ => first >= 0,
        };
        return if opens && f.setting.accept_syn {
            over(None, v)
        } else {
            answered(Reply::Ack, v)
        };
    }
    let place = place(f, s);
    if s.flags.is_rst() {
        return match place {
            _ if f.setting.rfc1337 => v,
            Place::Not => v,
            _ => OracleVerdict {
                end: None,
                ..reset(f, s, v)
            },
        };
    }
    if ts.is_some_and(|val| val < TS_RECENT) {
        return answered(Reply::Ack, v);
    }
    // "The only thing that can arrive in this state is a retransmission of the remote FIN.
    // Acknowledge it, and restart the 2 MSL timeout."
    let last_is_fin = s.flags.is_fin() && first + i64::from(s.seq_len()) == 0;
    if last_is_fin && s.flags.is_ack() {
        return OracleVerdict {
            restart: true,
            ..answered(Reply::Ack, v)
        };
    }
    if place != Place::Acceptable {
        return answered(Reply::Ack, v);
    }
    if !s.flags.is_ack() {
        return v;
    }
    // A SYN is challenged; other octets are unacceptable.
    if s.seq_len() > 0 {
        return answered(Reply::Ack, v);
    }
    v
}
