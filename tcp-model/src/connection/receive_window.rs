//! Linux's receive window and its growing receive buffer.
//!
//! The buffer is counted in memory; the share of payload in it is learnt from the segments (`ratio`). The
//! window starts small, opens by two segments for each full one that arrives (`ssthresh`), and never
//! shrinks; rounding up to the window scale moves its right edge even without room.
//!
//! [`super::right_sizing`] lets the buffer grow, and [`super::receive_memory`] handles exhausted memory.
//!
//! Leaves out memory pressure and `tcp_shrink_window`.

use super::Connection;
use super::adaptive::Adaptive;
use super::held_memory::memory_of;
use crate::params::TcpParams;

impl Adaptive {
    /// The window for `memory` bytes of buffer.
    pub(super) fn window_of(&self, memory: u32) -> u32 {
        (u64::from(memory) * u64::from(self.ratio) / 256) as u32
    }

    fn free(&self) -> u32 {
        self.window_of(self.buffer.saturating_sub(self.held.all()))
    }

    /// Adjusts the payload's share of memory to segments of a new size, and with it the window for the
    /// buffer.
    pub(super) fn set_ratio(&mut self, len: u32) {
        let ratio = (u64::from(len) * 256 / u64::from(memory_of(len))).clamp(1, 255) as u8;
        if ratio != self.ratio {
            self.ratio = ratio;
            self.clamp = self.window_of(self.buffer);
            self.space = self.space.min(self.clamp);
        }
    }
}

impl Connection {
    /// The window to offer next.
    pub(super) fn offer(&mut self) -> u32 {
        if self.params.freebsd_window {
            return self.rcv.all_that_is_free();
        }
        if !self.params.adaptive_receiver {
            return self.rcv.window_to_offer();
        }
        if self.closes_for_memory() {
            return 0;
        }
        if let Some(a) = &mut self.rcv.adaptive
            && a.free() < a.clamp.min(a.window_of(a.buffer)) / 2
        {
            a.quick = 0; // the peer need not hurry
        }
        if self.may_shrink()
            && let Some(a) = &self.rcv.adaptive
        {
            let most = self.params.window_clamp.unwrap_or(u32::MAX);
            let window = self.select_window(a).min(most);
            self.rcv.edge = self.rcv.nxt + window;
            return window;
        }
        let offered = self.rcv.window();
        let window = match &self.rcv.adaptive {
            None => offered,
            Some(a) => {
                let most = self.params.window_clamp.unwrap_or(u32::MAX);
                self.select_window(a).min(most).max(offered)
            }
        };
        round_up(window, self.rcv.shift)
    }

    /// True if the window also shrinks with the free memory; only with a window scale (Linux).
    fn may_shrink(&self) -> bool {
        self.params.shrink_window && self.rcv.shift > 0
    }

    /// True right after a segment was dropped because memory was exhausted: the offered window is
    /// withdrawn.
    fn closes_for_memory(&mut self) -> bool {
        let squeezed = self.rcv.adaptive.as_mut().map(|a| &mut a.squeezed);
        let closes = squeezed.is_some_and(std::mem::take);
        if closes {
            self.rcv.edge = self.rcv.nxt;
        }
        closes
    }

    /// Applies a receive buffer fixed by a socket option on an open connection.
    pub(super) fn follow_buffer(&mut self, old: &TcpParams) {
        let buffer = self.params.initial_buffer();
        if self.params.receive_buffer == old.receive_buffer {
            return;
        }
        if let Some(a) = &mut self.rcv.adaptive {
            a.buffer = buffer;
            a.clamp = a.window_of(buffer);
        }
    }

    /// Linux `__tcp_select_window`.
    pub(super) fn select_window(&self, a: &Adaptive) -> u32 {
        let (mut free, allowed) = (a.free(), a.window_of(a.buffer));
        let full = a.clamp.min(allowed);
        let mss = a.mss.min(full);
        if self.may_shrink() {
            free = free >> self.rcv.shift << self.rcv.shift;
            let little = free < allowed / 16 || free < mss || free == 0;
            return match free < full / 2 && little {
                true => 0,
                false => free.min(round_up(a.ssthresh, self.rcv.shift)),
            };
        }
        if free < full / 2 {
            free = free >> self.rcv.shift << self.rcv.shift;
            if free < allowed / 16 || free < mss {
                return 0;
            }
        }
        free = free.min(a.ssthresh);
        if self.rcv.shift > 0 {
            return round_up(free, self.rcv.shift);
        }
        // Without scaling the window is a number of whole segments.
        let window = self.rcv.edge.offset_from(self.rcv.acked);
        if window > free || window + mss <= free {
            free - free % mss.max(1)
        } else {
            window
        }
    }

    /// Linux `tcp_grow_window`: segments with little memory overhead open the window faster.
    pub(super) fn grow_window(&mut self, len: u32) {
        let advertised = self.advertised_mss();
        let largest = self.params.receive_buffer;
        let offered = self.rcv.edge.offset_from(self.rcv.acked);
        let Some(a) = &mut self.rcv.adaptive else {
            return;
        };
        // A larger clamp sets the threshold to the offered window, a smaller one lowers it.
        if a.clamp != a.known_clamp {
            a.ssthresh = a.ssthresh.max(offered.min(a.clamp)).min(a.clamp);
            a.known_clamp = a.clamp;
        }
        let room = a.clamp.min(a.free()).saturating_sub(a.ssthresh);
        if room == 0 {
            return;
        }
        let memory = a.window_of(memory_of(len));
        let growth = if memory <= len {
            2 * advertised
        } else {
            let (mut memory, mut window) = (memory / 2, a.window_of(largest) / 2);
            loop {
                if a.ssthresh > window {
                    break 0;
                }
                if memory <= len {
                    break 2 * a.mss;
                }
                (memory, window) = (memory / 2, window / 2);
            }
        };
        if growth > 0 {
            a.ssthresh += room.min(growth.max(2 * len));
            a.quick |= 1;
        }
    }
}

fn round_up(window: u32, shift: u8) -> u32 {
    let unit = 1u32 << shift;
    window.saturating_add(unit - 1) & !(unit - 1)
}
