//! The style sheet and the script of pages, built in: no page loads anything from a network.

/// The style sheet, including the colours of the dark theme.
const STYLE: &str = include_str!("assets/page.css");
/// uPlot 1.6 (MIT licence, in `assets/uPlot-LICENSE`), which draws interactive charts.
const UPLOT: &str = include_str!("assets/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("assets/uPlot.min.css");
const WORDS: &str = include_str!("assets/words.js");
const PAGE: &str = include_str!("assets/page.js");
const MACHINE: &str = include_str!("assets/machine.js");
const LADDER: &str = include_str!("assets/ladder.js");
const CONNECTIONS: &str = include_str!("assets/connections.js");
const CHART: &str = include_str!("assets/chart.js");
const MAIN: &str = include_str!("assets/main.js");

/// What a page contains that needs a part of the script.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    pub(super) charts: bool,
    pub(super) ladders: bool,
    pub(super) connections: bool,
}

/// The text of the `<style>` element. Without scripts, dark colours follow the system setting.
pub(super) fn style(needs: Needs) -> String {
    let dark = STYLE
        .lines()
        .skip_while(|line| !line.starts_with(DARK))
        .take_while(|line| !line.starts_with("html{"));
    let dark: String = dark.collect::<Vec<_>>().join("\n");
    let dark = dark.replace(DARK, ":root:not([data-theme])");
    let charts = if needs.charts { UPLOT_STYLE } else { "" };
    let screen = STYLE.replacen(DARK, "@media screen{:root[data-theme=dark]", 1);
    let screen = screen.replacen("\nhtml{", "}\nhtml{", 1);
    format!("{charts}\n{screen}\n@media screen and (prefers-color-scheme:dark){{{dark}}}\n")
}

const DARK: &str = ":root[data-theme=dark]";

/// The text of the `<script>` element.
pub(super) fn script(needs: Needs) -> String {
    let mut parts = vec![WORDS, PAGE];
    if needs.charts {
        parts.push(CHART);
    }
    if needs.ladders {
        parts.extend([MACHINE, LADDER]);
    }
    if needs.connections {
        parts.push(CONNECTIONS);
    }
    parts.push(MAIN);
    let own = parts.join("\n");
    let uplot = if needs.charts { UPLOT } else { "" };
    format!("{uplot}\n(()=>{{\"use strict\";\n{own}\n}})();\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_end_no_element_and_name_no_host() {
        let needs = Needs {
            charts: true,
            ladders: true,
            connections: true,
        };
        let (style, script) = (style(needs), script(needs));
        assert!(!script.contains("</script") && !script.contains("<!--"));
        assert!(!style.contains("</style") && !style.contains("url("));
        let hosts = |text: &str| {
            let all = text.match_indices("http").map(|(i, _)| i);
            all.filter(|i| text[*i..].starts_with("https://") || text[*i..].starts_with("http://"))
                .filter(|i| !text[*i..].starts_with("http://www.w3.org/2000/svg"))
                .filter(|i| !text[*i..].starts_with("https://github.com/leeoniya/uPlot"))
                .count()
        };
        assert_eq!((hosts(&style), hosts(&script)), (0, 0));
        assert_eq!(style.matches('{').count(), style.matches('}').count());
    }
}
