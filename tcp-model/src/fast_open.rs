//! TCP Fast Open (RFC 7413): the cookie, its option in both forms, and the interface between a host, which
//! stores and creates cookies, and a connection, which sends and receives them.

use std::fmt;
use std::net::Ipv4Addr;

use siphasher::sip::SipHasher24;

use crate::options::{Options, OptionsFull, TcpOption, kind};
use crate::params::IpVersion;
use crate::send_call::SendCall;

/// First two octets of the option in its experimental form, after kind 254 and the length
/// (RFC 6994; Linux `TCPOPT_FASTOPEN_MAGIC`).
const MAGIC: [u8; 2] = [0xf9, 0x89];

/// A Fast Open cookie: 4 to 16 octets, an even number (RFC 7413 section 4.1.1); an empty one is a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Cookie {
    len: u8,
    bytes: [u8; Cookie::MAX],
}

impl Cookie {
    /// Minimum length of a cookie.
    pub const MIN: usize = 4;
    /// Maximum length of a cookie.
    pub const MAX: usize = 16;
    /// No octets: the request for a cookie.
    pub const REQUEST: Cookie = Cookie {
        len: 0,
        bytes: [0; Cookie::MAX],
    };

    /// A cookie of these octets; `None` for an invalid length.
    pub fn new(bytes: &[u8]) -> Option<Cookie> {
        let len = bytes.len();
        let fits = (Cookie::MIN..=Cookie::MAX).contains(&len) && len.is_multiple_of(2);
        if !fits && len != 0 {
            return None;
        }
        let mut cookie = Cookie::REQUEST;
        cookie.len = len as u8;
        cookie.bytes[..len].copy_from_slice(bytes);
        Some(cookie)
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// True for a request for a cookie.
    pub const fn is_request(&self) -> bool {
        self.len == 0
    }
}

/// Creates the cookies of a server: a keyed hash of both addresses (RFC 7413 section 4.1.2), for IPv4
/// identical to Linux's with the same key.
#[derive(Clone, Copy, Debug)]
pub struct CookieKey(u64, u64);

impl CookieKey {
    /// A key.
    pub fn new((first, second): (u64, u64)) -> CookieKey {
        CookieKey(first, second)
    }

    /// Parses a key as in Linux's `net.ipv4.tcp_fastopen_key`: four groups of hexadecimal digits separated
    /// by hyphens. Of two keys separated by a comma, takes the first.
    pub fn parse(text: &str) -> Option<CookieKey> {
        let mut words = [0u32; 4];
        let mut groups = text.split(',').next()?.trim().split('-');
        for word in &mut words {
            *word = u32::from_str_radix(groups.next()?, 16).ok()?;
        }
        groups
            .next()
            .is_none()
            .then(|| CookieKey::from_words(words))
    }

    /// A key as stored by Linux: four little-endian words.
    pub const fn from_words(words: [u32; 4]) -> CookieKey {
        let [a, b, c, d] = words;
        CookieKey(a as u64 | (b as u64) << 32, c as u64 | (d as u64) << 32)
    }

