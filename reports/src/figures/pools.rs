//! Connection pools of clients and proxies over time: occupancy, and waits of requests.

use super::Figure;
use super::chart::{Chart, Mark, stack};
use super::data::RunData;
use super::samples::{SampleSeries, shaded_time_series};
use super::style::{GREEN, Rgb, SKY, VERMILION};
use super::time_bins::TimeBins;
use crate::bilingual::say;
use crate::csv::Csv;
use crate::store::StoreError;

const LAYERS: [(&str, &str, Rgb); 2] = [("busy", "忙", GREEN), ("idle", "空闲", SKY)];

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
    for (column, chinese, colour) in LAYERS {
        let values = TimeBins::values(table.floats(column)?);
        let label = data.language.pick(column, chinese);
        layers.push((label.to_owned(), colour, values));
    }
    let mut marks = stack(&steps.edges, layers);
    let waited = waiting.iter().any(|n| *n > 0.0);
    if waited {
        marks.push(Mark::Line {
            label: data.language.pick("requests waiting", "等待的请求").into(),
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
    let title = data.language.pick("Connection pools", "连接池");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data
            .language
            .pick("connections, requests", "连接数、请求数"),
        x: steps.range(),
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    let mut caption =
        data.language.pick("Connections in the pools of clients and proxies, averaged over each time step: busy ones, which carry a \
                       request or are being opened for one, and idle ones.", "客户端和代理的连接池中的连接，按时间段取平均：忙的连接正在传送请求或为请求而打开，其余为空闲。")
            .to_owned();
    if waited {
        caption.push_str(data.language.pick(
            " The line counts requests that wait for a connection.",
            " 折线是等待连接的请求数。",
        ));
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
    let labels = data.language.pick(["mean", "longest"], ["平均", "最长"]);
    for (column, label) in ["wait_mean_s", "wait_max_s"].into_iter().zip(labels) {
        let values = table.floats(column)?;
        let known = times.iter().zip(values).filter(|(_, v)| v.is_finite());
        series.push(SampleSeries::new(label, known.map(|(&t, v)| (t, v * 1e3))));
    }
    let longest = table.floats("wait_max_s")?;
    if !longest.iter().any(|s| *s > 0.0) {
        return Ok(None);
    }
    let title = data
        .language
        .pick("Waits for a connection", "等待连接的时间");
    let names = (
        "pool-waits",
        title,
        data.language.pick("wait (ms)", "等待 (ms)"),
    );
    let figure = shaded_time_series(names, "wait (ms)", &series, &data.outages, data.language)?;
    Ok(figure.map(|figure| Figure {
        caption: say!(data.language, "How long requests waited for a pooled connection, including the time to open one, by the \
             time they were sent.{}", "请求等待连接池连接的时间，含打开连接的时间，以请求发出的时刻为横坐标。{}",
            data.shading()
        ),
        ..figure
    }))
}
