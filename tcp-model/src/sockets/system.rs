//! The socket API of different systems: FreeBSD's numbers, and the states of its `tcp_info`.
//!
//! Internally all numbers are Linux's. Names mean the same everywhere, so only literal numbers are
//! translated.

use super::socket_constants::{self, table};
use crate::state::State;

/// The system whose socket API a program uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum System {
    /// Linux.
    #[default]
    Linux,
    /// FreeBSD.
    FreeBsd,
}

/// The meaning of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// The same number everywhere.
    Plain,
    Level,
    /// An option of this level, by Linux's number.
    Option(i64),
    Message,
    Open,
    Socket,
    Poll,
    Ioctl,
    Error,
}

impl Family {
    /// The prefixes of the names.
    fn prefixes(self) -> &'static [&'static str] {
        match self {
            Family::Plain => &[],
            Family::Level => &["SOL_"],
            Family::Option(1) => &["SO_"],
            Family::Option(6) => &["TCP_"],
            Family::Option(41) => &["IPV6_"],
            Family::Option(_) => &["IP_"],
            Family::Message => &["MSG_"],
            Family::Open => &["O_"],
            Family::Socket => &["SOCK_"],
            Family::Poll => &["POLL"],
            Family::Ioctl => &["FION", "SIOC"],
            Family::Error => &["E"],
        }
    }

    /// Whether numbers are sums of bits.
    fn is_mask(self) -> bool {
        matches!(self, Family::Message | Family::Open | Family::Poll)
    }
}

impl System {
    /// Linux's number for one of the system's.
    pub(crate) fn to_linux(self, family: Family, number: i64) -> i64 {
        if self == System::Linux {
            return number;
        }
        let of_family = |row: &&(&str, i64)| family.prefixes().iter().any(|p| row.0.starts_with(p));
        let rows = FREEBSD.iter().filter(of_family);
        if family == Family::Socket {
            // The type of socket, and flags.
            let flags = rows.filter(|row| row.1 & number & !0xf != 0);
            let flags = flags.filter_map(|row| socket_constants::constant(row.0));
            return flags.fold(number & 0xf, |sum, bit| sum | bit);
        }
        if family.is_mask() {
            let moved: i64 = rows.clone().fold(0, |sum, row| sum | row.1);
            let set = rows.filter(|row| row.1 & number != 0);
            let set = set.filter_map(|row| socket_constants::constant(row.0));
            return set.fold(number & !moved, |sum, bit| sum | bit);
        }
        let mut same = rows.filter(|row| row.1 == number);
        let name = same
            .next()
            .and_then(|row| socket_constants::constant(row.0));
        name.unwrap_or(number)
    }

    /// The number of a state in `tcp_info`.
    pub(crate) fn state(self, state: State) -> i64 {
        let row = STATES.iter().find(|row| row.0 == state);
        row.map_or(0, |row| self.number_of(row))
    }

    /// The state of this name, by its number: `TCP_ESTABLISHED`; on FreeBSD `TCPI_ESTABLISHED` and
    /// `TCPS_ESTABLISHED`, too.
    pub(crate) fn state_named(self, name: &str) -> Option<i64> {
        let row = STATES.iter().find(|&&(_, linux, _, freebsd)| {
            let prefixes = ["TCPI_", "TCPS_"].iter();
            let mut suffixes = prefixes.filter_map(|prefix| name.strip_prefix(prefix));
            name == linux || (self == System::FreeBsd && suffixes.any(|n| n == freebsd))
        })?;
        Some(self.number_of(row))
    }

    fn number_of(self, row: &(State, &str, i64, &str)) -> i64 {
        match self {
            System::Linux => row.2,
            System::FreeBsd => STATES.iter().position(|other| other == row).unwrap_or(0) as i64,
        }
    }
}

/// Names of states, for messages.
pub(crate) fn state_names() -> impl Iterator<Item = &'static str> {
    STATES.iter().map(|row| row.1)
}

/// States: Linux's name and number, FreeBSD's name; in the order of FreeBSD's numbers, from 0.
const STATES: [(State, &str, i64, &str); 11] = [
    (State::Closed, "TCP_CLOSE", 7, "CLOSED"),
    (State::Listen, "TCP_LISTEN", 10, "LISTEN"),
    (State::SynSent, "TCP_SYN_SENT", 2, "SYN_SENT"),
    (State::SynReceived, "TCP_SYN_RECV", 3, "SYN_RECEIVED"),
    (State::Established, "TCP_ESTABLISHED", 1, "ESTABLISHED"),
    (State::CloseWait, "TCP_CLOSE_WAIT", 8, "CLOSE_WAIT"),
    (State::FinWait1, "TCP_FIN_WAIT1", 4, "FIN_WAIT_1"),
    (State::Closing, "TCP_CLOSING", 11, "CLOSING"),
    (State::LastAck, "TCP_LAST_ACK", 9, "LAST_ACK"),
    (State::FinWait2, "TCP_FIN_WAIT2", 5, "FIN_WAIT_2"),
    (State::TimeWait, "TCP_TIME_WAIT", 6, "TIME_WAIT"),
];

