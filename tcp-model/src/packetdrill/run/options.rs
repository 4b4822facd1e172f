//! Options of a script: their effect, or that they have none here.

use sim_core::SimDuration;

use super::{Runner, Step, differs, ip_address, unsupported};
use crate::packetdrill::ast::{ScriptOption, ShellCommand};
use crate::packetdrill::report::Skipped;
use crate::params::IpVersion;

/// Options about packetdrill's devices and output. They have no effect here and are listed as skipped.
const OF_THE_TOOL: [&str; 10] = [
    "gateway_ip",
    "gateway_linux_ip",
    "netmask_ip",
    "persistent_tun_dev",
    "tun_dev",
    "send_omit_free",
    "verbose",
    "quiet",
    "debug",
    "hexdump",
];

impl Runner<'_, '_> {
    pub(super) fn option(&mut self, option: &ScriptOption) -> Step<()> {
        let value = option.value.as_str();
        let number = |max: u64| match value.parse::<u64>() {
            Ok(n) if n <= max => Ok(n),
            _ => differs(
                format!("--{}", option.name),
                format!("a number up to {max}"),
                value,
            ),
        };
        match option.name.as_str() {
            // Injected packets consist of segments of this length.
            "mss" => self.joined = number(65_495)? as u16,
            "mtu" => {
                let mtu = number(65_535)? as u16;
                self.set_params(|params| params.mtu = mtu);
            }
            "tolerance_usecs" => {
                self.tolerance.least = SimDuration::from_micros(number(1_000_000_000)?);
            }
            "tolerance_percent" => self.tolerance.per_mille = number(100)? * 10,
            "tcp_ts_tick_usecs" => {
                let tick = number(10_000_000)?;
                self.ts_tick = (tick > 0).then(|| SimDuration::from_micros(tick));
            }
            "bind_port" => self.bind_port = number(65_535)? as u16,
            "connect_port" => self.connect_port = number(65_535)? as u16,
            "ip_version" if matches!(value, "ipv4" | "ipv4-mapped-ipv6") => {}
            "ip_version" if value == "ipv6" => {
                self.set_params(|params| params.ip_version = IpVersion::V6);
            }
            "ip_version" => {
                return differs("--ip_version", "ipv4, ipv4-mapped-ipv6 or ipv6", value);
            }
            "define" => {
                let (name, value) = value.split_once('=').unwrap_or((value, "1"));
                self.defines.insert(name.into(), value.into());
            }
            "strict_segments" => self.host.strict = true,
            "init_scripts" => {
                let (at, text) = (option.at, option.value.clone());
                self.command(&ShellCommand { at, text })?;
            }
            "tcp_ts_ecr_scaled" => self.host.ecr_scaled = true,
            "local_ip" | "local_linux_ip" => self.own_address = Some(ip_address(value)?),
            "remote_ip" => self.remote_address = Some(ip_address(value)?),
            "non_fatal" => {
                for kind in value.split(',') {
                    match kind {
                        "packet" => self.forgiven.packets = true,
                        "syscall" => self.forgiven.calls = true,
                        _ => return differs("--non_fatal", "packet, syscall", kind),
                    }
                }
            }
            // The interpreter evaluates code itself, by Python's rules.
            "code_format" if value == "python" => {}
            "code_command" if value.contains("python") => {}
            "code_sockopt" if matches!(value, "" | "TCP_INFO") => {}
            name if OF_THE_TOOL.contains(&name) => self.pass_over(option),
            name => return unsupported(format!("the option --{name}")),
        }
        Ok(())
    }

    /// Lists an option that has no effect here as skipped.
    fn pass_over(&mut self, option: &ScriptOption) {
        self.skipped.push(Skipped {
            at: option.at,
            text: format!("--{}={}", option.name, option.value),
        });
    }
}
