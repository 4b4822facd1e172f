//! Fast Open in scripts: cookies by name, keys, and the calls that open a connection with data.

use super::calls::{Called, NoResult};
use super::constants::{EALREADY, EINPROGRESS, EINVAL, EISCONN, EOPNOTSUPP, Errno};
use super::host::{LOCAL, REMOTE};
use super::sockets::Role;
use super::{Runner, Step, differs, unsupported};
use crate::fast_open::CookieKey;
use crate::model::SendCall;
use crate::options::Options;
use crate::packetdrill::ast::{Call, Expr, NamedCookie, Packet};
use crate::packetdrill::parse::cookie_option;
use crate::params::TcpParams;

/// TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE.
pub(super) const QUEUE: (i64, i64) = (6, 23);
const DEFER: (i64, i64) = (6, 30);
pub(super) const NO_COOKIE: (i64, i64) = (6, 34);

/// The key that the usual preamble sets (`tcp_fastopen_key`).
pub(super) const USUAL_KEY: CookieKey =
    CookieKey::from_words([0xa1a1_a1a1, 0xb2b2_b2b2, 0xc3c3_c3c3, 0xd4d4_d4d4]);
/// Names of cookies that runners of scripts define: made with the usual key, and with zeros.
const USUAL_COOKIE: &str = "TFO_COOKIE";
const ZERO_COOKIE: &str = "TFO_COOKIE_ZERO";

impl Runner<'_, '_> {
    /// The socket has TCP_FASTOPEN_CONNECT.
    pub(super) fn wants_fast_open(&self, socket: usize) -> bool {
        self.sockets.all[socket].value(DEFER) != 0
    }

    /// Bytes that the SYN of this socket would carry; none while it must ask for a cookie.
    fn syn_room(&mut self, socket: usize) -> u64 {
        let params = self.at(socket).shared_params();
        self.host.driver().fast_open_room(REMOTE, &params).into()
    }

    /// The connection of the socket is to be opened by the first data written.
    pub(super) fn waits_for_data(&self, socket: usize) -> bool {
        let flow = self.stream(socket);
        flow.is_some_and(|flow| self.host.is_deferred(flow))
    }

    /// connect() of a socket with TCP_FASTOPEN_CONNECT: with a cookie the SYN waits for the first
    /// data, without it goes at once and asks for one. True when it waits.
    pub(super) fn holds_back_syn(&mut self, socket: usize, flow: usize) -> bool {
        if !self.host.is_deferred(flow) {
            return false;
        }
        let asks = self.syn_room(socket) == 0;
        if asks {
            self.send_with_syn(flow, 0);
        }
        !asks
    }

    /// Sends the SYN that waits, with data; returns how many bytes were taken.
    fn send_with_syn(&mut self, flow: usize, bytes: u64) -> u64 {
        let data = SendCall {
            bytes,
            push: bytes > 0,
            ..SendCall::default()
        };
        self.host.on_socket(flow, |host, id| host.send(id, data))
    }

    /// sendto() with MSG_FASTOPEN, and the first write of a socket whose connect() waits for it. The
    /// SYN takes what fits; the rest is left to a call that blocks, and to the caller otherwise.
    /// `None`: it is a write like any other from here on.
    pub(super) fn open_with_data(
        &mut self,
        call: &Call,
        socket: usize,
        wanted: u64,
        nonblocking: bool,
    ) -> Result<Option<i64>, NoResult> {
        let flow = match self.sockets.all[socket].role {
            Role::Stream(flow) if self.host.is_deferred(flow) => flow,
            Role::Stream(flow) => {
                self.open_again(socket, flow, nonblocking)?;
                return Ok(None);
            }
            Role::Fresh => {
                let may = self.at(socket).params.fast_open & TcpParams::FAST_OPEN_CLIENT != 0;
                if !may || self.is_unspecified(call.args.get(4))? {
                    return Err(EOPNOTSUPP.into());
                }
                let remote = self.remote_port(call.args.get(4))?;
                self.open_active(socket, remote, true)?
            }
            _ => return Ok(None),
        };
        let room = self.syn_room(socket);
        self.progress.done = self.send_with_syn(flow, wanted.min(room));
        match self.progress.done {
            _ if !nonblocking => Ok(None),
            0 => Err(EINPROGRESS.into()),
            done => Ok(Some(done as i64)),
        }
    }

    /// MSG_FASTOPEN on a socket that has a connection: as a connect() there would be.
    fn open_again(&mut self, socket: usize, flow: usize, nonblocking: bool) -> Result<(), Errno> {
        if self.progress.tried {
            return Ok(());
        }
        if self.at(socket).connect_told {
            return Err(EISCONN);
        }
        if self.host.is_connected(flow) {
            self.at(socket).connect_told = true;
        } else if nonblocking && !self.host.is_over(flow) {
            return Err(EALREADY);
        }
        Ok(())
    }

    /// TCP_FASTOPEN_KEY of a listener.
    pub(super) fn fast_open_key(&mut self, socket: usize, value: &Expr) -> Called {
        let Expr::Text(text) = value else {
            return unsupported("TCP_FASTOPEN_KEY that is not written as text");
        };
        let key = octets(text).or_else(|| CookieKey::parse(text));
        self.at(socket).fast_open_key = Some(key.ok_or(EINVAL)?);
        self.refresh_listener(socket);
        Ok(0)
    }

    /// The packet with its cookies in place of their names.
    pub(super) fn with_cookies(&self, mut packet: Packet) -> Step<Packet> {
        let Some(options) = &mut packet.options else {
            return Ok(packet);
        };
        let mut bytes = options.as_bytes().to_vec();
        for named in packet.cookies.drain(..).rev() {
            let option = cookie_option(&self.named_cookie(&named.name)?, named.experimental);
            bytes.splice(named.at..named.at + NamedCookie::ROOM, option);
        }
        match Options::from_bytes(&bytes) {
            Ok(with_cookies) => *options = with_cookies,
            Err(_) => return differs("TCP options", "at most 40 bytes", "more"),
        }
        Ok(packet)
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
            USUAL_COOKIE => USUAL_KEY,
            ZERO_COOKIE => CookieKey::from_words([0; 4]),
            _ => return unsupported(format!("the symbol {name}")),
        };
        let cookie = key.cookie(self.params.ip_version, REMOTE, LOCAL);
        Ok(cookie.as_bytes().to_vec())
    }
}

/// Sixteen octets, as `\x01\x02…`.
fn octets(text: &str) -> Option<CookieKey> {
    let bytes: Vec<u8> = text
        .split("\\x")
        .skip(1)
        .map(|part| u8::from_str_radix(part, 16).ok())
        .collect::<Option<_>>()?;
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let word = |i: usize| u32::from_le_bytes(std::array::from_fn(|j| bytes[4 * i + j]));
    Some(CookieKey::from_words([0, 1, 2, 3].map(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_both_forms() {
        let text: String = (1..=16).map(|n| format!("\\x{n:02x}")).collect();
        let same = CookieKey::parse("04030201-08070605-0c0b0a09-100f0e0d").unwrap();
        let cookie = |key: CookieKey| key.cookie(crate::params::IpVersion::V4, REMOTE, LOCAL);
        assert_eq!(octets(&text).map(cookie), Some(cookie(same)));
        assert!(octets("\\x01").is_none());
    }
}
