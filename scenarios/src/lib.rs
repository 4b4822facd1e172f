//! Scenarios of synfin: from a TOML file to run directories.
//!
//! ```text
//! scenario.toml ─► ScenarioFile ─► Scenario ─► RunSpec ─► Assembly ─► run directory
//!    text           read::file     ::new        ::new      ::new       run::execute
//! ```
//!
//! Each arrow is one function, and each box can be inspected. [`sweep::Plan::new`] goes from the text to the
//! `RunSpec`s of a sweep. A single run is a batch of one. Results depend neither on the environment nor on
//! the order in which runs finish.
//!
//! ```
//! let text = scenarios::library::find("http-exchange").unwrap().text;
//! let file = scenarios::read::file(text).unwrap();
//! let scenario = scenarios::scenario::Scenario::new(&file).unwrap();
//! assert_eq!(scenario.topology.nodes().len(), 2);
//! ```

#![forbid(unsafe_code)]

pub mod aliases;
pub mod analytic;
pub mod assemble;
pub mod batch;
mod bench;
pub mod cli;
pub mod condition;
pub mod console;
pub mod dotted_path;
mod elimination;
pub mod estimate;
pub mod execution;
pub mod existing;
pub mod expected;
mod extends;
pub mod file;
mod fuzz;
pub mod interrupt;
pub mod library;
mod list_file;
pub mod live;
pub mod locate;
mod outages;
pub mod output_dir;
pub mod outputs;
pub mod overrides;
mod packetdrill;
pub mod parameters;
pub mod phase;
pub mod problem;
mod process;
pub mod progress;
mod quantity;
pub mod read;
pub mod reference;
pub mod registry;
pub mod run;
pub mod run_spec;
pub mod scenario;
pub mod schema;
mod search;
pub mod sweep;
pub mod unreadable;

pub use tcp_model::suggest;
