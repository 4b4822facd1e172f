//! One side of a pair, and what its application does.

use std::sync::Arc;

use sim_core::{SimDuration, SimTime};
use tcp_model::model::{ConnectionEnd, TcpModel};
use tcp_model::{Connection, State, TcpParams};

/// What an application does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Write {
        bytes: u64,
        push: bool,
        urgent: bool,
    },
    Shutdown,
    Close,
    Abort,
    /// Reads this much of what has arrived.
    Read(u64),
}

/// One side: its end point, its application's plan, and the results.
#[derive(Debug)]
pub struct PairSide {
    pub model: Option<Connection>,
    pub params: Arc<TcpParams>,
    pub plan: Vec<(SimTime, Act)>,
    /// Reads all data as soon as they are signalled.
    pub eager: bool,
    /// Reads this much this often, when not eager.
    pub reader: (SimDuration, u64),
    /// Closes when the peer has closed and all is read; its plan only shuts down sending.
    pub polite: bool,
    /// Waits for a connection to open before it closes it.
    pub patient: bool,
    pub wrote: u64,
    pub pending: u64,
    pub read: u64,
    pub peer_closed: bool,
    pub end: Option<ConnectionEnd>,
    pub states: Vec<(SimTime, State)>,
    pub closes: Option<SimTime>,
}

impl PairSide {
    pub fn new(params: TcpParams, plan: Vec<(SimTime, Act)>, eager: bool) -> PairSide {
        PairSide {
            model: None,
            params: Arc::new(params),
            plan,
            eager,
            reader: (SimDuration::from_millis(300), 3_000),
            polite: false,
            patient: true,
            wrote: 0,
            pending: 0,
            read: 0,
            peer_closed: false,
            end: None,
            states: Vec::new(),
            closes: None,
        }
    }

    pub fn state(&self) -> State {
        self.model
            .as_ref()
            .map_or(State::Closed, |m| m.view().state)
    }
}
