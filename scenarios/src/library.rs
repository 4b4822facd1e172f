//! The ready-made scenarios, which are built into the program.

use crate::problem::SourceText;

/// A ready-made scenario.
#[derive(Clone, Copy, Debug)]
pub struct LibraryEntry {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! library {
    ($($name:literal),+ $(,)?) => {
        /// All ready-made scenarios, in a good order for newcomers.
        pub const ALL: &[LibraryEntry] = &[
            $(LibraryEntry { name: $name, text: include_str!(concat!("../library/", $name, ".toml")) }),+
        ];
    };
}

library!(
    "time-wait",
    "port-exhaustion",
    "http-exchange",
    "persistent",
    "handshake",
    "simultaneous-open",
    "four-way-close",
    "simultaneous-close",
    "half-close",
    "lost-last-ack",
    "why-time-wait",
    "reset",
    "flow-control",
    "retransmission",
    "slow-start",
    "teardown",
    "handshake-loss",
    "bulk",
    "bufferbloat",
    "rate-drop",
    "cellular",
    "incast",
    "compare-controls",
    "coexistence",
    "fairness-rtt",
    "late-comer",
    "lossy-link",
    "bbr-buffer",
    "ecn-dctcp",
    "l4s-coexistence",
    "spurious-timeout",
    "reordering",
    "ack-loss",
    "tcp-evaluation",
    "multiple-bottlenecks",
    "ramp-up",
    "flow-sizes",
    "time-wait-client",
    "time-wait-server",
    "remedies",
    "memtier-232",
    "envoy-44747",
    "proxy-upstream",
    "nat-gateway",
    "conntrack-full",
    "idle-timeout-race",
    "backend-crash",
    "retry-storm",
    "deploy-storm",
    "syn-flood",
    "accept-overflow",
    "old-duplicates",
    "corruption",
    "rfc1337-hazards",
    "tw-assassination",
    "tw-recycle",
    "half-open",
    "fin-wait-2",
    "close-wait-leak",
);

/// Returns the scenario with this name.
pub fn find(name: &str) -> Option<&'static LibraryEntry> {
    ALL.iter().find(|entry| entry.name == name)
}

impl LibraryEntry {
    /// Returns the text with its name, for messages.
    pub fn source(&self) -> SourceText {
        SourceText {
            name: format!("{}.toml", self.name),
            text: self.text.to_owned(),
        }
    }
}
