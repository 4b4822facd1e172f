//! Segments that the script injects: their conversion to the model's numbers, and the connection they are for.

use super::{Runner, Step, invalid, render, unsupported};
use crate::packetdrill::ast::ScriptPacket;
use crate::packetdrill::report::Rung;
use crate::segment::{ConnId, Ecn};
use crate::state::State;

/// Identity of the peer that the script plays, the same for all connections. It differs from the model's,
/// so that its octets are not counted as those of another incarnation.
const PEER: ConnId = ConnId(u64::MAX);

/// Time to live of injected packets if the script does not specify it.
const USUAL_TTL: u8 = 255;

impl Runner<'_, '_> {
    pub(super) fn inject(&mut self, packet: &ScriptPacket) -> Step<()> {
        // Linux copies DS bits to resets and, with tcp_reflect_tos, to the connection that a SYN
        // opens.
        let ds = packet.ip.ds();
        if ds != 0 {
            return unsupported(format!("DS bits of an arriving packet (tos {ds:#x})"));
        }
        let packet = &self.with_cookies(packet.clone())?;
        let index = self.flow_for(packet);
        let state = self.host.state(index);
        let flow = &mut self.host.flows[index];
        if packet.flags.is_syn() && state == State::SynSent {
            flow.peer_isn.get_or_insert(packet.seq);
        }
        let mut header = packet.header();
        header.ecn = match (packet.ip.ecn, packet.ip.tos) {
            (Some(mark), _) => mark.codepoints[0],
            (None, tos) => Ecn::from_tos(tos.unwrap_or(0)),
        };
        let text = render::line(&header);
        let mut segment = match flow.for_model(&header, self.host.ecr_scaled) {
            Ok(segment) => segment,
            Err(ecr) => {
                return invalid(format!(
                    "no segment was sent with the timestamp that 'ecr {ecr}' echoes"
                ));
            }
        };
        // Without the flag the field has no meaning, but it exists.
        if packet.flags.is_ack() || packet.ack.is_some() {
            segment.ack = flow.to_model(header.ack.0, packet.flags.is_syn());
        }
        segment.tag.conn = PEER;
        if segment.len > self.joined.into() {
            segment.joined = self.joined;
        }
        self.host
            .ladder
            .push(Rung::new(self.host.sockets.now, true, text));
        self.host
            .receive(index, &segment, packet.ip.ttl.unwrap_or(USUAL_TTL));
        self.poke()
    }

    /// The connection a segment belongs to: that of its ports, if it has any, otherwise the latest; a SYN opens
    /// a new one if the latest has ended.
    fn flow_for(&mut self, packet: &ScriptPacket) -> usize {
        if let Some((remote, local)) = packet.ports {
            let mut flows = self.host.flows.iter();
            let found = flows.rposition(|f| f.remote_port == remote && f.local_port == local);
            return found.unwrap_or_else(|| self.host.add_flow(local, remote));
        }
        let fresh = packet.flags.is_syn() && !packet.flags.is_ack();
        let latest = self.host.flows.len().checked_sub(1);
        let latest = latest.filter(|&latest| {
            let known = self.host.flows[latest].id.is_some();
            !(fresh && known && self.host.state(latest) == State::Closed)
        });
        latest.unwrap_or_else(|| {
            let local = self.host.sockets.usual_port().unwrap_or(self.bind_port);
            let remote = self.host.pick_remote_port();
            self.host.test_next();
            self.host.add_flow(local, remote)
        })
    }
}
