//! How the servers of a workload accept, read and serve, checked.

use sim_core::{Bytes, SimDuration};

use crate::dotted_path::DottedPath;
use crate::file::values::{PerSecond, StartChoice};
use crate::file::workload::WorkloadFile;
use crate::problem::Problem;

/// Maximum number of listening sockets that share a port.
const MOST_LISTENERS: u32 = 1024;

/// How servers accept, read and serve. Workloads that share a server port share this.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Serving {
    /// Connections per second a server accepts; `None` for all at once.
    pub accept_rate: Option<f64>,
    /// When it begins to accept.
    pub accept_start: StartChoice,
    /// When it begins to read.
    pub read_start: StartChoice,
    /// Receive buffer of a connection once it is accepted, bytes.
    pub receive_buffer: Option<u32>,
    /// Maximum time to wait for a request.
    pub idle_timeout: Option<SimDuration>,
    /// Maximum number of requests served at the same time.
    pub workers: Option<u32>,
    /// Listening sockets that share a port; `None` for one.
    pub listeners: Option<u32>,
}

impl Serving {
    /// Checks the keys of the server's side.
    ///
    /// # Errors
    /// When a value is zero or too large.
    pub(super) fn new(file: &WorkloadFile, at: &DottedPath) -> Result<Serving, Problem> {
        if file.accept_rate.is_some_and(|r| r.0 == 0.0) {
            return Err(Problem::new(
                at.key("accept_rate"),
                "an accept rate of zero accepts nothing",
            )
            .help("write accept_start = \"never\" for a server that never accepts"));
        }
        if file.idle_timeout.is_some_and(SimDuration::is_zero) {
            return Err(Problem::new(
                at.key("idle_timeout"),
                "`idle_timeout` must be longer than zero",
            )
            .help("leave it out for servers that wait for ever"));
        }
        if file.workers == Some(0) {
            return Err(
                Problem::new(at.key("workers"), "a server without workers serves nothing")
                    .help("write at least 1, or leave it out for no limit"),
            );
        }
        if let Some(n) = file.listeners
            && !(1..=MOST_LISTENERS).contains(&n)
        {
            let message = format!("`listeners` = {n} must lie between 1 and {MOST_LISTENERS}");
            return Err(Problem::new(at.key("listeners"), message));
        }
        let buffer = file.receive_buffer_after_accept.map(|bytes| match bytes.0 {
            0 => Err("`receive_buffer_after_accept` must not be zero"),
            n => u32::try_from(n)
                .map_err(|_| "`receive_buffer_after_accept` must be less than 4 GiB"),
        });
        let key = "receive_buffer_after_accept";
        Ok(Serving {
            accept_rate: file.accept_rate.map(|r| r.0),
            accept_start: file.accept_start.unwrap_or_default(),
            read_start: file.read_start.unwrap_or_default(),
            receive_buffer: buffer
                .transpose()
                .map_err(|why| Problem::new(at.key(key), why))?,
            idle_timeout: file.idle_timeout,
            workers: file.workers,
            listeners: file.listeners.filter(|n| *n > 1),
        })
    }

    /// The first key in which two differ.
    pub(crate) fn first_difference(&self, other: &Serving) -> &'static str {
        let keys = [
            ("accept_rate", self.accept_rate != other.accept_rate),
            ("accept_start", self.accept_start != other.accept_start),
            ("read_start", self.read_start != other.read_start),
            (
                "receive_buffer_after_accept",
                self.receive_buffer != other.receive_buffer,
            ),
            ("idle_timeout", self.idle_timeout != other.idle_timeout),
            ("listeners", self.listeners != other.listeners),
        ];
        let first = keys.iter().find(|(_, differs)| *differs);
        first.map_or("workers", |(key, _)| key)
    }

    /// Writes the settings into a workload's file, without defaults.
    pub(super) fn to_file(self, common: WorkloadFile) -> WorkloadFile {
        let unusual = |begin: StartChoice| (begin != StartChoice::default()).then_some(begin);
        WorkloadFile {
            accept_rate: self.accept_rate.map(PerSecond),
            accept_start: unusual(self.accept_start),
            read_start: unusual(self.read_start),
            receive_buffer_after_accept: self.receive_buffer.map(|b| Bytes(b.into())),
            idle_timeout: self.idle_timeout,
            workers: self.workers,
            listeners: self.listeners,
            ..common
        }
    }
}
