//! The reference of parameters, generated from the table.

use std::fmt::Write as _;

use super::lookup::Named;
use super::system_names::{NameSystem, SystemName};
use super::value::ParamValue;
use super::{PARAMS, Param, ParamType, SYSCTLS, TcpParams, find};

/// A value as a scenario writes it.
fn written(value: &ParamValue) -> String {
    match value {
        ParamValue::Flag(on) => on.to_string(),
        ParamValue::Number(n) => n.to_string(),
        ParamValue::Decimal(x) => x.to_string(),
        ParamValue::Text(text) => format!("{text:?}"),
        ParamValue::List(list) => {
            let all: Vec<String> = list.iter().map(written).collect();
            format!("[{}]", all.join(", "))
        }
        ParamValue::Table(table) => {
            let all = table.iter().map(|(k, v)| format!("{k} = {}", written(v)));
            format!("{{ {} }}", all.collect::<Vec<_>>().join(", "))
        }
    }
}

impl Param {
    /// Its description as plain sentences.
    pub fn text(&self) -> String {
        let lines: Vec<&str> = self.doc.lines().map(str::trim).collect();
        lines.join(" ").trim().to_owned()
    }

    /// Its value in each profile, as a scenario writes it.
    pub fn defaults(&self) -> Vec<(&'static str, String)> {
        let value = |name| TcpParams::profile(name).map(|p| written(&self.get(&p)));
        let all = TcpParams::PROFILES.iter();
        all.filter_map(|name| Some((*name, value(name)?))).collect()
    }

    /// An example for a scenario: Linux's value.
    pub fn example(&self) -> String {
        format!("{} = {}", self.key, written(&self.get(&TcpParams::linux())))
    }

    /// The words it takes, with their meanings.
    fn words(&self) -> Vec<(String, &'static str)> {
        match self.kind.shape {
            ParamType::Words(words) => words
                .iter()
                .map(|w| (format!("{:?}", w.word), w.doc))
                .collect(),
            ParamType::Bits(bits) => bits
                .iter()
                .map(|b| (format!("{:#x}", b.number), b.doc))
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl SystemName {
    /// The name with the unit of a bare number: "`net.ipv4.tcp_fin_timeout` (seconds)".
    fn described(&self) -> String {
        let unit = match self.unit() {
            "" => String::new(),
            unit => format!(" ({unit})"),
        };
        let half = match self.raw {
            super::BareNumber::Half(_) => ", half of it",
            super::BareNumber::NotFlag => ", reversed",
            _ => "",
        };
        let system = match self.system {
            NameSystem::Linux => "Linux",
            NameSystem::FreeBsd => "FreeBSD",
            NameSystem::Socket => "socket option",
            NameSystem::Other => "also",
        };
        format!("{system} `{}`{unit}{half}", self.name)
    }
}

/// Everything about a parameter or a system parameter, as text; `None` for an unknown name. Also finds
/// socket options, and system parameters that are not modelled.
pub fn explain(name: &str) -> Option<String> {
    let option = || {
        let has = |p: &&Param| p.names.iter().any(|n| n.name == name);
        PARAMS.iter().find(has)
    };
    match find(name) {
        Some(Named::Param(param, _)) => Some(explain_param(param)),
        Some(Named::Sysctl(sysctl)) => {
            let keys: Vec<String> = sysctl.keys().iter().map(|k| format!("tcp.{k}")).collect();
            let sets = match keys[..] {
                [] => String::new(),
                _ => format!("  see      {}\n", keys.join(", ")),
            };
            Some(format!(
                "{}: system parameter\n\n  {}\n\n{sets}",
                sysctl.name, sysctl.doc
            ))
        }
        None => option()
            .map(explain_param)
            .or_else(|| super::elsewhere::explain(name)),
    }
}

fn explain_param(param: &Param) -> String {
    let mut out = format!("tcp.{}: TCP parameter\n\n", param.key);
    let _ = writeln!(out, "  {}\n", wrapped(&param.text(), 96, "  "));
    let _ = writeln!(out, "  takes    {}", param.kind.range_with_reason());
    for (word, doc) in param.words() {
        let _ = writeln!(out, "             {word}: {doc}");
    }
    let defaults: Vec<String> = param
        .defaults()
        .iter()
        .map(|(name, value)| format!("{value} ({name})"))
        .collect();
    let _ = writeln!(out, "  default  {}", defaults.join(", "));
    for name in param.names {
        let _ = writeln!(out, "  name     {}", name.described().replace('`', ""));
    }
    let _ = writeln!(out, "  example  [tcp]\n           {}", param.example());
    let value = written(&param.get(&TcpParams::linux()));
    let bare = value.trim_matches('"');
    let _ = writeln!(out, "           --set 'tcp.{}={bare}'", param.key);
    out
}

/// Breaks a text into lines of at most `width` characters.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > 0 && length + 1 + word.len() > width {
            out.push('\n');
            out.push_str(indent);
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += word.len();
    }
    out
}

/// All parameters as a page of Markdown.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    let mut section = "";
    for param in PARAMS {
        if param.section != section {
            section = param.section;
            let _ = write!(out, "\n## {section}\n");
        }
        let _ = write!(out, "\n### `{}`\n\n{}\n\n", param.key, param.text());
        let _ = writeln!(out, "- takes {}", param.kind.range_with_reason());
        for (word, doc) in param.words() {
            let _ = writeln!(out, "  - `{word}`: {doc}");
        }
        let _ = writeln!(out, "- default {}", defaults(param));
        if !param.names.is_empty() {
            let names: Vec<String> = param.names.iter().map(SystemName::described).collect();
            let _ = writeln!(out, "- elsewhere: {}", names.join(", "));
        }
    }
    out.push_str(SYSTEM);
    for sysctl in SYSCTLS {
        let _ = writeln!(out, "| `{}` | {} |", sysctl.name, sysctl.doc);
    }
    out
}

