//! ICMP errors that the script injects: names, numbers, and the connection they are about.

use super::{Runner, Step, invalid, unsupported};
use crate::icmp::{IcmpError, IcmpKind};
use crate::packetdrill::ast::Icmp;
use crate::packetdrill::parse::icmp_numbers;
use crate::packetdrill::report::Rung;
use crate::sockets::Notice;

impl Runner<'_, '_> {
    /// Injects an error about a segment of the latest connection.
    pub(super) fn icmp(&mut self, icmp: &Icmp) -> Step<()> {
        let name = format!("ICMP {} {}", icmp.kind, icmp.code);
        let name = name.trim_end();
        if !icmp.inbound {
            return unsupported(format!("{name} sent by the model"));
        }
        let mtu = icmp.mtu.unwrap_or(0);
        let defined = |name| self.defines.get(name).unwrap_or(name);
        let (kind, code) = (defined(&icmp.kind), defined(&icmp.code));
        let Some((kind, code)) = icmp_numbers(icmp.v6, kind, code) else {
            return invalid(format!("there is no {name}: --define its names"));
        };
        let numbers = [kind.into(), code.into(), mtu.into()];
        let kind = if icmp.v6 {
            IcmpKind::from_v6(kind, code, mtu)
        } else {
            IcmpKind::from_v4(kind, code, mtu.min(0xffff) as u16)
        };
        let (first, len) = icmp.about.unwrap_or((0, 0));
        let mut text = format!("{} {name}", if icmp.v6 { "icmpv6" } else { "icmp" });
        text = text.replacen("ICMP ", "", 1);
        if icmp.mtu.is_some() {
            text += &format!(" mtu {mtu}");
        }
        text += &format!(" [{first}:{}({len})]", first.wrapping_add(len));
        self.host
            .ladder
            .push(Rung::new(self.host.sockets.now, true, text));
        // Messages that are not errors, or not about a known segment, never reach TCP.
        let (Some(kind), Some(flow)) = (kind, self.host.flows.len().checked_sub(1)) else {
            return Ok(());
        };
        let seq = self.host.flows[flow].to_model(first, false);
        let error = IcmpError { kind, seq };
        let notice = Notice::Icmp {
            errno: kind.errno().number(),
            v6: icmp.v6,
            values: numbers,
        };
        let ends = self.host.flows[flow].ends();
        self.host.sockets.keep_icmp(ends, notice);
        self.host.icmp(flow, &error);
        self.poke()
    }
}
