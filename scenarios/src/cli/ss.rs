//! `synfin ss`: the sockets of a run at a given time, as `ss -tan` shows them.
//!
//! Reads the tables of states and connections; a note says how many connections these leave out. Queues are
//! not recorded: `--queues` and `synfin replay` repeat the run up to that time and read the queues from its
//! hosts.
//!
//! Leaves out the names and counts of timers other than that of TIME-WAIT.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use reports::store::StoreError;
use reports::store::reader::Groups;
use sim_core::{SimDuration, SimTime};
use tcp_model::host::SocketLine;
use tcp_model::state::State;

use super::single_run;
use crate::console::{CommandError, note, print};
use crate::problem::SourceText;
use crate::run::Job;
use crate::sweep::Plan;

/// One end of a connection: node, connection, side.
type SocketKey = (String, i64, String);

/// A socket at the requested time.
#[derive(Clone, Debug, Default)]
struct ShownSocket {
    state: String,
    addresses: Option<(SocketAddrV4, SocketAddrV4)>,
    /// Time at which it leaves that state, seconds.
    left_s: Option<f64>,
}

/// Prints the sockets of all hosts, or of one, at a time counted from the start of the run.
pub(super) fn ss(
    dir: &Path,
    at: &str,
    host: Option<&str>,
    queues: bool,
) -> Result<(), CommandError> {
    let at = at.parse::<SimDuration>().map_err(|e| {
        CommandError::Usage(format!(
            "error: {at:?} is not a time: {e}\n  = help: write a number with its unit, as in 12.5s"
        ))
    })?;
    let (dir, summary) = single_run::open(dir)?;
    let failed = |e: StoreError| CommandError::Run(format!("error: {e}"));
    if at.as_secs_f64() > summary.reached_s {
        return Err(CommandError::Usage(format!(
            "error: the run ended at t = {} s, before {at}",
            summary.reached_s
        )));
    }
    if queues {
        return with_queues(&dir, SimTime::ZERO + at, host);
    }
    let sockets = sockets(&dir, at.as_secs_f64()).map_err(failed)?;
    print(&format!(
        "{:<12} {:<11} {:>21} {:>21} Timer",
        "Host", "State", "Local Address:Port", "Peer Address:Port"
    ))?;
    for ((node, ..), socket) in &sockets {
        if host.is_none_or(|h| is_of(node, h)) {
            print(&line(node, socket, at.as_secs_f64()))?;
        }
    }
    for left_out in &summary.left_out {
        if left_out.table == "states" || left_out.table == "connections" {
            note(&format!(
                "some sockets are not recorded: {}; --set 'record.{}' records the rest",
                left_out.what,
                left_out.key.replace(' ', "")
            ));
        }
    }
    Ok(())
}

/// Repeats the run up to `at` and prints the sockets with their queues.
fn with_queues(dir: &Path, at: SimTime, host: Option<&str>) -> Result<(), CommandError> {
    let failed = |e: String| CommandError::Run(format!("error: {e}"));
    let path = dir.join("run.toml");
    let text = std::fs::read_to_string(&path)
        .map_err(|e| failed(format!("cannot read {}: {e}", path.display())))?;
    let source = SourceText {
        name: path.display().to_string(),
        text,
    };
    let plan = Plan::new(&source, &[]).map_err(|refused| failed(refused.to_string()))?;
    let Some(spec) = plan.runs.first() else {
        return Err(failed(format!("{} describes no run", path.display())));
    };
    let hosts = Job::new(spec, dir)
        .sockets_at(at)
        .map_err(|e| failed(e.to_string()))?;
    print(&format!(
        "{:<12} {:<11} {:>10} {:>10} {:>21} {:>21} Timer",
        "Host", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port"
    ))?;
    let of_hosts = hosts
        .iter()
        .filter(|(node, _)| host.is_none_or(|h| is_of(node, h)));
    for (node, sockets) in of_hosts {
        for socket in sockets {
            print(&queue_line(node, socket, at))?;
        }
    }
    Ok(())
}

