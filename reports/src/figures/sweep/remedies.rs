//! Bars side by side for the variants of a scenario that compares remedies: what fails, how many TIME-WAIT entries
//! there are, how close the limit is, and what a request costs in time and in connects.

use crate::batch::variants::{Variant, variants};
use crate::batch::{BatchInfo, BatchRow};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::figures::Figure;
use crate::figures::drawing::Drawing;
use crate::figures::style::{BLACK, BLUE, GREEN, GREY, Rgb, VERMILION};
use crate::figures::svg::{Anchor, Font, Svg, text_width};
use crate::format;
use crate::words;

/// The columns: each shows the first of its metrics that any run has with a value above zero, otherwise the first that
/// any run has.
const COLUMNS: [&[&str]; 4] = [
    &[
        "exchanges_failed_share",
        "proxy_errors_share",
        "connects_failed_share",
        "requests_unanswered_share",
    ],
    &["time_wait_peak"],
    &[
        "nat_ports_in_use_share_peak",
        "conntrack_use_share_peak",
        "ports_in_use_destination_share_peak",
    ],
    &["request_with_connect_p99_s", "connect_latency_p99_s"],
];

/// Width of a column and of its longest bar; height of a row and of its bars.
const COLUMN: f64 = 190.0;
const LONGEST: f64 = 110.0;
const ROW: f64 = 44.0;
const BAR: f64 = 16.0;
/// Below headings of three lines.
const TOP: f64 = 94.0;
const TITLE: Font = Font::new(17, BLACK).bold();
const TEXT: Font = Font::new(13, BLACK);
const SMALL: Font = Font::new(12, GREY);
const UNSAFE: Font = Font::new(12, VERMILION);

/// A variant with the values of the columns.
struct Remedy {
    name: String,
    note: String,
    hazard: String,
    values: Vec<Option<f64>>,
}

/// The figure; `None` unless the scenario has notes on its variants, which are its only swept parameter.
pub(super) fn figure(info: &BatchInfo, rows: &[BatchRow], language: Language) -> Option<Figure> {
    let [axis] = info.axes.as_slice() else {
        return None;
    };
    if axis.path != "variant" || info.notes.is_empty() {
        return None;
    }
    let all = variants(rows);
    let columns: Vec<&str> = COLUMNS.iter().filter_map(|ids| column(ids, &all)).collect();
    if columns.is_empty() {
        return None;
    }
    let remedies: Vec<Remedy> = all.iter().map(|v| remedy(info, v, &columns)).collect();
    let title = language.pick("Remedies side by side", "各种办法并列");
    let heads: Vec<String> = columns
        .iter()
        .map(|id| words::metric_in(id, language))
        .collect();
    Some(Figure {
        name: "remedies".into(),
        caption: say!(
            language,
            "{title}: for each variant {}; means over replicas. A column's bars share a scale. Red: something fails. \
             Below a name stands what the variant costs or needs, in red what it puts at risk.",
            "{title}：每个变体的{}；各重复的平均值。同一列的条形共用一个刻度。红色：有失败。名称之下是该变体的代价或所需，红字是它带来的风险。",
            language.list(&heads)
        ),
        svg: draw(title, &columns, &heads, &remedies, language),
        csv: csv(&columns, &remedies),
        title: title.into(),
    })
}

