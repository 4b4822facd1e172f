//! The parts of a page: headings, tables, figures, data for the script.

use super::assets::{self, Needs};
use super::{chinese, embed};
use crate::bilingual::{Bilingual, Language, say};
use crate::expectations::{Judgement, Verdict};
use crate::figures::{Drawn, Figure};
use crate::info::Translation;

/// Bytes of numbers that a page contains for its tables; further figures link to their files.
const MOST_NUMBERS: usize = 1_200_000;
/// The same for one figure.
const MOST_OF_ONE: usize = 250_000;

/// A page being written.
#[derive(Debug)]
pub(crate) struct HtmlPage {
    title: String,
    question: String,
    /// The question in Chinese; empty if there is none.
    question_zh: String,
    language: Language,
    /// Links to other pages, as markup, below the question.
    links: Vec<String>,
    body: String,
    /// Headings: id and text.
    contents: Vec<(String, String)>,
    /// Bytes of numbers so far.
    numbers: usize,
    needs: Needs,
}

/// Text for HTML.
pub(crate) use crate::figures::escape;

impl HtmlPage {
    pub(crate) fn new(title: &str, question: &str) -> HtmlPage {
        HtmlPage {
            title: title.to_owned(),
            question: question.to_owned(),
            question_zh: String::new(),
            language: Language::default(),
            links: Vec::new(),
            body: String::new(),
            contents: Vec::new(),
            numbers: 0,
            needs: Needs::default(),
        }
    }

    /// Sets the language in which the page opens.
    pub(crate) fn opens_in(&mut self, language: Language) {
        self.language = language;
    }

    /// Sets the question in Chinese.
    pub(crate) fn asks_in_chinese(&mut self, question: &str) {
        question.clone_into(&mut self.question_zh);
    }

    /// Adds a link below the question; `to` is a path relative to the page.
    pub(crate) fn link(&mut self, text: &str, to: &str) {
        let (text, to) = (fixed(text), href(to));
        self.links.push(format!("<a href=\"{to}\">{text}</a>"));
    }

    pub(crate) fn heading(&mut self, text: &str) {
        let id = format!("part-{}", self.contents.len() + 1);
        let text = fixed(text);
        self.body
            .push_str(&format!("<h2 id=\"{id}\">{text}</h2>\n"));
        self.contents.push((id, text));
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        self.body
            .push_str(&format!("<p class=\"small\">{}</p>\n", fixed(text)));
    }

    /// Adds the scenario's description, in paragraphs, and notes its texts in Chinese.
    pub(crate) fn description(&mut self, text: &str, zh: Option<&Translation>) {
        let chinese = zh.map_or("", |zh| zh.description.as_str());
        if let Some(zh) = zh {
            self.question_zh.clone_from(&zh.question);
        }
        let class = if chinese.is_empty() {
            ""
        } else {
            " class=\"en\""
        };
        self.paragraphs(class, text);
        self.paragraphs(" class=\"zh\" lang=\"zh\"", chinese);
    }

    fn paragraphs(&mut self, attributes: &str, text: &str) {
        for paragraph in text.split("\n\n").filter(|p| !p.trim().is_empty()) {
            self.body.push_str(&format!(
                "<p dir=\"auto\"{attributes}>{}</p>\n",
                escape(paragraph.trim())
            ));
        }
    }

    /// Adds findings in both languages, of which a reader sees one.
    pub(crate) fn bilingual_findings(&mut self, findings: &[Bilingual]) {
        if findings.is_empty() {
            return;
        }
        self.body.push_str("<ul class=\"findings\">\n");
        for text in findings {
            self.body.push_str(&format!(
                "<li dir=\"auto\">{}</li>\n",
                both(&text.english, &text.chinese)
            ));
        }
        self.body.push_str("</ul>\n");
    }

