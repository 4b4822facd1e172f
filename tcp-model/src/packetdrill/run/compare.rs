//! Segments the script expects: waiting for them, and every field compared.

use sim_core::SimTime;

use super::host::Sent;
use super::{Runner, Step, differs, render, seconds};
use crate::packetdrill::ast::{Ecn, IpMarks, OptionSpec, Packet};
use crate::segment::{self, Flags, Segment};
use crate::seq::SeqNum;

impl Runner<'_, '_> {
    /// Takes the next segment the model sends, in the span of time given or at any time, and
    /// compares it. A line with ports waits for a segment between these.
    pub(super) fn expect_packet(
        &mut self,
        packet: &Packet,
        span: Option<(SimTime, SimTime)>,
    ) -> Step<()> {
        let named = self.with_cookies(packet)?;
        let packet = named.as_ref().unwrap_or(packet);
        let base = self.base;
        let latest = span.map_or(SimTime::MAX, |(_, end)| end + self.tolerance(end, base));
        let at = loop {
            if let Some(at) = self.host.next_sent(packet.ports) {
                break at;
            }
            match self.next_wake() {
                Some(wake) if wake <= latest => self.wake(wake)?,
                _ => {
                    if span.is_some() {
                        self.host.now = self.host.now.max(latest);
                    }
                    return differs(
                        "no segment",
                        self.wanted(packet),
                        format!("nothing up to {}", seconds(self.host.now)),
                    );
                }
            }
        };
        let Some(first) = self.host.sent.remove(at) else {
            return Ok(());
        };
        if packet.flags.is_syn() && first.segment.flags.is_syn() {
            self.host.flows[first.flow].script_iss = packet.seq;
        }
        let segment = self.gather(packet, &first, at);
        self.compare(packet, &first, &segment)?;
        let Some((start, end)) = span else {
            return Ok(());
        };
        if first.at + self.tolerance(start, base) < start || first.at > latest {
            return differs(
                format!("time of {}", self.shown(&first, &segment)),
                if start == end {
                    seconds(start)
                } else {
                    format!("{} to {}", seconds(start), seconds(end))
                },
                seconds(first.at),
            );
        }
        Ok(())
    }

    /// Joins segments that follow each other up to the length the script has: it may write a burst
    /// as one.
    fn gather(&mut self, packet: &Packet, first: &Sent, at: usize) -> Segment {
        let mut whole = first.segment;
        let at_the_end = Flags::PSH | Flags::FIN;
        while !self.host.strict && whole.len > 0 && whole.len < packet.len {
            let Some(next) = self.host.sent.get(at) else {
                break;
            };
            let follows = next.flow == first.flow
                && next.at == first.at
                && next.segment.seq == whole.seq_end()
                && next.segment.len > 0
                && next.segment.ack == whole.ack
                && next.segment.ecn == whole.ecn
                && whole.len + next.segment.len <= packet.len
                && !whole.flags.is_syn()
                && next.segment.flags.without(at_the_end) == whole.flags.without(at_the_end);
            if !follows {
                break;
            }
            whole.len += next.segment.len;
            whole.flags |= next.segment.flags;
            self.host.sent.remove(at);
        }
        whole
    }

    fn compare(&mut self, packet: &Packet, sent: &Sent, segment: &Segment) -> Step<()> {
        let flow = &self.host.flows[sent.flow];
        let syn = segment.flags.is_syn();
        let seq = if sent.absolute {
            segment.seq
        } else {
            SeqNum(flow.to_script(segment.seq, syn))
        };
        let ports = (segment.src_port, segment.dst_port);
        let ack = segment.flags.is_ack();
        let ack = ack.then(|| flow.peer_to_script(segment.ack, syn));
        let wrong = [
            (packet.ports.is_some_and(|p| p != ports), "ports"),
            (packet.flags != segment.flags, "flags"),
            (seq.0 != packet.seq, "sequence number"),
            (packet.len != segment.len, "length"),
            (
                match ack {
                    Some(ack) => ack != packet.ack.unwrap_or(0),
                    None => packet.ack.is_some_and(|ack| ack != segment.ack.0),
                },
                "acknowledgement number",
            ),
            (packet.window.is_some_and(|w| w != segment.window), "window"),
            (
                packet.urgent.is_some_and(|u| u != segment.urgent),
                "urgent pointer",
            ),
            (!ip_fits(packet, sent, segment), "IP header"),
        ];
        let wrong: Vec<&str> = wrong.iter().filter(|w| w.0).map(|w| w.1).collect();
        if !wrong.is_empty() {
            return differs(
                wrong.join(", "),
                self.wanted(packet),
                self.shown(sent, segment),
            );
        }
        self.compare_options(packet, sent, segment)
    }

