//! Lessons answer their question on the first screen, in the language that the reader chooses.

use std::fs;

use serde_json::json;

use super::{browser, drive, made};
use crate::common::said;

/// What a reader sees of the findings, and whether each begins on the first screen.
const FIRST_SCREEN: &str = "
out.lang=document.documentElement.lang;
out.question=$('.question').innerText;
const first=$('ul.findings');
out.findings=[...first.children].map(li=>li.innerText);
out.seen=[...first.children].every(li=>li.getBoundingClientRect().top<innerHeight);
out.buttons=$$('.choices button').map(b=>b.textContent);
out.headings=$$('h2').map(h=>h.innerText).filter(t=>t);";

#[test]
fn four_way_close_says_in_chinese_on_the_first_screen_why_time_wait_lasts_2msl() {
    let Some(browser) = browser() else { return };
    let dir = made("four-way-close", &[]);
    let page = dir.path().join("r/report.html");
    let english = drive(browser, &page, 1400, false, FIRST_SCREEN);
    let finding =
        |page: &serde_json::Value, i: usize| page["findings"][i].as_str().unwrap().to_owned();
    assert_eq!(english["lang"], json!("en"));
    assert!(
        finding(&english, 0).starts_with(
            "Closing takes 4 segments (8 to 11): client FIN, server ACK, server FIN, client ACK."
        ),
        "{english}"
    );
    assert!(
        finding(&english, 0)
            .contains("its application closes 100 ms after the FIN of client arrived"),
        "{english}"
    );
    assert_eq!(
        finding(&english, 1),
        "client, which sent the first FIN, waits in TIME-WAIT for 60 s = 2MSL."
    );
    let script = format!("$('#language').click();{FIRST_SCREEN}");
    let chinese = drive(browser, &page, 1400, false, &script);
    assert_eq!(
        (&chinese["lang"], &chinese["seen"]),
        (&json!("zh"), &json!(true)),
        "{chinese}"
    );
    assert!(
        chinese["question"]
            .as_str()
            .unwrap()
            .starts_with("为什么关闭连接需要四个报文段"),
        "{chinese}"
    );
    assert!(
        finding(&chinese, 0)
            .starts_with("关闭连接用了 4 个报文段（第 8 至 11 段）：client 的 FIN、server 的 ACK"),
        "{chinese}"
    );
    assert_eq!(
        finding(&chinese, 1),
        "client 先发送了 FIN，因此在 TIME-WAIT 中等待 60 s（2MSL）。"
    );
    // One MSL for the last ACK, the other for the FIN that is sent again; old duplicates are gone by then.
    for part in [
        "2MSL",
        "一个 MSL 留给最后的 ACK 到达",
        "另一个 MSL 留给对方重传的 FIN 返回",
        "旧的重复报文段都已消失",
    ] {
        assert!(finding(&chinese, 2).contains(part), "{part}: {chinese}");
    }
    // The variants: what is different in each, with its name.
    assert_eq!(
        finding(&chinese, 4).split('？').next(),
        Some("假如：服务器立即关闭")
    );
    assert!(
        finding(&chinese, 4).contains("关闭连接用了 3 个报文段"),
        "{chinese}"
    );
    assert!(
        finding(&chinese, 5).contains("server 先发送了 FIN"),
        "{chinese}"
    );
    assert!(
        finding(&chinese, 6).contains("第 9 段重传第 8 段（TLP）"),
        "{chinese}"
    );
    assert_eq!(chinese["buttons"][1], json!("服务器立即关闭"));
    assert!(
        chinese["headings"]
            .as_array()
            .unwrap()
            .contains(&json!("假如")),
        "{chinese}"
    );
    // A page that opens in Chinese, and goes back to English.
    let (code, _, words) = said(dir.path(), &["report", "r", "--lang", "zh"]);
    assert_eq!(code, 0, "{words}");
    assert!(
        fs::read_to_string(&page)
            .unwrap()
            .contains("<html lang=\"zh\">")
    );
    let opened = drive(browser, &page, 400, true, FIRST_SCREEN);
    assert_eq!(opened["findings"], chinese["findings"]);
    let back = drive(browser, &page, 1400, false, &script);
    assert_eq!(back["findings"], english["findings"]);
}

