//! Sockets and ports over time.

use tcp_model::State;

use super::Figure;
use super::chart::{Chart, Mark, level, stack};
use super::data::RunData;
use super::style::{BLACK, BLUE, VERMILION, state_colour};
use crate::analytic::{FluidPoint, expected_curve};
use crate::bilingual::say;
use crate::csv::Csv;
use crate::format::{count, number, seconds};
use crate::info::AnalyticHints;
use crate::store::StoreError;

/// Order of the stack, from the bottom; LISTEN sockets, few and constant, are left out.
const STACK: [State; 10] = [
    State::TimeWait,
    State::Established,
    State::SynSent,
    State::SynReceived,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::Listen,
];

fn span(times: &[f64]) -> (f64, f64) {
    (
        times.first().copied().unwrap_or(0.0),
        times.last().copied().unwrap_or(1.0),
    )
}

/// Stacked sockets per state; states that never occur are left out.
pub(crate) fn sockets_by_state(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(census) = data.census_of("all")? else {
        return Ok(None);
    };
    let occurs = |s: &State| census.column(s.name()).iter().any(|v| *v != 0.0);
    let states: Vec<State> = STACK.into_iter().filter(occurs).collect();
    if states.is_empty() {
        return Ok(None);
    }
    let mut csv = Csv::new(
        ["time_s"]
            .into_iter()
            .chain(states.iter().map(|s| s.name())),
    );
    for (i, &t) in census.times.iter().enumerate() {
        let values = states.iter().map(|s| census.column(s.name())[i]);
        csv.row([t].into_iter().chain(values));
    }
    let layers = states.iter().map(|&s| {
        let values = census.column(s.name()).to_vec();
        (s.name().to_owned(), state_colour(s), values)
    });
    let title = data.language.pick("Sockets by state", "各状态的套接字数");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data.language.pick("sockets", "套接字数"),
        x: span(&census.times),
        marks: stack(&census.times, layers.collect()),
        shaded: &data.outages,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: "sockets_by_state".into(),
        title: title.into(),
        caption: say!(
            data.language,
            "All sockets of all hosts, stacked by state, counted every {}. Both ends of a \
             connection count.{}",
            "所有主机的全部套接字，按状态堆叠，每 {} 统计一次。一条连接的两端都计入。{}",
            seconds(data.summary.info.record.interval_s),
            data.shading()
        ),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

fn theory(data: &RunData<'_>, x: (f64, f64)) -> Option<Vec<FluidPoint>> {
    let info = &data.summary.info;
    info.analytic.theory.as_ref()?.time_wait.as_ref()?;
    let points = expected_curve(&info.analytic, info.duration_s)?;
    Some(points.into_iter().filter(|p| p.t_s <= x.1).collect())
}

fn stay_s(hints: &AnalyticHints) -> f64 {
    let stay = hints.theory.as_ref().and_then(|t| t.time_wait.as_ref());
    stay.map_or(0.0, |t| t.stay_s)
}

/// Ports over all pairs of client address and destination, if the clients are the ones in TIME-WAIT.
fn client_supply(hints: &AnalyticHints) -> Option<f64> {
    let theory = hints.theory.as_ref()?;
    let stay = theory.time_wait.as_ref()?;
    let kept = theory.held_s.high >= stay.after_s.low + stay.stay_s;
    kept.then_some(theory.ports * theory.pairs)
}

fn curve(label: &str, colour: super::style::Rgb, points: Vec<(f64, f64)>, dashed: bool) -> Mark {
    Mark::Line {
        label: label.into(),
        colour,
        points,
        dashed,
    }
}

/// Sockets in TIME-WAIT with the theoretical curve and the limit set by the ports.
pub(crate) fn time_wait(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let hints = &data.summary.info.analytic;
    let group = hints.time_wait_group.as_deref();
    let scoped = group.map(|g| data.census_of(g)).transpose()?.flatten();
    let scoped = scoped.filter(|c| !c.times.is_empty());
    let census = match scoped {
        Some(census) => Some(census),
        None => data.census_of("all")?,
    };
    let Some(census) = census else {
        return Ok(None);
    };
    let measured = census.column("TIME-WAIT");
    if measured.iter().all(|v| *v == 0.0) {
        return Ok(None);
    }
    let x = span(&census.times);
    let expected = theory(data, x);
    let supply = client_supply(hints);
    let points = census.times.iter().copied().zip(measured.iter().copied());
    let mut marks = vec![curve(
        data.language.pick("simulated", "模拟"),
        VERMILION,
        points.collect(),
        false,
    )];
    let mut caption = data
        .language
        .pick("Sockets in TIME-WAIT.", "处于 TIME-WAIT 的套接字。")
        .to_owned();
    if let Some(expected) = &expected {
        let points = expected.iter().map(|p| (p.t_s, p.time_wait)).collect();
        marks.push(curve(
            data.language.pick("theory", "理论"),
            BLACK,
            points,
            true,
        ));
        caption.push_str(&say!(
            data.language,
            " The dashed black curve is Little's law for a stay of {}: the connections closed in \
             the last {0}",
            " 黑色虚线是按停留 {} 计算的利特尔法则：最近 {0} 内关闭的连接数",
            seconds(stay_s(hints))
        ));
        caption.push_str(if supply.is_some() {
            data.language
                .pick(", limited by the number of ports.", "，并受端口数限制。")
        } else {
            data.language.pick(".", "。")
        });
    }
    if expected.is_none() && !hints.no_closed_form.is_empty() {
        let why = hints.no_closed_form.join("; ");
        caption.push_str(&say!(
            data.language,
            " No closed form is drawn: {why}.",
            " 没有画出理论曲线：它的条件在这里不成立。"
        ));
    }
    if let Some(supply) = supply {
        let most = measured.iter().copied().fold(0.0, f64::max);
        match is_near(most, supply) {
            true => marks.push(level(
                say!(data.language, "{} ports", "{} 个端口", count(supply)),
                supply,
                x,
            )),
            false => caption.push_str(&say!(
                data.language,
                " Their limit, {} ports, is far above what is drawn.",
                " 其上限 {} 个端口远在图外。",
                count(supply)
            )),
        }
    }
    let mut csv = Csv::new(["time_s", "time_wait", "theory"]);
    for (&t, &n) in census.times.iter().zip(measured) {
        let at = |points: &Vec<FluidPoint>| {
            let i = points.partition_point(|p| p.t_s < t).min(points.len() - 1);
            points[i].time_wait
        };
        csv.row([
            t,
            n,
            expected
                .as_ref()
                .filter(|p| !p.is_empty())
                .map_or(f64::NAN, at),
        ]);
    }
    let title = match group {
        Some(group) => say!(
            data.language,
            "Sockets in TIME-WAIT ({group})",
            "处于 TIME-WAIT 的套接字（{group}）"
        ),
        None => data
            .language
            .pick("Sockets in TIME-WAIT", "处于 TIME-WAIT 的套接字")
            .to_owned(),
    };
    let chart = Chart {
        title: &title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data
            .language
            .pick("sockets in TIME-WAIT", "TIME-WAIT 套接字数"),
        x,
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    caption.push_str(data.shading());
    Ok(Some(Figure {
        name: "time_wait".into(),
        svg: chart.svg()?,
        title,
        caption,
        csv: csv.finish(),
    }))
}

/// A limit is drawn if the curve comes near it; one far above would only flatten the curve.
fn is_near(most: f64, limit: f64) -> bool {
    most * 20.0 >= limit
}

/// Ports of active openers with the supply.
pub(crate) fn ports_in_use(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(census) = data.census_of("all")? else {
        return Ok(None);
    };
    let used = census.column("ports_in_use");
    let most = used.iter().copied().fold(0.0, f64::max);
    if most == 0.0 {
        return Ok(None);
    }
    let x = span(&census.times);
    let points = census.times.iter().copied().zip(used.iter().copied());
    let mut marks = vec![curve(
        data.language.pick("in use", "在用"),
        BLUE,
        points.collect(),
        false,
    )];
    let hints = &data.summary.info.analytic;
    let supply = hints
        .ports_per_destination
        .map(|p| p as f64 * hints.destinations.max(1) as f64);
    let mut caption = data
        .language
        .pick(
            "Local ports held by active openers, including TIME-WAIT; a port used towards \
                       several destinations counts once for each.",
            "主动打开方占用的本地端口，含 TIME-WAIT；用于多个目的地的端口各计一次。",
        )
        .to_owned();
    if let Some(supply) = supply {
        if is_near(most, supply) {
            marks.push(level(
                say!(data.language, "capacity {}", "容量 {}", count(supply)),
                supply,
                x,
            ));
        }
        caption.push_str(&say!(
            data.language,
            " The supply is {} ports x {} = {}; at most {} % of it were in use.",
            " 端口供给为 {} 个端口 x {} = {}；最多有 {} % 在用。",
            count(hints.ports_per_destination.unwrap_or(0) as f64),
            count(hints.destinations.max(1) as f64),
            count(supply),
            number(100.0 * most / supply)
        ));
    }
    let mut csv = Csv::new(["time_s", "ports_in_use"]);
    for (&t, &n) in census.times.iter().zip(used) {
        csv.row([t, n]);
    }
    let title = data.language.pick("Local ports in use", "在用的本地端口");
    let chart = Chart {
        title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: data.language.pick("ports", "端口数"),
        x,
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    caption.push_str(data.shading());
    Ok(Some(Figure {
        name: "ports_in_use".into(),
        title: title.into(),
        caption,
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}