/// The metric of a column.
fn column<'a>(ids: &[&'a str], all: &[Variant<'_>]) -> Option<&'a str> {
    let values = |id: &str| {
        let means = all.iter().filter_map(|v| v.estimate(id));
        means.map(|e| e.mean).reduce(f64::max)
    };
    let above = ids
        .iter()
        .find(|id| values(id).is_some_and(|most| most > 0.0));
    above
        .or_else(|| ids.iter().find(|id| values(id).is_some()))
        .copied()
}

fn remedy(info: &BatchInfo, variant: &Variant<'_>, columns: &[&str]) -> Remedy {
    let name = variant.values.first().cloned().unwrap_or_default();
    let note = info.notes.iter().find(|note| note.variant == name);
    let values = columns
        .iter()
        .map(|id| variant.estimate(id).map(|e| e.mean));
    Remedy {
        note: note.map_or(String::new(), |n| n.note.clone()),
        hazard: note.map_or(String::new(), |n| n.hazard.clone()),
        values: values.collect(),
        name,
    }
}

fn draw(
    title: &str,
    columns: &[&str],
    heads: &[String],
    remedies: &[Remedy],
    language: Language,
) -> Drawing {
    let texts = remedies.iter().flat_map(|r| {
        let small = [&r.note, &r.hazard].map(|t| text_width(t, SMALL.size));
        [text_width(&r.name, TEXT.size)].into_iter().chain(small)
    });
    let left = texts.fold(120.0, f64::max) + 44.0;
    let width = left + COLUMN * columns.len() as f64;
    let mut svg = Svg::default();
    svg.text((20.0, 28.0), Anchor::Start, TITLE, title);
    for (i, head) in heads.iter().enumerate() {
        let x = left + COLUMN * i as f64;
        for (line, text) in lines(&language.sentence(head)).iter().enumerate() {
            let y = 48.0 + 15.0 * line as f64;
            svg.text((x, y), Anchor::Start, SMALL, text);
        }
    }
    for (row, remedy) in remedies.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        svg.text((20.0, y + 13.0), Anchor::Start, TEXT, &remedy.name);
        let (below, font) = match remedy.hazard.is_empty() {
            true => (&remedy.note, SMALL),
            false => (&remedy.hazard, UNSAFE),
        };
        svg.text((20.0, y + 29.0), Anchor::Start, font, below);
        for (i, (id, value)) in columns.iter().zip(&remedy.values).enumerate() {
            let x = left + COLUMN * i as f64;
            let Some(value) = *value else {
                svg.text((x, y + 13.0), Anchor::Start, SMALL, "-");
                continue;
            };
            let most = remedies.iter().filter_map(|r| r.values[i]);
            let most = most.fold(f64::MIN_POSITIVE, f64::max);
            let length = (value / most * LONGEST).max(1.0);
            svg.rect((x, y), (length, BAR), colour(i, value));
            let text = format::metric(id, value);
            svg.text((x + length + 6.0, y + 13.0), Anchor::Start, TEXT, &text);
        }
    }
    svg.finish(width, TOP + ROW * remedies.len() as f64 + 12.0)
}

/// The colour of a bar: in the first column, what fails is red.
fn colour(column: usize, value: f64) -> Rgb {
    match (column, value > 0.0) {
        (0, true) => VERMILION,
        (0, false) => GREEN,
        _ => BLUE,
    }
}

/// A heading in lines that fit a column. A word that is longer, as Chinese text is, is divided between letters.
fn lines(text: &str) -> Vec<String> {
    let fits = |line: &str| text_width(line, SMALL.size) <= COLUMN - 12.0;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let longer = match lines[last].is_empty() {
            true => word.to_owned(),
            false => format!("{} {word}", lines[last]),
        };
        if fits(&longer) {
            lines[last] = longer;
            continue;
        }
        if !lines[last].is_empty() {
            lines.push(String::new());
        }
        for letter in word.chars() {
            let last = lines.len() - 1;
            if !fits(&format!("{}{letter}", lines[last])) {
                lines.push(String::new());
            }
            let last = lines.len() - 1;
            lines[last].push(letter);
        }
    }
    lines
}

