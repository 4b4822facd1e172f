//! The client's cache of Fast Open servers (RFC 7413 section 4.1.3).
//!
//! Entries are never evicted, since a simulation has few servers.

use std::net::Ipv4Addr;

use rustc_hash::FxHashMap;

use crate::fast_open::{CookieKey, FastConnect, FastOpenForm, FastOpenNews, FastOpenOption};
use crate::model::SendCall;
use crate::params::TcpParams;

/// Cached information about a server.
#[derive(Clone, Copy, Debug, Default)]
struct KnownServer {
    option: FastOpenOption,
    mss: u16,
    /// The last option form that a server did not answer.
    unanswered: Option<FastOpenForm>,
}

/// Cookies by server address.
#[derive(Debug, Default)]
pub(super) struct FastOpenCache {
    servers: FxHashMap<Ipv4Addr, KnownServer>,
    /// The key of the host's own cookies, if set (Linux `tcp_fastopen_key`).
    key: Option<CookieKey>,
}

impl FastOpenCache {
    pub(super) fn key(&self) -> Option<CookieKey> {
        self.key
    }

    pub(super) fn set_key(&mut self, key: CookieKey) {
        self.key = Some(key);
    }

    /// How to open a connection to `server` with these data.
    pub(super) fn connect(
        cache: Option<&FastOpenCache>,
        server: Ipv4Addr,
        data: SendCall,
        params: &TcpParams,
    ) -> FastConnect {
        let known = cache.and_then(|c| c.servers.get(&server));
        let known = known.copied().unwrap_or_default();
        let bare = params.fast_open & TcpParams::FAST_OPEN_CLIENT_NO_COOKIE != 0;
        FastConnect {
            option: (!bare || !known.option.cookie.is_request()).then_some(known.option),
            mss: known.mss,
            data,
        }
    }

    /// Updates the cache from a server's answer.
    pub(super) fn learn(&mut self, server: Ipv4Addr, news: &FastOpenNews) {
        let known = self.servers.entry(server).or_default();
        known.mss = news.mss;
        if let Some(option) = news.cookie {
            known.option = option;
        } else if let Some(form) = news.unanswered
            && known.option.cookie.is_request()
            && known.unanswered != Some(FastOpenForm::Experimental)
        {
            // The experimental form is tried once; a server that answers neither gets the standard form
            // from then on.
            known.unanswered = Some(form);
            known.option.form = match form {
                FastOpenForm::Standard => FastOpenForm::Experimental,
                FastOpenForm::Experimental => FastOpenForm::Standard,
            };
        }
    }
}
