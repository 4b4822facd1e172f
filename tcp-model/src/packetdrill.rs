//! Packetdrill scripts, run against a [`TcpModel`](crate::model::TcpModel) in virtual time.
//!
//! A script says what a program and a peer do and what the TCP under test must answer, with times.
//! [`parse`] reads a script; [`run`] plays it against models that the caller makes and reports the
//! first difference. Text in, report out: no files, threads or clocks are involved, and the same
//! script gives the same report every time.
//!
//! ```
//! use tcp_model::Connection;
//! use tcp_model::packetdrill::{RunOptions, parse, run};
//!
//! let script = parse("
//!     0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
//!     +0  bind(3, ..., ...) = 0
//!     +0  listen(3, 1) = 0
//!     +0  < S 0:0(0) win 1000 <mss 1000>
//!     +0  > S. 0:0(0) ack 1 <mss 1460>
//!     +.1 < . 1:1(0) ack 1 win 1000
//!     +0  accept(3, ..., ...) = 4
//! ").unwrap();
//! let report = run(&script, &mut |ctx| Box::new(Connection::new(ctx)), &RunOptions::default());
//! assert!(report.passed(), "{report}");
//! ```
//!
//! The model's time-outs need no lines: between two events the clock advances to each
//! [`next_timeout`](crate::model::TcpModel::next_timeout) in turn. Sequence numbers in a script are
//! relative to the initial ones of each side, except in SYNs, where they are absolute. The value of
//! a sent timestamp is compared, by its distance from the first, if `--tcp_ts_tick_usecs` gives the
//! length of a tick; the echo is always compared. Consecutive segments sent at the same time may be
//! written as one, unless `--strict_segments` is set; a single segment may not be written as
//! several. Times match within 4 ms or an eighth of the wait, whichever is longer
//! (`--tolerance_usecs`, `--tolerance_percent`, [`RunOptions::exact`]).
//!
//! A script that needs something that the interpreter or the model lacks ends as
//! [`ScriptOutcome::Unsupported`], which is neither passed nor failed. A segment that was sent
//! without being expected fails the next line that expects one; at the end of the script such
//! segments are counted.
//!
//! The models run inside the simulator's own host, a [`Driver`](crate::host::Driver): listeners
//! with both queues, SYN cookies, Fast Open, the TIME-WAIT table, ports, limits. If no line names
//! ports, one connection is under test at a time: that of the latest `socket` call or SYN. Segments
//! of earlier connections are in the ladder but not compared.
//!
//! Leaves out: UDP and other protocols, encapsulation, the bytes themselves, flow labels, ICMP
//! errors in the error queue except those about a SYN, TCP_REPAIR, MD5 and AO, ULP.

mod ast;
mod cursor;
mod parse;
mod report;
mod run;

pub use ast::{
    Action, EcnMark, Expr, Icmp, IpMarks, Moment, NamedCookie, Position, Script, ScriptEvent,
    ScriptOption, ScriptPacket, ShellCommand, Statement, StructField, SystemCall,
};
pub use cursor::ParseError;
pub use parse::parse;
pub use report::{Report, Rung, ScriptFailure, ScriptOutcome, Skipped};
pub use run::{Factory, RunOptions, run};

pub use crate::sockets::System;

/// Whether a script sets system parameters of the BSDs (`net.inet.…`) and so needs their TCP.
pub fn speaks_of_bsd(script: &Script) -> bool {
    let events = script.events.iter().filter_map(|e| match &e.action {
        Action::Command(command) => Some(command),
        _ => None,
    });
    let mut commands = script.init.iter().chain(events);
    commands.any(|c| c.text.contains("net.inet.") || c.text.contains("kldload"))
}
