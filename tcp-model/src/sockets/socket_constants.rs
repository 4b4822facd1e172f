//! Names of constants of the socket API, with Linux's numbers; those of errors are in [`errno`].

use crate::errno;

/// Rows of names and numbers.
macro_rules! table {
    ($($name:ident = $number:expr,)*) => { &[$((stringify!($name), $number)),*] };
}
pub(crate) use table;

/// Level and number of TCP_QUICKACK.
pub(super) const QUICK_ACK: (i64, i64) = (6, 12);
/// Level and number of TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE.
pub(super) const FAST_OPEN_QUEUE: (i64, i64) = (6, 23);
pub(super) const FAST_OPEN_CONNECT: (i64, i64) = (6, 30);
pub(super) const FAST_OPEN_NO_COOKIE: (i64, i64) = (6, 34);

/// Name and number, in the order of the names.
const CONSTANTS: &[(&str, i64)] = table! {
    AF_INET = 2, AF_INET6 = 10, AF_UNSPEC = 0, AT_FDCWD = -100, CMSG_LEVEL_IP = 0, CMSG_TYPE_RECVERR = 11,
    EPOLLERR = 8, EPOLLET = 1 << 31, EPOLLEXCLUSIVE = 1 << 28, EPOLLHUP = 16, EPOLLIN = 1,
    EPOLLMSG = 1024, EPOLLONESHOT = 1 << 30, EPOLLOUT = 4, EPOLLPRI = 2, EPOLLRDBAND = 128,
    EPOLLRDHUP = 0x2000, EPOLLRDNORM = 64, EPOLLWAKEUP = 1 << 29, EPOLLWRBAND = 512,
    EPOLLWRNORM = 256, EPOLL_CLOEXEC = 0x80000, EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2,
    EPOLL_CTL_MOD = 3, FD_CLOEXEC = 1, FIONBIO = 0x5421, FIONREAD = 0x541b, FIONWRITE = 0x5411,
    F_GETFD = 1, F_GETFL = 3, F_SETFD = 2, F_SETFL = 4, INADDR_ANY = 0, IPPROTO_ICMP = 1,
    IPPROTO_ICMPV6 = 58, IPPROTO_IP = 0, IPPROTO_IPV6 = 41, IPPROTO_MPTCP = 262,
    IPPROTO_SCTP = 132, IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_UDPLITE = 136,
    IPV6_AUTOFLOWLABEL = 70, IPV6_FLOWINFO_SEND = 33, IPV6_FLOWLABEL_MGR = 32, IPV6_HOPLIMIT = 52,
    IPV6_MINHOPCOUNT = 73, IPV6_MTU = 24, IPV6_MTU_DISCOVER = 23, IPV6_RECVERR = 25,
    IPV6_RECVHOPLIMIT = 51, IPV6_RECVTCLASS = 66, IPV6_TCLASS = 67, IPV6_UNICAST_HOPS = 16,
    IPV6_V6ONLY = 26, IP_BIND_ADDRESS_NO_PORT = 24, IP_FREEBIND = 15, IP_HDRINCL = 3,
    IP_LOCAL_PORT_RANGE = 51, IP_MINTTL = 21, IP_MTU = 14, IP_MTU_DISCOVER = 10, IP_PKTINFO = 8,
    IP_PMTUDISC_DO = 2, IP_PMTUDISC_DONT = 0, IP_PMTUDISC_INTERFACE = 4, IP_PMTUDISC_OMIT = 5,
    IP_PMTUDISC_PROBE = 3, IP_PMTUDISC_WANT = 1, IP_RECVERR = 11, IP_RECVTOS = 13, IP_RECVTTL = 12,
    IP_TOS = 1, IP_TRANSPARENT = 19, IP_TTL = 2, MSG_BATCH = 0x40000,
    MSG_CMSG_CLOEXEC = 0x40000000, MSG_CONFIRM = 0x800, MSG_CTRUNC = 8, MSG_DONTROUTE = 4,
    MSG_DONTWAIT = 0x40, MSG_EOR = 0x80, MSG_ERRQUEUE = 0x2000, MSG_FASTOPEN = 0x20000000,
    MSG_FIN = 0x200, MSG_MORE = 0x8000, MSG_NOSIGNAL = 0x4000, MSG_OOB = 1, MSG_PEEK = 2,
    MSG_PROXY = 0x10, MSG_RST = 0x1000, MSG_SYN = 0x400, MSG_TRUNC = 0x20, MSG_WAITALL = 0x100,
    MSG_WAITFORONE = 0x10000, MSG_ZEROCOPY = 0x4000000, NULL = 0, O_APPEND = 0x400,
    O_ASYNC = 0x2000, O_CLOEXEC = 0x80000, O_CREAT = 0x40, O_DIRECT = 0x4000, O_EXCL = 0x80,
    O_NONBLOCK = 0x800, O_RDONLY = 0, O_RDWR = 2, O_TRUNC = 0x200, O_WRONLY = 1, PF_INET = 2,
    PF_INET6 = 10, POLLERR = 8, POLLHUP = 16, POLLIN = 1, POLLNVAL = 32, POLLOUT = 4, POLLPRI = 2,
    POLLRDBAND = 128, POLLRDHUP = 0x2000, POLLRDNORM = 64, POLLWRBAND = 512, POLLWRNORM = 256,
    SCM_TIMESTAMP = 29, SCM_TIMESTAMPING = 37, SCM_TIMESTAMPNS = 35, SCM_TSTAMP_ACK = 2,
    SCM_TSTAMP_SCHED = 1, SCM_TSTAMP_SND = 0, SHUT_RD = 0, SHUT_RDWR = 2, SHUT_WR = 1,
    SIOCATMARK = 0x8905, SIOCINQ = 0x541b, SIOCOUTQ = 0x5411, SIOCOUTQNSD = 0x894b,
    SOCK_CLOEXEC = 0x80000, SOCK_DGRAM = 2, SOCK_NONBLOCK = 0x800, SOCK_RAW = 3,
    SOCK_SEQPACKET = 5, SOCK_STREAM = 1, SOF_TIMESTAMPING_OPT_CMSG = 1024,
    SOF_TIMESTAMPING_OPT_ID = 128, SOF_TIMESTAMPING_OPT_ID_TCP = 65536,
    SOF_TIMESTAMPING_OPT_STATS = 4096, SOF_TIMESTAMPING_OPT_TSONLY = 2048,
    SOF_TIMESTAMPING_RAW_HARDWARE = 64, SOF_TIMESTAMPING_RX_HARDWARE = 4,
    SOF_TIMESTAMPING_RX_SOFTWARE = 8, SOF_TIMESTAMPING_SOFTWARE = 16,
    SOF_TIMESTAMPING_TX_ACK = 512, SOF_TIMESTAMPING_TX_HARDWARE = 1,
    SOF_TIMESTAMPING_TX_SCHED = 256, SOF_TIMESTAMPING_TX_SOFTWARE = 2, SOL_IP = 0, SOL_IPV6 = 41,
    SOL_SOCKET = 1, SOL_TCP = 6, SOMAXCONN = 4096, SO_ACCEPTCONN = 30, SO_BINDTODEVICE = 25,
    SO_BROADCAST = 6, SO_BUSY_POLL = 46, SO_COOKIE = 57, SO_DEBUG = 1, SO_DOMAIN = 39,
    SO_DONTROUTE = 5, SO_EE_CODE_ZEROCOPY_COPIED = 1, SO_EE_ORIGIN_ICMP = 2,
    SO_EE_ORIGIN_ICMP6 = 3, SO_EE_ORIGIN_LOCAL = 1, SO_EE_ORIGIN_NONE = 0,
    SO_EE_ORIGIN_TIMESTAMPING = 4, SO_EE_ORIGIN_ZEROCOPY = 5, SO_ERROR = 4, SO_INCOMING_CPU = 49,
    SO_INCOMING_NAPI_ID = 56, SO_KEEPALIVE = 9, SO_LINGER = 13, SO_MARK = 36,
    SO_MAX_PACING_RATE = 47, SO_MEMINFO = 55, SO_NOSIGPIPE = 0x800, SO_NO_CHECK = 11,
    SO_OOBINLINE = 10, SO_PREFER_BUSY_POLL = 69, SO_PRIORITY = 12, SO_PROTOCOL = 38, SO_RCVBUF = 8,
    SO_RCVBUFFORCE = 33, SO_RCVLOWAT = 18, SO_RCVMARK = 75, SO_RCVTIMEO = 20, SO_REUSEADDR = 2,
    SO_REUSEPORT = 15, SO_RXQ_OVFL = 40, SO_SNDBUF = 7, SO_SNDBUFFORCE = 32, SO_SNDLOWAT = 19,
    SO_SNDTIMEO = 21, SO_TIMESTAMP = 29, SO_TIMESTAMPING = 37, SO_TIMESTAMPNS = 35,
    SO_TXREHASH = 74, SO_TXTIME = 61, SO_TYPE = 3, SO_ZEROCOPY = 60, SPLICE_F_GIFT = 8, SPLICE_F_MORE = 4,
    SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2, TCP_AO_ADD_KEY = 38, TCP_CC_INFO = 26,
    TCP_CM_INQ = 36, TCP_CONGESTION = 13, TCP_CORK = 3, TCP_DEFER_ACCEPT = 9,
    TCP_DELACK_MAX_US = 46, TCP_FASTOPEN = 23, TCP_FASTOPEN_CONNECT = 30, TCP_FASTOPEN_KEY = 33,
    TCP_FASTOPEN_NO_COOKIE = 34, TCP_FUNCTION_BLK = 0x8040, TCP_INFO = 11, TCP_INQ = 36,
    TCP_IS_MPTCP = 43, TCP_KEEPCNT = 6, TCP_KEEPIDLE = 4, TCP_KEEPINIT = 0x8080, TCP_KEEPINTVL = 5,
    TCP_LINGER2 = 8, TCP_LOG = 0x8022, TCP_MAXSEG = 2, TCP_MAXUNACKTIME = 0x8044, TCP_MD5SIG = 14,
    TCP_MD5SIG_EXT = 32, TCP_NODELAY = 1, TCP_NOOPT = 0x8008, TCP_NOPUSH = 3,
    TCP_NOTSENT_LOWAT = 25, TCP_QUEUE_SEQ = 21, TCP_QUICKACK = 12, TCP_REPAIR = 19,
    TCP_REPAIR_OPTIONS = 22, TCP_REPAIR_QUEUE = 20, TCP_REPAIR_WINDOW = 29, TCP_RTO_MAX_MS = 44,
    TCP_RTO_MIN_US = 45, TCP_SAVED_SYN = 28, TCP_SAVE_SYN = 27, TCP_SYNCNT = 7,
    TCP_THIN_DUPACK = 17, TCP_THIN_LINEAR_TIMEOUTS = 16, TCP_TIMESTAMP = 24, TCP_TX_DELAY = 37,
    TCP_ULP = 31, TCP_USER_TIMEOUT = 18, TCP_WINDOW_CLAMP = 10, TCP_ZEROCOPY_RECEIVE = 35,
    TIOCOUTQ = 0x5411,
};

