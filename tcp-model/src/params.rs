//! Parameters of a host's TCP, and the named sets of them: `rfc9293`, `linux`, `freebsd`, `windows`, `macos` and
//! `solaris`.
//!
//! Each parameter is one row of a table: its name, its Linux and FreeBSD names, type and range, its value
//! in each profile and its meaning. [`TcpParams`] is the plain struct that the model reads; [`PARAMS`]
//! describes its fields, so that scenarios, system parameters of conformance scripts, messages and the
//! reference in `docs/parameters.md` all agree.
//!
//! ```
//! use tcp_model::params::{TcpParams, ParamValue, find};
//!
//! let mut params = TcpParams::linux();
//! let named = find("net.ipv4.tcp_fin_timeout").expect("a parameter");
//! named.set(&mut params, &ParamValue::Number(30)).expect("within the range"); // in seconds, as the sysctl
//! assert_eq!(params.fin_timeout, Some(sim_core::SimDuration::from_secs(30)));
//! let refused = named.set(&mut params, &ParamValue::text("2 years"));
//! assert!(refused.is_err());
//! ```

use sim_core::SimDuration;

mod check;
mod choices;
mod control;
mod elsewhere;
mod kind;
mod lookup;
mod model_choice;
mod port_set;
mod reference;
mod sysctl;
mod system_names;
mod table;
#[cfg(test)]
mod tests;
mod value;

use crate::congestion::{AnyCc, ControlContext};
pub use crate::timer_granularity::TimerGranularity;
pub use check::Conflict;
pub use choices::{
    EcnMode, GiveUp, IdleRestart, IpVersion, PortSelection, SynCookies, SynLayout, TimeWaitRules,
    TwReuse,
};
pub use elsewhere::{UnknownName, elsewhere};
pub use kind::{Choice, LONGEST, ParamKind, ParamType, ParamWord};
pub use lookup::{Named, find, set_sysctl};
pub(crate) use model_choice::add_model_name;
pub use model_choice::{BUILT_IN_MODEL, LIFECYCLE_MODEL, ModelChoice, model_names};
pub use port_set::PortSet;
pub use reference::{explain, reference};
pub use sysctl::{SYSCTLS, Sysctl};
pub use system_names::{BareNumber, NameSystem, SystemName};
pub use table::{PARAMS, TcpParams};
pub use value::{ParamField, ParamValue, Refusal};

/// The description of a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name: the key in `[tcp]`.
    pub key: &'static str,
    /// Its section.
    pub section: &'static str,
    /// What it is, as Markdown.
    pub doc: &'static str,
    /// The values it takes.
    pub kind: ParamKind,
    /// Its names elsewhere.
    pub names: &'static [SystemName],
    get: fn(&TcpParams) -> ParamValue,
    set: fn(&mut TcpParams, &ParamValue) -> Result<(), Refusal>,
}

impl Param {
    /// Its value.
    pub fn get(&self, params: &TcpParams) -> ParamValue {
        (self.get)(params)
    }

    /// Sets it.
    ///
    /// # Errors
    /// When the value has the wrong type or is out of range; the parameters are then unchanged.
    pub fn set(&self, params: &mut TcpParams, value: &ParamValue) -> Result<(), Refusal> {
        (self.set)(params, value)
    }

    /// The value in the form returned by [`Param::get`]: "1 min" becomes "60 s".
    ///
    /// # Errors
    /// When the value has the wrong type or is out of range.
    pub fn normal(&self, value: &ParamValue) -> Result<ParamValue, Refusal> {
        let mut params = TcpParams::rfc9293();
        self.set(&mut params, value)?;
        Ok(self.get(&params))
    }
}

/// The parameter with this key.
pub fn param(key: &str) -> Option<&'static Param> {
    match find(key)? {
        Named::Param(param, None) => Some(param),
        _ => None,
    }
}

impl TcpParams {
    /// Creates the congestion control of a connection with these parameters.
    pub fn make_control(&self) -> AnyCc {
        self.congestion
            .make(&ControlContext::new(self.slow_start_limit))
    }

    /// Linux after the usual preamble of scripts, which raises the initial and the maximum receive buffer,
    /// so that the first window is 65535 and the window scale 8, and enables Fast Open for every listener.
    pub fn of_scripts() -> TcpParams {
        TcpParams {
            receive_buffer: 15 * 1024 * 1024,
            receive_buffer_start: 540_000,
            fast_open: TcpParams::FAST_OPEN_CLIENT
                | TcpParams::FAST_OPEN_SERVER
                | TcpParams::FAST_OPEN_ALL_LISTENERS,
            ..TcpParams::linux()
        }
    }

    /// The profile with this name.
    pub fn profile(name: &str) -> Option<TcpParams> {
        match name {
            "rfc9293" => Some(TcpParams::rfc9293()),
            "linux" => Some(TcpParams::linux()),
            "freebsd" => Some(TcpParams::freebsd()),
            "windows" => Some(TcpParams::windows()),
            "macos" => Some(TcpParams::macos()),
            "solaris" => Some(TcpParams::solaris()),
            _ => None,
        }
    }

    /// Bit of `fast_open`: active opens may use it.
    pub const FAST_OPEN_CLIENT: u32 = 1;
    /// Bit of `fast_open`: listeners may use it.
    pub const FAST_OPEN_SERVER: u32 = 2;
    /// Bit of `fast_open`: send data in SYNs without a cookie.
    pub const FAST_OPEN_CLIENT_NO_COOKIE: u32 = 4;
    /// Bit of `fast_open`: accept data in SYNs without a cookie.
    pub const FAST_OPEN_SERVER_NO_COOKIE: u32 = 0x200;
    /// Bit of `fast_open`: every listener uses it, not only those whose application asks for it.
    pub const FAST_OPEN_ALL_LISTENERS: u32 = 0x400;

