//! The parts that pages are made of.

use crate::expectations::{Judgement, Verdict};
use crate::figures::{Drawn, Figure};

const STYLE: &str = "\
:root{color-scheme:light}\
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:1040px;\
margin:0 auto;padding:24px 20px 60px}\
h1{font-size:28px;margin:0 0 4px}h2{font-size:21px;margin:40px 0 10px;border-bottom:1px solid #ddd;\
padding-bottom:4px}h3{font-size:17px;margin:26px 0 4px}\
.question{font-size:18px;color:#444;margin:0 0 18px}\
.findings{background:#eef6fb;border-left:5px solid #0072b2;padding:12px 16px 12px 34px;margin:0}\
.findings li{margin:4px 0}\
figure{margin:14px 0 34px}figure svg{max-width:100%;height:auto;border:1px solid #e4e4e4}\
figcaption{color:#444;font-size:15px}\
table{border-collapse:collapse;font-size:14px;margin:8px 0}\
.wide{overflow-x:auto}\
th,td{text-align:left;padding:3px 14px 3px 0;border-bottom:1px solid #eee;vertical-align:top}\
th{color:#444;font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.n{white-space:nowrap}\
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f4f4f4}code{padding:1px 4px}\
pre{padding:10px 12px;overflow-x:auto}.small{color:#555;font-size:14px}\
.bad{color:#a33a00;font-weight:600}\
@media print{body{max-width:none}figure{break-inside:avoid}}";

/// A page being written.
#[derive(Debug)]
pub(crate) struct Page {
    html: String,
}

/// Text for HTML.
pub(crate) use crate::figures::escape;

impl Page {
    pub(crate) fn new(title: &str, question: &str) -> Page {
        let title = escape(title);
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        if !question.is_empty() {
            html.push_str(&format!("<p class=\"question\">{}</p>\n", escape(question)));
        }
        Page { html }
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.html.push_str(&format!("<h2>{}</h2>\n", escape(text)));
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        self.html
            .push_str(&format!("<p class=\"small\">{}</p>\n", escape(text)));
    }

    pub(crate) fn findings(&mut self, findings: &[String]) {
        if findings.is_empty() {
            return;
        }
        self.html.push_str("<ul class=\"findings\">\n");
        for finding in findings {
            self.html
                .push_str(&format!("<li>{}</li>\n", escape(finding)));
        }
        self.html.push_str("</ul>\n");
    }

    /// Expectations with their verdicts; what fails is set off.
    pub(crate) fn judgements(&mut self, all: impl Iterator<Item = Judgement>) {
        for Judgement { verdict, words } in all {
            let class = if verdict == Verdict::Fails {
                "bad"
            } else {
                "small"
            };
            let words = escape(&words);
            self.html
                .push_str(&format!("<p class=\"{class}\">{words}</p>\n"));
        }
    }

    pub(crate) fn code(&mut self, text: &str) {
        self.html
            .push_str(&format!("<pre>{}</pre>\n", escape(text)));
    }

    pub(crate) fn figure(&mut self, figure: &Figure) {
        self.html.push_str(&format!(
            "<figure id=\"{}\">\n{}<figcaption>{} <span class=\"small\">Numbers: \
             <code>figures/{0}.csv</code></span></figcaption>\n</figure>\n",
            escape(&figure.name),
            figure.svg,
            escape(&figure.caption)
        ));
    }

    /// The figures, and what is missing among them with the reason.
    pub(crate) fn drawn(&mut self, drawn: &Drawn) {
        if !drawn.figures.is_empty() {
            self.heading("Figures");
            drawn.figures.iter().for_each(|f| self.figure(f));
        }
        if !drawn.failed.is_empty() {
            self.heading("Missing here");
            self.paragraph(&format!(
                "What is made of these could not be read or drawn. {}",
                drawn.failed.join("; ")
            ));
        }
    }

    /// A table; columns whose heading begins with '#' hold numbers.
    pub(crate) fn table(&mut self, header: &[String], rows: &[Vec<String>]) {
        self.linked_table(header, rows, |_| None);
    }

    /// A table whose first cells lead where `target` says, relative to the page.
    pub(crate) fn linked_table(
        &mut self,
        header: &[String],
        rows: &[Vec<String>],
        target: impl Fn(&str) -> Option<String>,
    ) {
        let is_number = |i: usize| header.get(i).is_some_and(|h| h.starts_with('#'));
        let class = |i: usize| if is_number(i) { " class=\"n\"" } else { "" };
        self.html.push_str("<div class=\"wide\"><table>\n<tr>");
        for (i, name) in header.iter().enumerate() {
            let name = escape(name.trim_start_matches('#'));
            self.html.push_str(&format!("<th{}>{name}</th>", class(i)));
        }
        self.html.push_str("</tr>\n");
        for row in rows {
            self.html.push_str("<tr>");
            for (i, cell) in row.iter().enumerate() {
                let text = escape(cell);
                let text = match target(cell).filter(|_| i == 0) {
                    Some(to) => format!("<a href=\"{}\">{text}</a>", escape(&to)),
                    None => text,
                };
                self.html.push_str(&format!("<td{}>{text}</td>", class(i)));
            }
            self.html.push_str("</tr>\n");
        }
        self.html.push_str("</table></div>\n");
    }

    pub(crate) fn finish(mut self) -> String {
        self.html.push_str("</body>\n</html>\n");
        self.html
    }
}

/// Texts as a header or row.
pub(crate) fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}
