//! A host as data: its TCP, its applications, and what is recorded of it.

use std::sync::Arc;

use sim_core::SimDuration;

use super::AppSpec;

/// Which segments of a traced connection are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum KeptSegments {
    /// None.
    None,
    /// The first and the last hundred that each end sends, and those around trouble: what a ladder
    /// diagram shows. Bounded for each connection, however long it lasts.
    Ladder,
    /// All segments.
    #[default]
    All,
}

/// Which connections of a host are recorded in detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceSpec {
    /// Number of connections to trace: the first ones that the host opens.
    pub segments: u32,
    /// Which of their segments are recorded.
    pub keep: KeptSegments,
    /// Minimum time between two [`crate::sample::SenderSample`]s of a traced connection.
    pub sender_interval: SimDuration,
}

impl Default for TraceSpec {
    fn default() -> Self {
        TraceSpec {
            segments: 0,
            keep: KeptSegments::All,
            sender_interval: SimDuration::from_millis(10),
        }
    }
}

/// Everything needed to build a host.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Its TCP.
    pub params: Arc<crate::params::TcpParams>,
    /// Its applications.
    pub apps: Vec<AppSpec>,
    /// What to record.
    pub trace: TraceSpec,
}

impl HostConfig {
    /// A host with a TCP and applications, none of whose segments are recorded.
    pub fn new(params: impl Into<Arc<crate::params::TcpParams>>, apps: Vec<AppSpec>) -> HostConfig {
        HostConfig {
            params: params.into(),
            apps,
            trace: TraceSpec::default(),
        }
    }

    /// Records every segment of the first `connections` connections that the host opens.
    #[must_use]
    pub fn tracing(mut self, connections: u32) -> HostConfig {
        self.trace.segments = connections;
        self
    }
}
