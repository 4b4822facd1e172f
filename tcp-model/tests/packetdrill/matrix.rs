//! Every state and every kind of segment: the reply and the next state, by RFC 9293 section 3.10.7
//! with RFC 5961.

use tcp_model::packetdrill::{Report, RunOptions, parse, run};
use tcp_model::params::TimeWaitRules;
use tcp_model::{Connection, TcpParams};

const SOCKET: &str = "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n";
const LISTEN: &str = "+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n";
const SYN: &str = "+0 < S 0:0(0) win 65535 <mss 1000>\n+0 > S. 0:0(0) ack 1 <mss 1460>\n";
const ACCEPT: &str = "+.1 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n";
const FIN: &str = "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n";

/// A state: how to get there, and the values of SND.NXT and RCV.NXT there.
struct Place {
    state: &'static str,
    script: Vec<&'static str>,
    nxt: u32,
    rcv: u32,
}

/// SYN-RECEIVED and the synchronized states.
fn places() -> Vec<Place> {
    let place = |state, script: &[&'static str], nxt, rcv| {
        let mut whole = vec![SOCKET, LISTEN, SYN];
        whole.extend(script);
        Place {
            state,
            script: whole,
            nxt,
            rcv,
        }
    };
    let fin_1 = "+.1 < F. 1:1(0) ack 1 win 65535\n";
    let last_fin = "+0 > . 1:1(0) ack 2\n+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 2\n";
    vec![
        place("SYN_RECV", &[], 1, 1),
        place("ESTABLISHED", &[ACCEPT], 1, 1),
        place("FIN_WAIT1", &[ACCEPT, FIN], 2, 1),
        place(
            "FIN_WAIT2",
            &[ACCEPT, FIN, "+.1 < . 1:1(0) ack 2 win 65535\n"],
            2,
            1,
        ),
        place(
            "CLOSE_WAIT",
            &[ACCEPT, fin_1, "+0 > . 1:1(0) ack 2\n"],
            1,
            2,
        ),
        place(
            "CLOSING",
            &[ACCEPT, FIN, fin_1, "+0 > . 2:2(0) ack 2\n"],
            2,
            2,
        ),
        place("LAST_ACK", &[ACCEPT, fin_1, last_fin], 2, 2),
        place(
            "TIME_WAIT",
            &[
                ACCEPT,
                FIN,
                "+.1 < F. 1:1(0) ack 2 win 65535\n+0 > . 2:2(0) ack 2\n",
            ],
            2,
            2,
        ),
    ]
}

/// A segment and its effect.
struct Effect {
    /// The segment.
    segment: String,
    /// The expected reply.
    reply: Option<String>,
    /// The next state.
    state: &'static str,
}