/// Names of congestion states and of negotiated options, in code.
const CODE: &[(&str, i64)] = table! {
    TCPI_OPT_ECN = 8, TCPI_OPT_ECN_SEEN = 16, TCPI_OPT_SACK = 2, TCPI_OPT_SYN_DATA = 32,
    TCPI_OPT_TFO_CHILD = 128, TCPI_OPT_TIMESTAMPS = 1, TCPI_OPT_USEC_TS = 64, TCPI_OPT_WSCALE = 4,
    TCP_CA_CWR = 2, TCP_CA_Disorder = 1, TCP_CA_Loss = 4, TCP_CA_Open = 0, TCP_CA_Recovery = 3,
    TCP_INFINITE_SSTHRESH = 0x7fff_ffff, TCP_NEW_SYN_RECV = 12,
};

fn find(table: &[(&str, i64)], name: &str) -> Option<i64> {
    let at = table.binary_search_by_key(&name, |(n, _)| n).ok()?;
    Some(table[at].1)
}

/// The number of a constant or an error in the arguments of a call.
pub(crate) fn constant(name: &str) -> Option<i64> {
    find(CONSTANTS, name).or_else(|| errno::number(name))
}

/// Names of constants and errors in the arguments of calls.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let constants = CONSTANTS.iter().map(|(name, _)| *name);
    constants.chain(errno::names())
}

/// Names of constants in code.
pub(crate) fn code_names() -> impl Iterator<Item = &'static str> {
    CODE.iter().map(|(name, _)| *name)
}

/// The number of a constant in code.
pub(crate) fn code_constant(name: &str) -> Option<i64> {
    find(CODE, name)
}

/// The flags whose names begin with `prefix`, by name; for messages.
pub(crate) fn flags_by_name(prefix: &str, flags: i64) -> String {
    let known = CONSTANTS
        .iter()
        .filter(|(name, _)| name.starts_with(prefix));
    let set: Vec<&str> = known
        .filter(|(_, bit)| flags & bit != 0)
        .map(|(name, _)| *name)
        .collect();
    if set.is_empty() {
        format!("{flags:#x}")
    } else {
        set.join("|")
    }
}

/// Known bits of a mask of events, by name; for messages.
pub(crate) fn event_names(mask: i64) -> String {
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
