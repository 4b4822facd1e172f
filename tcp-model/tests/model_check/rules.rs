//! What must hold at every step, between the two sides, and at the end.

use tcp_model::model::{ConnectionEnd, Input, Outputs, Signal, TcpView};
use tcp_model::{Segment, State};

use super::case::CheckedCase;
use super::world::{Checked, CheckedSide};

/// The most segments that one input may cause.
const MOST_SEGMENTS: usize = 4;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// The transitions of RFC 9293 figure 5, and those that its text adds: to CLOSED by reset, abort or giving up
/// (sections 3.10.4, 3.10.5, 3.10.7.4, 3.10.8), and from FIN-WAIT-1 to TIME-WAIT by a FIN that also
/// acknowledges our FIN.
fn is_arc(from: State, to: State, input: &Input<'_>, app_closed: bool) -> bool {
    use State::*;
    let segment = match input {
        Input::Segment(segment) => Some(*segment),
        _ => None,
    };
    let call = matches!(input, Input::Shutdown | Input::Close);
    match (from, to) {
        (Closed, SynSent) => matches!(input, Input::Connect),
        (Listen, SynReceived) => segment.is_some_and(|s| s.flags.is_syn()),
        (SynSent, SynReceived | Established) => segment.is_some_and(|s| s.flags.is_syn()),
        (SynReceived, Established) => segment.is_some_and(|s| s.flags.is_ack()),
        (SynReceived, FinWait1) => call,
        // A close in SYN-RECEIVED with data to send waits until ESTABLISHED (3.10.4).
        (Established, FinWait1) => call || segment.is_some(),
        (CloseWait, LastAck) => call,
        (Established, CloseWait)
        | (FinWait1, FinWait2 | Closing | TimeWait)
        | (FinWait2 | Closing, TimeWait) => segment.is_some(),
        (LastAck, Closed) if segment.is_some() => true,
        (_, Closed) => match input {
            Input::Timeout | Input::Abort => true,
            Input::Close => true, // unread data, or nothing sent yet
            Input::Shutdown => matches!(from, Listen | SynSent),
            Input::Segment(s) => {
                let back_to_listen = from == SynReceived && s.flags.is_syn();
                let lost_to_close = app_closed && s.len > 0;
                let next = from == TimeWait && s.flags.is_syn();
                s.flags.is_rst() || back_to_listen || lost_to_close || next
            }
            _ => false,
        },
        _ => false,
    }
}

/// Checks one step of one side; `side` is what the application knows before the signals of the step.
pub(super) fn step<M: Checked>(
    side: &CheckedSide<M>,
    peer: &CheckedSide<M>,
    before: &TcpView,
    after: &TcpView,
    input: &Input<'_>,
    out: &Outputs,
) -> Result<(), String> {
    states(side, after, input, out)?;
    let set_up = |v: &TcpView| !matches!(v.state, State::Closed | State::Listen | State::SynSent);
    ensure(after.snd_una.at_or_before(after.snd_nxt), || {
        format!(
            "SND.UNA {} is beyond SND.NXT {}",
            after.snd_una, after.snd_nxt
        )
    })?;
    ensure(before.snd_una.at_or_before(after.snd_una), || {
        "SND.UNA ran backwards".into()
    })?;
    ensure(before.snd_nxt.at_or_before(after.snd_nxt), || {
        "SND.NXT ran backwards".into()
    })?;
    ensure(
        !set_up(before) || before.rcv_nxt.at_or_before(after.rcv_nxt),
        || "RCV.NXT ran backwards".into(),
    )?;
    let edge = |v: &TcpView| v.rcv_nxt + v.rcv_wnd;
    ensure(
        !set_up(before) || edge(before).at_or_before(edge(after)),
        || "the right edge of the window moved left".into(),
    )?;
    ensure(
        after.state != State::Closed || side.tcp.next_timeout().is_none(),
        || "a timer runs in CLOSED".into(),
    )?;
    ensure(out.segments.len() <= MOST_SEGMENTS, || {
        format!("{} segments at once", out.segments.len())
    })?;
    for transmit in &out.segments {
        sent(side, peer, after, &transmit.segment)?;
    }
    Ok(())
}

fn states<M: Checked>(
    side: &CheckedSide<M>,
    after: &TcpView,
    input: &Input<'_>,
    out: &Outputs,
) -> Result<(), String> {
    let mut state = side.state;
    let mut ended = side.end.is_some();
    for signal in &out.signals {
        match *signal {
            Signal::State { from, to } => {
                ensure(from == state, || {
                    format!("said to come from {from}, was in {state}")
                })?;
                ensure(is_arc(from, to, input, side.closed), || {
                    format!("no arc from {from} to {to} by {input:?}")
                })?;
                state = to;
            }
            Signal::Ended(_) => {
                ensure(!ended, || "ended twice".into())?;
                ended = true;
            }
            _ => {}
        }
    }
    let listens = matches!(input, Input::Listen) && after.state == State::Listen;
    ensure(state == after.state || listens, || {
        format!("is in {} and said {state}", after.state)
    })?;
    let over = matches!(after.state, State::Closed | State::TimeWait);
    ensure(ended == over || !side.opened, || {
        format!("in {} and ended: {ended}", after.state)
    })
}

