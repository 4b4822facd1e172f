//! The program as its users see it: scenarios, batches, files, figures, and the command line.
//!
//! This is one program, because each test program takes seconds to link. Tests that install models for
//! the whole process, or that measure time, are separate programs.

#[path = "../common/mod.rs"]
mod common;

mod batch_tools;
mod batches;
mod bench;
mod broken;
mod chinese;
mod cli;
mod closed_forms;
mod clusters;
mod coexistence;
mod comparing;
mod contributing;
mod damage;
mod ends;
mod estimate;
mod exchange;
mod execution;
mod explain_connection;
mod features;
mod files;
mod fuzz;
mod fuzz_targets;
mod gallery;
mod golden;
mod guide;
mod http_versions;
mod incidents;
mod killed;
mod language;
mod large_batches;
mod lessons;
mod lifecycle;
mod metrics;
mod notices;
mod packetdrill;
mod pages;
mod pictures;
mod provenance;
mod proxies;
mod read_pcap;
mod recording;
mod reference;
mod schemas;
mod signals;
mod slowdown;
mod small_inputs;
mod sockets_and_counters;
mod statistics;
mod streams;
mod theory;
mod time_wait;
mod unusual;
mod watching;
mod wireshark;
