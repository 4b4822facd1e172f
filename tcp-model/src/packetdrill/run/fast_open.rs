//! Fast Open as the host has it: keys, the cookies made with them, and those got from peers.

use siphasher::sip::SipHasher24;

use super::calls::{Attempt, Progress};
use super::constants;
use super::sockets::Role;
use super::stack::{LOCAL, REMOTE};
use super::{Runner, Step, Stop, differs, unsupported};
use crate::fast_open::{Cookie, FastConnect, FastListen, FastOpenNews, FastOpenOption, Form};
use crate::model::{Input, SendCall};
use crate::packetdrill::ast::{Call, Expr, OptionSpec, Packet};
use crate::params::{IpVersion, TcpParams};

/// TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE.
const QUEUE: (i64, i64) = (6, 23);
const DEFER: (i64, i64) = (6, 30);
const NO_COOKIE: (i64, i64) = (6, 34);

/// The key that the usual preamble sets (`tcp_fastopen_key`).
const USUAL_KEY: &str = "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4";
/// Names of cookies that runners of scripts define: made with the usual key, and with zeros.
const USUAL_COOKIE: &str = "TFO_COOKIE";
const ZERO_COOKIE: &str = "TFO_COOKIE_ZERO";

/// What the host knows.
#[derive(Debug)]
pub(super) struct FastOpen {
    key: [u64; 2],
    /// The peer's cookie and MSS.
    known: Option<(FastOpenOption, u16)>,
    /// The form in which to ask.
    form: Form,
}

impl Default for FastOpen {
    fn default() -> FastOpen {
        FastOpen {
            key: read_key(USUAL_KEY).unwrap_or_default(),
            known: None,
            form: Form::Standard,
        }
    }
}

/// Four numbers in hexadecimal, each in the order of the machine's octets; a backup key after a
/// comma is not looked at.
fn read_key(text: &str) -> Option<[u64; 2]> {
    let first = text.split(',').next()?;
    let parts: Vec<u64> = first
        .split('-')
        .map(|part| u32::from_str_radix(part.trim(), 16).ok().map(u64::from))
        .collect::<Option<_>>()?;
    match parts[..] {
        [a, b, c, d] => Some([a | b << 32, c | d << 32]),
        _ => None,
    }
}

/// The cookie for the peer of scripts, as Linux makes it: SipHash-2-4 of both addresses.
fn cookie(key: [u64; 2], ip: IpVersion) -> Cookie {
    let hasher = SipHasher24::new_with_keys(key[0], key[1]);
    let hash = match ip {
        IpVersion::V4 => {
            let mut bytes = [0; 8];
            bytes[..4].copy_from_slice(&REMOTE.octets());
            bytes[4..].copy_from_slice(&LOCAL.octets());
            hasher.hash(&bytes)
        }
        IpVersion::V6 => {
            let mut bytes = [0; 32];
            bytes[..16].copy_from_slice(&REMOTE.to_ipv6_mapped().octets());
            bytes[16..].copy_from_slice(&LOCAL.to_ipv6_mapped().octets());
            hasher.hash(&bytes)
        }
    };
    Cookie::new(&hash.to_le_bytes()).unwrap_or_default()
}

impl FastOpen {
    /// Takes over what the answer to a SYN told.
    pub(super) fn learn(&mut self, news: &FastOpenNews) {
        if let Some(option) = news.cookie.filter(|o| !o.cookie.is_request()) {
            self.known = Some((option, news.mss));
            self.form = option.form;
        } else if news.unanswered == Some(Form::Standard) {
            self.form = Form::Experimental;
        }
    }

    /// Sets `tcp_fastopen_key`.
    pub(super) fn set_key(&mut self, text: &str) -> bool {
        let key = read_key(text);
        self.key = key.unwrap_or(self.key);
        key.is_some()
    }
}

impl Runner<'_, '_> {
    /// How a listener takes a SYN, when it speaks Fast Open.
    pub(super) fn fast_listen(&self, listener: usize) -> Option<FastListen> {
        let socket = &self.sockets.all[listener];
        let bits = socket.params.fast_open;
        let told =
            bits & TcpParams::FAST_OPEN_ALL_LISTENERS != 0 || socket.value(QUEUE.0, QUEUE.1) > 0;
        if bits & TcpParams::FAST_OPEN_SERVER == 0 || !told {
            return None;
        }
        let key = socket.fast_open_key.unwrap_or(self.fast_open.key);
        Some(FastListen {
            expected: cookie(key, socket.params.ip_version),
            cookie_not_required: bits & TcpParams::FAST_OPEN_SERVER_NO_COOKIE != 0
                || socket.value(NO_COOKIE.0, NO_COOKIE.1) != 0,
        })
    }

    /// What goes with the SYN of a socket; `None` without Fast Open.
    fn fast_connect(&self, socket: usize, data: SendCall) -> FastConnect {
        let socket = &self.sockets.all[socket];
        let bits = socket.params.fast_open;
        let without = bits & TcpParams::FAST_OPEN_CLIENT_NO_COOKIE != 0
            || socket.value(NO_COOKIE.0, NO_COOKIE.1) != 0;
        let ask = FastOpenOption {
            cookie: Cookie::REQUEST,
            form: self.fast_open.form,
        };
        match self.fast_open.known {
            Some((option, mss)) => FastConnect {
                option: Some(option),
                mss,
                data,
            },
            None => FastConnect {
                option: (!without).then_some(ask),
                mss: 0,
                data,
            },
        }
    }

