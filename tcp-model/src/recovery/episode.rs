//! The latest reduction of the window: state of its recovery (PRR, F-RTO), and what is needed to undo it if
//! it was spurious.
//!
//! A retransmission can prove spurious in three ways: the peer echoes a timestamp older than it (Eifel, RFC
//! 3522); the peer reports every retransmission as a duplicate (D-SACK, RFC 3708); after a time-out, data
//! that were sent once are acknowledged (F-RTO, RFC 5682).

use super::prr::Prr;
use crate::seq::SeqNum;

/// Allocated at the first reduction, and reused for later ones.
#[derive(Clone, Debug, Default, Hash)]
pub struct Episode {
    /// PRR, during fast recovery.
    pub prr: Option<Prr>,
    /// The state to restore by an undo.
    pub undo: Option<Undo>,
    /// F-RTO waits for the deciding ACK (RFC 5682 section 2.1).
    pub frto: bool,
    /// F-RTO has found the loss to be real; the reason for current retransmissions.
    pub frto_failed: bool,
    /// New data are sent first; nothing is retransmitted until the next ACK.
    pub hold: bool,
    /// Reductions undone so far, by the order of [`UndoCause`].
    pub undone: [u32; 3],
}

impl Episode {
    /// Recovery ends, or restarts with a time-out. The undo state stays: a D-SACK may still arrive.
    pub fn end(&mut self) {
        self.prr = None;
        self.frto = false;
        self.frto_failed = false;
        self.hold = false;
    }
}

/// The window before a reduction, and the evidence that would prove the reduction spurious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Undo {
    /// SND.UNA at the reduction: data below are not affected.
    pub una: SeqNum,
    /// Retransmitted segments not yet reported by a D-SACK; `None` before the first.
    pub unreported: Option<u32>,
    /// Timestamp of the first of them.
    pub first_resent: Option<u32>,
    /// The congestion window before, bytes.
    pub cwnd: u64,
    /// The slow-start threshold before, bytes.
    pub ssthresh: Option<u64>,
}

/// What proved a reduction spurious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UndoCause {
    /// The peer echoed a timestamp from before the first retransmission (RFC 3522).
    Eifel,
    /// The peer reported every retransmission as a duplicate (RFC 3708).
    Dsack,
    /// After a time-out, data that were not retransmitted arrived (RFC 5682).
    Frto,
}

impl Undo {
    /// Created when the window is about to be reduced; `resent` segments have already been retransmitted.
    pub fn new(una: SeqNum, resent: u32, cwnd: u64, ssthresh: Option<u64>) -> Undo {
        Undo {
            una,
            unreported: (resent > 0).then_some(resent),
            first_resent: None,
            cwnd,
            ssthresh,
        }
    }

    /// Notes a retransmitted segment, with its timestamp if timestamps are in use.
    pub fn on_resent(&mut self, timestamp: Option<u32>) {
        self.unreported = Some(self.unreported.unwrap_or(0) + 1);
        self.first_resent = self.first_resent.or(timestamp);
    }

    /// A D-SACK reports `segments` that end at `end`.
    pub fn on_duplicate(&mut self, end: SeqNum, segments: u32) {
        if let Some(n) = &mut self.unreported
            && end.after(self.una)
        {
            *n = n.saturating_sub(segments);
        }
    }

    /// What an ACK with this echoed timestamp proves, if anything.
    pub fn proof(&self, echo: Option<u32>) -> Option<UndoCause> {
        if self.unreported == Some(0) {
            return Some(UndoCause::Dsack);
        }
        let older = |(echo, resent): (u32, u32)| (echo.wrapping_sub(resent) as i32) < 0;
        let echoes = echo.filter(|&e| e != 0).zip(self.first_resent);
        echoes.is_some_and(older).then_some(UndoCause::Eifel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo() -> Undo {
        Undo::new(SeqNum(1000), 0, 20_000, None)
    }

    #[test]
    fn every_retransmission_must_be_reported() {
        let mut u = undo();
        assert_eq!(u.proof(None), None, "nothing was retransmitted");
        u.on_duplicate(SeqNum(2000), 1);
        u.on_resent(None);
        u.on_resent(None);
        u.on_duplicate(SeqNum(1000), 1); // of before
        u.on_duplicate(SeqNum(2000), 1);
        assert_eq!(u.proof(None), None);
        u.on_duplicate(SeqNum(3000), 1);
        assert_eq!(u.proof(None), Some(UndoCause::Dsack));
    }

    #[test]
    fn the_echo_must_be_older_than_the_first_retransmission() {
        let mut u = undo();
        u.on_resent(Some(500));
        u.on_resent(Some(600));
        for (echo, proof) in [
            (Some(499), Some(UndoCause::Eifel)),
            (Some(500), None),
            (Some(550), None),
            (Some(0), None),
            (None, None),
        ] {
            assert_eq!(u.proof(echo), proof, "{echo:?}");
        }
        let mut wrapped = undo();
        wrapped.on_resent(Some(3));
        assert_eq!(wrapped.proof(Some(u32::MAX)), Some(UndoCause::Eifel));
    }
}
