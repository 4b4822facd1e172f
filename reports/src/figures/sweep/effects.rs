//! A tornado diagram: the effect of each swept parameter on a metric, the largest first.

use super::name_of;
use crate::batch::effects::{Effect, effects, is_sample};
use crate::batch::{Axis, BatchInfo, BatchRow, Layout, MetricFigure};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::figures::Figure;
use crate::figures::style::{BLACK, BLUE, GREY, LIGHT_GREY, Rgb, VERMILION};
use crate::figures::svg::{Anchor, Font, Svg, text_width};
use crate::format::{metric, percent};
use crate::stats::{LEAST_BASE_POINTS, SobolIndex};
use crate::store::StoreError;
use crate::words;

/// Most parameters drawn; all are in the figure's CSV file.
const MOST: usize = 20;
const ROW: f64 = 46.0;
const TOP: f64 = 56.0;
const BAR: f64 = 20.0;
/// Width of the diagram.
const PLOT: f64 = 420.0;
const TITLE: Font = Font::new(17, BLACK).bold();
const TEXT: Font = Font::new(13, BLACK);
const SMALL: Font = Font::new(12, GREY);

/// The figure; `None` if no parameter has an effect that can be computed.
pub(super) fn figure(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
    layout: &Layout,
    language: Language,
) -> Result<Option<Figure>, StoreError> {
    let held = |row: &&BatchRow| {
        let mut each = layout.only.iter();
        each.all(|&(axis, at)| row.values.get(axis) == info.axes[axis].values.get(at))
    };
    let rows: Vec<BatchRow> = rows.iter().filter(held).cloned().collect();
    let all = effects(&info.axes, &rows, &wanted.metric, language);
    if all.is_empty() {
        return Ok(None);
    }
    let name = words::column_in(&wanted.metric, language);
    let title = language.sentence(&say!(language, "What changes the {name}", "什么改变{name}"));
    let sample = info.axes.iter().find(|axis| is_sample(axis));
    Ok(Some(Figure {
        name: match wanted.name.as_str() {
            "" => crate::figures::file_name(&format!("{}-effects", wanted.metric)),
            _ => name_of(wanted, ""),
        },
        svg: draw(
            &title,
            &wanted.metric,
            &all[..all.len().min(MOST)],
            language,
        ),
        caption: caption(&title, &wanted.metric, sample, &all, language),
        csv: csv(&all),
        title,
    }))
}

/// Describes the bars, and the share of the variance that they do not explain.
fn caption(
    title: &str,
    id: &str,
    sample: Option<&Axis>,
    all: &[Effect],
    language: Language,
) -> String {
    let means = match sample {
        None => {
            language.pick("Each bar leads from the mean over all runs with one value of a parameter to that with \
             another: of numbers the lowest and the highest value, of names those with the least and the \
             largest mean", "每条色带从参数取一个值的全部运行的平均值，到取另一个值的平均值：数值取最小和最大，名称取平均值最小和最大者")
        }
        Some(_) => {
            language.pick("Each bar leads from the mean over the fifth of the points with the lowest values of a \
             parameter to that over the fifth with the highest; of names from the least mean to the largest", "每条色带从参数值最低的五分之一点的平均值，到最高的五分之一点的平均值；名称则从平均值最小者到最大者")
        }
    };
    let mut text = say!(
        language,
        "{title} ({id}). {means}; in brackets the 95 % interval of the difference.",
        "{title}（{id}）。{means}；方括号内为差的 95 % 置信区间。"
    );
    let shares: Vec<f64> = all.iter().filter_map(|e| Some(e.share?.index)).collect();
    let rest = percent((1.0 - shares.iter().sum::<f64>()).clamp(0.0, 1.0));
    let has_totals = all.iter().any(|e| e.total.is_some());
    match sample {
        None => {}
        Some(_) if has_totals => text.push_str(&say!(language, " Shares of the variance are Sobol indices with 95 % intervals (bootstrap). \"Alone\" is the \
             first-order index, what a parameter explains by itself; the rest, {rest}, is by parameters together and by \
             chance. \"In total\" is the total index, which includes what a parameter does together with others, so \
             that totals may add up to more than 100 %. A parameter with a total of 0 may have any value in its range \
             without changing the result.", " 方差份额是 Sobol 指数及其 95 % 置信区间（自助法）。“单独”是一阶指数，即参数自身所解释的部分；其余 {rest} 来自参数之间的相互作用和偶然因素。“合计”是总指数，含参数与其他参数共同的作用，因此合计相加可能超过 100 %。合计为 0 的参数可在其范围内任意取值而不改变结果。"
        )),
        Some(_) if !shares.is_empty() => text.push_str(&say!(language, " Shares are first-order Sobol indices: how much of the variance each parameter explains by \
             itself, as far as curves of at most three periods over its range can show. The rest, {rest}, is by \
             steps that such curves do not follow, by parameters together and by chance (method = \"saltelli\" \
             says which parameters are involved).", " 份额是一阶 Sobol 指数：每个参数自身所解释的方差，限于在其范围内至多三个周期的曲线所能表示的部分。其余 {rest} 来自这类曲线不能跟随的突变、参数之间的相互作用和偶然因素（method = \"saltelli\" 可指出是哪些参数）。"
        )),
        Some(axis) if axis.base_points.is_some() => text.push_str(&say!(language, " {LEAST_BASE_POINTS} base points or more would show the share of the variance, too.", " 基点数达到 {LEAST_BASE_POINTS} 时还可给出方差份额。"
        )),
        Some(_) => {
            text.push_str(language.pick(" Sixty points or more would show the share of the variance, too.", " 点数达到六十时还可给出方差份额。"));
        }
    }
    if all.len() > MOST {
        text.push_str(&say!(
            language,
            " {} more parameters are in the CSV file.",
            " 另有 {} 个参数在 CSV 文件中。",
            all.len() - MOST
        ));
    }
    text
}

