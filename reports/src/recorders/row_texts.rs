//! Texts that rows share: names of nodes, states and sides.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use sim_core::NodeId;
use tcp_model::RetransmitReason;
use tcp_model::sample::Side;
use tcp_model::state::State;

use crate::info::NodeInfo;
use crate::store::table::Text;

/// Texts made once.
#[derive(Debug)]
pub(crate) struct NodeNames {
    nodes: Vec<Text>,
    by_address: BTreeMap<Ipv4Addr, usize>,
    states: Vec<Text>,
    sides: [Text; 2],
    reasons: Vec<Text>,
    pub(crate) none: Text,
}

impl NodeNames {
    pub(crate) fn new(nodes: &[NodeInfo]) -> NodeNames {
        let addresses = nodes.iter().enumerate();
        let addresses = addresses.flat_map(|(i, n)| n.addresses.iter().map(move |&a| (a, i)));
        NodeNames {
            nodes: nodes.iter().map(|n| Text::from(n.name.as_str())).collect(),
            by_address: addresses.collect(),
            states: State::ALL.map(|s| Text::from(s.name())).to_vec(),
            reasons: RetransmitReason::ALL
                .map(|r| Text::from(r.as_str()))
                .to_vec(),
            sides: ["active", "passive"].map(Text::from),
            none: Text::from(""),
        }
    }

    pub(crate) fn node(&self, node: NodeId) -> &Text {
        self.nodes.get(node.0 as usize).unwrap_or(&self.none)
    }

    pub(crate) fn owner(&self, address: Ipv4Addr) -> &Text {
        let node = self.by_address.get(&address);
        node.and_then(|&i| self.nodes.get(i)).unwrap_or(&self.none)
    }

    pub(crate) fn state(&self, state: State) -> &Text {
        &self.states[state as usize]
    }

    pub(crate) fn opt_state(&self, state: Option<State>) -> &Text {
        state.map_or(&self.none, |s| self.state(s))
    }

    /// Why a segment was sent again; empty when it was not.
    pub(crate) fn reason(&self, reason: Option<RetransmitReason>) -> &Text {
        reason.map_or(&self.none, |r| &self.reasons[r as usize])
    }

    pub(crate) fn side(&self, side: Side) -> &Text {
        &self.sides[side as usize]
    }
}
