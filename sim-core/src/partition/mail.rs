//! Mail between partitions, delivered between windows.

use super::Partition;
use crate::host::Host;
use crate::time::SimTime;

impl<H: Host> Partition<H> {
    /// Removes and returns the next partition to which this one has sent mail.
    pub(crate) fn next_mailed(&mut self) -> Option<u32> {
        self.core.mailed.pop()
    }

    /// Delivers the mail of this partition to `other`.
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
