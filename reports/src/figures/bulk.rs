//! Congestion window, round-trip time and goodput of recorded senders.

use std::collections::BTreeMap;

use super::Figure;
use super::chart::{Chart, Mark};
use super::csv::Csv;
use super::data::RunData;
use super::style::SERIES;
use crate::store::StoreError;
use tcp_model::ConnId;

/// A sender's samples: rows of the table.
struct Sender {
    label: String,
    rows: Vec<usize>,
}

/// The first senders by connection that sent enough to be worth a curve.
fn senders(data: &RunData<'_>) -> Result<Vec<Sender>, StoreError> {
    let Some(table) = &data.samples else {
        return Ok(Vec::new());
    };
    let (conns, sides) = (table.ints("conn")?, table.texts("side")?);
    let (nodes, acked) = (table.texts("node")?, table.ints("acked_bytes")?);
    let mut by_sender: BTreeMap<(i64, &str), Vec<usize>> = BTreeMap::new();
    for (i, (&conn, side)) in conns.iter().zip(sides).enumerate() {
        by_sender.entry((conn, side)).or_default().push(i);
    }
    // Drawn are only senders of some length; short exchanges are what the ladder is for.
    by_sender.retain(|_, rows| rows.last().is_some_and(|&i| acked[i] >= 50_000));
    let senders = by_sender.into_iter().take(SERIES.len());
    let senders = senders.map(|((conn, _), rows)| Sender {
        label: format!("{} ({})", ConnId(conn as u64), nodes[rows[0]]),
        rows,
    });
    Ok(senders.collect())
}

/// What differs between the figures.
struct Spec<'a> {
    name: &'a str,
    title: &'a str,
    y_label: &'a str,
    caption: &'a str,
    column: &'a str,
}

/// Draws a curve per sender.
fn draw(
    data: &RunData<'_>,
    spec: &Spec<'_>,
    points_of: impl Fn(&Sender) -> Result<Vec<(f64, f64)>, StoreError>,
) -> Result<Option<Figure>, StoreError> {
    let senders = senders(data)?;
    if senders.is_empty() {
        return Ok(None);
    }
    let mut csv = Csv::new(["time_s", "connection", spec.column]);
    let mut marks = Vec::new();
    let mut last = 0.0_f64;
    for (sender, colour) in senders.iter().zip(SERIES) {
        let points = points_of(sender)?;
        for &(t, y) in &points {
            csv.number(t);
            csv.text(&sender.label);
            csv.row([y]);
            last = last.max(t);
        }
        marks.push(Mark::Line {
            label: sender.label.clone(),
            colour,
            points,
            dashed: false,
        });
    }
    let chart = Chart {
        title: spec.title,
        x_label: "time (s)",
        y_label: spec.y_label,
        x: (0.0, last),
        marks,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: spec.name.into(),
        title: spec.title.into(),
        caption: spec.caption.into(),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// Congestion windows.
pub(crate) fn cwnd(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = &data.samples else {
        return Ok(None);
    };
    let (times, cwnd) = (table.floats("time_s")?, table.ints("cwnd_bytes")?);
    let spec = Spec {
        name: "cwnd",
        title: "Congestion window",
        y_label: "cwnd (kB)",
        caption: "The congestion window of each recorded sender after every change.",
        column: "cwnd_kb",
    };
    draw(data, &spec, |s| {
        Ok(s.rows
            .iter()
            .map(|&i| (times[i], cwnd[i] as f64 / 1e3))
            .collect())
    })
}

/// Smoothed round-trip times.
pub(crate) fn rtt(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = &data.samples else {
        return Ok(None);
    };
    let (times, srtt) = (table.floats("time_s")?, table.floats("srtt_s")?);
    let spec = Spec {
        name: "rtt",
        title: "Smoothed round-trip time",
        y_label: "SRTT (ms)",
        caption: "The sender's smoothed round-trip time; it grows with the queue at the \
                  bottleneck.",
        column: "srtt_ms",
    };
    draw(data, &spec, |s| {
        Ok(s.rows.iter().map(|&i| (times[i], srtt[i] * 1e3)).collect())
    })
}

/// Acknowledged payload per second over a hundred intervals.
pub(crate) fn goodput(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = &data.samples else {
        return Ok(None);
    };
    let (times, acked) = (table.floats("time_s")?, table.ints("acked_bytes")?);
    let end = times.last().copied().unwrap_or(0.0);
    let width = end / 100.0;
    let spec = Spec {
        name: "goodput",
        title: "Goodput",
        y_label: "goodput (Mbit/s)",
        caption: "Payload acknowledged by the peer, averaged over hundredths of the run.",
        column: "goodput_mbps",
    };
    if width <= 0.0 {
        return Ok(None);
    }
    draw(data, &spec, |s| {
        let at = |t: f64| {
            let before = s.rows.partition_point(|&i| times[i] <= t);
            before
                .checked_sub(1)
                .map_or(0.0, |k| acked[s.rows[k]] as f64)
        };
        let rate = |k: u32| {
            let (from, to) = (f64::from(k) * width, f64::from(k + 1) * width);
            ((from + to) / 2.0, (at(to) - at(from)) * 8.0 / width / 1e6)
        };
        Ok((0..100).map(rate).collect())
    })
}
