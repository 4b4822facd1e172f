//! Sizes of the engine's objects.

use crate::event::{Event, NodeId};
use crate::host::Host;
use crate::link::{Transmitter, Wire};
use crate::network::{LinkSpec, NodeSpec};
use crate::packet::{Packet, Slab};

/// The sizes of the engine's objects in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectBytes {
    /// A pending event.
    pub event: usize,
    /// A packet in flight, with its position on the wire.
    pub packet: usize,
    /// A link direction: its description, sender and receiver; without limits, impairments and changes, which are
    /// allocated separately.
    pub link: usize,
    /// A node, without its host and its name.
    pub node: usize,
    /// A host, without its allocations.
    pub host: usize,
}

impl ObjectBytes {
    /// The sizes with hosts of type `H`.
    pub(crate) fn of<H: Host>() -> ObjectBytes {
        let place = size_of::<u32>();
        ObjectBytes {
            event: size_of::<Event>(),
            packet: Slab::<Packet<H::Payload>>::ENTRY_BYTES,
            link: size_of::<LinkSpec>() + size_of::<Transmitter>() + size_of::<Wire>() + place,
            // Counter; partition and place; first address.
            node: size_of::<NodeSpec>() + size_of::<u64>() + 3 * place,
            host: size_of::<(NodeId, H)>(),
        }
    }
}
