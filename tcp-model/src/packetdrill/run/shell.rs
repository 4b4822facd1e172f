//! Shell lines: they set system parameters and sleep; everything else is skipped and listed.

use sim_core::SimDuration;

use super::eval::{Scope, ScriptValue};
use super::{Runner, Step, differs, no_such, sysctl};
use crate::fast_open::CookieKey;
use crate::packetdrill::ast::{Position, ShellCommand};
use crate::packetdrill::parse::whole_expression;
use crate::packetdrill::report::Skipped;
use crate::params::TcpParams;

impl Runner<'_, '_> {
    pub(super) fn command(&mut self, command: &ShellCommand) -> Step<()> {
        let joined = calculated(&command.text.replace("\\\n", " "));
        for line in joined.split(['\n', ';']).flat_map(|l| l.split("&&")) {
            // What follows "||" is for a failure of the rest, which ends the script here.
            let (line, otherwise) = line.split_once("||").unwrap_or((line, ""));
            if !otherwise.trim().is_empty() {
                self.skipped.push(Skipped {
                    at: command.at,
                    text: otherwise.trim().to_string(),
                });
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let known = self.line(line, command.at)?;
            if !known {
                self.skipped.push(Skipped {
                    at: command.at,
                    text: line.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Runs a line; false if it has no effect here.
    fn line(&mut self, line: &str, at: Position) -> Step<bool> {
        let words = words(line);
        let Some(program) = words.first() else {
            return Ok(true);
        };
        match program.rsplit('/').next().unwrap_or(program) {
            "true" | ":" => return Ok(true),
            // The usual preamble: Linux's defaults.
            "defaults.sh" => {
                // Everything below TCP stays as the options say.
                let below = self.host.sockets.params();
                let params = TcpParams {
                    ip_version: below.ip_version,
                    mtu: below.mtu,
                    max_segment: below.max_segment,
                    ..self.options.preamble.clone()
                };
                self.host.sockets.set_params(params);
                self.preamble(at);
                return Ok(words.len() == 1);
            }
            "sleep" => {
                let seconds = words.get(1).and_then(|w| w.parse::<f64>().ok());
                let Some(seconds) = seconds.filter(|s| (0.0..1e6).contains(s)) else {
                    return Ok(false);
                };
                self.advance_to(self.host.sockets.now + SimDuration::from_secs_f64(seconds))?;
                return Ok(true);
            }
            _ => {}
        }
        let settings = settings(&words);
        for (name, value) in &settings {
            self.set(name, value)?;
        }
        let of_sysctl = program.rsplit('/').next() == Some("sysctl");
        if of_sysctl {
            known_roots(&words)?;
        }
        if of_sysctl && !settings.is_empty() {
            self.list_others(&words, at);
        }
        Ok(!settings.is_empty())
    }

    /// Lists the settings of a sysctl line that are not about the network.
    fn list_others(&mut self, words: &[String], at: Position) {
        for word in words.iter().skip(1).filter(|word| !word.starts_with('-')) {
            let name = word.split_once('=').map(|(name, _)| name.trim());
            if !name.is_some_and(sysctl::is_name) {
                let text = format!("sysctl {word}");
                self.skipped.push(Skipped { at, text });
            }
        }
    }

    /// Applies the lines of the given `defaults.sh`. It is the same for all scripts, so settings that the model
    /// does not have are listed and do not end the script.
    fn preamble(&mut self, at: Position) {
        let options = self.options;
        let Some(text) = &options.preamble_text else {
            return;
        };
        let joined = calculated(&text.replace("\\\n", " "));
        for line in joined.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') || line.contains("defaults.sh") {
                continue;
            }
            for (name, value) in settings(&words(line)) {
                if self.set(name, value).is_err() {
                    self.skipped.push(Skipped {
                        at,
                        text: format!("{name}={value} of defaults.sh"),
                    });
                }
            }
        }
    }

    /// Sets a system parameter, for new sockets and those without a connection.
    fn set(&mut self, name: &str, value: &str) -> Step<()> {
        if name.ends_with("tcp_fastopen_key") {
            let key = CookieKey::parse(value);
            return match key {
                Some(key) => {
                    self.host.sockets.driver().set_fast_open_key(key);
                    Ok(())
                }
                None => differs(name, "four words in hexadecimal", value),
            };
        }
        let sockets = &mut self.host.sockets;
        sockets.configure(|params| sysctl::set(params, name, value))
    }
}

/// First parts of the names of system parameters on Linux and BSDs, besides `net`.
const ROOTS: &str = "\
    abi crypto debug dev fs hw kern kernel machdep security sunrpc user vfs vm";

/// Rejects names of system parameters whose first part no system has: they are misspelt.
fn known_roots(words: &[String]) -> Step<()> {
    let words = words
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(['-', '$']));
    for (name, _) in words.filter_map(|word| word.split_once('=')) {
        let root = name.split(['.', '/']).next().unwrap_or(name);
        if root != "net" && !ROOTS.split_whitespace().any(|known| known == root) {
            let known = ROOTS.split_whitespace().chain(["net"]);
            return no_such(&format!("system parameter {name}: no"), root, known);
        }
    }
    Ok(())
}

/// The system parameters that a line sets: `echo value > /proc/sys/net/…`, or `name=value` among
/// the words of `sysctl` or a similar command. The value may be empty.
fn settings(words: &[String]) -> Vec<(&str, &str)> {
    if words.first().is_some_and(|w| w == "echo") {
        let Some(arrow) = words.iter().position(|w| w == ">") else {
            return Vec::new();
        };
        let values = words[1..arrow].iter().filter(|w| !w.starts_with("-"));
        let values: Vec<&String> = values.collect();
        return match (&values[..], &words[arrow + 1..]) {
            ([value], [path]) if sysctl::is_name(path) => vec![(path, value)],
            _ => Vec::new(),
        };
    }
    let words = words.iter().skip(1).filter(|w| !w.starts_with('-'));
    let pairs = words.filter_map(|w| w.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.trim(), value.trim()));
    pairs.filter(|(name, _)| sysctl::is_name(name)).collect()
}

/// Replaces `$((4 * 1024))` by its value, as a shell does; text that is not a number stays.
fn calculated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$((") {
        out += before;
        let value = after.split_once("))").and_then(|(inner, left)| {
            let value = whole_expression(inner.trim()).ok()?;
            match Numbers.evaluate(&value) {
                Ok(ScriptValue::Int(n)) => Some((n, left)),
                _ => None,
            }
        });
        match value {
            Some((n, left)) => {
                out += &n.to_string();
                rest = left;
            }
            None => {
                out += "$((";
                rest = after;
            }
        }
    }
    out + rest
}

/// A scope without names.
struct Numbers;

impl Scope for Numbers {
    fn name(&mut self, name: &str) -> Step<ScriptValue> {
        differs("a shell's arithmetic", "numbers", name)
    }
}

/// Words of a shell line; quotes join words, `>` is a word of its own.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut open = false;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => word.push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                open = true;
            }
            (None, '>') => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                words.push(">".into());
                open = false;
            }
            (None, _) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (None, _) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{calculated, words};

    #[test]
    fn arithmetic_is_done() {
        assert_eq!(
            calculated("a=\"1 $((4 * 1024)) $((1<<3))\""),
            "a=\"1 4096 8\""
        );
        assert_eq!(calculated("$((x)) $((1"), "$((x)) $((1");
    }

    #[test]
    fn quotes_join_words() {
        assert_eq!(
            words("sysctl -q a=\"1 2\" b='' > /x/y"),
            ["sysctl", "-q", "a=1 2", "b=", ">", "/x/y"]
        );
    }
}
