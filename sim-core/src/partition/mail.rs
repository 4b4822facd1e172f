//! Packets on their way to another partition, exchanged between windows.

use super::{Core, Partition};
use crate::event::Tie;
use crate::host::Host;
use crate::packet::{Packet, PacketRef};
use crate::time::SimTime;

/// A packet that crosses to another partition, with the key its sender made.
#[derive(Debug)]
pub(crate) struct Mail<P> {
    /// Among the receiver's.
    pub(crate) wire: u32,
    pub(crate) at: SimTime,
    pub(crate) tie: Tie,
    pub(crate) packet: Packet<P>,
}

/// Mail to one partition, of one window.
#[derive(Debug)]
pub(crate) struct Mailbag<P> {
    pub(super) mail: Vec<Mail<P>>,
    pub(super) earliest: SimTime,
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
    pub(super) fn add(&mut self, mail: Mail<P>) {
        self.earliest = self.earliest.min(mail.at);
        self.mail.push(mail);
    }
}

impl<H: Host> Core<H> {
    pub(super) fn mail(&mut self, part: u32, wire: u32, at: SimTime, tie: Tie, packet: PacketRef) {
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
        // The receiver may answer as soon as it has it.
        self.horizon = self.horizon.min(at.saturating_add(self.look_ahead));
    }
}

impl<H: Host> Partition<H> {
    /// The next partition to which this one has sent mail, taken off the list.
    pub(crate) fn next_mailed(&mut self) -> Option<u32> {
        self.core.mailed.pop()
    }

    /// Brings what this partition sent to `other`.
    pub(crate) fn bring_mail_to(&mut self, other: &mut Partition<H>) {
        let bag = &mut self.core.outbox[other.core.me as usize];
        let earliest = other.next.map_or(bag.earliest, |t| t.min(bag.earliest));
        other.next = Some(earliest);
        let inbox = &mut other.inbox[self.core.me as usize];
        if inbox.mail.is_empty() {
            std::mem::swap(bag, inbox);
            other.senders.push(self.core.me);
        } else {
            inbox.mail.append(&mut bag.mail);
        }
        bag.earliest = SimTime::MAX;
    }

    pub(super) fn take_mail(&mut self) {
        while let Some(sender) = self.senders.pop() {
            for mail in self.inbox[sender as usize].mail.drain(..) {
                let packet = self.core.packets.insert(mail.packet);
                self.core.board(mail.wire, mail.at, mail.tie, packet);
            }
        }
    }
}
