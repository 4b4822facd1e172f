//! The page of runs that are being executed. Pictures are as simple as they can be: they are drawn again every
//! second.

use std::fmt::Write as _;

use super::assets::{self, Needs};
use super::page::{both, escape, href};
use crate::bilingual::Language;
use crate::figures::{BLUE, Rgb, VERMILION, state_colour};
use crate::format;
use crate::live::{LiveEnd, LiveRun, LiveSeries, LiveView};
use crate::words;

/// The script of the page.
pub const LIVE_SCRIPT: &str = include_str!("assets/live.js");

/// Runs that are shown at once; with more threads, the number of others is given.
const MOST_RUNNING: usize = 4;
/// Rows of completed runs.
const MOST_ROWS: usize = 20;
/// Dots of completed runs.
const MOST_DOTS: usize = 2000;

/// What this page has beyond the style sheet of reports.
const STYLE: &str = "progress{width:100%;height:1.2rem;accent-color:var(--accent)}
.sparks{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));gap:.8rem}
.spark{border:1px solid var(--line);padding:.4rem .6rem;margin:0}
.spark svg{display:block;width:100%;height:4.2rem}
.spark b{float:right;font-variant-numeric:tabular-nums}
.census{display:grid;grid-template-columns:max-content max-content 1fr;gap:.1rem .8rem;margin:.8rem 0;align-items:center}
.census dt{grid-column:1}.census dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}
.census i{display:block;height:.8rem;min-width:1px;box-sizing:border-box;border:1px solid var(--line)}
.dots{width:100%;height:9rem;border:1px solid var(--line)}
";

