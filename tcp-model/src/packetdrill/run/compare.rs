//! Segments the script expects: waiting for them, and every field compared.

use sim_core::SimTime;

use super::host_under_test::PendingSegment;
use super::script_flow::renumbered;
use super::{Runner, Step, differs, render, seconds};
use crate::options::Options;
use crate::packetdrill::ast::{IpMarks, ScriptPacket};
use crate::segment::{Flags, Segment};

impl Runner<'_, '_> {
    /// Waits for the next segment that the model sends, within the given time span if there is one, and
    /// compares it. A line with ports waits for a segment with these ports.
    pub(super) fn expect_packet(
        &mut self,
        packet: &ScriptPacket,
        span: Option<(SimTime, SimTime)>,
    ) -> Step<()> {
        let packet = &self.with_cookies(packet.clone())?;
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
                        self.host.sockets.now = self.host.sockets.now.max(latest);
                    }
                    return differs(
                        "no segment",
                        self.wanted(packet),
                        format!("nothing up to {}", seconds(self.host.sockets.now)),
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

    /// Joins consecutive segments up to the length in the script, which may write a burst as one
    /// segment.
    fn gather(&mut self, packet: &ScriptPacket, first: &PendingSegment, at: usize) -> Segment {
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

    fn compare(
        &mut self,
        packet: &ScriptPacket,
        sent: &PendingSegment,
        segment: &Segment,
    ) -> Step<()> {
        let seen = self.host.flows[sent.flow].in_script(segment, sent.absolute);
        let header = packet.header();
        let ack = seen.flags.is_ack() || packet.ack.is_some();
        let ports = (seen.src_port, seen.dst_port);
        let wrong = [
            (packet.ports.is_some_and(|p| p != ports), "ports"),
            (header.flags != seen.flags, "flags"),
            (header.seq != seen.seq, "sequence number"),
            (header.len != seen.len, "length"),
            (ack && header.ack != seen.ack, "acknowledgement number"),
            (packet.window.is_some_and(|w| w != seen.window), "window"),
            (
                packet.urgent.is_some_and(|u| u != seen.urgent),
                "urgent pointer",
            ),
            (!ip_fits(&packet.ip, sent, segment), "IP header"),
        ];
        let wrong: Vec<&str> = wrong.iter().filter(|w| w.0).map(|w| w.1).collect();
        if !wrong.is_empty() {
            return differs(
                wrong.join(", "),
                self.wanted(packet),
                self.shown(sent, segment),
            );
        }
        match &packet.options {
            Some(wanted) if !self.options_fit(wanted, sent.flow, seen.options) => differs(
                "TCP options",
                render::list(wanted),
                self.shown(sent, segment),
            ),
            _ => Ok(()),
        }
    }

    /// Whether the options are those of the script. Timestamp values are compared if the script gives the
    /// length of a tick, by their distance from the first.
    fn options_fit(&mut self, wanted: &Options, flow: usize, mut actual: Options) -> bool {
        if let (Some((val, _)), Some((live, _))) = (wanted.timestamps(), actual.timestamps()) {
            let stamps = &mut self.host.flows[flow].stamps;
            let lax = self.tolerance.least;
            let near = self.ts_tick.is_none_or(|tick| {
                let slack = (lax.as_ps() / tick.as_ps().max(1)).min(1 << 30) as u32;
                let off = stamps.to_script(live).wrapping_sub(val) as i32;
                stamps.first.is_none() || off.unsigned_abs() <= slack
            });
            stamps.learn(val, live);
            if near {
                actual = renumbered(&actual, |n| n, |(_, ecr)| (val, ecr));
            }
        }
        *wanted == actual
    }

    fn shown(&self, sent: &PendingSegment, segment: &Segment) -> String {
        self.host.flows[sent.flow].shown(segment, sent.absolute)
    }

    /// The script's line as text.
    fn wanted(&self, packet: &ScriptPacket) -> String {
        let mut text = render::line(&packet.header());
        if packet.window.is_none() {
            text = text.replace(" win 0", "");
        }
        if packet.options.is_none() {
            text += " <...>";
        }
        marks(&packet.ip) + &text
    }
}

/// Whether ECN field, DS field and time to live are those of the script.
fn ip_fits(ip: &IpMarks, sent: &PendingSegment, segment: &Segment) -> bool {
    ip.ecn
        .is_none_or(|mark| mark.codepoints.contains(&segment.ecn))
        && ip.tos.is_none_or(|tos| tos == sent.tos)
        && ip.ttl.is_none_or(|ttl| ttl == sent.ttl)
}

/// "[ect0,ttl 64] ", as written in the script.
fn marks(ip: &IpMarks) -> String {
    let ecn = ip.ecn.map(|mark| mark.name.to_string());
    let tos = ip.tos.map(|tos| format!("tos {tos:#x}"));
    let ttl = ip.ttl.map(|ttl| format!("ttl {ttl}"));
    let all: Vec<String> = [ecn, tos, ttl].into_iter().flatten().collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("[{}] ", all.join(",")),
    }
}
