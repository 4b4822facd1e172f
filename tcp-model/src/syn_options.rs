//! The options that are only on SYNs (RFC 9293 section 3.7.1, RFC 7323, RFC 2018).

use crate::options::{Options, TcpOption};
use crate::params::{SynLayout, TcpParams};

/// The largest shift count (RFC 7323 section 2.3).
const MAX_SHIFT: u8 = 14;

/// What a SYN offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SynOptions {
    pub(crate) mss: u16,
    pub(crate) sack: bool,
    /// TSval and TSecr.
    pub(crate) timestamps: Option<(u32, u32)>,
    pub(crate) window_shift: Option<u8>,
}

impl SynOptions {
    /// The options offered by a peer's SYN, as far as the parameters allow.
    pub(crate) fn read(options: &Options, params: &TcpParams) -> SynOptions {
        let mut offer = SynOptions {
            mss: params.ip_version.default_mss(), // MUST-15
            sack: false,
            timestamps: None,
            window_shift: None,
        };
        for option in options.iter().map_while(Result::ok) {
            match option {
                TcpOption::Mss(mss) => offer.mss = mss,
                TcpOption::WindowScale(shift) if params.window_scaling => {
                    offer.window_shift = Some(shift.min(MAX_SHIFT));
                }
                TcpOption::SackPermitted => offer.sack = params.sack,
                TcpOption::Timestamps(val, echo) if params.timestamps => {
                    offer.timestamps = Some((val, echo));
                }
                _ => {}
            }
        }
        offer
    }

    /// The options in the order of `layout`.
    pub(crate) fn write(&self, layout: SynLayout) -> Options {
        match layout {
            SynLayout::Linux => self.as_linux(),
            SynLayout::Bsd => self.as_bsd(),
        }
    }

    fn as_linux(&self) -> Options {
        let mut options = Options::NONE;
        push(&mut options, TcpOption::Mss(self.mss));
        // The two options align each other; one alone needs two NOPs.
        if self.sack != self.timestamps.is_some() {
            push(&mut options, TcpOption::Nop);
            push(&mut options, TcpOption::Nop);
        }
        if self.sack {
            push(&mut options, TcpOption::SackPermitted);
        }
        if let Some((val, ecr)) = self.timestamps {
            push(&mut options, TcpOption::Timestamps(val, ecr));
        }
        if let Some(shift) = self.window_shift {
            push(&mut options, TcpOption::Nop);
            push(&mut options, TcpOption::WindowScale(shift));
        }
        options
    }

    /// NOPs align the options; EOL and zeros pad the end.
    fn as_bsd(&self) -> Options {
        let mut options = Options::NONE;
        push(&mut options, TcpOption::Mss(self.mss));
        if let Some(shift) = self.window_shift {
            push(&mut options, TcpOption::Nop);
            push(&mut options, TcpOption::WindowScale(shift));
        }
        if self.sack {
            push(&mut options, TcpOption::SackPermitted);
        }
        if let Some((val, ecr)) = self.timestamps {
            while options.as_bytes().len() % 4 != 2 {
                push(&mut options, TcpOption::Nop);
            }
            push(&mut options, TcpOption::Timestamps(val, ecr));
        }
        while !options.as_bytes().len().is_multiple_of(4) {
            push(&mut options, TcpOption::Eol);
        }
        options
    }
}

fn push(options: &mut Options, option: TcpOption<'_>) {
    let fits = options.push(option);
    debug_assert!(fits.is_ok(), "a SYN's options take at most 24 bytes");
}