/// "`1` (`rfc9293`, `freebsd`), `2` (`linux`)".
fn defaults(param: &Param) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, value) in param.defaults() {
        match groups.iter_mut().find(|(v, _)| *v == value) {
            Some((_, names)) => names.push(name),
            None => groups.push((value, vec![name])),
        }
    }
    if let [(value, _)] = &groups[..] {
        return format!("`{value}`");
    }
    let each: Vec<String> = groups
        .iter()
        .map(|(value, names)| format!("`{value}` ({})", names.join(", ")))
        .collect();
    each.join(", ")
}

const HEAD: &str = "\
# TCP parameters

Generated from the tables in `tcp-model/src/params/table/`; `UPDATE=1 cargo test -p synfin-tcp-model --lib params`
updates this page.

A parameter is a key of `[tcp]` in a scenario, or of `[tcp.host.GROUP]` for the hosts of a group; its path in `--set`
and `[sweep]` is `tcp.KEY`. The names of system parameters given below are accepted in all these places. Linux names
may be shortened to their last part (`net.ipv4.tcp_fin_timeout`, `tcp_fin_timeout`); FreeBSD names are written in full.
A bare number under such a name has the unit given here; a quoted quantity (`\"30 s\"`) means the same under every
name. `synfin explain NAME` prints one entry.

`profile = \"linux\"`, `\"freebsd\"`, `\"windows\"`, `\"macos\"`, `\"solaris\"` or `\"rfc9293\"` selects the default values.
The profiles of Windows, macOS and Solaris are about how connections open and end (ports, TIME-WAIT, time-outs,
backlog); in the rest, Windows and Solaris are RFC 9293 and macOS is FreeBSD.

Their values are documented to different degrees:

| profile | checked against documentation or source | not verified |
|---|---|---|
| Windows | ports 49152 to 65535 (Microsoft KB 929851); TIME-WAIT 120 s (`TcpTimedWaitDelay`, Windows Server 2003); minimum time-out 300 ms, delayed ACK 40 ms, CUBIC, initial window 10 (template `Internet`, Microsoft networking blog, 3 October 2018) | initial time-out 3 s, two SYN retransmissions, five data retransmissions, FIN-WAIT-2 240 s (KB 813056 says 300 s of Windows Server 2003), backlog 200, keep-alive probes |
| macOS | TIME-WAIT 30 s, connect 75 s, keep-alive probes (`bsd/netinet/tcp_timer.h` of XNU, 2024) | FIN-WAIT-2 600 s (the same file also has a time-out of 60 s), ports 49152 to 65535, delayed ACK 100 ms, no SYN cookies |
| Solaris | TIME-WAIT 60 s, time-outs of 3 s, 400 ms and 60 s, giving up after 8 minutes, backlog 128 and 1024, delayed ACK 100 ms (Oracle's Tunable Parameters Reference Manual: 817-0404, 819-2724, E54818) | FIN-WAIT-2 675 s, ports 32768 to 65535, initial window 4 |
";

const SYSTEM: &str = "
## Other system parameters

These do not correspond to one parameter. Conformance scripts can set all of them, scenarios only those that do
not depend on an earlier value.

| name | what it does |
|---|---|
";
