//! Captures of real networks, drawn like runs: ladders, timelines and time-sequence plots.
//!
//! A capture says when packets passed one point. What a run records beyond that is inferred: on
//! which side of the capture point each end is, and how far away (from the handshake); which
//! packets did not arrive (those retransmitted before they were acknowledged); and the states of
//! both ends (RFC 9293 section 3.3.2).
//!
//! Leaves out IPv6, fragments, and packets whose TCP header was not captured whole; they are
//! counted. Checksums are not verified: many captures are made before the network card has filled
//! them in.

mod connection;
mod inference;
mod link_layer;
mod packet_file;
mod tables;

use std::path::{Path, PathBuf};

use crate::bilingual::{Language, say};
use crate::figures::run_figures;
use crate::format::{bytes, count, seconds};
use crate::html::capture_page;
use crate::render::write_figures;
use crate::store::{RunSummary, StoreError, write_whole};
use connection::CapturedConnection;
use inference::InferredConnection;

/// Why a capture cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The file is not a capture.
    #[error("{}: {why}", path.display())]
    NoCapture {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The page, or what it is made from, cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Draws the first `most` connections of a capture into a new directory: `report.html`, `figures/`,
/// and tables of segments and states. The page and its figures are in `language`. Returns the findings as sentences.
///
/// # Errors
/// When the file is not a capture of TCP over IPv4, or the directory exists or cannot be written.
pub fn draw_capture(
    file: &Path,
    to: &Path,
    most: u32,
    language: Language,
) -> Result<Vec<String>, ImportError> {
    let capture = packet_file::read(file)?;
    let (connections, left_out) = connection::connections(&capture);
    if connections.is_empty() {
        return Err(ImportError::NoCapture {
            path: file.to_path_buf(),
            why: format!(
                "there is no packet of TCP over IPv4 in it ({} others)",
                count(left_out as f64)
            ),
        });
    }
    let drawn: Vec<_> = connections
        .iter()
        .take(most as usize)
        .map(inference::infer)
        .collect();
    std::fs::create_dir(to).map_err(StoreError::io("create the directory", to))?;
    tables::write(to, &drawn)?;
    let mut summary = RunSummary::default();
    summary.info.name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    summary.info.record.diagrams = most;
    summary.reached_s = drawn.iter().map(|c| c.end_s()).fold(0.0, f64::max);
    summary
        .metrics
        .insert("connects_attempted".into(), drawn.len() as f64);
    let figures = run_figures(to, &summary, language);
    let said = said(&connections, &drawn, left_out, language);
    let rows: Vec<Vec<String>> = drawn.iter().map(row).collect();
    let page = capture_page::report(&summary.info.name, &said, &rows, &figures, language);
    write_figures(to, &figures.figures)?;
    write_whole(&to.join("report.html"), &page)?;
    Ok(said)
}

/// What is in the capture, as sentences.
fn said(
    connections: &[CapturedConnection],
    drawn: &[InferredConnection],
    left_out: u64,
    language: Language,
) -> Vec<String> {
    let packets = connections.iter().map(|c| c.packets.len()).sum::<usize>();
    let packets = language.counted(packets as f64, "packet", "packets", "个包");
    let ends = connections.iter().map(CapturedConnection::end_s);
    let lasts = seconds(ends.fold(0.0, f64::max));
    let all = language.counted(
        connections.len() as f64,
        "connection",
        "connections",
        "条连接",
    );
    let mut said = vec![say!(
        language,
        "{packets} in {all}, captured within {lasts}.",
        "{all}，共 {packets}，抓包历时 {lasts}。"
    )];
    if drawn.len() < connections.len() {
        said.push(say!(
            language,
            "The first {} are drawn.",
            "画出前 {} 条。",
            drawn.len()
        ));
    }
    let again = drawn.iter().map(|c| c.retransmissions()).sum::<usize>();
    said.push(match again {
        0 => language
            .pick(
                "Of those drawn, nothing was sent again.",
                "画出的连接中没有重传。",
            )
            .to_owned(),
        n => {
            let again = language.counted(
                n as f64,
                "segment was sent again",
                "segments were sent again",
                "个报文段被重传",
            );
            say!(
                language,
                "Of those drawn, {again}.",
                "画出的连接中，{again}。"
            )
        }
    });
    if left_out > 0 {
        let left_out = language.counted(
            left_out as f64,
            "packet was left out",
            "packets were left out",
            "个包未计入",
        );
        said.push(say!(
            language,
            "{left_out}: not TCP over IPv4, a fragment, or cut within the header.",
            "{left_out}：不是 IPv4 上的 TCP，或为分片，或抓包时首部被截断。"
        ));
    }
    said
}

/// A row of the table of connections, in the order of [`capture_page::COLUMNS`].
fn row(c: &InferredConnection) -> Vec<String> {
    let first = c
        .segments
        .iter()
        .map(|s| s.sent)
        .fold(f64::INFINITY, f64::min);
    let payload = |from_opener: bool| {
        let own = c.segments.iter();
        let own = own.filter(|s| s.packet.from_opener == from_opener && !s.again);
        own.map(|s| f64::from(s.packet.len)).sum::<f64>()
    };
    let state = |end: usize| c.last_state(end).map_or("-", |s| s.name());
    vec![
        c.connection.ends[0].to_string(),
        c.connection.ends[1].to_string(),
        seconds(first),
        seconds(c.end_s() - first),
        count(c.segments.len() as f64),
        count(c.retransmissions() as f64),
        bytes(payload(true)),
        bytes(payload(false)),
        format!("{}, {}", state(0), state(1)),
    ]
}