    /// MUST-28: idle time before the first keep-alive probe if keep-alive is enabled without a time.
    pub const DEFAULT_KEEPALIVE: SimDuration = SimDuration::from_secs(7_200);
    /// How long FIN-WAIT-2 of a closed socket lasts on FreeBSD: `TP_MAXIDLE`, 600 s, and `TP_KEEPINTVL`, 75 s
    /// (`tcp_timer_2msl`).
    pub const FREEBSD_FIN_WAIT: SimDuration = SimDuration::from_secs(675);

    /// Names that [`TcpParams::profile`] knows.
    pub const PROFILES: [&'static str; 6] =
        ["rfc9293", "linux", "freebsd", "windows", "macos", "solaris"];

    /// The MSS to offer: what fits a packet of `mtu` bytes without options (RFC 6691, MUST-67), or less if
    /// the application asks for it.
    pub const fn mss(&self) -> u16 {
        let fits = self
            .mtu
            .saturating_sub(20 + self.ip_version.header_len() as u16);
        match self.max_segment {
            Some(most) if most < fits => most,
            _ => fits,
        }
    }

    /// The largest window to offer.
    pub const fn offered_buffer(&self) -> u32 {
        match self.window_clamp {
            Some(most) if most < self.receive_buffer => most,
            _ => self.receive_buffer,
        }
    }

    /// The initial receive buffer, if counted in payload.
    pub const fn first_buffer(&self) -> u32 {
        let most = self.offered_buffer();
        if self.grow_receive_buffer && self.receive_buffer_start < most {
            self.receive_buffer_start
        } else {
            most
        }
    }

    /// The window scale shift to offer: the smallest one with which the field can express the largest
    /// window, after `window_clamp`. A configured shift is lowered if it would leave fewer than 16 steps,
    /// in the extreme a window that is always 0.
    pub const fn window_shift(&self) -> u8 {
        // With fixed memory, never more than half of it is offered.
        let fixed = self.adaptive_receiver && !self.moderate_rcvbuf;
        let half = self.receive_buffer >> fixed as u32;
        let most = match self.window_clamp {
            Some(clamp) if clamp < half => clamp,
            _ => half,
        };
        let mut shift = 0;
        if let Some(set) = self.window_shift {
            shift = if set > 14 { 14 } else { set };
            while shift > 0 && most >> shift < 16 {
                shift -= 1;
            }
            return shift;
        }
        while shift < 14 && most >> shift > 0xffff {
            shift += 1;
        }
        shift
    }

    /// The window in a SYN or SYN-ACK, which is never scaled and at most 65535; options take `option_bytes`
    /// of every segment. An adaptive receiver offers half of its initial buffer, in whole segments.
    pub fn first_window(&self, option_bytes: u32) -> u32 {
        if self.adaptive_receiver {
            self.first_adaptive_window(option_bytes)
        } else {
            self.first_buffer().min(0xffff)
        }
    }

    #[inline(never)]
    fn first_adaptive_window(&self, option_bytes: u32) -> u32 {
        let mss = u32::from(self.mss()).saturating_sub(option_bytes).max(1);
        let space = self.initial_buffer() / 2;
        let whole = if space > mss {
            space - space % mss
        } else {
            space
        };
        whole.min(self.offered_buffer())
    }

    /// Octets of payload that fit in the send buffer as full segments of `mss` octets.
    ///
    /// Leaves out small segments, each of which has as much memory overhead as two full ones.
    pub fn send_capacity(&self, mss: u32) -> u64 {
        /// Overhead of a buffer: `SKB_SMALL_HEAD_CACHE_SIZE`, which holds headers (`GRO_MAX_HEAD_PAD`:
        /// 176 + 128 + 64, rounded to cache lines 384) and 320 octets of `struct skb_shared_info`; plus 256 of
        /// `struct sk_buff`.
        const BESIDE: u64 = 704 + 256;
        let buffer = u64::from(self.send_buffer);
        if !self.send_buffer_is_memory {
            return buffer;
        }
        // The smallest burst; one that has begun may exceed the limit.
        let burst = 2 * u64::from(mss.max(1));
        buffer.div_ceil(burst + BESIDE) * burst
    }

    /// Fixes the send buffer at this size, as SO_SNDBUF does; Linux reserves twice as much memory.
    pub fn fix_send_buffer(&mut self, bytes: u32) {
        self.send_buffer_is_memory = self.adaptive_receiver;
        self.send_buffer = match self.adaptive_receiver {
            true => bytes.saturating_mul(2),
            false => bytes,
        };
    }

    /// Fixes the receive buffer at this size, as SO_RCVBUF does; Linux reserves twice as much memory.
    pub fn fix_receive_buffer(&mut self, bytes: u32) {
        if self.adaptive_receiver {
            self.receive_buffer = bytes.saturating_mul(2);
            self.receive_buffer_start = self.receive_buffer;
            self.moderate_rcvbuf = false;
        } else {
            self.receive_buffer = bytes;
            self.grow_receive_buffer = false;
        }
    }

    /// The initial receive buffer of an adaptive receiver, bytes of memory.
    pub(crate) fn initial_buffer(&self) -> u32 {
        // SOCK_MIN_RCVBUF: the smallest in Linux.
        self.receive_buffer_start.min(self.receive_buffer).max(2304)
    }

    /// Number of ports for active opens.
    pub fn port_count(&self) -> u32 {
        let (low, high) = self.port_range;
        let all = (u32::from(high) + 1).saturating_sub(u32::from(low));
        all - self.reserved_ports.within((low, high)).count() as u32
    }
}
