//! The table of parameters: [`TcpParams`], its profiles and the descriptions are generated from it.
//!
//! Its rows are in the files below `table/`, by subject. To add a parameter, add one row. It becomes a
//! field, and a key of `[tcp]` in a scenario, of `--set` and of sweeps, under each of its names;
//! `docs/parameters.md`, `synfin explain` and the schema describe it.

mod buffers;
mod closing;
mod congestion;
mod opening;
mod options;
mod path;
mod resets;
mod rules;
mod time_outs;
mod transfer;

use sim_core::SimDuration;

use super::choices::{
    EcnMode, GiveUp, IdleRestart, IpVersion, PortSelection, SynCookies, SynLayout, TimeWaitRules,
    TwReuse,
};
use super::kind::{MICROSECOND, MILLISECOND, ParamKind, ParamWord};
use super::model_choice::ModelChoice;
use super::port_set::PortSet;
use super::system_names::{BareNumber, MS, NS, S, US, freebsd, linux, other, socket};
use super::value::ParamField;
use super::{Param, TimerGranularity};
use crate::congestion::{CUBIC, Control, LINUX_CUBIC};
use rules::{
    cookies, cookies_only, cookies_when_full, eight_for_zero, halving_unless_zero, known_bits,
    unlimited_from_i32_max, unlimited_from_u32_max,
};

