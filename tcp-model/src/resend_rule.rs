//! The rules by which segments are retransmitted, and counts by rule.

use std::fmt;

/// The rule by which a segment is retransmitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetransmitReason {
    /// Duplicate ACKs reached the threshold (RFC 5681 section 3.2).
    DuplicateAcks,
    /// A partial ACK in fast recovery without SACK (RFC 6582 section 3.2).
    PartialAck,
    /// SACK blocks show a hole that is lost (RFC 6675).
    Sack,
    /// Something sent later was delivered long enough ago (RFC 8985 section 6).
    Rack,
    /// A tail loss probe (RFC 8985 section 7).
    TailLossProbe,
    /// The retransmission timer expired (RFC 6298 rule 5.4), also for a bare FIN.
    Timeout,
    /// The rest of the data outstanding when the timer expired, as the window allows (RFC 5681 section
    /// 3.1).
    AfterTimeout,
    /// The same once F-RTO has found that the time-out was for a real loss (RFC 5682 step 3a).
    Frto,
    /// The timer of a SYN or SYN-ACK expired (RFC 6298).
    SynTimeout,
    /// The peer repeated its SYN, so the SYN-ACK was probably lost.
    DuplicateSyn,
    /// Both ends opened at once: the SYN is repeated in the SYN-ACK (RFC 9293 section 3.5).
    SimultaneousOpen,
    /// An octet is retransmitted to probe a closed window (RFC 9293 section 3.8.6.1).
    WindowProbe,
    /// A router found the segment too big for the path (RFC 1191).
    PathMtu,
}

impl RetransmitReason {
    /// All of them.
    pub const ALL: [RetransmitReason; 13] = [
        RetransmitReason::DuplicateAcks,
        RetransmitReason::PartialAck,
        RetransmitReason::Sack,
        RetransmitReason::Rack,
        RetransmitReason::TailLossProbe,
        RetransmitReason::Timeout,
        RetransmitReason::AfterTimeout,
        RetransmitReason::Frto,
        RetransmitReason::SynTimeout,
        RetransmitReason::DuplicateSyn,
        RetransmitReason::SimultaneousOpen,
        RetransmitReason::WindowProbe,
        RetransmitReason::PathMtu,
    ];

    /// Their number.
    pub const COUNT: usize = RetransmitReason::ALL.len();

    /// Its name in tables and figures.
    pub const fn as_str(self) -> &'static str {
        match self {
            RetransmitReason::DuplicateAcks => "duplicate ACKs",
            RetransmitReason::PartialAck => "partial ACK",
            RetransmitReason::Sack => "SACK",
            RetransmitReason::Rack => "RACK",
            RetransmitReason::TailLossProbe => "TLP",
            RetransmitReason::Timeout => "RTO",
            RetransmitReason::AfterTimeout => "slow start after RTO",
            RetransmitReason::Frto => "slow start after F-RTO",
            RetransmitReason::SynTimeout => "SYN time-out",
            RetransmitReason::DuplicateSyn => "duplicate SYN",
            RetransmitReason::SimultaneousOpen => "simultaneous open",
            RetransmitReason::WindowProbe => "window probe",
            RetransmitReason::PathMtu => "path MTU",
        }
    }
}

impl fmt::Display for RetransmitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Retransmissions by the rule that sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByRule([u32; RetransmitReason::COUNT]);

impl ByRule {
    /// Counts one.
    pub fn add(&mut self, rule: RetransmitReason) {
        self.0[rule as usize] += 1;
    }

    /// Adds what is counted between `before` and `after`, so many times.
    pub(crate) fn add_times(&mut self, before: &ByRule, after: &ByRule, times: u64) {
        for (sum, (before, after)) in self.0.iter_mut().zip(before.0.iter().zip(after.0)) {
            let more = u64::from(after - before) * times;
            *sum = sum.saturating_add(more.try_into().unwrap_or(u32::MAX));
        }
    }

    /// The count of a rule.
    pub fn of(&self, rule: RetransmitReason) -> u32 {
        self.0[rule as usize]
    }

    /// The count over all rules.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|&n| u64::from(n)).sum()
    }
}

impl std::ops::AddAssign for ByRule {
    fn add_assign(&mut self, other: ByRule) {
        for (sum, n) in self.0.iter_mut().zip(other.0) {
            *sum += n;
        }
    }
}
