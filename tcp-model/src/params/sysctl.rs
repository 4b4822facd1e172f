//! System parameters that do not correspond to one parameter of [`TcpParams`]: those that set several, or
//! parts of one, and those with only one supported value.

use sim_core::{Bytes, SimDuration};

use super::value::{ParamValue, Refusal};
use super::{Param, TcpParams, param};

/// A system parameter that does not correspond to one parameter of the model.
#[derive(Clone, Copy, Debug)]
pub struct Sysctl {
    /// Its name in full.
    pub name: &'static str,
    /// What it does here.
    pub doc: &'static str,
    effect: SysctlEffect,
}

#[derive(Clone, Copy, Debug)]
enum SysctlEffect {
    /// Sets these parameters to the given values, independently of earlier ones.
    Sets(
        &'static [&'static str],
        fn(&[i64]) -> Option<Vec<ParamValue>>,
    ),
    /// Changes these parameters depending on their earlier values; false for an invalid number.
    Changes(&'static [&'static str], fn(&mut TcpParams, i64) -> bool),
    /// The model behaves as with this number; others are rejected.
    Fixed(i64),
}

use SysctlEffect::{Changes, Fixed, Sets};

const fn row(name: &'static str, doc: &'static str, effect: SysctlEffect) -> Sysctl {
    Sysctl { name, doc, effect }
}

/// All of them.
pub static SYSCTLS: &[Sysctl] = &[
    row(
        "net.ipv4.tcp_rmem",
        "The second number is `receive_buffer_start`, the third `receive_buffer`; the first has no effect.",
        Sets(&["receive_buffer_start", "receive_buffer"], |n| match n {
            &[_, start, most] => Some(vec![size(start, 1152)?, size(most, 1152)?]),
            _ => None,
        }),
    ),
    row(
        "net.ipv4.tcp_wmem",
        "The third number is `send_buffer`: the send buffer has its final size from the start.",
        Sets(&["send_buffer"], |n| match n {
            &[_, _, most] => Some(vec![size(most, 2304)?]),
            _ => None,
        }),
    ),
    row(
        "net.ipv4.tcp_recovery",
        "1 switches `rack` on, 0 off; a static reordering window (2) and loss without a count of duplicate \
         ACKs (4) are not modelled.",
        Sets(&["rack"], |n| match n {
            &[n @ (0 | 1)] => Some(vec![ParamValue::Flag(n == 1)]),
            _ => None,
        }),
    ),
    row(
        "net.ipv4.tcp_early_retrans",
        "3 and 4 switch `tail_loss_probe` on, other numbers off.",
        Sets(&["tail_loss_probe"], |n| match n {
            &[n] if n >= 0 => Some(vec![ParamValue::Flag(matches!(n, 3 | 4))]),
            _ => None,
        }),
    ),
    row(
        "net.ipv4.tcp_autocorking",
        "The model does not cork by itself.",
        Fixed(0),
    ),
    row(
        "net.inet.tcp.rfc1323",
        "0: neither, 1: `timestamps` and `window_scaling`, 2: `window_scaling`, 3: `timestamps`.",
        Sets(&["timestamps", "window_scaling"], |n| match n {
            &[n] if n >= 0 => Some(vec![
                ParamValue::Flag(n == 1 || n == 3),
                ParamValue::Flag(n == 1 || n == 2),
            ]),
            _ => None,
        }),
    ),
    row(
        "net.inet.tcp.delayed_ack",
        "0 sets `delayed_ack` to 0 s; any number sets `quick_acks` to 0.",
        Changes(&["delayed_ack", "quick_acks"], |p, n| {
            p.quick_acks = 0;
            if n == 0 {
                p.delayed_ack = SimDuration::ZERO;
            }
            true
        }),
    ),
    row(
        "net.inet.tcp.keepidle",
        "`keepalive`, unless keep-alive is off.",
        Changes(&["keepalive"], |p, n| {
            let Ok(ms) = u64::try_from(n) else {
                return false;
            };
            p.keepalive = p.keepalive.map(|_| SimDuration::from_millis(1) * ms);
            true
        }),
    ),
    row(
        "net.inet.tcp.always_keepalive",
        "0 switches `keepalive` off; other numbers on, after two hours unless a time is set.",
        Changes(&["keepalive"], |p, n| {
            let idle = p.keepalive.unwrap_or(TcpParams::DEFAULT_KEEPALIVE);
            p.keepalive = (n != 0).then_some(idle);
            true
        }),
    ),
    row(
        "net.inet.tcp.fast_finwait2_recycle",
        "0 sets `fin_timeout` to 675 s; other numbers to 60 s, unless it is already another than 675 s.",
        Changes(&["fin_timeout"], |p, n| {
            if n == 0 {
                p.fin_timeout = Some(TcpParams::FREEBSD_FIN_WAIT);
            } else if p.fin_timeout == Some(TcpParams::FREEBSD_FIN_WAIT) {
                p.fin_timeout = Some(SimDuration::from_secs(60));
            }
            true
        }),
    ),
    row(
        "net.inet.tcp.fastopen.server_enable",
        "The bit 0x2 of `fast_open`.",
        Changes(&["fast_open"], |p, n| {
            set_bit(p, TcpParams::FAST_OPEN_SERVER, n)
        }),
    ),
    row(
        "net.inet.tcp.fastopen.client_enable",
        "The bit 0x1 of `fast_open`.",
        Changes(&["fast_open"], |p, n| {
            set_bit(p, TcpParams::FAST_OPEN_CLIENT, n)
        }),
    ),
    row(
        "net.inet.ip.portrange.first",
        "The first port of `ip_local_port_range`.",
        Changes(&["ip_local_port_range"], |p, n| {
            set_port(&mut p.port_range.0, n)
        }),
    ),
    row(
        "net.inet.ip.portrange.last",
        "The last port of `ip_local_port_range`.",
        Changes(&["ip_local_port_range"], |p, n| {
            set_port(&mut p.port_range.1, n)
        }),
    ),
    row(
        "net.inet.tcp.blackhole",
        "The model answers segments for which there is no socket.",
        Fixed(0),
    ),
    row(
        "net.inet.tcp.tso",
        "The model sends single segments.",
        Fixed(0),
    ),
    row(
        "net.inet.tcp.pmtud_blackhole_detection",
        "The model does not look for black holes.",
        Fixed(0),
    ),
];