/// FreeBSD's numbers, where they differ from Linux's or the family has a number of Linux's for
/// something else.
const FREEBSD: &[(&str, i64)] = table! {
    SOL_SOCKET = 0xffff, SO_DEBUG = 1, SO_ACCEPTCONN = 2, SO_REUSEADDR = 4, SO_KEEPALIVE = 8,
    SO_DONTROUTE = 0x10, SO_BROADCAST = 0x20, SO_LINGER = 0x80, SO_OOBINLINE = 0x100,
    SO_REUSEPORT = 0x200, SO_NOSIGPIPE = 0x800, SO_SNDBUF = 0x1001, SO_RCVBUF = 0x1002,
    SO_SNDLOWAT = 0x1003, SO_RCVLOWAT = 0x1004, SO_SNDTIMEO = 0x1005, SO_RCVTIMEO = 0x1006,
    SO_ERROR = 0x1007, SO_TYPE = 0x1008, SO_PROTOCOL = 0x1016, SO_DOMAIN = 0x1019,
    TCP_NODELAY = 1, TCP_MAXSEG = 2, TCP_NOPUSH = 4, TCP_NOOPT = 8, TCP_MD5SIG = 16,
    TCP_INFO = 32, TCP_CONGESTION = 64, TCP_MAXUNACKTIME = 68, TCP_KEEPINIT = 128,
    TCP_KEEPIDLE = 256, TCP_KEEPINTVL = 512, TCP_KEEPCNT = 1024, TCP_FASTOPEN = 1025,
    TCP_FUNCTION_BLK = 8192, IP_TOS = 3, IP_TTL = 4, IP_MINTTL = 66, IPV6_UNICAST_HOPS = 4,
    IPV6_V6ONLY = 27, IPV6_TCLASS = 61, MSG_EOR = 8, MSG_TRUNC = 0x10, MSG_CTRUNC = 0x20,
    MSG_WAITALL = 0x40, MSG_DONTWAIT = 0x80, MSG_NOSIGNAL = 0x20000, O_NONBLOCK = 4, O_APPEND = 8,
    SOCK_CLOEXEC = 0x1000_0000, SOCK_NONBLOCK = 0x2000_0000, POLLRDHUP = 0x4000,
    FIONREAD = 0x4004_667f, FIONBIO = 0x8004_667e, FIONWRITE = 0x4004_6677,
    SIOCATMARK = 0x4004_7307, EAGAIN = 35, EINPROGRESS = 36, EALREADY = 37, ENOTSOCK = 38,
    EDESTADDRREQ = 39, EMSGSIZE = 40, ENOPROTOOPT = 42, EPROTONOSUPPORT = 43, EOPNOTSUPP = 45,
    EAFNOSUPPORT = 47, EADDRINUSE = 48, EADDRNOTAVAIL = 49, ENETDOWN = 50, ENETUNREACH = 51,
    ECONNABORTED = 53, ECONNRESET = 54, ENOBUFS = 55, EISCONN = 56, ENOTCONN = 57, ESHUTDOWN = 58,
    ETIMEDOUT = 60, ECONNREFUSED = 61, EHOSTDOWN = 64, EHOSTUNREACH = 65, ENOMSG = 83,
    EPROTO = 92, E2BIG = 7, EPERM = 1,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_number_on_linux() {
        for &(name, _) in FREEBSD {
            assert!(socket_constants::constant(name).is_some(), "{name}");
        }
    }

    #[test]
    fn numbers_are_translated_by_what_they_stand_for() {
        let bsd = System::FreeBsd;
        assert_eq!(bsd.to_linux(Family::Level, 0xffff), 1);
        assert_eq!(bsd.to_linux(Family::Option(1), 0x1002), 8);
        assert_eq!(bsd.to_linux(Family::Option(6), 256), 4);
        assert_eq!(bsd.to_linux(Family::Message, 0x80 | 2), 0x40 | 2);
        assert_eq!(bsd.to_linux(Family::Open, 6), 0x802);
        assert_eq!(bsd.to_linux(Family::Socket, 0x2000_0001), 0x801);
        assert_eq!(bsd.to_linux(Family::Error, 61), 111);
        assert_eq!(bsd.to_linux(Family::Error, 22), 22);
        assert_eq!(System::Linux.to_linux(Family::Error, 61), 61);
    }

    #[test]
    fn states_have_the_numbers_of_their_system() {
        assert_eq!(System::Linux.state(State::Closed), 7);
        assert_eq!(System::FreeBsd.state(State::TimeWait), 10);
        assert_eq!(System::FreeBsd.state_named("TCPI_FIN_WAIT_2"), Some(9));
        assert_eq!(System::Linux.state_named("TCPI_FIN_WAIT_2"), None);
        assert_eq!(System::Linux.state_named("TCP_FIN_WAIT2"), Some(5));
    }
}
