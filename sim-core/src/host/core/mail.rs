//! Packets on their way to another partition, exchanged between windows.

use super::Core;
use crate::event::Tie;
use crate::host::Host;
use crate::packet::{Packet, PacketRef};
use crate::time::SimTime;

/// A packet that crosses to another partition, with the key assigned by its sender.
#[derive(Debug)]
pub(crate) struct Mail<P> {
    /// Number of the wire in the receiving partition.
    pub(crate) wire: u32,
    pub(crate) at: SimTime,
    pub(crate) tie: Tie,
    pub(crate) packet: Packet<P>,
}

/// The mail for one partition from one window.
#[derive(Debug)]
pub(crate) struct Mailbag<P> {
    pub(crate) mail: Vec<Mail<P>>,
    pub(crate) earliest: SimTime,
}

impl<P> Default for Mailbag<P> {
    fn default() -> Self {
        Mailbag {
            mail: Vec::new(),
            earliest: SimTime::MAX,
        }
    }
}

impl<P> Mailbag<P> {
    pub(crate) fn add(&mut self, mail: Mail<P>) {
        self.earliest = self.earliest.min(mail.at);
        self.mail.push(mail);
    }
}

impl<H: Host> Core<H> {
    pub(crate) fn mail(&mut self, part: u32, wire: u32, at: SimTime, tie: Tie, packet: PacketRef) {
        let packet = self.packets.remove(packet);
        let bag = &mut self.outbox[part as usize];
        if bag.mail.is_empty() {
            self.mailed.push(part);
        }
        bag.add(Mail {
            wire,
            at,
            tie,
            packet,
        });
        // The receiver may answer as soon as the packet arrives.
        self.horizon = self.horizon.min(at.saturating_add(self.look_ahead));
    }
}
