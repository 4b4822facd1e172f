//! Colours and sizes shared by all figures.

use tcp_model::{RetransmitReason, State};

/// A colour as red, green, blue.
pub(crate) type Rgb = (u8, u8, u8);

// The palette of Okabe and Ito, which colour-blind people can tell apart.
pub(crate) const BLACK: Rgb = (0, 0, 0);
pub(crate) const ORANGE: Rgb = (230, 159, 0);
pub(crate) const SKY: Rgb = (86, 180, 233);
pub(crate) const GREEN: Rgb = (0, 158, 115);
pub(crate) const YELLOW: Rgb = (240, 228, 66);
pub(crate) const BLUE: Rgb = (0, 114, 178);
pub(crate) const VERMILION: Rgb = (213, 94, 0);
pub(crate) const PURPLE: Rgb = (204, 121, 167);

pub(crate) const GREY: Rgb = (110, 110, 110);
pub(crate) const LIGHT_GREY: Rgb = (190, 190, 190);

/// Colours of series in order.
pub(crate) const SERIES: [Rgb; 8] = [BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, BLACK, YELLOW];

/// The colour of a state, the same in every figure.
pub(crate) fn state_colour(state: State) -> Rgb {
    match state {
        State::Closed => (235, 235, 235),
        State::Listen => LIGHT_GREY,
        State::SynSent => YELLOW,
        State::SynReceived => ORANGE,
        State::Established => GREEN,
        State::FinWait1 => SKY,
        State::FinWait2 => BLUE,
        State::CloseWait => PURPLE,
        State::Closing => GREY,
        State::LastAck => (120, 80, 40),
        State::TimeWait => VERMILION,
    }
}

/// The colour of a rule by which segments are retransmitted, the same in every figure.
pub(crate) fn rule_colour(rule: &str) -> Rgb {
    use RetransmitReason as R;
    match R::ALL.into_iter().find(|r| r.as_str() == rule) {
        Some(R::DuplicateAcks | R::Sack | R::Rack) => VERMILION,
        Some(R::PartialAck | R::TailLossProbe) => BLUE,
        Some(R::Timeout | R::SynTimeout) => (200, 0, 0),
        Some(R::AfterTimeout) => SKY,
        Some(R::Frto) => YELLOW,
        _ => (120, 80, 40),
    }
}

/// Looks up a state by its name.
pub(crate) fn state_named(name: &str) -> Option<State> {
    State::ALL.into_iter().find(|s| s.name() == name)
}

/// Black or white, whichever reads better on `colour`.
pub(crate) fn ink_on(colour: Rgb) -> Rgb {
    let (r, g, b) = colour;
    let light = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
    if light > 125_000 {
        BLACK
    } else {
        (255, 255, 255)
    }
}
