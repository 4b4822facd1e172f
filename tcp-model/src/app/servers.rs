//! The servers of a client.

use std::net::SocketAddrV4;
use std::sync::Arc;

/// Servers in the order in which a client takes them. Many clients share one list, each with its
/// own starting place: 10^4 clients of 10^4 servers hold one list, not 10^8 addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    all: Arc<[SocketAddrV4]>,
    first: usize,
}

impl Servers {
    /// The same servers, beginning with the one at this place of the list; places beyond its end count
    /// from its beginning again.
    #[must_use]
    pub fn starting_at(&self, place: usize) -> Servers {
        Servers {
            all: Arc::clone(&self.all),
            first: place % self.all.len().max(1),
        }
    }

    /// The number of servers.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The server whose turn is `turn`.
    pub fn get(&self, turn: usize) -> Option<SocketAddrV4> {
        let turn = turn % self.len().max(1);
        // Written so that no sum can overflow.
        let until_end = self.len() - self.first;
        let place = if turn < until_end {
            self.first + turn
        } else {
            turn - until_end
        };
        self.all.get(place).copied()
    }

    /// All servers, in order.
    pub fn iter(&self) -> impl Iterator<Item = SocketAddrV4> + '_ {
        let (before, from) = self.all.split_at(self.first);
        from.iter().chain(before).copied()
    }
}

impl From<Vec<SocketAddrV4>> for Servers {
    fn from(all: Vec<SocketAddrV4>) -> Servers {
        Servers {
            all: all.into(),
            first: 0,
        }
    }
}

impl FromIterator<SocketAddrV4> for Servers {
    fn from_iter<T: IntoIterator<Item = SocketAddrV4>>(servers: T) -> Servers {
        servers.into_iter().collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn clients_share_one_list_of_servers_and_begin_at_places_of_their_own() {
        let server = |i: u16| SocketAddrV4::new(Ipv4Addr::LOCALHOST, i);
        let all: Servers = (0..5).map(server).collect();
        for place in [0, 1, 4, 5, 8] {
            let own = all.starting_at(place);
            assert!(Arc::ptr_eq(&own.all, &all.all));
            let mut rotated: Vec<_> = all.iter().collect();
            rotated.rotate_left(place % 5);
            assert_eq!(own.iter().collect::<Vec<_>>(), rotated, "{place}");
            let taken: Vec<_> = (0..5).filter_map(|turn| own.get(turn)).collect();
            assert_eq!(taken, rotated, "{place}");
            assert_eq!(own.get(7), own.get(2));
            assert_eq!(own.get(usize::MAX), own.get(usize::MAX % 5));
        }
        let none = Servers::from(Vec::new());
        assert!(none.is_empty() && none.starting_at(3).get(0).is_none());
    }
}
