//! Segments in the language of scripts, for ladders and messages.

use std::fmt::Write;

use crate::options::{Options, TcpOption, kind};
use crate::segment::{Ecn, Flags, Segment};

/// A segment in the script's numbers: "[ect0] . 1:1(0) ack 1 win 500".
pub(super) fn line(segment: &Segment) -> String {
    let seq = segment.seq.0;
    let mut text = match segment.ecn {
        Ecn::NotEct => "",
        Ecn::Ect0 => "[ect0] ",
        Ecn::Ect1 => "[ect1] ",
        Ecn::Ce => "[ce] ",
    }
    .to_string();
    let (end, flags) = (seq.wrapping_add(segment.len), letters(segment.flags));
    let _ = write!(text, "{flags} {seq}:{end}({})", segment.len);
    if segment.flags.is_ack() {
        let _ = write!(text, " ack {}", segment.ack.0);
    }
    let _ = write!(text, " win {}", segment.window);
    if segment.flags.is_urg() {
        let _ = write!(text, " urg {}", segment.urgent);
    }
    if !segment.options.is_empty() {
        let _ = write!(text, " {}", list(&segment.options));
    }
    text
}

/// "SP.".
fn letters(flags: Flags) -> String {
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
pub(super) fn list(options: &Options) -> String {
    format!("<{}>", each(options).join(","))
}

/// The options one by one, including those after the end of the list.
fn each(options: &Options) -> Vec<String> {
    let mut walk = options.iter();
    let known = walk.by_ref().map_while(Result::ok);
    let mut all: Vec<String> = known
        .map(|option| match option {
            TcpOption::Unknown(kind::FAST_OPEN, data) => {
                let digits = data.iter().map(|b| format!("{b:02x}"));
                format!("FO {}", digits.collect::<String>())
                    .trim_end()
                    .into()
            }
            option => option.to_string(),
        })
        .collect();
    if let [kind::EOL, more @ ..] = walk.rest()
        && let Ok(more) = Options::from_bytes(more)
    {
        all.extend(each(&more));
    }
    all
}
