//! Who made results, where, when and with what: for human readers, not part of any result.

use serde::{Deserialize, Serialize};

/// The origin of runs: in `timing.json` of a run, and in the first line of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The command line; empty if another program made it.
    pub command: String,
    /// Name of the computer.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// When it began, seconds since 1970.
    pub begun_unix_s: u64,
    /// When it ended; `None` in a part, which is written while its runs are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_unix_s: Option<u64>,
    /// Seed of the run; in a part each run has its own, in the index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Which shard of how many; empty if the batch is not sharded.
    pub shard: String,
    /// Name, version and results version of the program.
    pub program: String,
    /// Commit of the sources, with `-dirty` if they were modified; empty if unknown.
    pub commit: String,
    /// The compiler.
    pub toolchain: String,
    /// Profile and target of the build.
    pub build: String,
}