    /// connect() of a socket with TCP_FASTOPEN_CONNECT that knows a cookie: the SYN waits for the
    /// first data. True when it does.
    pub(super) fn defers_connect(&self, socket: usize) -> bool {
        let wants = self.sockets.all[socket].value(DEFER.0, DEFER.1) != 0;
        let connect = self.fast_connect(socket, SendCall::default());
        let has_cookie = connect.option.is_none_or(|o| !o.cookie.is_request());
        wants && has_cookie
    }

    /// The SYN of connect(), which asks for a cookie where the socket wants one.
    pub(super) fn send_syn(&mut self, socket: usize, flow: usize) {
        if self.sockets.all[socket].value(DEFER.0, DEFER.1) == 0 {
            self.stack.step(flow, Input::Connect, self.now);
            return;
        }
        let connect = self.fast_connect(socket, SendCall::default());
        self.stack
            .step(flow, Input::ConnectWith(&connect), self.now);
    }

    /// sendto() with MSG_FASTOPEN, and the first write of a socket whose connect() waits for it.
    /// `None`: it is a write like any other from here on.
    pub(super) fn open_with_data(
        &mut self,
        call: &Call,
        wanted: u64,
        nonblocking: bool,
        progress: &mut Progress,
    ) -> Step<Option<Attempt>> {
        let socket = match self.socket_of(call, 0)? {
            Ok(socket) => socket,
            Err(errno) => return Attempt::error(errno).map(Some),
        };
        if self.at(socket).role != Role::Fresh {
            return Ok(None); // under way already
        }
        if self.at(socket).params.fast_open & TcpParams::FAST_OPEN_CLIENT == 0 {
            return Attempt::error(constants::EOPNOTSUPP).map(Some);
        }
        let data = SendCall {
            bytes: wanted,
            push: true,
            ..SendCall::default()
        };
        let mut connect = self.fast_connect(socket, data);
        let asks = connect.option.is_some_and(|o| o.cookie.is_request());
        if asks {
            connect.data = SendCall::default();
        }
        let deferred = self.at(socket).deferred_port.take();
        let remote = match deferred {
            Some(port) => port,
            None => self.remote_port(call.args.get(4))?,
        };
        let flow = self.open_active(socket, remote);
        self.stack
            .step(flow, Input::ConnectWith(&connect), self.now);
        let queued = self.stack.flows[flow].view().map_or(0, |v| v.send_queue);
        progress.done = queued.min(wanted);
        if nonblocking || deferred.is_some() {
            return match progress.done {
                0 => Attempt::error(constants::EINPROGRESS),
                n => Attempt::ok(n as i64),
            }
            .map(Some);
        }
        Ok(None)
    }

    /// TCP_FASTOPEN_KEY of a listener.
    pub(super) fn fast_open_key(&mut self, socket: usize, value: &Expr) -> Step<Attempt> {
        let Expr::Text(text) = value else {
            return unsupported("TCP_FASTOPEN_KEY that is not written as text");
        };
        let Some(key) = octets(text).or_else(|| read_key(text)) else {
            return Attempt::error(constants::EINVAL);
        };
        self.at(socket).fast_open_key = Some(key);
        Attempt::ok(0)
    }

    /// Puts the cookies that have names in place of these.
    pub(super) fn with_cookies(&self, packet: &Packet) -> Step<Option<Packet>> {
        let named = |o: &OptionSpec| matches!(o, OptionSpec::NamedCookie { .. });
        if !packet.options.iter().flatten().any(named) {
            return Ok(None);
        }
        let mut packet = packet.clone();
        for option in packet.options.iter_mut().flatten() {
            if let OptionSpec::NamedCookie { name, experimental } = option {
                *option = OptionSpec::cookie(&self.named_cookie(name)?, *experimental);
            }
        }
        Ok(Some(packet))
    }

    fn named_cookie(&self, name: &str) -> Step<Vec<u8>> {
        if let Some(text) = self.defines.get(name) {
            let bytes: Option<Vec<u8>> = (0..text.len() / 2)
                .map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok())
                .collect();
            return match bytes {
                Some(bytes) => Ok(bytes),
                None => differs(name, "bytes in hexadecimal", text.as_str()),
            };
        }
        let key = match name {
            USUAL_COOKIE => read_key(USUAL_KEY).unwrap_or_default(),
            ZERO_COOKIE => [0; 2],
            _ => return Err(Stop::Unsupported(format!("the symbol {name}"))),
        };
        Ok(cookie(key, self.params.ip_version).as_bytes().to_vec())
    }
}

/// Sixteen octets, as `\x01\x02…`.
fn octets(text: &str) -> Option<[u64; 2]> {
    let bytes: Vec<u8> = text
        .split("\\x")
        .skip(1)
        .map(|part| u8::from_str_radix(part, 16).ok())
        .collect::<Option<_>>()?;
    let half = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
    (bytes.len() == 16).then(|| [half(&bytes[..8]), half(&bytes[8..])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_those_of_linux() {
        let hex = |key| {
            let cookie = cookie(key, IpVersion::V4);
            let bytes = cookie.as_bytes().iter();
            bytes.map(|b| format!("{b:02x}")).collect::<String>()
        };
        assert_eq!(hex(read_key(USUAL_KEY).unwrap()), "3021b9d889017eeb");
        assert_eq!(hex([0; 2]), "b7c12350a90dc8f5");
    }

    #[test]
    fn keys_are_read_in_both_forms() {
        let text: String = (1..=16).map(|n| format!("\\x{n:02x}")).collect();
        let key = [0x0807_0605_0403_0201, 0x100f_0e0d_0c0b_0a09];
        assert_eq!(octets(&text), Some(key));
        assert_eq!(read_key("04030201-08070605-0c0b0a09-100f0e0d"), Some(key));
        assert_eq!(read_key("1-2-3"), None);
    }
}