    /// Writes a part that readers choose among others.
    pub(crate) fn choice(
        &mut self,
        id: &str,
        (name, zh): (&str, Option<&str>),
        link: &str,
        write: impl FnOnce(&mut HtmlPage),
    ) {
        let (id, link) = (escape(id), href(link));
        let (title, name) = (both(name, zh.unwrap_or("")), escape(name));
        let zh = zh.map_or(String::new(), |zh| format!(" data-zh=\"{}\"", escape(zh)));
        let all = both("All of this run", "这次运行的完整报告");
        self.body.push_str(&format!(
            "<section class=\"choice\" id=\"{id}\" data-name=\"{name}\"{zh}>\n<h3 dir=\"auto\">{title}</h3>\n\
             <p class=\"small\"><a href=\"{link}\">{all}</a></p>\n"
        ));
        write(self);
        self.body.push_str("</section>\n");
    }

    /// Writes a row of parts that are side by side if there is room.
    pub(crate) fn beside(&mut self, write: impl FnOnce(&mut HtmlPage)) {
        self.body.push_str("<div class=\"beside\">\n");
        write(self);
        self.body.push_str("</div>\n");
    }

    /// Adds a heading within a part.
    pub(crate) fn subheading(&mut self, text: &str) {
        self.body
            .push_str(&format!("<h3 dir=\"auto\">{}</h3>\n", escape(text)));
    }

    /// Adds the findings, most important first.
    pub(crate) fn findings(&mut self, findings: &[String]) {
        self.list("findings", findings);
    }

    /// Adds the findings, with unusual ones set off.
    pub(crate) fn answer(&mut self, findings: &[String], unusual: &[String]) {
        let (odd, usual): (Vec<String>, Vec<String>) =
            findings.iter().cloned().partition(|f| unusual.contains(f));
        if odd.is_empty() {
            return self.findings(&usual);
        }
        self.body
            .push_str(&format!("<h2 class=\"vh\">{}</h2>\n", fixed("Unusual")));
        self.list("findings unusual", &odd);
        self.body
            .push_str(&format!("<h2 class=\"vh\">{}</h2>\n", fixed("Results")));
        self.findings(&usual);
    }

    fn list(&mut self, class: &str, texts: &[String]) {
        if texts.is_empty() {
            return;
        }
        self.body.push_str(&format!("<ul class=\"{class}\">\n"));
        for text in texts {
            self.body
                .push_str(&format!("<li dir=\"auto\">{}</li>\n", escape(text)));
        }
        self.body.push_str("</ul>\n");
    }

    /// Adds expectations with their verdicts; failed ones are set off.
    pub(crate) fn judgements(&mut self, all: impl Iterator<Item = Judgement>) {
        for Judgement { verdict, words } in all {
            let (class, sign) = match verdict {
                Verdict::Holds => ("holds", "✓"),
                Verdict::Undecided => ("open", "?"),
                Verdict::Fails => ("bad", "✗"),
            };
            let words = escape(&words);
            self.body.push_str(&format!(
                "<p class=\"verdict {class}\"><b aria-hidden=\"true\">{sign}</b>{words}</p>\n"
            ));
        }
    }

    pub(crate) fn code(&mut self, text: &str) {
        self.body
            .push_str(&format!("<pre>{}</pre>\n", escape(text)));
    }

    /// Adds a figure: a heading, the picture, how to read it, and its numbers.
    pub(crate) fn figure(&mut self, figure: &Figure) {
        self.figure_of("", figure);
    }

