//! One connection: its model, its numbers in script and model, what its application may know.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::constants::{self, Errno};
use crate::model::{End, Signal, TcpModel, TcpView};
use crate::options::TcpOption;
use crate::params::TcpParams;
use crate::segment::Segment;
use crate::seq::SeqNum;
use crate::state::State;

/// A connection of the run.
#[derive(Debug)]
pub(super) struct Flow {
    /// `None`: nobody is at this end.
    pub(super) model: Option<Box<dyn TcpModel>>,
    pub(super) params: Arc<TcpParams>,
    pub(super) local_port: u16,
    pub(super) remote_port: u16,
    iss: SeqNum,
    /// The initial sequence number the script writes for the model's.
    pub(super) script_iss: u32,
    pub(super) stamps: Stamps,
    /// The socket that listens and will accept it.
    pub(super) listener: Option<usize>,
    pub(super) connected: bool,
    pub(super) peer_closed: bool,
    pub(super) over: bool,
    /// The error the next call will hear of.
    pub(super) error: Option<Errno>,
    /// News so far, for edge-triggered polling.
    pub(super) edges: u64,
    /// What was sent and not acknowledged: first and last sequence number, seen in a SACK.
    outstanding: Vec<(SeqNum, SeqNum, bool)>,
    peer_mss: u16,
    own_stamps: bool,
    peer_stamps: bool,
}

impl Flow {
    pub(super) fn vacant(local_port: u16, remote_port: u16) -> Flow {
        Flow {
            model: None,
            params: Arc::new(TcpParams::linux()),
            local_port,
            remote_port,
            iss: SeqNum(0),
            script_iss: 0,
            stamps: Stamps::default(),
            listener: None,
            connected: false,
            peer_closed: false,
            over: false,
            error: None,
            edges: 0,
            outstanding: Vec::new(),
            peer_mss: 536,
            own_stamps: false,
            peer_stamps: false,
        }
    }

    pub(super) fn new(
        local_port: u16,
        remote_port: u16,
        model: Box<dyn TcpModel>,
        params: Arc<TcpParams>,
        iss: SeqNum,
    ) -> Flow {
        Flow {
            model: Some(model),
            params,
            iss,
            ..Flow::vacant(local_port, remote_port)
        }
    }

    pub(super) fn view(&self) -> Option<TcpView> {
        self.model.as_ref().map(|m| m.view())
    }

    pub(super) fn state(&self) -> State {
        self.view().map_or(State::Closed, |v| v.state)
    }

    /// The script's number for one of the model's.
    pub(super) fn to_script(&self, seq: SeqNum) -> u32 {
        seq.offset_from(self.iss).wrapping_add(self.script_iss)
    }

    /// The model's number for one of the script's.
    pub(super) fn to_model(&self, number: u32) -> SeqNum {
        self.iss + number.wrapping_sub(self.script_iss)
    }

    pub(super) fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Connected => self.connected = true,
            Signal::PeerClosed => self.peer_closed = true,
            Signal::Ended(why) => {
                self.over = true;
                self.error = match why {
                    End::Refused => Some(constants::ECONNREFUSED),
                    End::Reset if !self.connected => Some(constants::ECONNREFUSED),
                    End::Reset if self.peer_closed => Some(constants::EPIPE),
                    End::Reset => Some(constants::ECONNRESET),
                    End::TimedOut => Some(constants::ETIMEDOUT),
                    End::Unreachable(kind) => Some(constants::Errno::from(kind.errno())),
                    End::Closed | End::Aborted => None,
                };
            }
            Signal::Readable(_) | Signal::Writable(_) | Signal::Urgent(_) => {}
            Signal::SoftError(_) => {}
            Signal::State { .. } | Signal::DeliveryTrouble | Signal::FastOpen(_) => return,
        }
        self.edges += 1;
    }

    /// Counts a segment that left, as `tcp_info` does.
    pub(super) fn note_sent(&mut self, segment: &Segment, again: bool) {
        let options = &segment.options;
        self.own_stamps |= segment.flags.is_syn() && options.timestamps().is_some();
        if segment.seq_len() > 0 && !again {
            self.outstanding
                .push((segment.seq, segment.seq_end(), false));
        }
    }

    /// Looks at a segment that is about to arrive.
    pub(super) fn note_arriving(&mut self, segment: &Segment) {
        if segment.flags.is_syn() {
            for option in segment.options.iter().map_while(Result::ok) {
                match option {
                    TcpOption::Mss(mss) => self.peer_mss = mss,
                    TcpOption::Timestamps(..) => self.peer_stamps = true,
                    _ => {}
                }
            }
        }
        for (left, right) in segment.options.sack_blocks() {
            for (first, end, sacked) in &mut self.outstanding {
                *sacked |= first.at_or_after(left) && end.at_or_before(right);
            }
        }
    }

    /// Segments sent and not acknowledged, and those of them reported by SACK.
    pub(super) fn packets_out(&mut self) -> (u64, u64) {
        let una = self.view().map_or(SeqNum(0), |v| v.snd_una);
        self.outstanding.retain(|(_, end, _)| end.after(una));
        let sacked = self.outstanding.iter().filter(|(_, _, s)| *s).count();
        (self.outstanding.len() as u64, sacked as u64)
    }

    /// Payload of a full segment.
    pub(super) fn mss(&self) -> u64 {
        let options = if self.own_stamps && self.peer_stamps {
            12
        } else {
            0
        };
        u64::from(self.peer_mss.max(64).min(self.params.mss().max(64)) - options)
    }
}

/// Timestamps of the model in the script's numbers.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// The first pair: the script's and the model's.
    pub(super) first: Option<(u32, u32)>,
    known: BTreeMap<u32, u32>,
}

impl Stamps {
    /// Takes note that the script calls `live` by the name `script`.
    pub(super) fn learn(&mut self, script: u32, live: u32) {
        self.first.get_or_insert((script, live));
        self.known.insert(script, live);
    }

    /// What the script's echo means to the model.
    pub(super) fn to_model(&self, script: u32) -> u32 {
        if let Some(&live) = self.known.get(&script) {
            return live;
        }
        match self.first {
            Some((s, l)) if script != 0 => l.wrapping_add(script.wrapping_sub(s)),
            _ => script,
        }
    }

    /// The model's stamp in the script's numbers.
    pub(super) fn to_script(&self, live: u32) -> u32 {
        match self.first {
            Some((s, l)) => s.wrapping_add(live.wrapping_sub(l)),
            None => live,
        }
    }
}