fn csv(columns: &[&str], remedies: &[Remedy]) -> String {
    let head = ["variant", "note", "hazard"];
    let mut csv = Csv::new(head.into_iter().chain(columns.iter().copied()));
    for remedy in remedies {
        csv.text(&remedy.name);
        csv.text(&remedy.note);
        csv.text(&remedy.hazard);
        csv.row(remedy.values.iter().map(|v| v.unwrap_or(f64::NAN)));
    }
    csv.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Axis, AxisValues, RunStatus, VariantNote};

    fn info(notes: &[(&str, &str, &str)]) -> BatchInfo {
        let values = notes.iter().map(|n| n.0.to_owned()).collect();
        let note = |n: &(&str, &str, &str)| VariantNote {
            variant: n.0.into(),
            note: n.1.into(),
            hazard: n.2.into(),
        };
        BatchInfo {
            axes: vec![Axis {
                path: "variant".into(),
                values,
                typed: AxisValues::Names,
                ..Axis::default()
            }],
            notes: notes.iter().map(note).collect(),
            ..BatchInfo::default()
        }
    }

    fn row(variant: &str, metrics: &[(&str, f64)]) -> BatchRow {
        BatchRow {
            values: vec![variant.into()],
            status: RunStatus::Ok,
            metrics: metrics.iter().map(|&(id, v)| (id.into(), v)).collect(),
            ..BatchRow::default()
        }
    }

    #[test]
    fn each_variant_has_a_row_with_the_mean_of_each_column() {
        let info = info(&[
            ("as it is", "", ""),
            ("pool", "keeps connections", ""),
            ("linger 0", "", "may lose data"),
        ]);
        let rows = [
            row(
                "as it is",
                &[("connects_failed_share", 0.4), ("time_wait_peak", 100.0)],
            ),
            row(
                "as it is",
                &[("connects_failed_share", 0.5), ("time_wait_peak", 120.0)],
            ),
            row(
                "pool",
                &[("connects_failed_share", 0.0), ("time_wait_peak", 0.0)],
            ),
            row("linger 0", &[("connects_failed_share", 0.0)]),
        ];
        let figure = figure(&info, &rows, Language::English).unwrap();
        let numbers = "variant,note,hazard,connects_failed_share,time_wait_peak\n\
            as it is,,,0.45,110\n\
            pool,keeps connections,,0,0\n\
            linger 0,,may lose data,0,\n";
        assert_eq!(figure.csv, numbers);
        for text in ["keeps connections", "may lose data", "45 %", "110"] {
            assert!(figure.svg.contains(text), "{text}");
        }
    }

    #[test]
    fn what_fails_most_tellingly_is_shown() {
        let info = info(&[("a", "x", "")]);
        let both = [("connects_failed_share", 0.1), ("proxy_errors_share", 0.0)];
        let drawn = figure(&info, &[row("a", &both)], Language::English).unwrap();
        assert!(
            drawn
                .csv
                .starts_with("variant,note,hazard,connects_failed_share\n")
        );
        let proxy = [("connects_failed_share", 0.1), ("proxy_errors_share", 0.2)];
        let drawn = figure(&info, &[row("a", &proxy)], Language::English).unwrap();
        assert!(
            drawn
                .csv
                .starts_with("variant,note,hazard,proxy_errors_share\n")
        );
    }

    #[test]
    fn headings_fit_their_columns() {
        for text in [
            "Connections of hosts behind a NAT to its own address",
            "端口对一个目的地的最大在用比例，以及其他很长的中文标题文字，没有空格",
            "",
        ] {
            let lines = lines(text);
            assert!(
                lines
                    .iter()
                    .all(|line| text_width(line, SMALL.size) <= COLUMN - 12.0)
            );
            let all = lines.concat().replace(' ', "");
            assert_eq!(all, text.replace(' ', ""));
        }
    }

    #[test]
    fn in_chinese_title_headings_and_caption_are_chinese() {
        let info = info(&[("a", "x", "")]);
        let rows = [row("a", &[("connects_failed_share", 0.4)])];
        let figure = figure(&info, &rows, Language::Chinese).unwrap();
        let head = words::metric_in("connects_failed_share", Language::Chinese);
        assert!(figure.caption.contains(&head) && figure.title == "各种办法并列");
        assert!(!figure.svg.contains("share of"), "{}", figure.caption);
    }

    #[test]
    fn it_is_for_scenarios_with_notes_on_their_variants() {
        let rows = [row("a", &[("connects_failed_share", 0.4)])];
        let mut without = info(&[("a", "x", "")]);
        without.notes.clear();
        assert!(figure(&without, &rows, Language::English).is_none());
        assert!(figure(&info(&[("a", "x", "")]), &[], Language::English).is_none());
        let mut other = info(&[("a", "x", "")]);
        other.axes[0].path = "tcp.tw_reuse".into();
        assert!(figure(&other, &rows, Language::English).is_none());
    }
}
