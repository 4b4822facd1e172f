//! Names of errors and constants that scripts use, with Linux's numbers.

/// An error by name and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errno(pub(super) &'static str, pub(super) i64);

impl From<(&'static str, i64)> for Errno {
    fn from((name, number): (&'static str, i64)) -> Errno {
        Errno(name, number)
    }
}

macro_rules! errors {
    ($($name:ident $number:expr;)*) => {
        $(pub(super) const $name: Errno = Errno(stringify!($name), $number);)*
    };
}

errors! {
    EPIPE 32;
    EAGAIN 11;
    EINVAL 22;
    EBADF 9;
    EADDRINUSE 98;
    EISCONN 106;
    ENOTCONN 107;
    ETIMEDOUT 110;
    ECONNRESET 104;
    ECONNREFUSED 111;
    ECONNABORTED 103;
    EALREADY 114;
    EINPROGRESS 115;
}

/// In a ladder, in place of an answer.
pub(super) const LISTEN_QUEUE_FULL: &str = "(dropped: the accept queue is full)";

/// Name and number, in the order of the names.
const CONSTANTS: &[(&str, i64)] = &[
    ("AF_INET", 2),
    ("AF_INET6", 10),
    ("EPOLLERR", 8),
    ("EPOLLET", 1 << 31),
    ("EPOLLHUP", 16),
    ("EPOLLIN", 1),
    ("EPOLLONESHOT", 1 << 30),
    ("EPOLLOUT", 4),
    ("EPOLLPRI", 2),
    ("EPOLLRDHUP", 0x2000),
    ("EPOLLRDNORM", 64),
    ("EPOLLWRNORM", 256),
    ("EPOLL_CLOEXEC", 0x80000),
    ("EPOLL_CTL_ADD", 1),
    ("EPOLL_CTL_DEL", 2),
    ("EPOLL_CTL_MOD", 3),
    ("FIONBIO", 0x5421),
    ("FIONREAD", 0x541b),
    ("F_GETFL", 3),
    ("F_SETFL", 4),
    ("INADDR_ANY", 0),
    ("IPPROTO_IP", 0),
    ("IPPROTO_IPV6", 41),
    ("IPPROTO_TCP", 6),
    ("IPPROTO_UDP", 17),
    ("IPV6_TCLASS", 67),
    ("IP_MTU_DISCOVER", 10),
    ("IP_TOS", 1),
    ("IP_TTL", 2),
    ("MSG_CTRUNC", 8),
    ("MSG_DONTWAIT", 0x40),
    ("MSG_MORE", 0x8000),
    ("MSG_NOSIGNAL", 0x4000),
    ("MSG_OOB", 1),
    ("MSG_PEEK", 2),
    ("MSG_TRUNC", 0x20),
    ("MSG_WAITALL", 0x100),
    ("O_CLOEXEC", 0x80000),
    ("O_NONBLOCK", 0x800),
    ("O_RDWR", 2),
    ("PF_INET", 2),
    ("PF_INET6", 10),
    ("POLLERR", 8),
    ("POLLHUP", 16),
    ("POLLIN", 1),
    ("POLLNVAL", 32),
    ("POLLOUT", 4),
    ("POLLPRI", 2),
    ("POLLRDHUP", 0x2000),
    ("POLLRDNORM", 64),
    ("POLLWRNORM", 256),
    ("SHUT_RD", 0),
    ("SHUT_RDWR", 2),
    ("SHUT_WR", 1),
    ("SIOCINQ", 0x541b),
    ("SIOCOUTQ", 0x5411),
    ("SOCK_CLOEXEC", 0x80000),
    ("SOCK_DGRAM", 2),
    ("SOCK_NONBLOCK", 0x800),
    ("SOCK_STREAM", 1),
    ("SOL_IP", 0),
    ("SOL_IPV6", 41),
    ("SOL_SOCKET", 1),
    ("SOL_TCP", 6),
    ("SOMAXCONN", 4096),
    ("SO_DEBUG", 1),
    ("SO_ERROR", 4),
    ("SO_KEEPALIVE", 9),
    ("SO_LINGER", 13),
    ("SO_OOBINLINE", 10),
    ("SO_PRIORITY", 12),
    ("SO_RCVBUF", 8),
    ("SO_RCVBUFFORCE", 33),
    ("SO_RCVLOWAT", 18),
    ("SO_RCVTIMEO", 20),
    ("SO_REUSEADDR", 2),
    ("SO_REUSEPORT", 15),
    ("SO_SNDBUF", 7),
    ("SO_SNDBUFFORCE", 32),
    ("SO_SNDTIMEO", 21),
    ("TCP_CONGESTION", 13),
    ("TCP_CORK", 3),
    ("TCP_DEFER_ACCEPT", 9),
    ("TCP_FASTOPEN", 23),
    ("TCP_INFO", 11),
    ("TCP_KEEPCNT", 6),
    ("TCP_KEEPIDLE", 4),
    ("TCP_KEEPINTVL", 5),
    ("TCP_LINGER2", 8),
    ("TCP_MAXSEG", 2),
    ("TCP_NODELAY", 1),
    ("TCP_NOTSENT_LOWAT", 25),
    ("TCP_QUICKACK", 12),
    ("TCP_SYNCNT", 7),
    ("TCP_USER_TIMEOUT", 18),
    ("TCP_WINDOW_CLAMP", 10),
];

/// Names of states and of congestion states, in code.
const CODE: &[(&str, i64)] = &[
    ("TCP_CA_CWR", 2),
    ("TCP_CA_Disorder", 1),
    ("TCP_CA_Loss", 4),
    ("TCP_CA_Open", 0),
    ("TCP_CA_Recovery", 3),
    ("TCP_CLOSE", 7),
    ("TCP_CLOSE_WAIT", 8),
    ("TCP_CLOSING", 11),
    ("TCP_ESTABLISHED", 1),
    ("TCP_FIN_WAIT1", 4),
    ("TCP_FIN_WAIT2", 5),
    ("TCP_INFINITE_SSTHRESH", 0x7fff_ffff),
    ("TCP_LAST_ACK", 9),
    ("TCP_LISTEN", 10),
    ("TCP_SYN_RECV", 3),
    ("TCP_SYN_SENT", 2),
    ("TCP_TIME_WAIT", 6),
];

fn find(table: &[(&str, i64)], name: &str) -> Option<i64> {
    let at = table.binary_search_by_key(&name, |(n, _)| n).ok()?;
    Some(table[at].1)
}

/// The number of a constant in the arguments of a call.
pub(super) fn constant(name: &str) -> Option<i64> {
    find(CONSTANTS, name)
}

/// The number of a constant in code.
pub(super) fn code_constant(name: &str) -> Option<i64> {
    find(CODE, name)
}

/// Known bits of a mask of events, by name; for messages.
pub(super) fn event_names(mask: i64) -> String {
    let names = [
        "POLLIN",
        "POLLPRI",
        "POLLOUT",
        "POLLERR",
        "POLLHUP",
        "POLLRDHUP",
    ];
    let set = names
        .iter()
        .filter(|n| constant(n).is_some_and(|bit| mask & bit != 0));
    let text: Vec<&str> = set.copied().collect();
    if text.is_empty() {
        "0".into()
    } else {
        text.join("|")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(CONSTANTS.is_sorted_by_key(|(name, _)| name));
        assert!(CODE.is_sorted_by_key(|(name, _)| name));
    }
}
