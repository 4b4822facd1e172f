//! The rules of CLOSED, LISTEN and SYN-SENT (RFC 9293 sections 3.10.7.1 to 3.10.7.3).

use tcp_model::model::ConnectionEnd;
use tcp_model::{Segment, SeqNum, State};

use super::oracle::{
    OracleVerdict, Reply, after, answered, nothing, over, ts_val, urgent_text_fin,
};
use super::places::Facts;

/// 3.10.7.1: the reply of a host without the connection.
pub(super) fn closed(f: &Facts, s: &Segment) -> OracleVerdict {
    let v = nothing(f);
    if s.flags.is_rst() {
        v
    } else if s.flags.is_ack() {
        answered(Reply::Reset(s.ack), v)
    } else {
        answered(Reply::ResetAck(SeqNum(0), s.seq + s.seq_len()), v)
    }
}

/// 3.10.7.2. Deviation: text and FIN that come with the SYN are not queued; as they are not
/// acknowledged, they are retransmitted.
pub(super) fn listen(f: &Facts, s: &Segment) -> OracleVerdict {
    let v = nothing(f);
    if s.flags.is_rst() {
        v
    } else if s.flags.is_ack() {
        answered(Reply::Reset(s.ack), v)
    } else if s.flags.is_syn() {
        answered(Reply::SynAck, synchronizing(f, s))
    } else {
        v
    }
}

/// SYN-RECEIVED, reached by this SYN.
fn synchronizing(f: &Facts, s: &Segment) -> OracleVerdict {
    OracleVerdict {
        state: State::SynReceived,
        una: f.iss,
        snd_wnd: u32::from(s.window),
        rcv_nxt: s.seq + 1,
        ts_recent: ts_val(s).unwrap_or(0),
        ..nothing(f)
    }
}

/// 3.10.7.3.
pub(super) fn syn_sent(f: &Facts, s: &Segment) -> OracleVerdict {
    let v = nothing(f);
    let acks_our_syn = s.flags.is_ack() && after(s.ack, f.iss) == 1;
    if s.flags.is_ack() && !acks_our_syn {
        return if s.flags.is_rst() {
            v
        } else {
            answered(Reply::Reset(s.ack), v)
        };
    }
    if s.flags.is_rst() {
        return if acks_our_syn {
            over(Some(ConnectionEnd::Refused), v)
        } else {
            v
        };
    }
    if !s.flags.is_syn() {
        return v;
    }
    let v = synchronizing(f, s);
    if !acks_our_syn {
        return answered(Reply::SynAck, v);
    }
    // "If there are other controls or text in the segment, then continue processing at the sixth
    // step": the octets after the SYN, with the window that our SYN offered.
    let f = Facts {
        state: State::Established,
        rcv_nxt: s.seq + 1,
        rcv_wnd: 1_000,
        una: s.ack,
        unread: 0,
        ..*f
    };
    let v = OracleVerdict {
        state: State::Established,
        una: s.ack,
        ..v
    };
    let v = urgent_text_fin(&f, s, 0, s.len, v);
    answered(Reply::Ack, v)
}
