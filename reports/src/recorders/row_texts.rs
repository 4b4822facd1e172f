//! Texts that rows share: names of nodes, states and sides.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use sim_core::NodeId;
use tcp_model::RetransmitReason;
use tcp_model::sample::Side;
use tcp_model::state::State;

use crate::info::NodeInfo;
use crate::store::table::SharedText;

/// Texts created once.
#[derive(Debug)]
pub(crate) struct NodeNames {
    nodes: Vec<SharedText>,
    by_address: BTreeMap<Ipv4Addr, usize>,
    states: Vec<SharedText>,
    sides: [SharedText; 2],
    reasons: Vec<SharedText>,
    pub(crate) none: SharedText,
}

impl NodeNames {
    pub(crate) fn new(nodes: &[NodeInfo]) -> NodeNames {
        let addresses = nodes.iter().enumerate();
        let addresses = addresses.flat_map(|(i, n)| n.addresses.iter().map(move |&a| (a, i)));
        NodeNames {
            nodes: nodes
                .iter()
                .map(|n| SharedText::from(n.name.as_str()))
                .collect(),
            by_address: addresses.collect(),
            states: State::ALL.map(|s| SharedText::from(s.name())).to_vec(),
            reasons: RetransmitReason::ALL
                .map(|r| SharedText::from(r.as_str()))
                .to_vec(),
            sides: ["active", "passive"].map(SharedText::from),
            none: SharedText::from(""),
        }
    }

    pub(crate) fn node(&self, node: NodeId) -> &SharedText {
        self.nodes.get(node.0 as usize).unwrap_or(&self.none)
    }

    pub(crate) fn owner(&self, address: Ipv4Addr) -> &SharedText {
        let node = self.by_address.get(&address);
        node.and_then(|&i| self.nodes.get(i)).unwrap_or(&self.none)
    }

    pub(crate) fn state(&self, state: State) -> &SharedText {
        &self.states[state as usize]
    }

    pub(crate) fn opt_state(&self, state: Option<State>) -> &SharedText {
        state.map_or(&self.none, |s| self.state(s))
    }

    /// Why a segment was retransmitted; empty if it was not.
    pub(crate) fn reason(&self, reason: Option<RetransmitReason>) -> &SharedText {
        reason.map_or(&self.none, |r| &self.reasons[r as usize])
    }

    pub(crate) fn side(&self, side: Side) -> &SharedText {
        &self.sides[side as usize]
    }
}
