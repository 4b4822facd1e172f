//! Round trips counted by data: a round trip ends when the data sent next at its start are acknowledged.

use super::AckEvent;

/// Counts round trips of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RoundTrips {
    /// Stream offset whose acknowledgement ends the current round trip.
    end: u64,
    count: u64,
}

impl RoundTrips {
    /// Processes an ACK; true when a new round trip begins with it.
    pub fn on_ack(&mut self, ack: &AckEvent) -> bool {
        let over = ack.una >= self.end;
        if over {
            self.end = ack.nxt;
            self.count += 1;
        }
        over
    }

    /// Round trips begun.
    pub fn count(&self) -> u64 {
        self.count
    }
}