/// The rules of the synchronized states, in the RFC's order of checks.
fn effects(p: &Place) -> Vec<Effect> {
    let (nxt, rcv, here) = (p.nxt, p.rcv, p.state);
    let (below, inside, beyond) = (rcv - 1, rcv + 10, rcv + 70_000);
    let ack_of = |rcv: u32| Some(format!(". {nxt}:{nxt}(0) ack {rcv}"));
    // The reply to an unacceptable or challenged segment has these numbers in every state; in
    // SYN-RECEIVED SND.NXT is already beyond the SYN-ACK.
    let challenge = || ack_of(rcv);
    let early = here == "SYN_RECV";
    let over = here == "TIME_WAIT";
    let open = matches!(here, "SYN_RECV" | "ESTABLISHED" | "FIN_WAIT1" | "FIN_WAIT2");
    let after_ack = match here {
        "SYN_RECV" => "ESTABLISHED",
        "FIN_WAIT1" => "FIN_WAIT2",
        "CLOSING" => "TIME_WAIT",
        "LAST_ACK" => "CLOSE",
        other => other,
    };
    let after_fin = match after_ack {
        "ESTABLISHED" => "CLOSE_WAIT",
        "FIN_WAIT2" => "TIME_WAIT",
        other => other,
    };
    let mut all = Vec::new();
    let mut add = |segment: String, reply: Option<String>, state| {
        all.push(Effect {
            segment,
            reply,
            state,
        });
    };
    let at = |flags: &str, seq: u32, len: u32| format!("{flags} {seq}:{}({len})", seq + len);
    let with_ack =
        |flags: &str, seq: u32, len: u32, ack: u32| format!("{} ack {ack}", at(flags, seq, len));
    // First: the sequence number.
    for seq in [below, beyond] {
        add(with_ack(".", seq, 0, nxt), challenge(), here);
        add(at("R", seq, 0), None, here);
        add(with_ack("R.", seq, 0, nxt), None, here);
    }
    add(with_ack("P.", beyond, 10, nxt), challenge(), here);
    add(with_ack("F.", beyond, 0, nxt), challenge(), here);
    // Second: RST.
    add(at("R", rcv, 0), None, "CLOSE");
    add(with_ack("R.", rcv, 0, nxt), None, "CLOSE");
    add(at("R", inside, 0), challenge(), here);
    // Fourth: SYN. In TIME-WAIT it may open the next connection.
    let back = if early {
        (None, "CLOSE")
    } else {
        (challenge(), here)
    };
    if !over {
        add(at("S", inside, 0), back.0.clone(), back.1);
        add(at("S", beyond, 0), challenge(), here);
    } else {
        let next = Some(format!("S. 0:0(0) ack {} <...>", beyond + 1));
        add(at("S", beyond, 0), next, "SYN_RECV");
    }
    if !early {
        add(at("S", below, 0), challenge(), here);
    }
    add(with_ack("S.", inside, 0, nxt), back.0, back.1);
    // Fifth: ACK.
    add(at("P", rcv, 10), None, here);
    add(at("-", rcv, 10), None, here);
    add(at("F", rcv, 0), None, here);
    add(with_ack(".", rcv, 0, nxt), None, after_ack);
    if early {
        add(
            with_ack(".", rcv, 0, nxt + 5),
            Some(at("R", nxt + 5, 0)),
            here,
        );
    } else if !over {
        add(with_ack(".", rcv, 0, nxt + 5), challenge(), here);
    }
    // Seventh and eighth: text and FIN.
    if open {
        add(with_ack("P.", rcv, 10, nxt), ack_of(rcv + 10), after_ack);
        add(with_ack("F.", rcv, 0, nxt), ack_of(rcv + 1), after_fin);
        add(with_ack("FP.", rcv, 10, nxt), ack_of(rcv + 11), after_fin);
        // Beyond a gap: a duplicate ACK.
        add(with_ack("F.", inside, 0, nxt), ack_of(rcv), after_ack);
        add(with_ack("P.", inside, 10, nxt), ack_of(rcv), after_ack);
    } else {
        // The peer's FIN again.
        add(with_ack("F.", below, 0, nxt), challenge(), here);
    }
    all
}

/// Plays a script with the rules of the RFCs in TIME-WAIT, where Linux has its own.
fn play_text(text: &str) -> Report {
    let options = RunOptions {
        params: TcpParams {
            time_wait_rules: TimeWaitRules::Rfc9293,
            adaptive_receiver: false, // Linux delays the ACK of a FIN
            linux_input: false,       // Linux processes the ACK of a retransmitted FIN
            ..TcpParams::linux()
        },
        ..RunOptions::default()
    };
    let script = parse(text).unwrap();
    run(&script, &mut |ctx| Box::new(Connection::new(ctx)), &options)
}

/// The script for one segment; `state` is checked a little later.
fn script(prelude: &str, effect: &Effect) -> String {
    let reply = effect
        .reply
        .as_ref()
        .map_or(String::new(), |line| format!("+0 > {line}\n"));
    format!(
        "{prelude}+.01 < {} win 65535\n{reply}+.02 %{{ assert tcpi_state == TCP_{}, tcpi_state }}%",
        effect.segment, effect.state
    )
}

fn check(name: &str, prelude: &str, effects: &[Effect], wrong: &mut Vec<String>) {
    for effect in effects {
        let report = play_text(&script(prelude, effect));
        if !report.passed() || report.unclaimed > 0 {
            let unclaimed = report.unclaimed;
            let last = report
                .ladder
                .last()
                .map_or(String::new(), |r| r.to_string());
            wrong.push(format!(
                "{name} meets {}: {unclaimed} unclaimed, last {last}\n{report}",
                effect.segment
            ));
        }
    }
}