    /// The cookie of a client at a server. For IPv6, addresses are IPv4-mapped.
    pub fn cookie(&self, ip: IpVersion, client: Ipv4Addr, server: Ipv4Addr) -> Cookie {
        let hasher = SipHasher24::new_with_keys(self.0, self.1);
        let hash = match ip {
            IpVersion::V4 => {
                let mut bytes = [0; 8];
                bytes[..4].copy_from_slice(&client.octets());
                bytes[4..].copy_from_slice(&server.octets());
                hasher.hash(&bytes)
            }
            IpVersion::V6 => {
                let mut bytes = [0; 32];
                bytes[..16].copy_from_slice(&client.to_ipv6_mapped().octets());
                bytes[16..].copy_from_slice(&server.to_ipv6_mapped().octets());
                hasher.hash(&bytes)
            }
        };
        Cookie::new(&hash.to_le_bytes()).unwrap_or_default()
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(")?;
        self.as_bytes()
            .iter()
            .try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

/// The form of the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum FastOpenForm {
    /// Kind 34, RFC 7413.
    #[default]
    Standard,
    /// Kind 254 with the magic number 0xF989, from before the RFC.
    Experimental,
}

/// A Fast Open option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct FastOpenOption {
    /// The cookie, or the request for one.
    pub cookie: Cookie,
    /// Its form.
    pub form: FastOpenForm,
}

impl FastOpenOption {
    /// The first well-formed Fast Open option of a list.
    pub fn find(options: &Options) -> Option<FastOpenOption> {
        options.iter().find_map(|option| match option {
            Ok(TcpOption::Unknown(kind::FAST_OPEN, data)) => FastOpenOption::read(data, false),
            Ok(TcpOption::Unknown(kind::EXPERIMENT_1, data)) => {
                let data = data.strip_prefix(&MAGIC)?;
                FastOpenOption::read(data, true)
            }
            _ => None,
        })
    }

    fn read(data: &[u8], experimental: bool) -> Option<FastOpenOption> {
        Some(FastOpenOption {
            cookie: Cookie::new(data)?,
            form: if experimental {
                FastOpenForm::Experimental
            } else {
                FastOpenForm::Standard
            },
        })
    }

    /// Appends the option and the NOPs that align it, as Linux does.
    ///
    /// # Errors
    /// When it does not fit; the list is then unchanged.
    pub fn push(&self, options: &mut Options) -> Result<(), OptionsFull> {
        let cookie = self.cookie.as_bytes();
        let mut with = *options;
        match self.form {
            FastOpenForm::Standard => with.push(TcpOption::Unknown(kind::FAST_OPEN, cookie))?,
            FastOpenForm::Experimental => {
                let mut data = [0; 2 + Cookie::MAX];
                data[..2].copy_from_slice(&MAGIC);
                data[2..2 + cookie.len()].copy_from_slice(cookie);
                let data = &data[..2 + cookie.len()];
                with.push(TcpOption::Unknown(kind::EXPERIMENT_1, data))?;
            }
        }
        while !with.as_bytes().len().is_multiple_of(4) {
            with.push(TcpOption::Nop)?;
        }
        *options = with;
        Ok(())
    }
}

/// An active OPEN that may carry data in its SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FastConnect {
    /// The option of the SYN: a cookie, or a request for one. Data are sent only with a cookie. `None`:
    /// data without the option (Linux `tcp_fastopen` bit 4, `TCP_FASTOPEN_NO_COOKIE`).
    pub option: Option<FastOpenOption>,
    /// The peer's MSS as remembered with the cookie (RFC 7413 section 4.1.3); limits the data on the SYN.
    /// Zero if unknown.
    pub mss: u16,
    /// The data that the application writes. Those that do not fit on the SYN are sent after the handshake.
    pub data: SendCall,
}

impl FastConnect {
    /// Octets of data that fit on the SYN in a packet of `mtu` octets; zero if it requests a cookie. RFC
    /// 7413 section 4.2.1: limited by the MSS stored with the cookie. As in Linux, forty octets are
    /// reserved for options, since middleboxes may add some.
    pub fn room(&self, ip: IpVersion, mtu: u16) -> u32 {
        if self.option.is_some_and(|o| o.cookie.is_request()) {
            return 0;
        }
        let known = match self.mss {
            0 => ip.default_mss(),
            mss => mss,
        };
        let fits = u32::from(mtu).saturating_sub(ip.header_len() + 20);
        fits.min(known.into()).saturating_sub(Options::MAX as u32)
    }
}

/// A passive OPEN that may accept data on the SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FastListen {
    /// The cookie that this client must present, and gets on request.
    pub expected: Cookie,
    /// Data are accepted without a cookie (Linux `tcp_fastopen` bit 0x200).
    pub cookie_not_required: bool,
}

