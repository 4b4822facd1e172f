//! Parameters with a few values, each named by a word.

use sim_core::SimDuration;

use super::kind::{Choice, LONGEST, MILLISECOND, ParamKind, ParamWord};
use super::value::{ParamField, ParamValue, Refusal, duration};
use crate::timer_granularity::TimerGranularity;

/// When to stop retransmitting and report the connection dead: R2 of RFC 9293 section 3.8.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// After this many retransmissions, when the next time-out expires.
    Retries(u32),
    /// At the first time-out at least this long after the first transmission.
    After(SimDuration),
    /// Never.
    Never,
}

/// How a local port is chosen at an active open (RFC 6056).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PortSelection {
    /// The next free port upwards from the last one used towards the same destination.
    Sequential,
    /// RFC 6056 algorithm 1: a random start, then upwards.
    Random,
    /// RFC 6056 algorithm 2: random ports until one is free, as many attempts as there are ports. It may
    /// fail although some port is free.
    RandomAgain,
    /// RFC 6056 algorithm 3: upwards from an offset per destination plus a shared counter.
    Hash,
    /// RFC 6056 algorithm 4: the same with a table of 64 counters, one of which belongs to each
    /// destination.
    DoubleHash,
    /// RFC 6056 algorithm 5: from the last port upwards in random steps of 1 to 500.
    RandomIncrements,
    /// As Linux does: ports with the parity of the range's lower end first, in random even steps from the
    /// last one used (1 to 8 steps of two), then the other parity.
    #[default]
    Linux,
}

/// Whether an active open may reuse a port in TIME-WAIT (Linux `tcp_tw_reuse`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TwReuse {
    /// No.
    #[default]
    Off,
    /// When timestamps were in use and the entry is older than `tw_reuse_delay`.
    On,
    /// The same, but only for connections of a host with itself (Linux 2, its default).
    Loopback,
}

/// IP version: header length and default MSS (RFC 9293 section 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IpVersion {
    /// 20 octets, 536.
    #[default]
    V4,
    /// 40 octets, 1220.
    V6,
}

impl IpVersion {
    /// Octets of a header without options.
    pub const fn header_len(self) -> u32 {
        match self {
            IpVersion::V4 => 20,
            IpVersion::V6 => 40,
        }
    }

    /// MUST-15: the MSS of a peer that sends no MSS option.
    pub const fn default_mss(self) -> u16 {
        match self {
            IpVersion::V4 => 536,
            IpVersion::V6 => 1220,
        }
    }
}

/// Whether ECN is used (RFC 3168; Linux `tcp_ecn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EcnMode {
    /// No: neither requested nor granted.
    #[default]
    Off,
    /// Requested in a SYN, and granted.
    Active,
    /// Granted to a peer that requests it.
    Passive,
    /// Accurate feedback (RFC 9768) is requested; it or classic ECN is granted.
    Accurate,
    /// Accurate feedback or classic ECN is granted to a peer that requests it.
    AccuratePassive,
}

/// Whether a listener answers with SYN cookies (Linux `tcp_syncookies`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SynCookies {
    /// Never: a SYN that finds the queue full is dropped.
    #[default]
    Off,
    /// When the queue of half-open connections is full.
    WhenFull,
    /// To every SYN.
    Always,
}

/// The order of the options of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SynLayout {
    /// As Linux writes them: MSS, SACK-permitted, timestamps, NOP, window scale.
    #[default]
    Linux,
    /// As the BSDs do: MSS, NOP, window scale, SACK-permitted, timestamps.
    Bsd,
}

/// What an idle time of more than one time-out does to the congestion window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IdleRestart {
    /// Nothing.
    Off,
    /// Slow start begins again from the initial window (RFC 5681 section 4.1).
    #[default]
    Initial,
    /// Each time-out halves the window, down to the initial one (RFC 2861, as in Linux).
    Halving,
}

/// How TIME-WAIT treats segments other than the peer's FIN, where stacks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimeWaitRules {
    /// RFC 9293 section 3.10.7.4 with RFC 5961, RFC 6191 and RFC 7323.
    #[default]
    Rfc9293,
    /// As on Linux.
    Linux,
    /// As on FreeBSD.
    FreeBsd,
}

impl ParamField for GiveUp {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<GiveUp, Refusal> {
        match value {
            ParamValue::Number(n) => match u32::try_from(*n) {
                Ok(n) if (kind.least..=kind.most).contains(&u64::from(n)) => Ok(GiveUp::Retries(n)),
                _ => Err(Refusal::range(n, kind)),
            },
            ParamValue::Text(word) if kind.is_none(word) => Ok(GiveUp::Never),
            ParamValue::Text(text) => {
                let time = duration(text)?;
                if time < MILLISECOND || time > LONGEST {
                    return Err(Refusal::range(time, kind));
                }
                Ok(GiveUp::After(time))
            }
            _ => Err(Refusal::wrong_type(value, kind)),
        }
    }

