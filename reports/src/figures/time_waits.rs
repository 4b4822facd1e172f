//! What TIME-WAIT does to recorded connections: how long entries stay, and which ports they hold when.

use std::collections::BTreeMap;

use super::Figure;
use super::chart::{Chart, Mark};
use super::data::RunData;
use super::samples::{SampleSeries, histogram_in};
use super::style::{BLUE, VERMILION};
use crate::bilingual::say;
use crate::csv::Csv;
use crate::format::count;
use crate::store::StoreError;

/// Number of bins of the histogram.
const BINS: usize = 30;
/// Most connections whose ports are drawn: more than there are rows of pixels.
const MOST: usize = 4000;

/// An end of a connection in TIME-WAIT: since when, and until when if that was seen; seconds.
type TimeWaitStay = (f64, Option<f64>);

/// An end: connection, and whether it is the active side.
type EndKey = (i64, bool);

/// The stays of recorded connections, by end.
fn stays(data: &RunData<'_>) -> Result<BTreeMap<EndKey, TimeWaitStay>, StoreError> {
    let mut all: BTreeMap<EndKey, TimeWaitStay> = BTreeMap::new();
    let Some(mut groups) = data.groups("states", &["time_s", "conn", "side", "from", "to"])? else {
        return Ok(all);
    };
    while let Some(group) = groups.next_group()? {
        let (times, conns) = (group.floats("time_s")?, group.ints("conn")?);
        let sides = group.texts("side")?;
        let (from, to) = (group.texts("from")?, group.texts("to")?);
        for i in 0..group.len() {
            let end = || (conns[i], &sides[i] == "active");
            if &to[i] == "TIME-WAIT" {
                all.insert(end(), (times[i], None));
            } else if &from[i] == "TIME-WAIT"
                && let Some((_, left)) = all.get_mut(&end())
            {
                left.get_or_insert(times[i]);
            }
        }
    }
    Ok(all)
}

/// How long recorded connections were in TIME-WAIT; for those still there at the end, how long they
/// had been.
pub(crate) fn ages(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let stays = stays(data)?;
    let end_s = data.summary.reached_s;
    let over = stays
        .values()
        .filter_map(|(since, left)| Some((*since, (*left)? - since)));
    let there = stays.values().filter(|(_, left)| left.is_none());
    let series: Vec<SampleSeries> = [
        SampleSeries::new(data.language.pick("over", "已结束"), over),
        SampleSeries::new(
            data.language.pick("there at the end", "结束时仍在"),
            there.map(|(since, _)| (*since, end_s - since)),
        ),
    ]
    .into_iter()
    .filter(|one| one.values().next().is_some())
    .collect();
    let title = data
        .language
        .pick("Time spent in TIME-WAIT", "在 TIME-WAIT 中停留的时间");
    let figure = histogram_in(
        "time-wait-ages",
        title,
        data.language
            .pick("time in TIME-WAIT (s)", "TIME-WAIT 时间 (s)"),
        &series,
        BINS,
        data.language,
    )?;
    Ok(figure.map(|figure| Figure {
        caption: say!(data.language, "How long {} recorded ends of connections stayed in TIME-WAIT: for the whole time-out if the entry \
             expired, for less if its port was reused, or if a reset or a new SYN ended it.", "{} 个有记录的连接端在 TIME-WAIT 中停留的时间：条目到期则为整个时限；端口被重用，或被复位或新 SYN 结束，则较短。",
            count(stays.len() as f64)
        ),
        ..figure
    }))
}

/// When a connection held its port: opened, ended, and left TIME-WAIT; seconds.
struct PortUse {
    port: f64,
    from_s: f64,
    ended_s: f64,
    until_s: f64,
}

fn held(data: &RunData<'_>) -> Result<Vec<PortUse>, StoreError> {
    let stays = stays(data)?;
    let end_s = data.summary.reached_s;
    let columns = [
        "conn",
        "side",
        "local_port",
        "opened_s",
        "ended_s",
        "time_wait",
    ];
    let mut all = Vec::new();
    let Some(mut groups) = data.groups("connections", &columns)? else {
        return Ok(all);
    };
    while let Some(group) = groups.next_group()? {
        let (conns, sides) = (group.ints("conn")?, group.texts("side")?);
        let ports = group.ints("local_port")?;
        let (opened, ended) = (group.floats("opened_s")?, group.floats("ended_s")?);
        let waited = group.bools("time_wait")?;
        for i in (0..group.len()).filter(|&i| &sides[i] == "active") {
            let stay = stays.get(&(conns[i], true));
            // How long it stayed in TIME-WAIT is known only if its states were recorded.
            if waited[i] && stay.is_none() {
                continue;
            }
            let until_s = stay.map_or(ended[i], |(_, left)| left.unwrap_or(end_s));
            all.push(PortUse {
                port: ports[i] as f64,
                from_s: opened[i],
                ended_s: ended[i],
                until_s,
            });
        }
    }
    Ok(all)
}

/// Local ports over time: held by a connection, and by TIME-WAIT.
pub(crate) fn ports(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let all = held(data)?;
    let Some(end_s) = all.iter().map(|h| h.until_s).reduce(f64::max) else {
        return Ok(None);
    };
    // The axis begins at zero, which stands for the lowest port.
    let lowest = all.iter().map(|h| h.port).fold(f64::MAX, f64::min);
    let mut csv = Csv::new(["port", "opened_s", "ended_s", "free_s"]);
    let (mut open, mut waiting) = (Vec::new(), Vec::new());
    let gap = (f64::NAN, f64::NAN);
    let stride = all.len().div_ceil(MOST).max(1);
    for h in all.iter().step_by(stride) {
        csv.row([h.port, h.from_s, h.ended_s, h.until_s]);
        let y = h.port - lowest;
        open.extend([(h.from_s, y), (h.ended_s, y), gap]);
        if h.until_s > h.ended_s {
            waiting.extend([(h.ended_s, y), (h.until_s, y), gap]);
        }
    }
    let line = |label: &str, colour, points| Mark::Line {
        label: label.into(),
        colour,
        points,
        dashed: false,
    };
    let mut marks = vec![line(data.language.pick("connection", "连接"), BLUE, open)];
    if !waiting.is_empty() {
        marks.push(line("TIME-WAIT", VERMILION, waiting));
    }
    let title = data
        .language
        .pick("Local ports over time", "本地端口随时间的使用");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: &say!(
            data.language,
            "local port - {lowest:.0}",
            "本地端口 - {lowest:.0}"
        ),
        x: (0.0, end_s),
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: "port-space".into(),
        title: title.into(),
        caption: say!(
            data.language,
            "Each line is the local port of one of {} connections with recorded states, from the call of connect until the port \
             was free again.{}{}",
            "每条横线是 {} 条有状态记录的连接之一的本地端口，从调用 connect 到端口重新空闲。{}{}",
            count(all.len() as f64),
            match stride {
                1 => String::new(),
                n => say!(
                    data.language,
                    " One in {n} of them is drawn.",
                    " 每 {n} 条画一条。"
                ),
            },
            data.shading()
        ),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}
