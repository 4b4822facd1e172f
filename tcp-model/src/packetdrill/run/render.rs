//! Segments in the language of scripts, for ladders and messages.

use std::fmt::Write;

use super::flow::Flow;
use crate::options::TcpOption;

use crate::packetdrill::ast::OptionSpec;
use crate::segment::{Ecn, Flags, Segment};
use crate::seq::SeqNum;

/// A segment the model sent; `absolute` leaves its sequence number as it is.
pub(super) fn sent(segment: &Segment, flow: &Flow, absolute: bool) -> String {
    let syn = segment.flags.is_syn();
    let seq = if absolute {
        segment.seq.0
    } else {
        flow.to_script(segment.seq, syn)
    };
    let options: Vec<OptionSpec> = specs(segment, flow)
        .into_iter()
        .map(|o| match o {
            OptionSpec::Timestamps { val, ecr } => OptionSpec::Timestamps {
                val: flow.stamps.to_script(val),
                ecr,
            },
            other => other,
        })
        .collect();
    let ack = flow.peer_to_script(segment.ack, syn);
    marked(segment.ecn, line(segment, seq, ack, &options))
}

/// "[ect0] . 1:1(0) ack 1"; what is not marked is left as it is.
pub(super) fn marked(ecn: Ecn, text: String) -> String {
    match ecn {
        Ecn::NotEct => text,
        Ecn::Ect0 => format!("[ect0] {text}"),
        Ecn::Ect1 => format!("[ect1] {text}"),
        Ecn::Ce => format!("[ce] {text}"),
    }
}

/// A segment in the script's numbers.
pub(super) fn line(segment: &Segment, seq: u32, ack: u32, options: &[OptionSpec]) -> String {
    let end = seq.wrapping_add(segment.len);
    let mut text = format!("{} {seq}:{end}({})", letters(segment.flags), segment.len);
    if segment.flags.is_ack() {
        let _ = write!(text, " ack {ack}");
    }
    let _ = write!(text, " win {}", segment.window);
    if segment.flags.is_urg() {
        let _ = write!(text, " urg {}", segment.urgent);
    }
    if !options.is_empty() {
        let _ = write!(text, " {}", list(options));
    }
    text
}

/// "SP.".
pub(super) fn letters(flags: Flags) -> String {
    let all = [
        (Flags::SYN, 'S'),
        (Flags::FIN, 'F'),
        (Flags::RST, 'R'),
        (Flags::PSH, 'P'),
        (Flags::URG, 'U'),
        (Flags::ECE, 'E'),
        (Flags::CWR, 'W'),
        (Flags::AE, 'A'),
        (Flags::ACK, '.'),
    ];
    let set = all.iter().filter(|(flag, _)| flags.contains(*flag));
    let text: String = set.map(|(_, letter)| letter).collect();
    if text.is_empty() { "-".into() } else { text }
}

/// "<mss 1460,nop>".
pub(super) fn list(options: &[OptionSpec]) -> String {
    let each: Vec<String> = options.iter().map(option).collect();
    format!("<{}>", each.join(","))
}

fn option(option: &OptionSpec) -> String {
    match option {
        OptionSpec::Mss(mss) => format!("mss {mss}"),
        OptionSpec::WindowScale(shift) => format!("wscale {shift}"),
        OptionSpec::SackPermitted => "sackOK".into(),
        OptionSpec::Sack(blocks) => blocks
            .iter()
            .fold("sack".to_string(), |text, (l, r)| format!("{text} {l}:{r}")),
        OptionSpec::Timestamps { val, ecr } => format!("TS val {val} ecr {ecr}"),
        OptionSpec::Nop => "nop".into(),
        OptionSpec::Eol => "eol".into(),
        OptionSpec::NamedCookie { name, experimental } => {
            format!("FO{} {name}", if *experimental { "EXP" } else { "" })
        }
        OptionSpec::Other(34, data) => {
            let digits = data.iter().map(|b| format!("{b:02x}"));
            format!("FO {}", digits.collect::<String>())
                .trim_end()
                .into()
        }
        OptionSpec::Other(kind, data) => {
            data.iter().fold(format!("unknown {kind} 0x"), |text, b| {
                format!("{text}{b:02x}")
            })
        }
    }
}

/// The options of a segment the model sent one by one, in the script's numbers but for timestamps;
/// padding after the list is no option.
pub(super) fn specs(segment: &Segment, flow: &Flow) -> Vec<OptionSpec> {
    let (options, syn) = (&segment.options, segment.flags.is_syn());
    let edge = |bytes: &[u8]| flow.peer_to_script(SeqNum(be32(bytes)), syn);
    let mut specs = Vec::new();
    for option in options.iter().map_while(Result::ok) {
        specs.push(match option {
            TcpOption::Eol => OptionSpec::Eol,
            TcpOption::Nop => OptionSpec::Nop,
            TcpOption::Mss(mss) => OptionSpec::Mss(mss),
            TcpOption::WindowScale(shift) => OptionSpec::WindowScale(shift),
            TcpOption::SackPermitted => OptionSpec::SackPermitted,
            TcpOption::Timestamps(val, ecr) => OptionSpec::Timestamps { val, ecr },
            TcpOption::Sack(data) => OptionSpec::Sack(
                data.chunks_exact(8)
                    .map(|b| (edge(&b[..4]), edge(&b[4..])))
                    .collect(),
            ),
            TcpOption::Unknown(kind, data) => OptionSpec::Other(kind, data.to_vec()),
        });
    }
    // After the end of the list only more of the same is shown.
    if specs.last() == Some(&OptionSpec::Eol) {
        let bytes: usize = specs.iter().map(OptionSpec::wire_len).sum();
        let rest = options.as_bytes().get(bytes..).unwrap_or_default();
        let more = rest.iter().take_while(|b| **b == 0);
        specs.extend(more.map(|_| OptionSpec::Eol));
    }
    specs
}

fn be32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |n, &b| n << 8 | u32::from(b))
}
