//! Fast Open in scripts: cookies by name, keys.

use super::calls::NoResult;
use super::script_flow::{LOCAL, REMOTE};
use super::{Runner, Step, differs, unsupported};
use crate::errno::EINVAL;
use crate::fast_open::CookieKey;
use crate::options::Options;
use crate::packetdrill::ast::{Expr, NamedCookie, ScriptPacket};
use crate::packetdrill::parse::cookie_option;

/// The key that the usual preamble sets (`tcp_fastopen_key`).
pub(super) const USUAL_KEY: CookieKey =
    CookieKey::from_words([0xa1a1_a1a1, 0xb2b2_b2b2, 0xc3c3_c3c3, 0xd4d4_d4d4]);
/// Names of cookies that test runners define: one made with the usual key, and one of zeros.
const USUAL_COOKIE: &str = "TFO_COOKIE";
const ZERO_COOKIE: &str = "TFO_COOKIE_ZERO";

/// The value of TCP_FASTOPEN_KEY.
pub(super) fn fast_open_key(value: &Expr) -> Result<CookieKey, NoResult> {
    let Expr::Text(text) = value else {
        return unsupported("TCP_FASTOPEN_KEY that is not written as text");
    };
    let key = octets(text).or_else(|| CookieKey::parse(text));
    Ok(key.ok_or(EINVAL)?)
}

impl Runner<'_, '_> {
    /// The packet with its cookies in place of their names.
    pub(super) fn with_cookies(&self, mut packet: ScriptPacket) -> Step<ScriptPacket> {
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
        let cookie = key.cookie(self.host.sockets.params().ip_version, REMOTE, LOCAL);
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
