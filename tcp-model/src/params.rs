//! Parameters of a host's TCP, and the named sets of them: `rfc9293`, `linux` and `freebsd`.
//!
//! Each parameter is one row of a table: its name, its names on Linux and FreeBSD, what it takes,
//! its value in each profile and what it means. [`TcpParams`] is the plain struct that the model
//! reads; [`PARAMS`] describes its fields, so that scenarios, system parameters of conformance
//! scripts, messages and the reference in `docs/parameters.md` all say the same.
//!
//! ```
//! use tcp_model::params::{TcpParams, Value, find};
//!
//! let mut params = TcpParams::linux();
//! let named = find("net.ipv4.tcp_fin_timeout").expect("a parameter");
//! named.set(&mut params, &Value::Number(30)).expect("within the range"); // in seconds, as the sysctl
//! assert_eq!(params.fin_timeout, Some(sim_core::SimDuration::from_secs(30)));
//! let refused = named.set(&mut params, &Value::text("2 years"));
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
mod names;
mod reference;
mod sysctl;
mod table;
#[cfg(test)]
mod tests;
mod value;

use crate::congestion::{AnyCc, ControlContext};
pub use crate::ticks::Timers;
pub use check::Conflict;
pub use choices::{
    EcnMode, GiveUp, IdleRestart, IpVersion, PortSelection, SynCookies, SynLayout, TimeWaitRules,
    TwReuse,
};
pub use elsewhere::{Elsewhere, elsewhere};
pub use kind::{Choice, LONGEST, ParamKind, Shape, Word};
pub use lookup::{Named, find, set_sysctl};
pub(crate) use model_choice::add_model_name;
pub use model_choice::{BUILT_IN_MODEL, LIFECYCLE_MODEL, ModelChoice, model_names};
pub use names::{Name, Raw, Where};
pub use reference::{explain, reference};
pub use sysctl::{SYSCTLS, Sysctl};
pub use table::{PARAMS, TcpParams};
pub use value::{Field, Refusal, Value};

/// The description of a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name: the key in `[tcp]`.
    pub key: &'static str,
    /// What it belongs to.
    pub section: &'static str,
    /// What it is, as Markdown.
    pub doc: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Its names elsewhere.
    pub names: &'static [Name],
    get: fn(&TcpParams) -> Value,
    set: fn(&mut TcpParams, &Value) -> Result<(), Refusal>,
}

impl Param {
    /// Its value.
    pub fn get(&self, params: &TcpParams) -> Value {
        (self.get)(params)
    }

    /// Sets it.
    ///
    /// # Errors
    /// When the value is of another type or out of range; the parameters are then as before.
    pub fn set(&self, params: &mut TcpParams, value: &Value) -> Result<(), Refusal> {
        (self.set)(params, value)
    }

