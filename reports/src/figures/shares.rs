//! How recorded senders share capacity: their stacked goodput, and Jain's index over time.

use super::Figure;
use super::bulk::acked_at;
use super::chart::{Chart, Mark};
use super::data::RunData;
use super::senders::TracedSender;
use super::style::{BLUE, SERIES};
use crate::csv::Csv;
use crate::store::StoreError;

/// Parts of the run over which goodput is averaged.
const PARTS: u32 = 100;

/// The middle of a part of the run, and the goodput of each sender in it, bit/s; NaN for a sender
/// not present throughout.
struct TimePart {
    middle: f64,
    rates: Vec<f64>,
}

fn parts(senders: &[TracedSender]) -> Vec<TimePart> {
    let last = senders.iter().filter_map(|s| s.points.last());
    let end = last.map(|p| p.time).fold(0.0, f64::max);
    let width = end / f64::from(PARTS);
    let rate = |s: &TracedSender, from: f64, to: f64| {
        let there = s.points.first().is_some_and(|p| p.time <= from)
            && s.points.last().is_some_and(|p| p.time >= to - width / 2.0);
        let bytes = acked_at(&s.points, to, width) - acked_at(&s.points, from, width);
        if there { bytes * 8.0 / width } else { f64::NAN }
    };
    let part = |k: u32| {
        let (from, to) = (f64::from(k) * width, f64::from(k + 1) * width);
        TimePart {
            middle: (from + to) / 2.0,
            rates: senders.iter().map(|s| rate(s, from, to)).collect(),
        }
    };
    match width > 0.0 {
        true => (0..PARTS).map(part).collect(),
        false => Vec::new(),
    }
}

/// Jain's index of the senders present: (sum x)^2 / (n sum x^2); NaN for fewer than two, or if nothing was
/// sent.
fn jain(rates: &[f64]) -> f64 {
    let there: Vec<f64> = rates.iter().copied().filter(|r| r.is_finite()).collect();
    let (n, sum) = (there.len() as f64, there.iter().sum::<f64>());
    let squares: f64 = there.iter().map(|r| r * r).sum();
    if there.len() < 2 || squares <= 0.0 {
        return f64::NAN;
    }
    sum * sum / (n * squares)
}

/// The goodput of each sender, stacked.
pub(crate) fn shares(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let parts = parts(&data.senders.shown);
    if data.senders.shown.len() < 2 || parts.is_empty() {
        return Ok(None);
    }
    let mut csv = Csv::new(["time_s", "connection", "goodput_mbps"]);
    let mut below = vec![0.0; parts.len()];
    let mut marks = Vec::new();
    for (i, (sender, colour)) in data.senders.shown.iter().zip(SERIES).enumerate() {
        let mut points = Vec::new();
        for (part, below) in parts.iter().zip(&mut below) {
            let rate = part.rates[i];
            let mbps = if rate.is_finite() {
                rate.max(0.0) / 1e6
            } else {
                0.0
            };
            csv.number(part.middle);
            csv.text(&sender.label);
            csv.row([mbps]);
            points.push((part.middle, *below, *below + mbps));
            *below += mbps;
        }
        marks.push(Mark::Area {
            label: sender.label.clone(),
            colour,
            points,
        });
    }
    let title = data
        .language
        .pick("Shares of the goodput", "有效吞吐量的份额");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data
            .language
            .pick("goodput (Mbit/s)", "有效吞吐量 (Mbit/s)"),
        x: (0.0, parts.last().map_or(1.0, |p| p.middle)),
        marks,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: "shares".into(),
        title: title.into(),
        caption:
            data.language.pick("Payload acknowledged to each sender with a curve, averaged over hundredths of the run, stacked: \
                  the upper edge is their total.", "每个画出曲线的发送方得到确认的数据，按运行时间的百分之一取平均并堆叠：上沿是总和。")
                .into(),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// Jain's fairness index over time.
pub(crate) fn fairness(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let parts = parts(&data.senders.shown);
    let points: Vec<(f64, f64)> = parts.iter().map(|p| (p.middle, jain(&p.rates))).collect();
    if points.iter().all(|p| !p.1.is_finite()) {
        return Ok(None);
    }
    let mut csv = Csv::new(["time_s", "jain_index"]);
    points.iter().for_each(|&(t, j)| csv.row([t, j]));
    let title = data
        .language
        .pick("Fairness over time", "公平性随时间的变化");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data.language.pick("Jain's index", "Jain 指数"),
        x: (0.0, parts.last().map_or(1.0, |p| p.middle)),
        marks: vec![Mark::Line {
            label: String::new(),
            colour: BLUE,
            points,
            dashed: false,
        }],
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: "fairness".into(),
        title: title.into(),
        caption: data.language.pick("Jain's index of the goodput of the traced senders in hundredths of the run: 1 if all \
                  have the same, 1/n if one of n has everything. Only senders present throughout each \
                  part count; the curve stops where there are fewer than two.", "被跟踪发送方的有效吞吐量的 Jain 指数，按运行时间的百分之一计算：全部相等为 1，n 个中只有一个占有全部为 1/n。只计入在整个时段内都在的发送方；少于两个时曲线中断。")
            .into(),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jains_index_is_that_of_its_paper() {
        assert_eq!(jain(&[3.0, 3.0, 3.0]), 1.0);
        assert_eq!(jain(&[4.0, 0.0, 0.0, 0.0]), 0.25);
        // (1 + 2)^2 / (2 * 5), without the absent sender.
        assert!((jain(&[1.0, 2.0, f64::NAN]) - 0.9).abs() < 1e-12);
        assert!(jain(&[1.0]).is_nan() && jain(&[0.0, 0.0]).is_nan());
    }
}