/// The whole page. It asks for [`live_part`] at `now`, for its script at `live.js`, and links to the report and
/// to pages of runs below `results/`.
pub fn live_page(view: &LiveView, language: Language) -> String {
    let title = escape(&view.name);
    let question = both(&view.question, &view.question_zh);
    let (code, other, other_name) = match language {
        Language::English => ("en", "zh", "中文"),
        Language::Chinese => ("zh", "en", "English"),
    };
    // Without scripts the page reloads itself, and opens the report at the end.
    let reload = match view.ended {
        None => "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>",
        Some(LiveEnd::Report) => {
            "<noscript><meta http-equiv=\"refresh\" content=\"3;url=results/report.html\"></noscript>"
        }
        Some(LiveEnd::NoReport(_)) => "",
    };
    let gone = both(
        "The program has ended. Its terminal says where the report is.",
        "程序已结束。报告的位置见它的终端。",
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{reload}\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>{style}{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<div class=\"tools\"><a href=\"?lang={other}\" lang=\"{other}\">{other_name}</a></div>\n\
         <h1 dir=\"auto\">{title}</h1>\n<p class=\"question\" dir=\"auto\">{question}</p>\n</header>\n\
         <main>\n<p class=\"verdict bad\" id=\"gone\" role=\"status\" hidden>{gone}</p>\n\
         <div id=\"now\">\n{part}</div>\n</main>\n<script src=\"live.js\"></script>\n</body>\n</html>\n",
        style = assets::style(Needs::default()),
        part = live_part(view),
    )
}

/// The part of the page that changes, in both languages.
pub fn live_part(view: &LiveView) -> String {
    let mut out = String::new();
    out.push_str(&match &view.ended {
        None => String::from("<div>\n"),
        Some(LiveEnd::Report) => {
            String::from("<div data-ended=\"yes\" data-report=\"results/report.html\">\n")
        }
        Some(LiveEnd::NoReport(_)) => String::from("<div data-ended=\"yes\">\n"),
    });
    progress(view, &mut out);
    for (name, run) in view.running.iter().take(MOST_RUNNING) {
        running(view, name, run, &mut out);
    }
    if view.running.len() > MOST_RUNNING {
        let more = view.running.len() - MOST_RUNNING;
        let words = both(
            &format!("{more} more runs are being executed."),
            &format!("另有 {more} 次运行正在进行。"),
        );
        out.push_str(&format!("<p class=\"small\">{words}</p>\n"));
    }
    if view.is_batch {
        dots(view, &mut out);
        completed(view, &mut out);
    }
    out.push_str("</div>\n");
    out
}

fn progress(view: &LiveView, out: &mut String) {
    let (english, chinese) = match &view.ended {
        None => view.progress.words(),
        Some(LiveEnd::Report) => (
            String::from("Everything is complete."),
            String::from("全部完成。"),
        ),
        Some(LiveEnd::NoReport(why)) => (why.clone(), why.clone()),
    };
    let percent = view.progress.share() * 100.0;
    let words = both(&english, &chinese);
    // A progress bar has its own meaning for screen readers; its name comes from the sentence.
    out.push_str(&format!(
        "<p id=\"words\">{words}</p>\n<progress aria-labelledby=\"words\" max=\"100\" value=\"{percent:.1}\"></progress>\n"
    ));
    if view.ended == Some(LiveEnd::Report) {
        let text = both("Open the report", "打开报告");
        out.push_str(&format!(
            "<p><a href=\"results/report.html\">{text}</a></p>\n"
        ));
    }
}

fn running(view: &LiveView, name: &str, run: &LiveRun, out: &mut String) {
    let at = format!(
        "{} / {}",
        format::seconds(run.now_s),
        format::seconds(run.end_s)
    );
    let heading = match view.is_batch && !name.is_empty() {
        true => format!("<span dir=\"auto\">{}</span>", escape(name)),
        false => both("So far", "到目前为止"),
    };
    out.push_str(&format!(
        "<h2>{heading} <span class=\"small\">{at}</span></h2>\n<div class=\"sparks\">\n"
    ));
    for series in &run.series() {
        spark(run, series, out);
    }
    out.push_str("</div>\n");
    let facts = both(
        &format!(
            "{} connects: {} established, {} failed. {} requests answered. {} of payload acknowledged.",
            format::count(run.attempted as f64),
            format::count(run.connected as f64),
            format::count(run.failed as f64),
            format::count(run.requests as f64),
            format::bytes(run.acked_bytes as f64),
        ),
        &format!(
            "发起 {} 次连接：{} 次建立，{} 次失败。{} 个请求得到了响应。{} 数据得到确认。",
            format::count(run.attempted as f64),
            format::count(run.connected as f64),
            format::count(run.failed as f64),
            format::count(run.requests as f64),
            format::bytes(run.acked_bytes as f64),
        ),
    );
    out.push_str(&format!("<p>{facts}</p>\n"));
    census(run, out);
}

/// A picture of a quantity over the length of the run.
fn spark(run: &LiveRun, series: &LiveSeries, out: &mut String) {
    let (english, chinese) = series.name;
    let name = both(english, if chinese == english { "" } else { chinese });
    let colour = match series.state {
        Some(state) => state_colour(state),
        None if english == "throughput" => BLUE,
        None => VERMILION,
    };
    let most = series.values.iter().copied().fold(0.0, f64::max);
    let mut points = String::new();
    for (i, value) in series.values.iter().enumerate() {
        let x = 100.0 * (i + 1) as f64 * run.step_s / run.end_s.max(1e-12);
        let y = if most > 0.0 {
            30.0 - 28.0 * value / most
        } else {
            30.0
        };
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    let label = escape(&format!(
        "{english}: {}, at most {}",
        series.last, series.most
    ));
    let _ = writeln!(
        out,
        "<figure class=\"spark\"><figcaption>{name} <b>{last}</b></figcaption>\
         <svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 100 31\" preserveAspectRatio=\"none\">\
         <polyline points=\"{points}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"2\" vector-effect=\"non-scaling-stroke\"/></svg>\
         <span class=\"small\">{most}</span></figure>",
        last = escape(&series.last),
        stroke = css(colour),
        most = both(
            &format!("at most {}", series.most),
            &format!("最大 {}", series.most)
        ),
    );
}

/// The number of end points in each state, with bars.
fn census(run: &LiveRun, out: &mut String) {
    let most = run.census.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    out.push_str("<dl class=\"census\">\n");
    for (state, n) in &run.census {
        let width = 100.0 * (*n).max(0) as f64 / most as f64;
        let _ = writeln!(
            out,
            "<dt>{}</dt><dd>{}</dd><dd aria-hidden=\"true\"><i style=\"width:{width:.1}%;background:{}\"></i></dd>",
            state.name(),
            format::count(*n as f64),
            css(state_colour(*state)),
        );
    }
    out.push_str("</dl>\n");
    let note = both(
        "End points of connections by state, over all hosts. CLOSED ones are not counted.",
        "所有主机上各状态的连接端点数。CLOSED 的不计。",
    );
    let _ = writeln!(out, "<p class=\"small\">{note}</p>");
}

/// A dot for each completed run: the last metric, in the order in which they ended.
fn dots(view: &LiveView, out: &mut String) {
    let Some(metric) = view.metrics.last() else {
        return;
    };
    let value = |row: &crate::live::LiveRow| row.values.as_ref()?.last().copied()?;
    let values: Vec<f64> = view.completed.iter().filter_map(value).collect();
    let values = &values[values.len().saturating_sub(MOST_DOTS)..];
    if values.is_empty() {
        return;
    }
    let least = values
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min)
        .min(0.0);
    let most = values
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max)
        .max(0.0);
    let span = if most > least { most - least } else { 1.0 };
    let mut marks = String::new();
    for (i, value) in values.iter().enumerate() {
        let x = 1.0 + 98.0 * (i as f64 + 0.5) / values.len() as f64;
        let y = 29.5 - 28.0 * (value - least) / span;
        let _ = write!(marks, "M{x:.2},{y:.2}h0");
    }
    let heading = both(
        &format!(
            "{}, completed runs",
            Language::English.sentence(&words::column_in(metric, Language::English))
        ),
        &format!(
            "{}，已完成的运行",
            words::column_in(metric, Language::Chinese)
        ),
    );
    let (low, high) = (format::metric(metric, least), format::metric(metric, most));
    let _ = writeln!(
        out,
        "<h2>{heading}</h2>\n<svg class=\"dots\" role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 100 31\" preserveAspectRatio=\"none\">\
         <path d=\"{marks}\" stroke=\"{stroke}\" stroke-width=\"6\" stroke-linecap=\"round\" vector-effect=\"non-scaling-stroke\"/></svg>\n\
         <p class=\"small\">{range}</p>",
        label = escape(&format!(
            "{metric}: {} runs, from {low} to {high}",
            values.len()
        )),
        stroke = css(BLUE),
        range = both(
            &format!("In the order in which they ended; the axis goes from {low} to {high}."),
            &format!("按结束的先后排列；纵轴从 {low} 到 {high}。"),
        ),
    );
}