    fn write(&self, kind: &ParamKind) -> ParamValue {
        match self {
            GiveUp::Retries(n) => ParamValue::number(u64::from(*n)),
            GiveUp::After(time) => ParamValue::text(time),
            GiveUp::Never => ParamValue::text(kind.none.unwrap_or("never")),
        }
    }
}

/// `Type { "word" [number] => value: "what it means" }`.
macro_rules! choices {
    ($($type:ident {
        $($word:literal $([$number:literal])? => $value:ident: $doc:literal),+ $(,)?
    })*) => {$(
        impl Choice for $type {
            const WORDS: &'static [ParamWord] = &[$(ParamWord {
                word: $word,
                number: choices!(@ $($number)?),
                doc: $doc,
            }),+];
            const VALUES: &'static [$type] = &[$($type::$value),+];
        }

        impl ParamField for $type {
            fn read(value: &ParamValue, kind: &ParamKind) -> Result<$type, Refusal> {
                let place = match value {
                    ParamValue::Text(text) => Self::WORDS.iter().position(|w| w.word == text),
                    ParamValue::Number(n) if *n >= 0 => Self::WORDS.iter().position(|w| w.number == *n),
                    _ => None,
                };
                place
                    .map(|i| Self::VALUES[i])
                    .ok_or_else(|| Refusal::wrong_type(value, kind))
            }

            fn write(&self, _: &ParamKind) -> ParamValue {
                let place = Self::VALUES.iter().position(|v| v == self);
                ParamValue::text(place.map_or("", |i| Self::WORDS[i].word))
            }
        }
    )*};
    (@ $number:literal) => { $number };
    (@) => { -1 };
}

choices! {
    IpVersion {
        "ipv4" [4] => V4: "IPv4: a header of 20 octets",
        "ipv6" [6] => V6: "IPv6: a header of 40 octets",
    }
    TimerGranularity {
        "exact" => Exact: "a timer fires when its time has passed",
        "hz-250" => Hz250: "the timer wheel of Linux with 250 ticks a second",
        "hz-1000" => Hz1000: "the timer wheel of Linux with 1000 ticks a second",
    }
    PortSelection {
        "linux" => Linux: "as Linux does it, ports of one parity first",
        "random" => Random: "a random start, then upwards (RFC 6056 algorithm 1)",
        "random-again" => RandomAgain: "random ports until one is free (RFC 6056 algorithm 2)",
        "hash" => Hash: "upwards from a place of each destination (RFC 6056 algorithm 3)",
        "double-hash" => DoubleHash: "the same with a count for some of the destinations each (RFC 6056 algorithm 4)",
        "random-increments" => RandomIncrements: "upwards in random steps (RFC 6056 algorithm 5)",
        "sequential" => Sequential: "the next port upwards",
    }
    EcnMode {
        "off" [0] => Off: "neither asked for nor granted",
        "active" [1] => Active: "asked for in a SYN, and granted",
        "passive" [2] => Passive: "granted to a peer that asks",
        "accurate" [3] => Accurate: "accurate feedback (RFC 9768) asked for in a SYN, and granted like ECN",
        "accurate-passive" [5] => AccuratePassive: "accurate feedback or ECN granted to a peer that asks",
    }
    SynCookies {
        "off" [0] => Off: "a SYN that finds the queue full is dropped",
        "when-full" [1] => WhenFull: "when the queue of half-open connections is full",
        "always" [2] => Always: "to every SYN",
    }
    SynLayout {
        "linux" => Linux: "MSS, SACK-permitted, timestamps, NOP, window scale",
        "bsd" => Bsd: "MSS, NOP, window scale, SACK-permitted, timestamps",
    }
    IdleRestart {
        "off" => Off: "the window stays",
        "initial" => Initial: "slow start from the initial window (RFC 5681 section 4.1)",
        "halving" => Halving: "each time-out halves the window (RFC 2861, as Linux has it)",
    }
    TimeWaitRules {
        "rfc9293" => Rfc9293: "RFC 9293 with RFC 5961, RFC 6191 and RFC 7323",
        "linux" => Linux: "as Linux has it",
        "freebsd" => FreeBsd: "as FreeBSD has it",
    }
}

/// `true`, `false`, or the sysctl's 0, 1 and 2.
impl ParamField for TwReuse {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<TwReuse, Refusal> {
        match value {
            ParamValue::Flag(true) | ParamValue::Number(1) => Ok(TwReuse::On),
            ParamValue::Flag(false) | ParamValue::Number(0) => Ok(TwReuse::Off),
            ParamValue::Number(2) => Ok(TwReuse::Loopback),
            _ => Err(Refusal::wrong_type(value, kind)),
        }
    }

    fn write(&self, _: &ParamKind) -> ParamValue {
        match self {
            TwReuse::Off => ParamValue::Flag(false),
            TwReuse::On => ParamValue::Flag(true),
            TwReuse::Loopback => ParamValue::Number(2),
        }
    }
}