#[test]
fn simultaneous_open_shows_one_connection_of_two_syns() {
    let Some(browser) = browser() else { return };
    let dir = made("simultaneous-open", &[]);
    let script =
        format!("{FIRST_SCREEN}out.ladders=$$('section.choice').map(s=>$$('figure',s).length);");
    let page = drive(
        browser,
        &dir.path().join("r/report.html"),
        1400,
        false,
        &script,
    );
    let finding = |i: usize| page["findings"][i].as_str().unwrap();
    for (i, part) in [
        (
            0,
            "their SYNs cross: one connection comes of it, not two. Opening takes 4 segments: client SYN, server SYN, \
             server SYN+ACK, client SYN+ACK. ESTABLISHED is client after 100 ms, server after 100 ms.",
        ),
        (
            4,
            "What if: the server opens while the SYN is on its way? Both ends open at once",
        ),
        (
            5,
            "What if: the server opens too late? The connection does not open: 1 segment with SYN is sent.",
        ),
        (
            6,
            "Opening takes 4 segments: client SYN (lost), server SYN, client SYN+ACK, server ACK.",
        ),
    ] {
        assert!(finding(i).contains(part), "{part}: {page}");
    }
    // One ladder each, with both ends; two attempts that are refused are two.
    assert_eq!(page["ladders"], json!([1, 1, 2, 1]), "{page}");
}

#[test]
fn why_time_wait_shows_what_an_old_duplicate_does_to_the_next_connection() {
    let Some(browser) = browser() else { return };
    let dir = made("why-time-wait", &[]);
    let page = dir.path().join("r/report.html");
    let script = format!(
        "{{{FIRST_SCREEN}}}$('#language').click();const en=out.findings;{{{FIRST_SCREEN}}}out.en=en;"
    );
    let page = drive(browser, &page, 1400, false, &script);
    let has = |list: &str, parts: &[&str]| {
        let all = page[list].as_array().unwrap().iter();
        let found = all
            .filter_map(|f| f.as_str())
            .any(|f| parts.iter().all(|p| f.contains(p)));
        assert!(found, "{parts:?}: {page}");
    };
    has(
        "en",
        &[
            "client is in TIME-WAIT when it arrives",
            "drops its 1,460 bytes",
        ],
    );
    has("en", &["waits in TIME-WAIT for 240 s = 2MSL"]);
    has(
        "en",
        &["by then every old duplicate of this connection has died out"],
    );
    has(
        "en",
        &[
            "What if: cut short to 1 ms?",
            "client has already left TIME-WAIT",
            "1,460 bytes of a connection are taken for data of the next one",
            "for only 1 ms, less than 2MSL",
        ],
    );
    has(
        "en",
        &[
            "What if: cut short, with timestamps?",
            "Even so, no byte of a connection is taken",
        ],
    );
    has(
        "findings",
        &[
            "假如：缩短为 1 ms？",
            "1,460 字节被相同地址和端口之间的下一条连接当作自己的数据",
        ],
    );
    has(
        "findings",
        &["一个 MSL 留给最后的 ACK 到达", "旧的重复报文段都已消失"],
    );
    assert_eq!(page["seen"], true, "{page}");
}

#[test]
fn each_lesson_has_its_question_and_answer_in_both_languages() {
    for name in [
        "handshake",
        "simultaneous-open",
        "simultaneous-close",
        "lost-last-ack",
        "why-time-wait",
        "reset",
        "flow-control",
        "retransmission",
    ] {
        let text = scenarios::library::find(name).unwrap().text;
        let plan = crate::common::planned(text, &[]);
        let zh = plan
            .zh
            .unwrap_or_else(|| panic!("{name} has no Chinese texts"));
        assert!(
            !zh.question.is_empty() && !zh.description.is_empty(),
            "{name}"
        );
        assert_eq!(zh.variants.len(), plan.runs.len(), "{name}");
    }
}
