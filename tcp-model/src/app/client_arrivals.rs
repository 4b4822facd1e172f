//! The arrivals of a client that are still to come.

use sim_core::{Rng, SimTime};

use super::arrivals::ArrivalClock;
use super::spec::ClientSpec;
use crate::host::SocketCx;

/// Counts the arrivals of a client and requests a wake for the next one, until the client's time or number of
/// arrivals is over.
#[derive(Debug)]
pub(crate) struct ClientArrivals {
    clock: ArrivalClock,
    /// Arrivals so far, with those that came while the host was down.
    begun: u64,
}

impl ClientArrivals {
    pub(crate) fn new(spec: &ClientSpec) -> ClientArrivals {
        ClientArrivals {
            clock: ArrivalClock::new(spec.arrivals.clone(), spec.start),
            begun: 0,
        }
    }

    /// Lets the arrivals begin again at `start`.
    pub(super) fn start_over(&mut self, spec: &ClientSpec, start: SimTime) {
        self.clock = ArrivalClock::new(spec.arrivals.clone(), start);
    }

    /// Whether an arrival at this time still counts.
    pub(super) fn admits(&self, at: SimTime, spec: &ClientSpec) -> bool {
        at < spec.stop && spec.limit.is_none_or(|limit| self.begun < limit)
    }

    /// Counts an arrival.
    pub(crate) fn begin(&mut self) {
        self.begun += 1;
    }

    /// When the next arrival comes, if there is one.
    pub(crate) fn next(&mut self, spec: &ClientSpec, rng: &mut Rng) -> Option<SimTime> {
        let at = self.clock.next(rng)?;
        self.admits(at, spec).then_some(at)
    }

    /// Requests a wake with `token` for the next arrival. Returns how many came while the host was down.
    pub(super) fn await_next(
        &mut self,
        token: u64,
        spec: &ClientSpec,
        rng: &mut Rng,
        socket: &mut SocketCx<'_, '_>,
    ) -> u64 {
        let mut missed = 0;
        while let Some(at) = self.next(spec, rng) {
            if at >= socket.now() {
                socket.wake(at, token);
                break;
            }
            self.begun += 1;
            missed += 1;
        }
        missed
    }
}
