//! Connects over time: their outcomes per second, and the ports they try.

use super::Figure;
use super::chart::{Chart, Mark, stack};
use super::data::RunData;
use super::style::{BLACK, BLUE, GREEN, ORANGE, PURPLE, Rgb, SKY, VERMILION};
use super::time_bins::TimeBins;
use crate::analytic::offered_rate;
use crate::bilingual::say;
use crate::csv::Csv;
use crate::format::{number, seconds};
use crate::store::StoreError;

const KINDS: [(&str, &str, &str, Rgb); 5] = [
    ("established", "established", "已建立", GREEN),
    (
        "addr_not_available",
        "no free port",
        "无空闲端口",
        VERMILION,
    ),
    ("refused", "refused", "被拒绝", ORANGE),
    ("timed_out", "timed out", "超时", PURPLE),
    ("aborted", "given up", "被放弃", SKY),
];

/// Stacked rates of outcomes with the offered rate; outcomes that never occur are left out.
pub(crate) fn connect_outcomes(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = &data.outcomes else {
        return Ok(None);
    };
    let (starts, widths) = (table.floats("time_s")?, table.floats("width_s")?);
    let mut layers = Vec::new();
    let mut header = vec!["time_s"];
    for (column, label, chinese, colour) in KINDS {
        let counts = table.ints(column)?;
        if counts.iter().any(|&n| n > 0) {
            let rates = counts.iter().zip(widths).map(|(&n, w)| n as f64 / w);
            header.push(label);
            let label = data.language.pick(label, chinese);
            layers.push((label.to_owned(), colour, rates.collect::<Vec<f64>>()));
        }
    }
    if layers.is_empty() {
        return Ok(None);
    }
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
        // At its very end a run offers nothing more.
        let before_end = x.1 - (x.1 - x.0) * 1e-6;
        marks.push(Mark::Line {
            label: data.language.pick("offered", "请求").into(),
            colour: BLACK,
            points: (0..=500)
                .map(|k| (at(k), offered_rate(offered, at(k).min(before_end))))
                .collect(),
            dashed: true,
        });
    }
    let title = data.language.pick("Outcomes of connect", "connect 的结果");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data
            .language
            .pick("connects per second", "每秒 connect 次数"),
        x,
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    let mut caption = data
        .language
        .pick(
            "Completed connects per second, stacked by outcome.",
            "每秒完成的 connect 次数，按结果堆叠。",
        )
        .to_owned();
    if !offered.is_empty() {
        caption.push_str(
            data.language
                .pick(" The dashed line is the offered rate.", " 虚线是请求速率。"),
        );
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

/// The ports in use over time, of a network whose supply is known.
struct PortsInUse {
    times: Vec<f64>,
    used: Vec<f64>,
    supply: Option<f64>,
}

impl PortsInUse {
    fn of(data: &RunData<'_>) -> Result<PortsInUse, StoreError> {
        let census = data.census_of("all")?;
        let (times, used) = census.map_or((Vec::new(), Vec::new()), |census| {
            let used = census.column("ports_in_use").to_vec();
            (census.times.clone(), used)
        });
        let hints = &data.summary.info.analytic;
        let supply = hints.ports_per_destination;
        Ok(PortsInUse {
            times,
            used,
            supply: supply.map(|p| p as f64 * hints.destinations.max(1) as f64),
        })
    }

    /// The number at a time: that of the last row before; NaN before the first.
    fn at(&self, time: f64) -> f64 {
        let after = self.times.partition_point(|t| *t <= time);
        let row = after.checked_sub(1).and_then(|row| self.used.get(row));
        row.copied().unwrap_or(f64::NAN)
    }

    /// When half of the supply was in use for the first time.
    fn half(&self) -> Option<f64> {
        let half = self.supply? / 2.0;
        let row = self.used.iter().position(|used| *used >= half)?;
        self.times.get(row).copied()
    }
}

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
    let in_use = PortsInUse::of(data)?;
    let mut csv = Csv::new(["time_s", "ports_tried_per_connect", "ports_in_use"]);
    for (t, n) in &points {
        csv.row([*t, *n, in_use.at(*t)]);
    }
    let knee = in_use.half();
    let mut marks = vec![Mark::Line {
        label: data.language.pick("ports tried", "尝试的端口数").into(),
        colour: BLUE,
        points,
        dashed: false,
    }];
    marks.extend(knee.map(|t| {
        Mark::Line {
            label: data
                .language
                .pick("half of the range in use", "端口范围的一半在用")
                .into(),
            colour: BLACK,
            points: vec![(t, 0.0), (t, most)],
            dashed: true,
        }
    }));
    let title = data
        .language
        .pick("Ports tried per connect", "每次 connect 尝试的端口数");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data.language.pick(
            "ports tried per connect (mean)",
            "每次 connect 尝试的端口数（平均）",
        ),
        x: TimeBins::of(table)?.range(),
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    let half = knee.map_or(String::new(), |t| {
        say!(
            data.language,
            " Half of the range was in use from t = {} on (dashed line).",
            "从 t = {} 起，端口范围有一半在用（虚线）。",
            seconds(t)
        )
    });
    let caption = say!(
        data.language,
        "How many ports a connect tries until one is free, or all; at most {} on average, which would take Linux about {} \
         of CPU time at {} each. Linux tries every other port first: when half of the range is in use towards a \
         destination, each connect tries all of that half before it finds one in the other.{half}{}",
        "一次 connect 在找到空闲端口之前（或全部失败时）尝试的端口数；平均至多 {}，按每个 {2} 计，Linux 为此要用约 {1} 的处理器时间。Linux 先每隔一个端口尝试：当到某目的地的端口范围有一半在用时，每次 connect 都要先试完这一半，才在另一半中找到空闲端口。{half}{3}",
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