    /// The value in the form in which [`Param::get`] gives it: "1 min" is "60 s".
    ///
    /// # Errors
    /// When the value is of another type or out of range.
    pub fn normal(&self, value: &Value) -> Result<Value, Refusal> {
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
    /// A congestion control for a connection with these parameters.
    pub fn make_control(&self) -> AnyCc {
        self.congestion
            .make(&ControlContext::new(self.slow_start_limit))
    }

    /// Linux behind the usual preamble of scripts: that raises the first and the largest
    /// receive buffer above the default, so that the first window is the whole field and the window
    /// scale 8, and lets every listener use Fast Open.
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

    /// The set of that name.
    pub fn profile(name: &str) -> Option<TcpParams> {
        match name {
            "rfc9293" => Some(TcpParams::rfc9293()),
            "linux" => Some(TcpParams::linux()),
            "freebsd" => Some(TcpParams::freebsd()),
            _ => None,
        }
    }

    /// Bit of `fast_open`: active opens may use it.
    pub const FAST_OPEN_CLIENT: u32 = 1;
    /// Bit of `fast_open`: listeners may use it.
    pub const FAST_OPEN_SERVER: u32 = 2;
    /// Bit of `fast_open`: SYNs carry data without a cookie.
    pub const FAST_OPEN_CLIENT_NO_COOKIE: u32 = 4;
    /// Bit of `fast_open`: data are taken from SYNs without a cookie.
    pub const FAST_OPEN_SERVER_NO_COOKIE: u32 = 0x200;
    /// Bit of `fast_open`: every listener uses it, not only those whose application asks for it.
    pub const FAST_OPEN_ALL_LISTENERS: u32 = 0x400;

    /// MUST-28: idle time before the first keep-alive probe where keep-alive is switched on without
    /// a time.
    pub const DEFAULT_KEEPALIVE: SimDuration = SimDuration::from_secs(7_200);

    /// Names that [`TcpParams::profile`] knows.
    pub const PROFILES: [&'static str; 3] = ["rfc9293", "linux", "freebsd"];

    /// The MSS to offer: what fits a packet of `mtu` bytes without options (RFC 6691, MUST-67), or
    /// less if the application wants so.
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

    /// The receive buffer that a connection begins with, where it is counted in payload.
    pub const fn first_buffer(&self) -> u32 {
        let most = self.offered_buffer();
        if self.grow_receive_buffer && self.receive_buffer_start < most {
            self.receive_buffer_start
        } else {
            most
        }
    }

    /// The window scale shift to offer: the smallest one with which the field can express the
    /// largest window, after `window_clamp`. A shift that was set is lowered where it would leave
    /// fewer than 16 steps, down to a window that is always 0.
    pub const fn window_shift(&self) -> u8 {
        // A buffer of fixed memory never offers more than half of it.
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

    /// The window that a SYN or SYN-ACK offers, whose field is never scaled and says at most 65535,
    /// when options take
    /// `option_bytes` of every segment. An adaptive receiver offers half of its first buffer, in
    /// whole segments.
    pub fn first_window(&self, option_bytes: u32) -> u32 {
        if !self.adaptive_receiver {
            return self.first_buffer().min(0xffff);
        }
        let mss = u32::from(self.mss()).saturating_sub(option_bytes).max(1);
        let space = self.initial_buffer() / 2;
        let whole = if space > mss {
            space - space % mss
        } else {
            space
        };
        whole.min(self.offered_buffer())
    }

    /// Octets of payload that the send buffer takes in full segments of `mss` octets.
    ///
    /// Leaves out small segments, which take as much memory beside them as two full ones do.
    pub fn send_capacity(&self, mss: u32) -> u64 {
        /// Head and descriptor of a buffer: `SKB_SMALL_HEAD_CACHE_SIZE`, which is room for headers
        /// (`GRO_MAX_HEAD_PAD`: 176 + 128 + 64, in whole cache lines 384) and 320 of
        /// `struct skb_shared_info`; and 256 of `struct sk_buff`.
        const BESIDE: u64 = 704 + 256;
        let buffer = u64::from(self.send_buffer);
        if !self.send_buffer_is_memory {
            return buffer;
        }
        // The least burst; one that has begun may exceed the limit.
        let burst = 2 * u64::from(mss.max(1));
        buffer.div_ceil(burst + BESIDE) * burst
    }

    /// A send buffer of this size for good, as by SO_SNDBUF: Linux takes twice as much memory for it.
    pub fn fix_send_buffer(&mut self, bytes: u32) {
        self.send_buffer_is_memory = self.adaptive_receiver;
        self.send_buffer = match self.adaptive_receiver {
            true => bytes.saturating_mul(2),
            false => bytes,
        };
    }

    /// A receive buffer of this size for good, as by SO_RCVBUF: Linux takes twice as much memory
    /// for it.
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

    /// The receive buffer that an adaptive receiver begins with, bytes of memory.
    pub(crate) fn initial_buffer(&self) -> u32 {
        // SOCK_MIN_RCVBUF: Linux has no smaller one.
        self.receive_buffer_start.min(self.receive_buffer).max(2304)
    }

    /// Number of ports for active opens.
    pub const fn port_count(&self) -> u32 {
        (self.port_range.1 as u32 + 1).saturating_sub(self.port_range.0 as u32)
    }
}
