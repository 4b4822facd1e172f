//! The page of a capture.

use super::page::{HtmlPage, cells};
use crate::figures::Drawn;

/// Columns of the table of connections; names of numeric columns begin with '#'.
pub(crate) const COLUMNS: [&str; 9] = [
    "opener",
    "other end",
    "#begins",
    "#lasts",
    "#segments",
    "#sent again",
    "#bytes sent",
    "#bytes received",
    "last states",
];

/// Writes the page: the findings, the connections in rows of [`COLUMNS`], and the figures.
pub(crate) fn report(
    name: &str,
    found: &[String],
    connections: &[Vec<String>],
    drawn: &Drawn,
) -> String {
    let mut page = HtmlPage::new(name, "");
    page.findings(found);
    page.description(
        "A capture says when packets passed one place of the network. When they left and arrived is \
         inferred from the handshake: what it took on either side of that place is divided equally between \
         both directions. A segment counts as lost if it was sent again before anything acknowledged it. The \
         states are those that RFC 9293 prescribes for what each end sent and received. Where the opening is \
         not in the capture, both ends begin in ESTABLISHED.",
        None,
    );
    page.heading("Connections");
    page.table(&cells(COLUMNS), connections);
    page.drawn(drawn);
    page.finish()
}