/// Generates everything from the rows of the table. A row is
///
/// ```text
/// /// What it is.
/// field "key, where it is another one": Type {
///     rfc9293: …, linux: …, freebsd: …,     // a profile without a value has that of rfc9293,
///     windows: …, macos: …, solaris: …,     // and macos that of freebsd
///     kind: what it takes, names: [its names elsewhere]
/// }
/// ```
macro_rules! tcp_params {
    // Collects the rows of each file.
    (@rows { $($rows:tt)* } $file:ident $($others:ident)*) => {
        $file::rows! { tcp_params! { $($rows)* } $($others)* }
    };
    (@rows { $($rows:tt)* }) => { tcp_params! { $($rows)* } };
    ($($section:literal {
        $(
            $(#[doc = $doc:literal])+
            $field:ident $($key:literal)? : $type:ty {
                rfc9293: $rfc9293:expr,
                $(linux: $linux:expr,)?
                $(freebsd: $freebsd:expr,)?
                $(windows: $windows:expr,)?
                $(macos: $macos:expr,)?
                $(solaris: $solaris:expr,)?
                kind: $kind:expr
                $(, names: [$($name:expr),* $(,)?])?
                $(,)?
            }
        )+
    })+) => {
        /// All settings of a host's TCP. Times are exact unless `timers` says otherwise.
        #[derive(Clone, Debug, PartialEq)]
        pub struct TcpParams {
            $($($(#[doc = $doc])+ pub $field: $type,)+)+
        }

        impl TcpParams {
            /// RFC 9293 and the RFCs it cites, with the values they recommend: MSL 2 minutes,
            /// minimum RTO one second, SYN retransmission for at least 3 minutes, R2 of 100 seconds.
            pub fn rfc9293() -> TcpParams {
                TcpParams { $($($field: $rfc9293,)+)+ }
            }

            /// Linux 6.x defaults, but with exact timers; `timers` gives them Linux's granularity.
            ///
            /// Leaves out send-buffer autotuning: the buffer has its maximum size from the start.
            pub fn linux() -> TcpParams {
                TcpParams {
                    $($($($field: $linux,)?)+)+
                    ..TcpParams::rfc9293()
                }
            }

            /// FreeBSD 14 and 15 defaults, but with exact timers.
            ///
            /// Leaves out autotuning of the send buffer, which has its maximum size from the start, and the
            /// limit of challenge ACKs.
            pub fn freebsd() -> TcpParams {
                TcpParams {
                    $($($($field: $freebsd,)?)+)+
                    ..TcpParams::rfc9293()
                }
            }

            /// Defaults of Windows 10 and Windows Server 2019, as far as they decide how connections open and end:
            /// ports, TIME-WAIT, time-outs, backlog.
            ///
            /// Checked against documentation: the dynamic ports 49152 to 65535 (Microsoft KB 929851, which applies up
            /// to Windows Server 2019); TIME-WAIT of 120 s (`TcpTimedWaitDelay`, documented for Windows Server 2003);
            /// minimum time-out 300 ms, delayed ACK 40 ms, CUBIC and an initial window of 10 (the template
            /// `Internet` of `Get-NetTCPSetting`, Microsoft's networking blog of 3 October 2018). Not verified: the
            /// initial time-out of 3 s and two SYN retransmissions (`InitialRto`, `MaxSynRetransmissions`), five data
            /// retransmissions (documented for Windows NT), the 240 s of FIN-WAIT-2 (`TcpFinWait2Delay`; Microsoft KB
            /// 813056 says 300 s of Windows Server 2003), the backlog of 200, and keep-alive probes.
            ///
            /// Leaves out RACK and the tail loss probe, LEDBAT++, the growth of the receive window, and that Windows
            /// gives up TIME-WAIT entries when memory is short.
            pub fn windows() -> TcpParams {
                TcpParams {
                    $($($($field: $windows,)?)+)+
                    ..TcpParams::rfc9293()
                }
            }

            /// Defaults of macOS 10.14 and later (XNU), as far as they decide how connections open and end; the rest
            /// is that of FreeBSD, from which XNU's TCP descends.
            ///
            /// Checked against XNU's `bsd/netinet/tcp_timer.h` of 2024: MSL 15 s (TIME-WAIT 30 s), 75 s for a connect,
            /// probes every 75 s, at most 8 of them, which makes the 600 s of FIN-WAIT-2. Not verified: the same
            /// file also has a FIN-WAIT-2 time-out of 60 s, and when it applies was not looked up; the dynamic ports
            /// 49152 to 65535, the delayed ACK of 100 ms, and that there are no SYN cookies.
            ///
            /// Leaves out Fast Open, ECN by heuristics and the stretching of ACKs.
            pub fn macos() -> TcpParams {
                TcpParams {
                    $($($($field: $macos,)?)+)+
                    ..TcpParams::freebsd()
                }
            }

            /// Defaults of Solaris 10, as far as they decide how connections open and end.
            ///
            /// Checked against the Solaris Tunable Parameters Reference Manual (Oracle 817-0404, 819-2724, E54818):
            /// `tcp_time_wait_interval` 60 s, `tcp_rexmit_interval_initial` 3 s, `_min` 400 ms and `_max` 60 s,
            /// `tcp_ip_abort_interval` 8 minutes, `tcp_conn_req_max_q` 128, `_max_q0` 1024,
            /// `tcp_deferred_ack_interval` 100 ms. Not verified: the 675 s of FIN-WAIT-2
            /// (`tcp_fin_wait_2_flush_interval`, which the manual does not list), the ports 32768 to 65535 and the
            /// initial window of 4, whose entries were not seen, and that Solaris 11 has an initial time-out of 1 s and
            /// gives up data after 5 minutes.
            ///
            /// Leaves out that timestamps are sent only with window scaling.
            pub fn solaris() -> TcpParams {
                TcpParams {
                    $($($($field: $solaris,)?)+)+
                    ..TcpParams::rfc9293()
                }
            }
        }

        /// All parameters, in the order of the table.
        pub static PARAMS: &[Param] = &[$($({
            const KIND: ParamKind = $kind;
            Param {
                key: tcp_params!(@key $field $($key)?),
                section: $section,
                doc: concat!($($doc, "\n"),+),
                kind: KIND,
                names: &[$($($name),*)?],
                get: |p| ParamField::write(&p.$field, &KIND),
                set: |p, value| {
                    p.$field = ParamField::read(value, &KIND)?;
                    Ok(())
                },
            }
        },)+)+];

        /// One field of each row: the table has all of them, or this does not compile.
        #[cfg(test)]
        pub(super) fn count_fields(p: TcpParams) -> usize {
            let TcpParams { $($($field,)+)+ } = p;
            let mut n = 0;
            $($({ let _ = $field; n += 1; })+)+
            n
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}

const fn secs(s: u64) -> SimDuration {
    SimDuration::from_secs(s)
}

const fn millis(ms: u64) -> SimDuration {
    SimDuration::from_millis(ms)
}

/// RFC 7323 section 2.3: no window beyond 2^30.
const LARGEST: u64 = 1 << 30;
const BUFFER: ParamKind = ParamKind::size(1, LARGEST).because("TCP's largest window is 1 GiB");
/// The longest time-out; Linux's is two minutes.
const HOUR: SimDuration = secs(3600);
/// The largest number of a Linux sysctl.
const INT_MAX: u64 = i32::MAX as u64;

/// Bits of `fast_open`.
const FAST_OPEN: &[ParamWord] = &[
    bit(TcpParams::FAST_OPEN_CLIENT, "client"),
    bit(TcpParams::FAST_OPEN_SERVER, "server"),
    bit(
        TcpParams::FAST_OPEN_CLIENT_NO_COOKIE,
        "client without cookie",
    ),
    bit(
        TcpParams::FAST_OPEN_SERVER_NO_COOKIE,
        "server without cookie",
    ),
    bit(TcpParams::FAST_OPEN_ALL_LISTENERS, "all listeners"),
];

const fn bit(number: u32, doc: &'static str) -> ParamWord {
    ParamWord {
        word: "",
        number: number as i64,
        doc,
    }
}

tcp_params! {
    @rows {} path buffers options congestion time_outs transfer closing opening resets
}
