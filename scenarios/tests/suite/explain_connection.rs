//! `synfin explain DIR --connection N` and `synfin diff`.

use crate::common::{directory, said};

#[test]
fn a_connection_is_explained_in_both_languages_with_what_was_waited_for() {
    let dir = directory(&[]);
    let run = ["run", "http-exchange", "-q", "--out", "r"];
    assert_eq!(said(dir.path(), &run).0, 0);
    let (code, text, _) = said(dir.path(), &["explain", "r", "--connection", "0"]);
    assert_eq!(code, 0);
    for needed in [
        "client -> server  SYN seq=x",
        "asks to open",
        "waited 100 ms for the other end's segment to arrive",
        "2MSL",
        "RFC 9293 section 3.6.1",
    ] {
        assert!(text.contains(needed), "{needed}: {text}");
    }
    let named = ["explain", "r", "--connection", "0.0", "--lang", "zh"];
    let (code, text, _) = said(dir.path(), &named);
    assert!(
        code == 0 && text.contains("请求与 server 建立连接"),
        "{text}"
    );
    let (code, _, words) = said(dir.path(), &["explain", "r", "--connection", "7"]);
    assert!(code == 2 && words.contains("record.segments"), "{words}");
}

#[test]
fn the_first_event_in_which_runs_differ_is_found() {
    let dir = directory(&[]);
    for (out, more) in [
        ("a", &[][..]),
        ("b", &[][..]),
        ("c", &["--set", "workload.page.close=client"][..]),
    ] {
        let args = [&["run", "http-exchange", "-q", "--out", out], more].concat();
        assert_eq!(said(dir.path(), &args).0, 0);
    }
    let (code, same, _) = said(dir.path(), &["diff", "a", "b"]);
    assert_eq!(
        (code, same.as_str()),
        (0, "The results are the same, byte for byte.\n")
    );
    let (code, other, _) = said(dir.path(), &["diff", "a", "c"]);
    assert_eq!(code, 0);
    assert!(
        other.contains("workload.page.close: server and client"),
        "{other}"
    );
    // If the server closes first, it sends its FIN with the last segment of the response, at 150 ms.
    assert!(other.contains("First difference at t = 0.15 s"), "{other}");
    let (code, _, words) = said(dir.path(), &["diff", "a", "none"]);
    assert!(code == 2 && words.contains("none"), "{words}");
}
