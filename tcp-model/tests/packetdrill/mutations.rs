//! Every script with one number changed: every change must be noticed.

use sim_core::SimDuration;
use tcp_model::options::{Options, TcpOption};
use tcp_model::packetdrill::{
    Action, EcnMark, Expr, Moment, Script, ScriptEvent, ScriptOutcome, ScriptPacket, Statement,
    SystemCall, parse,
};
use tcp_model::segment::Flags;

use super::{all_scripts, play};

/// Longer than the tolerance of any script: 12.5 % of the longest wait is 8 s.
const LATER: SimDuration = SimDuration::from_secs(10);

type Change<T> = (&'static str, fn(&mut T) -> bool);

/// Changes of an expected segment; each returns whether there was something to change.
const PACKET: [Change<ScriptPacket>; 13] = [
    ("sequence number", |p| {
        p.seq = p.seq.wrapping_add(1);
        // The script chooses the sequence number of a SYN.
        !p.flags.is_syn()
    }),
    ("length", |p| {
        p.len += 1;
        true
    }),
    ("acknowledgement number", |p| {
        p.ack = p.ack.map(|a| a.wrapping_add(1));
        p.ack.is_some()
    }),
    ("window", |p| {
        p.window = p.window.map(|w| w ^ 1);
        p.window.is_some()
    }),
    ("PSH", |p| {
        p.flags = Flags(p.flags.0 ^ Flags::PSH.0);
        true
    }),
    ("FIN", |p| {
        p.flags = Flags(p.flags.0 ^ Flags::FIN.0);
        true
    }),
    ("ECE", |p| {
        p.flags = Flags(p.flags.0 ^ Flags::ECE.0);
        true
    }),
    ("CWR", |p| {
        p.flags = Flags(p.flags.0 ^ Flags::CWR.0);
        true
    }),
    ("urgent pointer", |p| {
        p.urgent = p.urgent.map(|u| u ^ 1);
        p.urgent.is_some()
    }),
    ("ECN field", |p| {
        p.ip.ecn = p.ip.ecn.map(|mark| {
            let other = match mark.name {
                "noecn" => "ect0",
                _ => "noecn",
            };
            EcnMark::named(other).unwrap()
        });
        p.ip.ecn.is_some()
    }),
    ("TOS", |p| {
        p.ip.tos = p.ip.tos.map(|tos| tos ^ 4);
        p.ip.tos.is_some()
    }),
    ("TTL", |p| {
        p.ip.ttl = p.ip.ttl.map(|ttl| ttl ^ 1);
        p.ip.ttl.is_some()
    }),
    ("one option more", |p| match &mut p.options {
        Some(options) => {
            // A cookie given by name is longer than its placeholder.
            options.room() > 2 && options.push(TcpOption::Nop).is_ok()
        }
        None => false,
    }),
];

/// Changes a number in option `n`; `which` selects one of two. `None` if there is nothing to change.
fn change_option(options: &Options, n: usize, which: usize) -> Option<Options> {
    let mut all = Options::NONE;
    let mut changed = false;
    for (i, option) in options.iter().map_while(Result::ok).enumerate() {
        let mut bytes = match option {
            TcpOption::Sack(data) | TcpOption::Unknown(_, data) => data.to_vec(),
            _ => Vec::new(),
        };
        let new = match (option, which) {
            _ if i != n => option,
            (TcpOption::Mss(mss), 0) => TcpOption::Mss(mss + 1),
            (TcpOption::WindowScale(shift), 0) => TcpOption::WindowScale(shift + 1),
            (TcpOption::Timestamps(val, ecr), 0) => TcpOption::Timestamps(val + 1000, ecr),
            (TcpOption::Timestamps(val, ecr), _) => TcpOption::Timestamps(val, ecr + 1),
            (TcpOption::Sack(_), 0) => {
                bytes[3] += 1;
                TcpOption::Sack(&bytes)
            }
            (TcpOption::Sack(_), _) => {
                bytes.rotate_left(8);
                TcpOption::Sack(&bytes)
            }
            (TcpOption::Unknown(kind, data), 0) if !data.is_empty() => {
                bytes[0] ^= 1;
                TcpOption::Unknown(kind, &bytes)
            }
            (TcpOption::Unknown(kind, data), 1) => TcpOption::Unknown(kind ^ 1, data),
            _ => option,
        };
        changed |= new != option;
        all.push(new).unwrap();
    }
    changed.then_some(all)
}

/// Negates an assertion.
fn deny(statement: &mut Statement) -> bool {
    let Statement::Assert { test, .. } = statement else {
        return false;
    };
    let old = std::mem::replace(test, Expr::Int(0));
    *test = Expr::Unary("not", Box::new(old));
    true
}

fn later(moment: &mut Moment) -> bool {
    match moment {
        Moment::Any => return false,
        Moment::At(t) | Moment::After(t) => *t += LATER,
        Moment::Between(a, b) | Moment::AfterBetween(a, b) => {
            *a += LATER;
            *b += LATER;
        }
    }
    true
}

/// Adds one to the first number in an expression.
fn change_number(expr: &mut Expr) -> bool {
    match expr {
        Expr::Int(n) => {
            *n += 1;
            true
        }
        Expr::List(all) => all.iter_mut().any(change_number),
        Expr::Struct(fields) => fields.iter_mut().any(|f| change_number(&mut f.value)),
        _ => false,
    }
}

/// The argument of a call in which results are returned: a changed number there must be noticed.
fn output(call: &mut SystemCall) -> Option<&mut Expr> {
    let named = |expr: &mut Expr, name: &str| -> Option<usize> {
        match expr {
            Expr::Struct(fields) => fields.iter().position(|f| f.name.as_deref() == Some(name)),
            _ => None,
        }
    };
    let (n, name) = match (call.name.as_str(), call.errno.is_some()) {
        ("getsockopt", false) => return call.args.get_mut(3),
        ("ioctl", false) if call.args[1] != Expr::Word("FIONBIO".into()) => {
            return call.args.get_mut(2);
        }
        ("poll", false) => (0, "revents"),
        ("recvmsg", false) => (1, "msg_control"),
        _ => return None,
    };
    let mut place = call.args.get_mut(n)?;
    if let Expr::List(entries) = place {
        place = entries.first_mut()?;
    }
    let at = named(place, name)?;
    let Expr::Struct(fields) = place else {
        return None;
    };
    Some(&mut fields[at].value)
}

/// Calls that return a new descriptor, whose number the script may choose.
fn makes_descriptor(call: &SystemCall) -> bool {
    matches!(
        call.name.as_str(),
        "socket" | "accept" | "epoll_create" | "epoll_create1" | "open"
    ) && call.errno.is_none()
}

/// All scripts that differ from this one in one place, with a description of the change.
fn mutants(script: &Script) -> Vec<(String, Script)> {
    let mut all = Vec::new();
    let mut add = |index: usize, what: &str, change: &dyn Fn(&mut ScriptEvent) -> bool| {
        let mut mutant = script.clone();
        let line = mutant.events[index].at.line;
        if change(&mut mutant.events[index]) {
            all.push((format!("{line}: {what}"), mutant));
        }
    };
    for (index, event) in script.events.iter().enumerate() {
        match &event.action {
            Action::Packet(packet) if !packet.inbound => {
                add(index, "time", &|e| later(&mut e.moment));
                for (what, change) in PACKET {
                    add(index, what, &|e| match &mut e.action {
                        Action::Packet(p) => change(p),
                        _ => false,
                    });
                }
                for (n, which) in (0..20).flat_map(|n| [(n, 0), (n, 1)]) {
                    add(index, "option", &|e| match &mut e.action {
                        Action::Packet(p) if p.cookies.is_empty() => {
                            let options = p.options.as_ref();
                            let changed = options.and_then(|o| change_option(o, n, which));
                            p.options = changed.or(p.options);
                            changed.is_some()
                        }
                        _ => false,
                    });
                }
            }
            Action::Call(call) if !makes_descriptor(call) => {
                add(index, "result", &|e| match &mut e.action {
                    Action::Call(SystemCall {
                        result: Expr::Int(n),
                        errno: None,
                        ..
                    }) => {
                        *n += 1;
                        true
                    }
                    _ => false,
                });
                add(index, "what it tells", &|e| match &mut e.action {
                    Action::Call(call) => output(call).is_some_and(change_number),
                    _ => false,
                });
                add(index, "error", &|e| match &mut e.action {
                    Action::Call(SystemCall {
                        errno: Some(name), ..
                    }) => {
                        *name = "EIO".into();
                        true
                    }
                    _ => false,
                });
            }
            Action::Code(statements) => {
                for n in 0..statements.len() {
                    add(index, "assertion", &|e| match &mut e.action {
                        Action::Code(statements) => deny(&mut statements[n]),
                        _ => false,
                    });
                }
            }
            _ => {}
        }
        if event.until.is_some() {
            add(index, "time of return", &|e| {
                e.until = e.until.map(|t| t + LATER);
                true
            });
        }
    }
    all
}

#[test]
fn no_changed_number_goes_unnoticed() {
    let (mut tried, mut missed) = (0, Vec::new());
    for (path, text) in all_scripts() {
        for (what, mutant) in mutants(&parse(&text).unwrap()) {
            tried += 1;
            let outcome = play(&mutant).outcome;
            if !matches!(
                outcome,
                ScriptOutcome::Failed(_) | ScriptOutcome::Invalid { .. }
            ) {
                missed.push(format!("{}:{what}", path.display()));
            }
        }
    }
    assert!(tried > 1000, "only {tried} changes tried");
    assert!(
        missed.is_empty(),
        "{} of {tried}: {missed:#?}",
        missed.len()
    );
}

#[test]
fn exact_runs_notice_a_millisecond() {
    let text = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0 bind(3, ..., ...) = 0
        +0 listen(3, 1) = 0
        +0 < S 0:0(0) win 65535 <mss 1000>
        +0 > S. 0:0(0) ack 1 <mss 1460>
        +1.001 > S. 0:0(0) ack 1 <mss 1460>";
    let exact = tcp_model::packetdrill::RunOptions {
        exact: true,
        ..Default::default()
    };
    let mut make = |ctx| Box::new(tcp_model::Connection::new(ctx)) as Box<dyn tcp_model::TcpModel>;
    let script = parse(text).unwrap();
    assert!(super::play(&script).passed());
    let report = tcp_model::packetdrill::run(&script, &mut make, &exact);
    let ScriptOutcome::Failed(failure) = report.outcome else {
        panic!("{report}");
    };
    assert_eq!(
        (failure.at.line, failure.actual.as_str()),
        (6, "1.000000 s")
    );
}