/// A buffer size, raised to the system's minimum.
fn size(n: i64, least: u64) -> Option<ParamValue> {
    let n = u64::try_from(n).ok()?;
    Some(ParamValue::text(Bytes(n.clamp(least, 1 << 30))))
}

fn set_bit(p: &mut TcpParams, bit: u32, on: i64) -> bool {
    p.fast_open = match on {
        0 => p.fast_open & !bit,
        _ => p.fast_open | bit,
    };
    true
}

fn set_port(port: &mut u16, n: i64) -> bool {
    match u16::try_from(n) {
        Ok(n) if n > 0 => {
            *port = n;
            true
        }
        _ => false,
    }
}

/// The numbers of a value: one, a list, or a text of several.
fn numbers(value: &ParamValue) -> Option<Vec<i64>> {
    match value {
        ParamValue::Number(n) => Some(vec![*n]),
        ParamValue::Flag(on) => Some(vec![i64::from(*on)]),
        ParamValue::Text(text) => text.split_whitespace().map(number).collect(),
        ParamValue::List(list) => list
            .iter()
            .map(|v| match v {
                ParamValue::Number(n) => Some(*n),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// A number in decimal or, after `0x`, in hexadecimal.
pub(super) fn number(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

impl Sysctl {
    /// The last part of a sysctl of Linux; the whole name of others.
    pub fn short(&self) -> &'static str {
        match self.name.strip_prefix("net.ipv4.") {
            Some(short) => short,
            None => self.name,
        }
    }

    /// The keys of the parameters it sets.
    pub fn keys(&self) -> &'static [&'static str] {
        match self.effect {
            Sets(keys, _) | Changes(keys, _) => keys,
            Fixed(_) => &[],
        }
    }

    fn refuse(&self, value: &ParamValue) -> Refusal {
        Refusal::Unreadable(format!(
            "{} does not take the {value}: {}",
            self.name, self.doc
        ))
    }

    pub(super) fn values(
        &self,
        value: &ParamValue,
    ) -> Result<Vec<(&'static Param, ParamValue)>, Refusal> {
        let numbers = numbers(value).ok_or_else(|| self.refuse(value))?;
        match self.effect {
            Sets(keys, read) => {
                let values = read(&numbers).ok_or_else(|| self.refuse(value))?;
                let params = keys.iter().filter_map(|key| param(key));
                let pairs = params.zip(values);
                pairs.map(|(p, v)| Ok((p, p.normal(&v)?))).collect()
            }
            Changes(keys, _) => Err(Refusal::Unreadable(format!(
                "{} changes what is there, which a scenario cannot say; write {} instead",
                self.name,
                keys.join(" and ")
            ))),
            Fixed(only) if numbers == [only] => Ok(Vec::new()),
            Fixed(_) => Err(self.refuse(value)),
        }
    }

    pub(super) fn set(&self, params: &mut TcpParams, value: &ParamValue) -> Result<(), Refusal> {
        if let Changes(keys, change) = self.effect {
            let mut changed = params.clone();
            let one = match numbers(value).as_deref() {
                Some(&[n]) => n,
                _ => return Err(self.refuse(value)),
            };
            if !change(&mut changed, one) {
                return Err(self.refuse(value));
            }
            for param in keys.iter().filter_map(|key| param(key)) {
                param.normal(&param.get(&changed))?;
            }
            *params = changed;
            return Ok(());
        }
        for (param, value) in self.values(value)? {
            param.set(params, &value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{GiveUp, set_sysctl};

    #[test]
    fn system_parameters_set_what_they_stand_for() {
        let mut p = TcpParams::linux();
        let mut set = |name, text| set_sysctl(&mut p, name, text).map(|()| p.clone());
        let rmem = set("net.ipv4.tcp_rmem", "4096\t131072 6291456").unwrap();
        assert_eq!(rmem.receive_buffer_start, 131_072);
        let retries = set("/proc/sys/net/ipv4/tcp_syn_retries", "2").unwrap();
        assert_eq!(retries.syn_give_up, GiveUp::Retries(2));
        assert!(set("net.ipv4.tcp_ecn", "6").is_err());
        assert!(set("net.ipv4.tcp_no_such_thing", "1").is_err());
        assert!(set("fin_timeout", "1").is_err(), "no sysctl");
        assert!(set("net.ipv4.tcp_autocorking", "0").is_ok());
        assert!(set("net.ipv4.tcp_autocorking", "1").is_err());
        assert!(!set("net.ipv4.tcp_recovery", "0").unwrap().rack);
        assert!(set("net.ipv4.tcp_recovery", "1").unwrap().rack);
        assert!(set("net.ipv4.tcp_recovery", "3").is_err());
        assert!(set("net.ipv4.tcp_recovery", "4").is_err());
        let bits = set("net.ipv4.tcp_fastopen", "0x403").unwrap();
        assert_eq!(bits.fast_open, 0x403);
        assert_eq!(
            set("net.ipv4.tcp_orphan_retries", "0")
                .unwrap()
                .orphan_give_up,
            GiveUp::Retries(8)
        );
    }

    #[test]
    fn freebsd_parameters_have_their_own_units() {
        let mut p = TcpParams::freebsd();
        let mut set = |name, text| set_sysctl(&mut p, name, text).map(|()| p.clone());
        let msl = set("net.inet.tcp.msl", "500").unwrap();
        assert_eq!(msl.time_wait, SimDuration::from_secs(1));
        let rfc1323 = set("net.inet.tcp.rfc1323", "2").unwrap();
        assert!(!rfc1323.timestamps && rfc1323.window_scaling);
        assert!(
            set("net.inet.tcp.insecure_rst", "1")
                .unwrap()
                .rst_in_window_resets
        );
        let off = set("net.inet.tcp.always_keepalive", "0").unwrap();
        assert_eq!(
            (
                off.keepalive,
                set("net.inet.tcp.keepidle", "5").unwrap().keepalive
            ),
            (None, None)
        );
        assert!(set("net.inet.tcp.msl", "soon").is_err());
        let ports = set("net.inet.ip.portrange.first", "10000").unwrap();
        assert_eq!(ports.port_range.0, 10_000);
        assert!(set("net.inet.ip.portrange.last", "80").is_err(), "reversed");
    }
}