/// A segment that is sent: its place in the stream, and the peer's window.
fn sent<M: Checked>(
    side: &CheckedSide<M>,
    peer: &CheckedSide<M>,
    after: &TcpView,
    segment: &Segment,
) -> Result<(), String> {
    let flags = segment.flags;
    if flags.is_rst() {
        return Ok(());
    }
    if flags.is_syn() {
        return ensure(segment.seq == side.iss && segment.len == 0, || {
            "a SYN elsewhere than at ISS".into()
        });
    }
    ensure(flags.is_ack(), || {
        "no ACK after the SYN (section 3.1)".into()
    })?;
    ensure(segment.ack.at_or_before(after.rcv_nxt), || {
        format!("acknowledges {}, has {}", segment.ack, after.rcv_nxt)
    })?;
    let first = side.iss + 1;
    if segment.len > 0 {
        let place = u64::from(segment.seq.offset_from(first));
        ensure(place == segment.tag.offset, || "octets out of place".into())?;
        ensure(place + u64::from(segment.len) <= side.wrote, || {
            "octets nobody wrote".into()
        })?;
    }
    if flags.is_fin() {
        let place = (segment.seq + segment.len).offset_from(first);
        ensure(u64::from(place) == side.wrote, || {
            "a FIN amid the stream".into()
        })?;
    }
    // MUST-34 and section 3.8.6: nothing beyond the advertised window, except one octet as a probe.
    let known = peer.state.is_synchronized() || peer.state == State::SynReceived;
    let edge = peer.view().rcv_nxt + peer.view().rcv_wnd;
    ensure(!known || segment.seq_end().at_or_before(edge + 1), || {
        format!(
            "up to {} with the window ending at {edge}",
            segment.seq_end()
        )
    })
}

fn is_dead(end: Option<ConnectionEnd>) -> bool {
    !matches!(end, None | Some(ConnectionEnd::Closed))
}

/// What must hold between the two sides.
pub(super) fn pair<M: Checked>(
    sides: &[CheckedSide<M>; 2],
    scenario: &CheckedCase,
) -> Result<(), String> {
    for i in 0..2 {
        let (me, peer) = (&sides[i], &sides[1 - i]);
        let (mine, theirs) = (me.view(), peer.view());
        if me.connected && peer.connected {
            ensure(mine.snd_una.at_or_before(theirs.rcv_nxt), || {
                format!("side {i} has acknowledged what was never received")
            })?;
            ensure(mine.rcv_nxt.at_or_before(theirs.snd_nxt), || {
                format!("side {i} has received what was never sent")
            })?;
        }
        let received = mine.counts.bytes_received;
        ensure(received <= u64::from(me.brought.trailing_ones()), || {
            format!(
                "side {i} delivers {received} octets, {:#b} came",
                me.brought
            )
        })?;
        ensure(me.read <= received && received <= peer.wrote, || {
            format!("side {i} read {} of {received} of {}", me.read, peer.wrote)
        })?;
        ensure(!me.peer_closed || received == peer.wrote, || {
            format!("side {i} was given the end of the stream with octets missing")
        })?;
        let in_order = me.end == Some(ConnectionEnd::Closed) && !is_dead(peer.end);
        ensure(
            !in_order || theirs.counts.bytes_received == me.wrote,
            || format!("side {i} ended in order and octets are lost"),
        )?;
        ensure(!scenario.orderly || !is_dead(me.end), || {
            format!("side {i} ended {:?}", me.end)
        })?;
    }
    Ok(())
}

/// What must hold when nothing more can happen.
pub(super) fn end<M: Checked>(
    sides: &[CheckedSide<M>; 2],
    scenario: &CheckedCase,
) -> Result<(), String> {
    for i in 0..2 {
        let (me, peer) = (&sides[i], &sides[1 - i]);
        let listens = me.state == State::Listen && !scenario.plans[i].active;
        // A half-open connection (section 3.5.1): the peer's reset was lost, and a side with nothing to send
        // cannot detect that.
        let silent = me.view().snd_una == me.view().snd_nxt && is_dead(peer.end);
        ensure(me.state == State::Closed || listens || silent, || {
            format!("side {i} is stuck in {}", me.state)
        })?;
        if scenario.orderly {
            ensure(
                me.end == Some(ConnectionEnd::Closed) && me.read == peer.wrote,
                || format!("side {i} ended {:?} and read {}", me.end, me.read),
            )?;
        }
    }
    Ok(())
}
