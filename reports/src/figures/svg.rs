//! A small SVG writer for diagrams that are mostly text.

use std::fmt::Write;

use super::drawing::Drawing;
use super::style::Rgb;
use crate::text::is_hidden;

/// The point of a text that is placed at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Font {
    pub(crate) size: u32,
    pub(crate) colour: Rgb,
    pub(crate) bold: bool,
}

impl Font {
    pub(crate) const fn new(size: u32, colour: Rgb) -> Font {
        Font {
            size,
            colour,
            bold: false,
        }
    }

    pub(crate) const fn bold(self) -> Font {
        Font { bold: true, ..self }
    }
}

/// A picture being drawn; y grows downwards.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    body: String,
}

/// Escapes characters with a meaning in XML, and leaves out those that XML forbids.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

impl Svg {
    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// Begins a group of elements: its class, its number, and the text shown when the pointer is on
    /// it.
    pub(crate) fn begin(&mut self, class: &str, number: usize, title: &str) {
        let title = escape(title);
        self.push(format_args!(
            r#"<g class="{class}" data-i="{number}"><title>{title}</title>"#
        ));
    }

    /// Ends the group.
    pub(crate) fn end(&mut self) {
        self.body.push_str("</g>\n");
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: Rgb, width: f64) {
        self.push(format_args!(
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{}" stroke-width="{width}"/>"#,
            from.0, from.1, to.0, to.1, hex(colour)
        ));
    }

    pub(crate) fn dashed(&mut self, from: (f64, f64), to: (f64, f64), colour: Rgb, width: f64) {
        self.push(format_args!(
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{}" stroke-width="{width}" stroke-dasharray="5 4"/>"#,
            from.0, from.1, to.0, to.1, hex(colour)
        ));
    }

    pub(crate) fn rect(&mut self, corner: (f64, f64), size: (f64, f64), fill: Rgb) {
        self.push(format_args!(
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{}"/>"#,
            corner.0,
            corner.1,
            size.0.max(0.0),
            size.1.max(0.0),
            hex(fill)
        ));
    }

    /// A line with a head at its end.
    pub(crate) fn arrow(&mut self, from: (f64, f64), to: (f64, f64), colour: Rgb, width: f64) {
        self.line(from, to, colour, width);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if length <= 0.0 {
            return;
        }
        let (ux, uy) = (dx / length, dy / length);
        let side = |s: f64| {
            (
                to.0 - 9.0 * ux - s * uy * 3.5,
                to.1 - 9.0 * uy + s * ux * 3.5,
            )
        };
        let (a, b) = (side(1.0), side(-1.0));
        self.push(format_args!(
            r#"<polygon points="{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}" fill="{}"/>"#,
            to.0,
            to.1,
            a.0,
            a.1,
            b.0,
            b.1,
            hex(colour)
        ));
    }

    /// A cross, for a loss.
    pub(crate) fn cross(&mut self, at: (f64, f64), colour: Rgb) {
        for (dx, dy) in [(6.0, 6.0), (6.0, -6.0)] {
            self.line((at.0 - dx, at.1 - dy), (at.0 + dx, at.1 + dy), colour, 2.5);
        }
    }

    pub(crate) fn text(&mut self, at: (f64, f64), anchor: Anchor, font: Font, text: &str) {
        self.rotated(at, 0.0, anchor, font, text);
    }

    /// Text without a rim, for a background of one colour.
    pub(crate) fn plain(&mut self, at: (f64, f64), anchor: Anchor, font: Font, text: &str) {
        self.write(at, 0.0, anchor, font, text, false);
    }

    /// Text rotated clockwise by `degrees` about its point, with a white rim so that it is legible
    /// on lines.
    pub(crate) fn rotated(
        &mut self,
        at: (f64, f64),
        degrees: f64,
        anchor: Anchor,
        font: Font,
        text: &str,
    ) {
        self.write(at, degrees, anchor, font, text, true);
    }

    fn write(
        &mut self,
        at: (f64, f64),
        degrees: f64,
        anchor: Anchor,
        font: Font,
        text: &str,
        rim: bool,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = if degrees == 0.0 {
            String::new()
        } else {
            format!(
                r#" transform="rotate({degrees:.2} {:.1} {:.1})""#,
                at.0, at.1
            )
        };
        let rim = if rim {
            r##" stroke="#ffffff" stroke-width="3" paint-order="stroke""##
        } else {
            ""
        };
        self.push(format_args!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="{anchor}" font-size="{}" fill="{}"{}{rim}{turn}>{}</text>"#,
            at.0,
            at.1,
            font.size,
            hex(font.colour),
            if font.bold { r#" font-weight="bold""# } else { "" },
            escape(text)
        ));
    }

    /// The document.
    pub(crate) fn finish(self, width: f64, height: f64) -> Drawing {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.body
        );
        svg.into()
    }
}

/// Width of a text in pixels, a generous estimate.
pub(crate) fn text_width(text: &str, size: u32) -> f64 {
    0.6 * f64::from(size) * crate::text::width(text)
}