/// "higher by 3 Mbit/s [2 … 4]" without the words: "+3 Mbit/s [+2 … +4]".
fn difference(id: &str, effect: &Effect, language: Language) -> String {
    let signed = |value: f64| match value < 0.0 {
        true => format!("-{}", metric(id, -value)),
        false => format!("+{}", metric(id, value)),
    };
    let by = signed(effect.difference.mean);
    let mut text = match effect.difference.interval {
        Some((low, high)) => format!("{by} [{} … {}]", signed(low), signed(high)),
        None => by,
    };
    let percents = |index: SobolIndex| {
        let (low, high) = index.interval;
        format!(
            "{} [{} … {}]",
            percent(index.index.clamp(0.0, 1.0)),
            percent(low),
            percent(high)
        )
    };
    match (effect.share.map(percents), effect.total.map(percents)) {
        (Some(alone), Some(total)) => {
            text.push_str(&say!(
                language,
                "; explains {alone} alone, {total} in total",
                "；单独解释 {alone}，合计 {total}"
            ));
        }
        (Some(alone), None) => {
            text.push_str(&say!(language, "; explains {alone}", "；解释 {alone}"))
        }
        _ => {}
    }
    text
}

fn draw(
    title: &str,
    id: &str,
    all: &[Effect],
    language: Language,
) -> crate::figures::drawing::Drawing {
    let names = all.iter().map(|e| text_width(&e.name, TEXT.size));
    let values = all.iter().flat_map(|e| [&e.from.0, &e.to.0]);
    // On both sides of the bars.
    let room = values.map(|v| text_width(v, TEXT.size)).fold(0.0, f64::max) + 12.0;
    let left = names.fold(80.0, f64::max) + 36.0 + room;
    let width = (left + PLOT + room + 20.0).max(text_width(title, TITLE.size) + 40.0);
    let ends = all.iter().flat_map(|e| [e.from.1, e.to.1]);
    let low = ends.clone().fold(f64::INFINITY, f64::min);
    let high = ends.fold(f64::NEG_INFINITY, f64::max);
    let span = (high - low).max(f64::MIN_POSITIVE);
    let x = |value: f64| left + (value - low) / span * PLOT;
    let bottom = TOP + ROW * all.len() as f64;
    let mut svg = Svg::default();
    svg.text((20.0, 28.0), Anchor::Start, TITLE, title);
    for i in 0..=4 {
        let value = low + span * f64::from(i) / 4.0;
        svg.line((x(value), TOP - 6.0), (x(value), bottom), LIGHT_GREY, 1.0);
        let text = metric(id, value);
        svg.text((x(value), bottom + 18.0), Anchor::Middle, SMALL, &text);
    }
    for (effect, i) in all.iter().zip(0u32..) {
        let y = TOP + ROW * f64::from(i);
        svg.text((20.0, y + 15.0), Anchor::Start, TEXT, &effect.name);
        let (from, to) = (x(effect.from.1), x(effect.to.1));
        let rises = to >= from;
        let colour: Rgb = if rises { BLUE } else { VERMILION };
        svg.rect((from.min(to), y), ((to - from).abs().max(2.0), BAR), colour);
        let (at_left, at_right) = match rises {
            true => (&effect.from.0, &effect.to.0),
            false => (&effect.to.0, &effect.from.0),
        };
        svg.text((from.min(to) - 6.0, y + 15.0), Anchor::End, TEXT, at_left);
        svg.text(
            (from.max(to) + 6.0, y + 15.0),
            Anchor::Start,
            TEXT,
            at_right,
        );
        let under = (left + PLOT / 2.0, y + BAR + 14.0);
        svg.text(
            under,
            Anchor::Middle,
            SMALL,
            &difference(id, effect, language),
        );
    }
    svg.finish(width, bottom + 34.0)
}

fn csv(all: &[Effect]) -> String {
    let head = [
        "parameter",
        "from",
        "to",
        "mean_from",
        "mean_to",
        "difference",
        "low",
        "high",
        "share",
        "share_low",
        "share_high",
        "total_share",
        "total_low",
        "total_high",
    ];
    let mut csv = Csv::new(head);
    for effect in all {
        csv.text(&effect.path);
        csv.text(&effect.from.0);
        csv.text(&effect.to.0);
        let (low, high) = effect.difference.interval.unwrap_or((f64::NAN, f64::NAN));
        let nothing = (f64::NAN, (f64::NAN, f64::NAN));
        let (share, ends) = effect.share.map_or(nothing, |s| (s.index, s.interval));
        let (total, total_ends) = effect.total.map_or(nothing, |s| (s.index, s.interval));
        let of = effect.difference.mean;
        csv.row([
            effect.from.1,
            effect.to.1,
            of,
            low,
            high,
            share,
            ends.0,
            ends.1,
            total,
            total_ends.0,
            total_ends.1,
        ]);
    }
    csv.finish()
}
