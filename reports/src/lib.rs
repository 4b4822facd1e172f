//! The results of runs: recorders, the run store, statistics, figures, `report.html`, pcapng.
//!
//! ```text
//!   Simulation ── Record<TcpSample> ──► RunRecorder ──► tables, summary.json ──► figures, report.html
//!                                       while it runs    the run directory        render_run(dir)
//! ```
//!
//! This crate never runs a simulation and does not know scenarios: what it needs in advance arrives
//! in a [`RunInfo`], with parameters as names and values. Figures and reports are made from the run
//! directory alone. Everything except `timing.json` is the same, byte for byte, every time.

#![forbid(unsafe_code)]

pub mod analytic;
pub mod batch;
mod bilingual;
pub mod capture_filter;
mod csv;
pub mod difference;
mod expectations;
pub mod export;
pub mod figures;
pub mod findings;
pub mod format;
mod guard;
mod html;
pub mod ideal;
pub mod import;
pub mod info;
pub mod live;
pub mod metrics;
pub mod pcapng;
mod recorded_words;
pub mod recorders;
pub mod render;
pub mod stats;
pub mod store;
pub mod text;
mod words;

pub use batch::{
    Axis, AxisValues, BatchInfo, BatchRow, Layout, MetricFigure, RowMetrics, RunStatus,
    SharedNames, Unit, VariantNote, batch_findings, estimate_of, judge_run, row_metrics,
};
pub use bilingual::Language;
pub use capture_filter::{CaptureFilter, CaptureFilterError};
pub use expectations::{Expectation, Judgement, Verdict};
pub use html::live_page::{LIVE_SCRIPT, live_page, live_part};
pub use info::{
    AnalyticHints, ArrivalLaw, LinkInfo, NodeGroup, NodeInfo, OutageKind, OutageSpan, PhaseRisk,
    RecordOptions, RunInfo, SegmentsKept, Span, Theory, TimeWaitTheory, Translation,
};
pub use recorders::{Completed, Completion, NumbersRecorder, RecorderOptions, RunRecorder};
pub use render::{
    Rendered, RenderedBatch, read_batch, render_batch, render_batch_in, render_run, render_run_in,
    write_batch, write_batch_of,
};
pub use store::{LeftOut, RunSummary, RunWriter, StoreError};
