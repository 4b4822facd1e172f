//! The page of a capture.

use super::page::{HtmlPage, cells};
use crate::bilingual::Language;
use crate::figures::Drawn;
use crate::info::Translation;

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

const COLUMNS_ZH: [&str; 9] = [
    "发起方",
    "另一端",
    "#开始",
    "#持续",
    "#报文段",
    "#重传",
    "#发送字节",
    "#接收字节",
    "最后的状态",
];

const ABOUT: &str = "A capture says when packets passed one place of the network. When they left and arrived is \
     inferred from the handshake: what it took on either side of that place is divided equally between both \
     directions. A segment counts as lost if it was sent again before anything acknowledged it. The states are those \
     that RFC 9293 prescribes for what each end sent and received. Where the opening is not in the capture, both ends \
     begin in ESTABLISHED.";

const ABOUT_ZH: &str = "抓包只记录报文段经过网络中某一点的时刻。它们何时发出、何时到达由握手推断：该点两侧各自所用的时间平均分给两个方向。\
     在得到确认之前就被重传的报文段算作丢失。状态按 RFC 9293 由每一端收发的内容推出。抓包中没有建立过程的连接，\
     两端从 ESTABLISHED 开始。";

/// Writes the page, which opens in `language`: the findings, the connections in rows of [`COLUMNS`], and the figures.
pub(crate) fn report(
    name: &str,
    found: &[String],
    connections: &[Vec<String>],
    drawn: &Drawn,
    language: Language,
) -> String {
    let mut page = HtmlPage::new(name, "");
    page.opens_in(language);
    page.findings(found);
    let zh = Translation {
        description: ABOUT_ZH.to_owned(),
        ..Translation::default()
    };
    page.description(ABOUT, Some(&zh));
    page.heading("Connections");
    page.table(&cells(language.pick(COLUMNS, COLUMNS_ZH)), connections);
    page.drawn(drawn);
    page.finish()
}
