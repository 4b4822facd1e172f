//! Readiness, as reported by poll and epoll.

use super::options::OUT_OF_BAND_INLINE;
use super::socket::{SocketRole, Watch};
use super::{SocketNo, Sockets};
use crate::errno::{EINVAL, Errno};
use crate::state::State;

const IN: i64 = 1;
const PRI: i64 = 2;
const OUT: i64 = 4;
/// POLLERR and POLLHUP, which are always reported.
pub(crate) const ALWAYS: i64 = ERR | HUP;
const ERR: i64 = 8;
const HUP: i64 = 16;
const RDNORM: i64 = 64;
const WRNORM: i64 = 256;
const RDHUP: i64 = 0x2000;
const ONESHOT: i64 = 1 << 30;
const EDGE: i64 = 1 << 31;

impl Sockets<'_> {
    /// All events of a socket.
    pub(crate) fn readiness(&self, socket: SocketNo) -> i64 {
        let low_water = self.low_water(socket);
        let socket = self.at(socket);
        let id = match socket.role {
            SocketRole::Listening(id) if self.driver.acceptable(id) == 0 => return 0,
            SocketRole::Listening(_) => return IN | RDNORM,
            SocketRole::Stream(id) if self.is_deferred(id) => return OUT | WRNORM,
            SocketRole::Stream(id) => id,
            SocketRole::Fresh => {
                let error = socket.error.is_some() || !socket.icmp.is_empty();
                return OUT | WRNORM | HUP | if error { ERR } else { 0 };
            }
            SocketRole::File => return IN | OUT | RDNORM | WRNORM,
            SocketRole::Epoll(_) | SocketRole::Pipe(_) | SocketRole::Closed => return 0,
        };
        let mut events = 0;
        let over = self.is_over(id);
        let no_more = self.peer_closed(id) || over || socket.read_shut;
        if no_more {
            events |= IN | RDNORM | RDHUP;
        }
        let (urgent, inline) = (self.urgent_octet(id), socket.value(OUT_OF_BAND_INLINE) != 0);
        if let Some(view) = self.view(id) {
            // Linux stream_is_readable: an urgent octet that reads skip is not counted.
            let skipped = u64::from(urgent.is_some_and(|u| u.ahead == 0) && !inline);
            if view.readable >= low_water + skipped {
                events |= IN | RDNORM;
            }
            if urgent.is_some_and(|u| u.arrived && !u.read) {
                events |= PRI;
            }
            let details = self.details(id);
            let buffer = socket.params.send_capacity(details.snd_mss.unwrap_or(0));
            let opening = matches!(view.state, State::SynSent | State::SynReceived);
            let unsent = details.unsent.unwrap_or(0);
            let low = socket.params.notsent_lowat;
            let enough = low.is_none_or(|least| unsent < u64::from(least));
            let fits = view.send_room >= buffer / 3 && enough;
            if over || (!opening && (fits || socket.write_shut)) {
                events |= OUT | WRNORM;
            }
        }
        if self.error(id).is_some() || self.has_notice(id) || !socket.icmp.is_empty() {
            events |= ERR;
        }
        if over || (no_more && socket.write_shut) {
            events |= HUP;
        }
        events
    }

    /// A new epoll.
    pub(crate) fn epoll(&mut self) -> SocketNo {
        self.add(SocketRole::Epoll(Vec::new()))
    }

    /// Adds (1), removes (2) or changes (3) a socket watched by an epoll, which reports `data` with the
    /// events.
    ///
    /// # Errors
    /// `EINVAL` when it is not an epoll descriptor, or the operation does not match what it watches.
    pub(crate) fn watch(
        &mut self,
        epoll: SocketNo,
        operation: i64,
        socket: SocketNo,
        events: i64,
        data: i64,
    ) -> Result<(), Errno> {
        let SocketRole::Epoll(watches) = &mut self.at_mut(epoll).role else {
            return Err(EINVAL);
        };
        let watch = Watch {
            socket,
            events,
            data,
            reported: u64::MAX,
            spent: false,
        };
        match (operation, watches.iter().position(|w| w.socket == socket)) {
            (1, None) => watches.push(watch),
            (2, Some(at)) => {
                watches.remove(at);
            }
            (3, Some(at)) => watches[at] = watch,
            _ => return Err(EINVAL),
        }
        Ok(())
    }

    /// Data and events of the ready sockets; marks them as reported.
    pub(crate) fn watched(&mut self, epoll: SocketNo, max: usize) -> Vec<(i64, i64)> {
        let SocketRole::Epoll(mut watches) = self.at(epoll).role.clone() else {
            return Vec::new();
        };
        let mut ready = Vec::new();
        for watch in &mut watches {
            let events = self.readiness(watch.socket) & (watch.events | ALWAYS);
            let news = match self.at(watch.socket).role {
                SocketRole::Stream(id) => self.stream(id).map_or(0, |stream| stream.edges),
                SocketRole::Listening(id) => self.driver.acceptable(id) as u64,
                _ => 0,
            };
            let edge = watch.events & EDGE != 0;
            if events == 0 || watch.spent || (edge && watch.reported == news) || ready.len() == max
            {
                continue;
            }
            watch.reported = news;
            watch.spent = watch.events & ONESHOT != 0;
            ready.push((watch.data, events));
        }
        self.at_mut(epoll).role = SocketRole::Epoll(watches);
        ready
    }
}