/// The latest completed runs.
fn completed(view: &LiveView, out: &mut String) {
    if view.completed.is_empty() {
        return;
    }
    let heading = both("Completed since the start", "启动以来完成的运行");
    let run = both("run", "运行");
    let names = view
        .metrics
        .iter()
        .map(|m| format!("<th scope=\"col\" class=\"n\">{}</th>", escape(m)));
    let _ = writeln!(
        out,
        "<h2>{heading} <span class=\"small\">{}</span></h2>\n\
         <div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Completed runs\"><table>\n\
         <tr><th scope=\"col\">{run}</th>{}</tr>",
        format::count(view.completed.len() as f64),
        names.collect::<String>(),
    );
    for row in view.completed.iter().rev().take(MOST_ROWS) {
        let name = escape(&row.name);
        let name = match &row.page {
            Some(page) => format!("<a href=\"results/{}\">{name}</a>", href(page)),
            None => name,
        };
        let _ = write!(out, "<tr><td dir=\"auto\">{name}</td>");
        match &row.values {
            Some(values) => {
                for (metric, value) in view.metrics.iter().zip(values) {
                    let text =
                        value.map_or_else(|| String::from("-"), |v| format::metric(metric, v));
                    let _ = write!(out, "<td class=\"n\">{}</td>", escape(&text));
                }
            }
            None => {
                let _ = write!(
                    out,
                    "<td colspan=\"{}\">{}</td>",
                    view.metrics.len(),
                    both("failed", "失败")
                );
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
}

fn css((r, g, b): Rgb) -> String {
    format!("rgb({r},{g},{b})")
}

#[cfg(test)]
mod tests {
    use sim_core::{SimDuration, SimTime};
    use tcp_model::State;

    use super::*;
    use crate::live::{LiveCounts, LiveProgress, LiveRow};

    fn view() -> LiveView {
        let mut counts = LiveCounts::new(SimDuration::from_secs(10));
        let run = counts.snapshot(SimTime::ZERO + SimDuration::from_secs(4));
        LiveView {
            name: "<b>\"x\"".to_owned(),
            is_batch: true,
            progress: LiveProgress {
                runs: 9,
                to_simulate_s: 90.0,
                simulated_s: 45.0,
                ..LiveProgress::default()
            },
            running: vec![("a = <1>".to_owned(), run); 6],
            metrics: vec!["connects_failed".to_owned()],
            completed: vec![
                LiveRow {
                    name: "a = 1".to_owned(),
                    page: Some("runs/a b/report.html".to_owned()),
                    values: Some(vec![Some(3.0)]),
                },
                LiveRow::default(),
            ],
            ..LiveView::default()
        }
    }

    #[test]
    fn texts_of_scenarios_are_escaped_and_few_runs_are_shown() {
        let page = live_page(&view(), Language::Chinese);
        assert!(
            !page.contains("<b>\"x\"") && !page.contains("<1>"),
            "{page}"
        );
        assert!(page.contains("<html lang=\"zh\">") && page.contains("?lang=en"));
        assert_eq!(page.matches("<dl class=\"census\">").count(), MOST_RUNNING);
        assert!(page.contains("2 more runs") && page.contains("value=\"50.0\""));
        assert!(page.contains("href=\"results/runs/a%20b/report.html\""));
        assert!(page.contains(State::TimeWait.name()) && page.contains("失败"));
    }

    #[test]
    fn the_end_leads_to_the_report_with_and_without_scripts() {
        let mut view = view();
        assert!(live_page(&view, Language::English).contains("content=\"2\""));
        view.ended = Some(LiveEnd::Report);
        let page = live_page(&view, Language::English);
        assert!(page.contains("content=\"3;url=results/report.html\""));
        assert!(
            live_part(&view)
                .starts_with("<div data-ended=\"yes\" data-report=\"results/report.html\">")
        );
        view.ended = Some(LiveEnd::NoReport("it <failed>".to_owned()));
        let page = live_page(&view, Language::English);
        assert!(page.contains("it &lt;failed&gt;") && !page.contains("refresh"));
    }
}
