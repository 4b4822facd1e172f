//! Who made results, where, when and with what: for people, and no part of any result.

use serde::{Deserialize, Serialize};

/// Who makes runs, in `timing.json` of a run, and in the first line of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The command line; empty where a program of your own made it.
    pub command: String,
    /// Name of the computer.
    pub host: String,
    /// Process.
    pub pid: u32,
    /// When it began, seconds since 1970.
    pub begun_unix_s: u64,
    /// When it ended; none in a part, which is written while its runs are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_unix_s: Option<u64>,
    /// Seed of the run; of a part each run has its own, in the index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Which shard of how many; empty for none.
    pub shard: String,
    /// Name, version and results version of the program.
    pub program: String,
    /// Commit of the sources, with `-dirty` where they were changed; empty where unknown.
    pub commit: String,
    /// The compiler.
    pub toolchain: String,
    /// Profile and target of the build.
    pub build: String,
}