    /// Adds a figure of a run whose directory is `dir`, with a "/" at its end.
    pub(crate) fn figure_of(&mut self, dir: &str, figure: &Figure) {
        let plot = figure.svg.plot();
        self.needs.charts |= plot.is_some();
        self.needs.ladders |= figure.svg.steps().is_some();
        let (name, title) = (escape(&figure.name), escape(&figure.title));
        let id = escape(&format!("{dir}{}", figure.name).replace('/', "-"));
        let dir = href(dir);
        let is_tall = figure.name.starts_with("ladder_");
        let (frame, heading) = match (plot.is_some(), is_tall) {
            (true, _) => ("frame", ""),
            (false, true) => ("frame tall folded", " class=\"vh\""),
            (false, false) => ("frame", " class=\"vh\""),
        };
        let named = format!("<svg role=\"img\" aria-label=\"{title}\"");
        let picture = figure.svg.replacen("<svg", &named, 1);
        let whole = figure.svg.unfolded().map(|svg| {
            let svg = svg.replacen("<svg", &named, 1);
            format!("<div class=\"frame tall whole\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">{svg}</div>\n")
        });
        let whole = whole.unwrap_or_default();
        self.body.push_str(&format!(
            "<figure id=\"{id}\" aria-label=\"{title}\">\n<h3{heading}>{title}</h3>\n\
             <div class=\"{frame}\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">{picture}</div>\n{whole}\
             <figcaption>{}\n<details><summary>{}</summary>{}</details>\n\
             <span class=\"small\">{} <a href=\"{dir}figures/{name}.csv\">figures/{name}.csv</a></span>\
             </figcaption>\n",
            escape(&figure.caption),
            fixed("How to read it"),
            {
                let (english, chinese) = how_to_read(figure);
                both(english, chinese)
            },
            both("Numbers:", "数据："),
        ));
        let small = figure.csv.len() <= MOST_OF_ONE;
        if small && self.numbers + figure.csv.len() <= MOST_NUMBERS {
            self.numbers += figure.csv.len();
            self.data("class=\"numbers\"", &embed::string(&figure.csv));
        }
        if let Some(plot) = plot {
            self.data("class=\"plot\"", &embed::json(plot));
        }
        if let Some(steps) = figure.svg.steps() {
            self.data("class=\"steps\"", &embed::json(steps));
        }
        self.body.push_str("</figure>\n");
    }

    /// Adds data for the script; `json` is safe within an element.
    fn data(&mut self, attribute: &str, json: &str) {
        self.body.push_str(&format!(
            "<script type=\"application/json\" {attribute}>{json}</script>\n"
        ));
    }

    /// Adds the figures, and the missing ones with the reason.
    pub(crate) fn drawn(&mut self, drawn: &Drawn) {
        if !drawn.figures.is_empty() {
            self.heading("Figures");
            drawn.figures.iter().for_each(|f| self.figure(f));
        }
        if !drawn.failed.is_empty() {
            self.heading("Missing here");
            self.paragraph(&say!(
                self.language,
                "Some files could not be read, or their figures not drawn: {}",
                "有些文件无法读取，或其图无法画出：{}",
                drawn.failed.join("; ")
            ));
        }
    }

    /// Adds a table; columns whose heading begins with '#' are numeric.
    pub(crate) fn table(&mut self, header: &[String], rows: &[Vec<String>]) {
        self.linked_table(header, rows, |_, _| None);
    }

    /// Adds a table whose first cells link to what `target` returns for the row number and the
    /// text, relative to the page.
    pub(crate) fn linked_table(
        &mut self,
        header: &[String],
        rows: &[Vec<String>],
        target: impl Fn(usize, &str) -> Option<String>,
    ) {
        let is_number = |i: usize| header.get(i).is_some_and(|h| h.starts_with('#'));
        let class = |i: usize| if is_number(i) { " class=\"n\"" } else { "" };
        self.body
            .push_str("<div class=\"wide\" tabindex=\"0\"><table>\n<tr>");
        for (i, name) in header.iter().enumerate() {
            let name = escape(name.trim_start_matches('#'));
            self.body
                .push_str(&format!("<th scope=\"col\"{}>{name}</th>", class(i)));
        }
        self.body.push_str("</tr>\n");
        for (number, row) in rows.iter().enumerate() {
            self.body.push_str("<tr>");
            for (i, cell) in row.iter().enumerate() {
                let text = escape(cell);
                let text = match (i == 0).then(|| target(number, cell)).flatten() {
                    Some(to) => format!("<a href=\"{}\">{text}</a>", href(&to)),
                    None => text,
                };
                self.body.push_str(&format!("<td{}>{text}</td>", class(i)));
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</table></div>\n");
    }

    /// Adds the connections: a table that the script builds from `json`, which is safe within an
    /// element, and the first rows for readers without scripts.
    pub(crate) fn connections(&mut self, json: &str, header: &[String], first: &[Vec<String>]) {
        self.needs.connections = true;
        self.body.push_str("<div id=\"connections\">\n");
        self.table(header, first);
        self.body.push_str("</div>\n");
        self.data("id=\"connection-rows\"", json);
    }

    /// Adds links to files beside the page.
    pub(crate) fn files<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        let link = |name: &String| format!("<a href=\"{}\">{}</a>", href(name), escape(name));
        let links: Vec<String> = names.map(link).collect();
        if !links.is_empty() {
            let links = links.join(", ");
            self.body.push_str(&say!(
                self.language,
                "<p class=\"small\">Files: {links}.</p>\n",
                "<p class=\"small\">文件：{links}。</p>\n"
            ));
        }
    }

    /// The whole document.
    pub(crate) fn finish(self) -> String {
        let title = escape(&self.title);
        let question = match self.question.is_empty() {
            true => String::new(),
            false => format!(
                "<p class=\"question\" dir=\"auto\">{}</p>\n",
                both(&self.question, &self.question_zh)
            ),
        };
        let links = match self.links.is_empty() {
            true => String::new(),
            false => format!("<p class=\"links small\">{}</p>\n", self.links.join(" · ")),
        };
        let contents = self.contents.iter();
        let contents = contents.map(|(id, text)| format!("<li><a href=\"#{id}\">{text}</a></li>"));
        let contents: String = contents.collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"generator\" content=\"synfin\">\n\
             <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">{skip}</a>\n\
             <header>\n<div class=\"tools\" id=\"tools\"></div>\n\
             <h1 dir=\"auto\">{title}</h1>\n{question}{links}</header>\n\
             <nav aria-label=\"{contents_of}\" id=\"contents\"><ul>{contents}</ul></nav>\n\
             <main id=\"main\">\n{body}</main>\n\
             <script>{script}</script>\n</body>\n</html>\n",
            language = match self.language {
                Language::English => "en",
                Language::Chinese => "zh",
            },
            skip = self.language.pick("Skip to the results", "跳到结果"),
            contents_of = self.language.pick("Contents", "目录"),
            style = assets::style(self.needs),
            script = assets::script(self.needs),
            body = self.body,
        )
    }
}

/// A path relative to the page as the value of `href`: characters with a meaning in a URL are
/// percent-encoded (RFC 3986 section 2.1).
pub(super) fn href(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"/-_.~,=+@".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// Explains how to read a kind of figure, for readers who see it for the first time.
fn how_to_read(figure: &Figure) -> (&'static str, &'static str) {
    if figure.svg.plot().is_some() {
        let english = "Each curve or band is named at the side, and each axis is labelled with its quantity and \
                unit. Dots with bars are means with their 95 % intervals; dashed lines are theory or \
                limits. If the browser runs scripts: drag to zoom in (all figures over time zoom \
                together), double-click to zoom out, point at a curve to read its values, click a name \
                to hide its curve. Keys: left and right arrows move, + and - zoom, 0 shows everything.";
        return (english, chinese::CHART);
    }
    if figure.name.starts_with("ladder_") {
        let english = "Each vertical line is an end of the connection. A slanted arrow is a segment: it leaves \
                where the arrow begins and arrives where it ends, later and therefore further down. \
                A cross is a loss, with its cause; orange arrows are retransmissions. The coloured \
                bar along a line is the state of that end.";
        return (english, chinese::LADDER);
    }
    let english = "Time runs to the right. Each bar is an end of a connection, coloured by its state; the legend \
     names the colours, which are the same in all figures.";
    (english, chinese::TIMELINE)
}

/// A text in both languages as markup: the style sheet shows one of them. Without a Chinese text
/// the English one is always shown.
pub(super) fn both(english: &str, chinese: &str) -> String {
    match chinese.is_empty() {
        true => escape(english),
        false => format!(
            "<span class=\"en\">{}</span><span class=\"zh\" lang=\"zh\">{}</span>",
            escape(english),
            escape(chinese)
        ),
    }
}

/// A text of the page itself as markup, in both languages if it is a fixed one.
fn fixed(text: &str) -> String {
    both(text, chinese::translated(text).unwrap_or(""))
}

/// Texts as a header or row.
pub(crate) fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}