    fn compare_options(&mut self, packet: &Packet, sent: &Sent, segment: &Segment) -> Step<()> {
        let Some(wanted) = &packet.options else {
            return Ok(());
        };
        let actual = render::specs(segment, &self.host.flows[sent.flow]);
        let tick = self.ts_tick;
        let lax = self.tolerance.least;
        let stamps = &mut self.host.flows[sent.flow].stamps;
        let mut same = wanted.len() == actual.len();
        for (want, is) in wanted.iter().zip(&actual) {
            same &= match (want, is) {
                (
                    &OptionSpec::Timestamps { val, ecr },
                    &OptionSpec::Timestamps {
                        val: live,
                        ecr: echo,
                    },
                ) => {
                    let near = tick.is_none_or(|tick| {
                        let slack = (lax.as_ps() / tick.as_ps().max(1)).min(1 << 30) as u32;
                        let off = stamps.first.map_or(0, |_| {
                            let off = stamps.to_script(live).wrapping_sub(val) as i32;
                            off.unsigned_abs()
                        });
                        off <= slack
                    });
                    stamps.learn(val, live);
                    near && ecr == echo
                }
                _ => want == is,
            };
        }
        if same {
            return Ok(());
        }
        differs(
            "TCP options",
            render::list(wanted),
            self.shown(sent, segment),
        )
    }

    fn shown(&self, sent: &Sent, segment: &Segment) -> String {
        let flow = &self.host.flows[sent.flow];
        render::sent(segment, flow, sent.absolute)
    }

    /// The script's line as text.
    fn wanted(&self, packet: &Packet) -> String {
        let segment = Segment {
            flags: packet.flags,
            len: packet.len,
            urgent: packet.urgent.unwrap_or(0),
            window: packet.window.unwrap_or(0),
            ..Segment::default()
        };
        let options = packet.options.as_deref();
        let text = render::line(
            &segment,
            packet.seq,
            packet.ack.unwrap_or(0),
            options.unwrap_or_default(),
        );
        let text = if packet.window.is_none() {
            text.replace(" win 0", "")
        } else {
            text
        };
        let text = if options.is_none() {
            text + " <...>"
        } else {
            text
        };
        marks(&packet.ip) + &text
    }
}

/// The ECN field of the segment, with the DS field and time to live of its packet.
fn ip_fits(packet: &Packet, sent: &Sent, segment: &Segment) -> bool {
    let ecn = match packet.ip.ecn {
        None => true,
        Some(Ecn::Ect01) => matches!(segment.ecn, segment::Ecn::Ect0 | segment::Ecn::Ect1),
        Some(ecn) => ecn.codepoint() == segment.ecn,
    };
    ecn && packet.ip.tos.is_none_or(|tos| tos == sent.tos)
        && packet.ip.ttl.is_none_or(|ttl| ttl == sent.ttl)
        && packet.ip.flow_label.is_none()
}

/// "[ect0,ttl 64] ", as the line has it.
fn marks(ip: &IpMarks) -> String {
    let ecn = ip.ecn.map(|ecn| match ecn {
        Ecn::NotEct => "noecn".to_string(),
        Ecn::Ect0 => "ect0".into(),
        Ecn::Ect1 => "ect1".into(),
        Ecn::Ect01 => "ect01".into(),
        Ecn::Ce => "ce".into(),
    });
    let tos = ip.tos.map(|tos| format!("tos {tos:#x}"));
    let ttl = ip.ttl.map(|ttl| format!("ttl {ttl}"));
    let label = ip.flow_label.map(|label| format!("flowlabel {label:#x}"));
    let all: Vec<String> = [ecn, tos, ttl, label].into_iter().flatten().collect();
    if all.is_empty() {
        String::new()
    } else {
        format!("[{}] ", all.join(","))
    }
}
