//! Runs every combination of state and segment.

use std::collections::BTreeMap;

use tcp_model::model::{Input, Outputs, Signal, TcpModel};
use tcp_model::{Flags, Segment, State};

use super::oracle::{self, OracleVerdict, Reply};
use super::places::{self, Facts, PLAIN, Place, Setting, moment};
use super::segments;

/// What the end point did, in the oracle's terms, or why it cannot be expressed in them.
fn observe(place: &Place, seg: &Segment, wanted: &OracleVerdict) -> Result<OracleVerdict, String> {
    let f = &place.facts;
    let mut tcp = place.tcp.clone();
    let mut out = Outputs::default();
    tcp.step(Input::Segment(seg), moment(), &mut out);
    let (old, new) = (place.tcp.view(), tcp.view());
    let mut sent: Vec<Segment> = out.segments.iter().map(|t| t.segment).collect();
    if f.state == State::Closed {
        sent.extend(seg.refusal()); // the host's answer
    }
    if sent.len() > 1 {
        return Err(format!("{} segments in answer", sent.len()));
    }
    let mut end = None;
    let (mut urgent, mut readable) = (false, 0);
    for signal in &out.signals {
        match *signal {
            Signal::Ended(why) if end.is_none() => end = Some(why),
            Signal::Ended(_) => return Err("ended twice".into()),
            Signal::Urgent(_) => urgent = true,
            Signal::Readable(bytes) => readable = bytes,
            _ => {}
        }
    }
    let delivered = (new.counts.bytes_received - old.counts.bytes_received) as u32;
    if delivered > 0 && readable != u64::from(f.unread + delivered) {
        return Err(format!("{readable} octets reported as readable"));
    }
    let two_msl = Some(moment() + place.params.time_wait);
    let restart = new.state == State::TimeWait && tcp.next_timeout() == two_msl;
    Ok(OracleVerdict {
        state: new.state,
        reply: sent.first().map(|s| name(f, wanted, s)).transpose()?,
        end,
        delivered,
        una: new.snd_una,
        snd_wnd: new.snd_wnd,
        rcv_nxt: new.rcv_nxt,
        urgent,
        restart,
        ts_recent: wanted.ts_recent,
    })
}

/// Classifies a segment; every field that the RFC specifies is checked.
fn name(f: &Facts, v: &OracleVerdict, s: &Segment) -> Result<Reply, String> {
    if s.len != 0 || (s.src_port, s.dst_port) != (1, 2) {
        return Err(format!("odd answer {s:?}"));
    }
    let reset_ack = Flags::RST | Flags::ACK;
    let reply = match s.flags {
        Flags::ACK if s.seq == oracle::next_seq(f, v) && s.ack == v.rcv_nxt => Reply::Ack,
        Flags::SYN_ACK if s.seq == f.iss && s.ack == v.rcv_nxt => Reply::SynAck,
        Flags::RST => Reply::Reset(s.seq),
        flags if flags == reset_ack => Reply::ResetAck(s.seq, s.ack),
        _ => return Err(format!("answers {} seq {} ack {}", s.flags, s.seq, s.ack)),
    };
    // RFC 7323 section 3.2: the echo in every segment; in resets it is optional.
    if s.flags.is_rst() {
        return Ok(reply);
    }
    let agreed = f.setting.timestamps;
    let echo = s.options.timestamps().map(|(_, echo)| echo);
    // A SYN without the option ends the agreement before it has begun.
    let expected = (agreed && v.ts_recent != 0).then_some(v.ts_recent);
    if echo != expected {
        return Err(format!("echoes {echo:?}, not {expected:?}"));
    }
    Ok(reply)
}

/// Runs all combinations; returns their number by state, and the first mistakes.
fn meet(setting: Setting) -> (BTreeMap<State, usize>, Vec<String>) {
    let (mut met, mut wrong) = (BTreeMap::new(), Vec::new());
    for place in places::all(setting) {
        let known = wrong.len();
        segments::all(&place.facts, |seg| {
            *met.entry(place.facts.state).or_default() += 1;
            let wanted = oracle::verdict(&place.facts, seg);
            let got = observe(&place, seg, &wanted);
            if got.as_ref() != Ok(&wanted) && (wrong.len() - known) < 4 {
                let f = &place.facts;
                wrong.push(format!(
                    "{} meets {} seq RCV.NXT{:+} len {} ack SND.UNA{:+} win {} ts {:?}\n  \
                     wanted {wanted:?}\n  got    {got:?}",
                    place.name,
                    seg.flags,
                    seg.seq.0.wrapping_sub(f.rcv_nxt.0) as i32,
                    seg.len,
                    seg.ack.0.wrapping_sub(f.una.0) as i32,
                    seg.window,
                    seg.options.timestamps(),
                ));
            }
        });
    }
    (met, wrong)
}

fn expect(setting: Setting, least: usize) {
    let (met, wrong) = meet(setting);
    assert_eq!(met.len(), State::ALL.len(), "every state is met");
    let all: usize = met.values().sum();
    println!("{all} meetings, {setting:?}: {met:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all > least, "only {all} meetings");
}

#[test]
fn every_state_answers_every_class_of_segment_by_the_rules() {
    expect(PLAIN, 100_000);
}

#[test]
fn every_state_answers_every_class_of_segment_with_timestamps_by_the_rules() {
    let timestamps = Setting {
        timestamps: true,
        ..PLAIN
    };
    expect(timestamps, 400_000);
}

#[test]
fn every_state_answers_every_class_of_segment_with_other_choices_by_the_rules() {
    let others = Setting {
        timestamps: true,
        scaling: true,
        strict: false,
        rfc1337: true,
        accept_syn: false,
    };
    expect(others, 400_000);
}

#[test]
fn the_oracle_is_not_the_end_point() {
    // If either of them is wrong, they disagree: a change in any part of a verdict is detected.
    let place = &places::all(PLAIN)[5];
    assert_eq!(place.facts.state, State::Established);
    let seg = Segment {
        src_port: 2,
        dst_port: 1,
        seq: place.facts.rcv_nxt,
        ack: place.facts.nxt,
        flags: Flags::ACK,
        window: 2_000,
        len: 20,
        ..Segment::default()
    };
    let right = oracle::verdict(&place.facts, &seg);
    assert_eq!(observe(place, &seg, &right).as_ref(), Ok(&right));
    let wrong = [
        OracleVerdict {
            state: State::CloseWait,
            ..right.clone()
        },
        OracleVerdict {
            reply: None,
            ..right.clone()
        },
        OracleVerdict {
            delivered: 19,
            ..right.clone()
        },
        OracleVerdict {
            una: place.facts.una,
            ..right.clone()
        },
        OracleVerdict {
            snd_wnd: 2_001,
            ..right.clone()
        },
        OracleVerdict {
            rcv_nxt: place.facts.rcv_nxt,
            ..right.clone()
        },
        OracleVerdict {
            urgent: true,
            ..right.clone()
        },
        OracleVerdict {
            restart: true,
            ..right.clone()
        },
    ];
    for wrong in wrong {
        assert_ne!(observe(place, &seg, &wrong).as_ref(), Ok(&wrong));
    }
}