#[test]
fn synchronized_states_answer_every_segment_by_the_rules() {
    let (mut wrong, mut met) = (Vec::new(), 0);
    for place in places() {
        let effects = effects(&place);
        met += effects.len();
        check(place.state, &place.script.concat(), &effects, &mut wrong);
    }
    assert!(met > 150, "only {met} meetings");
    assert!(
        wrong.is_empty(),
        "{} of {met}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn rows(rows: &[(&str, &str, &'static str)]) -> Vec<Effect> {
    rows.iter()
        .map(|&(segment, reply, state)| Effect {
            segment: segment.to_string(),
            reply: (!reply.is_empty()).then(|| reply.to_string()),
            state,
        })
        .collect()
}

#[test]
fn syn_sent_answers_every_segment_by_the_rules() {
    let prelude =
        format!("{SOCKET}+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <...>\n");
    let effects = rows(&[
        // First: ACK.
        (". 5:5(0) ack 0", "R 0:0(0)", "SYN_SENT"),
        (". 5:5(0) ack 2", "R 2:2(0)", "SYN_SENT"),
        (". 5:5(0) ack 1", "", "SYN_SENT"),
        ("R. 5:5(0) ack 0", "", "SYN_SENT"),
        ("R. 5:5(0) ack 2", "", "SYN_SENT"),
        ("S. 5:5(0) ack 2", "R 2:2(0)", "SYN_SENT"),
        ("F. 5:5(0) ack 2", "R 2:2(0)", "SYN_SENT"),
        // Second: RST.
        ("R. 5:5(0) ack 1", "", "CLOSE"),
        ("R 5:5(0)", "", "SYN_SENT"),
        // Fourth: SYN.
        ("S. 5:5(0) ack 1", ". 1:1(0) ack 1", "ESTABLISHED"),
        ("S 5:5(0)", "S. 0:0(0) ack 6 <...>", "SYN_RECV"),
        // Fifth: neither SYN nor RST.
        ("F 5:5(0)", "", "SYN_SENT"),
        ("F. 5:5(0) ack 1", "", "SYN_SENT"),
        ("P. 5:15(10) ack 1", "", "SYN_SENT"),
        ("- 5:5(0)", "", "SYN_SENT"),
    ]);
    let mut wrong = Vec::new();
    check("SYN_SENT", &prelude, &effects, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn listen_and_closed_answer_every_segment_by_the_rules() {
    let listening = [
        ("R 5:5(0)", ""),
        ("R. 5:5(0) ack 1", ""),
        (". 5:5(0) ack 7", "R 7:7(0)"),
        ("S. 5:5(0) ack 7", "R 7:7(0)"),
        ("F. 5:5(0) ack 7", "R 7:7(0)"),
        ("P. 5:15(10) ack 7", "R 7:7(0)"),
        ("S 5:5(0)", "S. 0:0(0) ack 6 <...>"),
        ("F 5:5(0)", ""),
        ("P 5:15(10)", ""),
        ("- 5:5(0)", ""),
    ];
    let closed = [
        ("R 5:5(0)", ""),
        ("R. 5:5(0) ack 1", ""),
        (". 5:5(0) ack 7", "R 7:7(0)"),
        ("S. 5:5(0) ack 7", "R 7:7(0)"),
        ("P. 5:15(10) ack 7", "R 7:7(0)"),
        ("S 5:5(0)", "R. 0:0(0) ack 6"),
        ("F 5:5(0)", "R. 0:0(0) ack 6"),
        ("SF 5:15(10)", "R. 0:0(0) ack 17"),
        ("P 5:15(10)", "R. 0:0(0) ack 15"),
        ("- 5:5(0)", "R. 0:0(0) ack 5"),
    ];
    let bound = "+0 bind(3, ..., ...) = 0\n";
    for (setting, table) in [(LISTEN, &listening), (bound, &closed)] {
        for (segment, reply) in table {
            let reply = match *reply {
                "" => String::new(),
                line => format!("+0 > {line}\n"),
            };
            let text = format!("{SOCKET}{setting}+0 < {segment} win 65535\n{reply}+.02 `true`");
            let report = play_text(&text);
            assert!(
                report.passed() && report.unclaimed == 0,
                "{segment}: {report}"
            );
        }
    }
}
