//! How clients open connections: local addresses and servers take turns.

use crate::host::{ConnectError, ConnectOptions, SocketCx, SocketId};

use super::spec::ClientSpec;

/// The indices of the local address and the server at a turn. Every pair occurs once before any
/// repeats; the local address varies fastest. Advancing both together would miss most pairs, and
/// their ports.
pub(crate) fn pair(turn: u64, locals: usize, remotes: usize) -> (usize, usize) {
    let (locals, remotes) = (locals.max(1) as u64, remotes.max(1) as u64);
    let (local, remote) = (turn % locals, turn / locals % remotes);
    (local as usize, remote as usize)
}

/// Opens a connection of a client at a turn. Returns the number of the server, and the connection if there was a port
/// for it; `None` if the client has no server at all.
pub(super) fn connect(
    spec: &ClientSpec,
    turn: u64,
    fast_open: bool,
    socket: &mut SocketCx<'_, '_>,
) -> Option<(usize, Result<SocketId, ConnectError>)> {
    let (local, server) = pair(turn, spec.locals.len(), spec.remotes.len());
    let remote = spec.remotes.get(server)?;
    let options = ConnectOptions {
        local: spec.locals.get(local).copied(),
        fast_open,
        bind_first: spec.bind_first,
        class: spec.class,
        ..ConnectOptions::default()
    };
    Some((server, socket.connect_with(remote, options)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::pair;

    #[test]
    fn every_pair_of_addresses_has_its_turn_before_any_has_two() {
        for (locals, remotes) in [(1, 1), (2, 2), (2, 4), (3, 2), (1, 5), (5, 1), (0, 3)] {
            let all = locals.max(1) * remotes;
            for round in 0..3 {
                let turns = round * all as u64..(round + 1) * all as u64;
                let pairs: BTreeSet<_> = turns.map(|t| pair(t, locals, remotes)).collect();
                assert_eq!(pairs.len(), all, "{locals} x {remotes}");
            }
        }
    }
}
