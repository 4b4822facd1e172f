//! Clients' connection pools over time: occupancy, and waits of requests.

use super::Figure;
use super::chart::{Chart, Mark, stack};
use super::data::RunData;
use super::samples::{SampleSeries, shaded_time_series};
use super::style::{GREEN, Rgb, SKY, VERMILION};
use super::time_bins::TimeBins;
use crate::csv::Csv;
use crate::store::StoreError;

const LAYERS: [(&str, &str, Rgb); 2] = [("busy", "busy", GREEN), ("idle", "idle", SKY)];

/// Connections of all pools, busy and idle, with the requests that wait for one.
pub(crate) fn occupancy(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("pools")? else {
        return Ok(None);
    };
    let (starts, steps) = (table.floats("time_s")?, TimeBins::of(&table)?);
    let waiting = table.floats("waiting")?;
    let mut csv = Csv::new(["time_s", "busy", "idle", "waiting"]);
    let (busy, idle) = (table.floats("busy")?, table.floats("idle")?);
    for (i, &t) in starts.iter().enumerate() {
        csv.row([t, busy[i], idle[i], waiting[i]]);
    }
    let mut layers = Vec::new();
    for (column, label, colour) in LAYERS {
        let values = TimeBins::values(table.floats(column)?);
        layers.push((label.to_owned(), colour, values));
    }
    let mut marks = stack(&steps.edges, layers);
    let waited = waiting.iter().any(|n| *n > 0.0);
    if waited {
        marks.push(Mark::Line {
            label: "requests waiting".into(),
            colour: VERMILION,
            points: steps
                .edges
                .iter()
                .copied()
                .zip(TimeBins::values(waiting))
                .collect(),
            dashed: false,
        });
    }
    let title = "Connection pools";
    let chart = Chart {
        title,
        x_label: "time (s)",
        y_label: "connections, requests",
        x: steps.range(),
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    let mut caption =
        "Connections in the clients' pools, averaged over each time step: busy ones, which carry a \
                       request or are being opened for one, and idle ones."
            .to_owned();
    if waited {
        caption.push_str(" The line counts requests that wait for a connection.");
    }
    caption.push_str(data.shading());
    Ok(Some(Figure {
        name: "pool-occupancy".into(),
        title: title.into(),
        caption,
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// How long requests waited until they were sent.
pub(crate) fn waits(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("pools")? else {
        return Ok(None);
    };
    let times = table.floats("time_s")?;
    let mut series = Vec::new();
    for (column, label) in [("wait_mean_s", "mean"), ("wait_max_s", "longest")] {
        let values = table.floats(column)?;
        let known = times.iter().zip(values).filter(|(_, v)| v.is_finite());
        series.push(SampleSeries::new(label, known.map(|(&t, v)| (t, v * 1e3))));
    }
    let longest = table.floats("wait_max_s")?;
    if !longest.iter().any(|s| *s > 0.0) {
        return Ok(None);
    }
    let names = ("pool-waits", "Waits for a connection", "wait (ms)");
    let figure = shaded_time_series(names, &series, &data.outages)?;
    Ok(figure.map(|figure| Figure {
        caption: format!(
            "How long requests waited for a pooled connection, including the time to open one, by the \
             time they were sent.{}",
            data.shading()
        ),
        ..figure
    }))
}