fn queue_line(node: &str, socket: &SocketLine, at: SimTime) -> String {
    let state = written(&socket.state.to_string());
    let (local, remote) = match socket.state {
        State::Listen => (format!("*:{}", socket.local.port()), "*:*".to_owned()),
        _ => (socket.local.to_string(), socket.remote.to_string()),
    };
    let timer = match socket.timer {
        Some(expires) if socket.state == State::TimeWait => {
            let left = expires.since(at).as_secs_f64();
            format!(" timer:(timewait,{},0)", rest(left))
        }
        _ => String::new(),
    };
    let (recv_q, send_q) = (socket.recv_q, socket.send_q);
    format!("{node:<12} {state:<11} {recv_q:>10} {send_q:>10} {local:>21} {remote:>21}{timer}")
}

/// True if `node` is the host `wanted` or a member of that group, as `client-3` is of `client`.
fn is_of(node: &str, wanted: &str) -> bool {
    let number = node
        .strip_prefix(wanted)
        .and_then(|rest| rest.strip_prefix('-'));
    node == wanted || number.is_some_and(|n| n.parse::<u32>().is_ok())
}

/// The name of a state in the output of `ss`.
fn written(state: &str) -> String {
    match state {
        "ESTABLISHED" => "ESTAB".to_owned(),
        "SYN-RECEIVED" => "SYN-RECV".to_owned(),
        other => other.to_owned(),
    }
}

fn line(node: &str, socket: &ShownSocket, at_s: f64) -> String {
    let (local, remote) = match socket.addresses {
        Some((local, remote)) => (local.to_string(), remote.to_string()),
        None => ("*".to_owned(), "*".to_owned()),
    };
    let timer = match socket.left_s {
        Some(left) if socket.state == "TIME-WAIT" => {
            format!(" timer:(timewait,{},0)", rest(left - at_s))
        }
        _ => String::new(),
    };
    let state = written(&socket.state);
    format!("{node:<12} {state:<11} {local:>21} {remote:>21}{timer}")
}

/// A remaining time as in the output of `ss`: "47sec", "820ms".
fn rest(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{:.0}sec", seconds.floor())
    } else {
        format!("{:.0}ms", 1e3 * seconds)
    }
}

/// The sockets that exist at a time, with their addresses.
fn sockets(dir: &Path, at_s: f64) -> Result<BTreeMap<SocketKey, ShownSocket>, StoreError> {
    let mut all: BTreeMap<SocketKey, ShownSocket> = BTreeMap::new();
    let columns = ["time_s", "conn", "side", "node", "to"];
    if let Some(mut groups) = Groups::open(dir, "states", &columns)? {
        while let Some(group) = groups.next_group()? {
            let (times, conns) = (group.floats("time_s")?, group.ints("conn")?);
            let (sides, nodes, to) = (
                group.texts("side")?,
                group.texts("node")?,
                group.texts("to")?,
            );
            for i in 0..group.len() {
                let end = (nodes[i].to_owned(), conns[i], sides[i].to_owned());
                if times[i] <= at_s {
                    let socket = all.entry(end).or_default();
                    to[i].clone_into(&mut socket.state);
                } else if let Some(socket) = all.get_mut(&end) {
                    socket.left_s.get_or_insert(times[i]);
                }
            }
        }
    }
    all.retain(|_, socket| socket.state != "CLOSED");
    add_addresses(dir, &mut all)?;
    Ok(all)
}

fn add_addresses(dir: &Path, all: &mut BTreeMap<SocketKey, ShownSocket>) -> Result<(), StoreError> {
    let columns = [
        "conn",
        "side",
        "node",
        "local_ip",
        "local_port",
        "remote_ip",
        "remote_port",
    ];
    let Some(mut groups) = Groups::open(dir, "connections", &columns)? else {
        return Ok(());
    };
    while let Some(group) = groups.next_group()? {
        let (conns, sides, nodes) = (
            group.ints("conn")?,
            group.texts("side")?,
            group.texts("node")?,
        );
        let ends = [
            (group.ints("local_ip")?, group.ints("local_port")?),
            (group.ints("remote_ip")?, group.ints("remote_port")?),
        ];
        for i in 0..group.len() {
            let end = (nodes[i].to_owned(), conns[i], sides[i].to_owned());
            if let Some(socket) = all.get_mut(&end) {
                let address = |(ips, ports): (&[i64], &[i64])| {
                    SocketAddrV4::new(Ipv4Addr::from(ips[i] as u32), ports[i] as u16)
                };
                socket.addresses = Some((address(ends[0]), address(ends[1])));
            }
        }
    }
    Ok(())
}
