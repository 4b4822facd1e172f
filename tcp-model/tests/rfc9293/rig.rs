//! One end point against a peer whose every segment the test writes.

use sim_core::SimDuration;
pub(super) use tcp_model::testing::{End as Rig, IRS, ISS, options};
use tcp_model::{Flags, Segment, TcpParams};

pub(super) const FIN_ACK: Flags = Flags(Flags::FIN.0 | Flags::ACK.0);
pub(super) const RST_ACK: Flags = Flags(Flags::RST.0 | Flags::ACK.0);

pub(super) fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

pub(super) fn secs(n: u64) -> SimDuration {
    SimDuration::from_secs(n)
}

/// The `rfc9293` profile, without the options that only make segments longer to read.
pub(super) fn plain() -> TcpParams {
    TcpParams {
        timestamps: false,
        sack: false,
        window_scaling: false,
        hold_until_push: false,
        ..TcpParams::rfc9293()
    }
}

/// Established over a path of 100 ms, measured by the handshake; without Nagle.
pub(super) fn rig() -> Rig {
    Rig::established(TcpParams {
        nagle: false,
        ..plain()
    })
}

/// Flags and length of segments.
pub(super) fn shapes(segments: &[Segment]) -> Vec<(Flags, u32)> {
    segments.iter().map(|s| (s.flags, s.len)).collect()
}

/// Whether this is a single bare ACK of RCV.NXT, at SND.NXT.
pub(super) fn is_ack(rig: &Rig, segments: &[Segment]) -> bool {
    let view = rig.view();
    matches!(segments, [s] if s.flags == Flags::ACK && s.len == 0
        && s.seq == view.snd_nxt && s.ack == view.rcv_nxt)
}
