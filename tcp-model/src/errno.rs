//! Errors of the socket API, with Linux's numbers.

/// An error, by its name: `EAGAIN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub &'static str);

impl Errno {
    /// Linux's number for it; zero for a name that is not an error.
    pub fn number(self) -> i64 {
        number(self.0).unwrap_or(0)
    }
}

macro_rules! errors {
    ($($name:ident = $number:literal,)*) => {
        /// Name and number, in the order of the names.
        const ERRORS: &[(&str, i64)] = &[$((stringify!($name), $number)),*];

        $(#[doc = concat!("`", stringify!($name), "`, ", $number, " on Linux.")]
        pub const $name: Errno = Errno(stringify!($name));)*
    };
}

errors! {
    E2BIG = 7, EACCES = 13, EADDRINUSE = 98, EADDRNOTAVAIL = 99, EAFNOSUPPORT = 97, EAGAIN = 11,
    EALREADY = 114, EBADF = 9, EBUSY = 16, ECONNABORTED = 103, ECONNREFUSED = 111,
    ECONNRESET = 104, EDESTADDRREQ = 89, EFAULT = 14, EHOSTDOWN = 112, EHOSTUNREACH = 113,
    EINPROGRESS = 115, EINTR = 4, EINVAL = 22, EIO = 5, EISCONN = 106, EMFILE = 24, EMSGSIZE = 90,
    ENETDOWN = 100, ENETUNREACH = 101, ENOBUFS = 105, ENOENT = 2, ENOMEM = 12, ENOMSG = 42,
    ENONET = 64, ENOPROTOOPT = 92, ENOTCONN = 107, ENOTSOCK = 88, ENOTSUP = 95, EOPNOTSUPP = 95,
    EPERM = 1, EPIPE = 32, EPROTO = 71, EPROTONOSUPPORT = 93, ESHUTDOWN = 108, ETIMEDOUT = 110,
    EWOULDBLOCK = 11,
}

/// The number of an error of that name.
pub(crate) fn number(name: &str) -> Option<i64> {
    let at = ERRORS.binary_search_by_key(&name, |(n, _)| n).ok()?;
    Some(ERRORS[at].1)
}

/// The names of all errors.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ERRORS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_and_numbered() {
        assert!(ERRORS.is_sorted_by_key(|(name, _)| name));
        assert_eq!(EADDRINUSE.number(), 98);
        assert_eq!(Errno("ENOSUCH").number(), 0);
    }
}