/// Information from the answer to a SYN with Fast Open, for the host's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastOpenNews {
    /// The cookie to use from now on; the form in which it came.
    pub cookie: Option<FastOpenOption>,
    /// The peer's MSS.
    pub mss: u16,
    /// A request in this form was not answered.
    pub unanswered: Option<FastOpenForm>,
    /// The SYN with data, or its answer, was lost: the path may drop it.
    pub syn_dropped: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_as_they_were_written() {
        for len in [0, 4, 8, 16] {
            for form in [FastOpenForm::Standard, FastOpenForm::Experimental] {
                let cookie = Cookie::new(&[7; 16][..len]).unwrap();
                let option = FastOpenOption { cookie, form };
                let mut options = Options::NONE;
                option.push(&mut options).unwrap();
                assert_eq!(FastOpenOption::find(&options), Some(option));
                assert_eq!(options.as_bytes().len() % 4, 0);
            }
        }
        let mut exp = Options::NONE;
        let form = FastOpenForm::Experimental;
        let cookie = Cookie::REQUEST;
        FastOpenOption { cookie, form }.push(&mut exp).unwrap();
        assert_eq!(exp.as_bytes(), [254, 4, 0xf9, 0x89]);
    }

    #[test]
    fn cookies_of_wrong_length_are_rejected() {
        for len in [1, 2, 3, 5, 15, 17, 18] {
            let mut options = Options::NONE;
            let data = [1; 18];
            options
                .push(TcpOption::Unknown(kind::FAST_OPEN, &data[..len]))
                .unwrap();
            assert_eq!(FastOpenOption::find(&options), None, "{len}");
        }
        let mut other = Options::NONE;
        other
            .push(TcpOption::Unknown(kind::EXPERIMENT_1, &[1, 2, 3, 4, 5, 6]))
            .unwrap();
        assert_eq!(FastOpenOption::find(&other), None);
    }

    #[test]
    fn cookies_are_those_of_linux() {
        let ends = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 168, 0, 1)];
        let hex = |key: &str| {
            let key = CookieKey::parse(key).unwrap();
            format!("{:?}", key.cookie(IpVersion::V4, ends[0], ends[1]))
        };
        assert_eq!(
            hex("a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"),
            "Cookie(3021b9d889017eeb)"
        );
        assert_eq!(hex("0-0-0-0"), "Cookie(b7c12350a90dc8f5)");
    }

    #[test]
    fn cookies_depend_on_key_and_both_addresses() {
        let key = CookieKey::parse("a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4").unwrap();
        let at = |n| Ipv4Addr::new(192, 168, 0, n);
        let of = |key: CookieKey, client, server| key.cookie(IpVersion::V4, at(client), at(server));
        let cookie = of(key, 2, 1);
        assert_eq!(cookie.as_bytes().len(), 8);
        assert_eq!(cookie, of(key, 2, 1));
        assert!(cookie != of(key, 3, 1) && cookie != of(key, 2, 3));
        assert_ne!(cookie, key.cookie(IpVersion::V6, at(2), at(1)));
        let other = CookieKey::parse("a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d5").unwrap();
        assert_ne!(cookie, of(other, 2, 1));
        assert!(CookieKey::parse("a1-b2-c3").is_none() && CookieKey::parse("x-1-2-3").is_none());
        assert!(CookieKey::parse("1-2-3-4-5").is_none());
    }

    #[test]
    fn an_option_that_does_not_fit_changes_nothing() {
        let mut options = Options::from_bytes(&[1; 30]).unwrap();
        let before = options;
        let cookie = Cookie::new(&[9; 8]).unwrap();
        let form = FastOpenForm::Experimental;
        assert!(FastOpenOption { cookie, form }.push(&mut options).is_err());
        assert_eq!(options, before);
    }
}
