//! Connects over time: their outcomes per second, and the ports they try.

use super::Figure;
use super::chart::{Chart, Mark, stack};
use super::data::RunData;
use super::style::{BLACK, BLUE, GREEN, ORANGE, PURPLE, Rgb, SKY, VERMILION};
use super::time_bins::TimeBins;
use crate::analytic::offered_rate;
use crate::csv::Csv;
use crate::format::{number, seconds};
use crate::store::StoreError;

const KINDS: [(&str, &str, Rgb); 5] = [
    ("established", "established", GREEN),
    ("addr_not_available", "no free port", VERMILION),
    ("refused", "refused", ORANGE),
    ("timed_out", "timed out", PURPLE),
    ("aborted", "given up", SKY),
];

/// Stacked rates of outcomes with the offered rate; outcomes that never occur are left out.
pub(crate) fn connect_outcomes(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = &data.outcomes else {
        return Ok(None);
    };
    let (starts, widths) = (table.floats("time_s")?, table.floats("width_s")?);
    let mut layers = Vec::new();
    for (column, label, colour) in KINDS {
        let counts = table.ints(column)?;
        if counts.iter().any(|&n| n > 0) {
            let rates = counts.iter().zip(widths).map(|(&n, w)| n as f64 / w);
            layers.push((label.to_owned(), colour, rates.collect::<Vec<f64>>()));
        }
    }
    if layers.is_empty() {
        return Ok(None);
    }
    let header = ["time_s"]
        .into_iter()
        .chain(layers.iter().map(|l| l.0.as_str()));
    let mut csv = Csv::new(header);
    for (i, &t) in starts.iter().enumerate() {
        csv.row([t].into_iter().chain(layers.iter().map(|l| l.2[i])));
    }
    let steps = TimeBins::of(table)?;
    let layers = layers.into_iter();
    let layers = layers.map(|(label, colour, rates)| (label, colour, TimeBins::values(&rates)));
    let mut marks = stack(&steps.edges, layers.collect());
    let x = steps.range();
    let offered = &data.summary.info.analytic.offered_per_s;
    if !offered.is_empty() {
        let at = |k: usize| x.0 + (x.1 - x.0) * k as f64 / 500.0;
        marks.push(Mark::Line {
            label: "offered".into(),
            colour: BLACK,
            points: (0..=500)
                .map(|k| (at(k), offered_rate(offered, at(k))))
                .collect(),
            dashed: true,
        });
    }
    let title = "Outcomes of connect";
    let chart = Chart {
        title,
        x_label: "time (s)",
        y_label: "connects per second",
        x,
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    let mut caption = "Completed connects per second, stacked by outcome.".to_owned();
    if !offered.is_empty() {
        caption.push_str(" The dashed line is the offered rate.");
    }
    caption.push_str(data.shading());
    Ok(Some(Figure {
        name: "connect_outcomes".into(),
        title: title.into(),
        caption,
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// Below this number of ports per connect a figure is not worth while.
const FEW_PROBES: f64 = 2.0;
/// Time that Linux takes to try one port when most are in use, in seconds: connect took 12 us below
/// half of 28,232 ports and 1.49 ms above, where 14,116 are tried first.
pub(crate) const PROBE_S: f64 = 105e-9;

/// Ports tried per connect over time; not drawn if ports are found at once.
pub(crate) fn port_probes(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = &data.outcomes else {
        return Ok(None);
    };
    let (starts, widths) = (table.floats("time_s")?, table.floats("width_s")?);
    let probes = table.floats("port_probes")?;
    let middle = |i: usize| starts[i] + widths[i] / 2.0;
    let tried = (0..probes.len()).filter(|&i| probes[i].is_finite());
    let points: Vec<(f64, f64)> = tried.map(|i| (middle(i), probes[i])).collect();
    let most = points.iter().map(|(_, n)| *n).fold(0.0, f64::max);
    if most < FEW_PROBES {
        return Ok(None);
    }
    let mut csv = Csv::new(["time_s", "ports_tried_per_connect"]);
    for (t, n) in &points {
        csv.row([*t, *n]);
    }
    let title = "Ports tried per connect";
    let chart = Chart {
        title,
        x_label: "time (s)",
        y_label: "ports tried per connect (mean)",
        x: TimeBins::of(table)?.range(),
        marks: vec![Mark::Line {
            label: "ports tried".into(),
            colour: BLUE,
            points,
            dashed: false,
        }],
        shaded: &data.outages,
        ..Chart::default()
    };
    let caption = format!(
        "How many ports a connect tries until one is free, or all; at most {} on average, which would take Linux about {} \
         of CPU time at {} each. Linux tries every other port first: when half of the range is in use towards a \
         destination, each connect tries all of that half before it finds one in the other.{}",
        number(most),
        seconds(most * PROBE_S),
        seconds(PROBE_S),
        data.shading()
    );
    Ok(Some(Figure {
        name: "port_probes".into(),
        title: title.into(),
        caption,
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}
