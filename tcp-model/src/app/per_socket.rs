//! Per-connection state of an application, found by slot; and wake tokens that name a connection.

use sim_core::prefetch::prefetch;

use crate::host::{SocketCx, SocketId};

/// Values by socket. Holds as many places as the host has slots.
#[derive(Debug)]
pub(super) struct PerSocket<T> {
    items: Vec<Option<(SocketId, T)>>,
}

impl<T> Default for PerSocket<T> {
    fn default() -> Self {
        PerSocket { items: Vec::new() }
    }
}

/// An application with a state for each of its connections.
pub(super) trait ConnectionStates {
    /// The state of a connection.
    type State: Copy;

    fn connections(&mut self) -> &mut PerSocket<Self::State>;

    /// Lets `act` change the state of a connection, unless the connection is over.
    fn with(
        &mut self,
        id: SocketId,
        socket: &mut SocketCx<'_, '_>,
        act: impl FnOnce(&mut Self, SocketId, &mut Self::State, &mut SocketCx<'_, '_>),
    ) {
        if let Some(mut state) = self.connections().get(id) {
            act(self, id, &mut state, socket);
            self.connections().insert(id, state);
        }
    }
}

/// Marks tokens made by [`token`]; other tokens of the application stay below it.
pub(super) const CONNECTION: u64 = 1 << 46;

/// A wake token that names a connection.
pub(super) fn token(id: SocketId) -> u64 {
    CONNECTION | u64::from(id.generation() & 0x3fff) << 32 | u64::from(id.slot())
}

impl<T: Copy> PerSocket<T> {
    /// Prefetches the value of a slot.
    #[inline]
    pub(super) fn prefetch(&self, slot: u32) {
        if let Some(item) = self.items.get(slot as usize) {
            prefetch(item);
        }
    }

    /// Prefetches the value of the connection that a wake token names; returns its slot.
    #[inline]
    pub(super) fn prefetch_named(&self, named: u64) -> Option<u32> {
        (named & CONNECTION != 0).then(|| {
            self.prefetch(named as u32);
            named as u32
        })
    }

    /// All values, in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flatten().map(|(_, value)| value)
    }

    /// The sockets that have a value, in the order of their slots.
    pub(super) fn ids(&self) -> Vec<SocketId> {
        self.items.iter().flatten().map(|(id, _)| *id).collect()
    }

    pub(super) fn insert(&mut self, id: SocketId, value: T) {
        let slot = id.slot() as usize;
        if slot >= self.items.len() {
            self.items.resize(slot + 1, None);
        }
        self.items[slot] = Some((id, value));
    }

    pub(super) fn get(&self, id: SocketId) -> Option<T> {
        let (own, value) = (*self.items.get(id.slot() as usize)?)?;
        (own == id).then_some(value)
    }

    pub(super) fn remove(&mut self, id: SocketId) -> Option<T> {
        let value = self.get(id)?;
        self.items[id.slot() as usize] = None;
        Some(value)
    }

    /// The connection that a wake token names, unless it has ended.
    pub(super) fn named(&self, named: u64) -> Option<SocketId> {
        let (id, _) = (*self.items.get(named as u32 as usize)?)?;
        (token(id) == named).then_some(id)
    }
}
