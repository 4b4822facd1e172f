//! Two hosts and a cable, for what a host does beyond a connection.

use std::fmt;
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex};

use sim_core::network::Impairments;
use sim_core::{Record, SimDuration, SimTime};
use tcp_model::app::spec::{AppSpec, HostConfig};
use tcp_model::app::{App, AppEvent};
use tcp_model::host::{SocketCx, SocketId};
use tcp_model::sample::{SegmentEvent, SegmentTrace};
use tcp_model::testing::two_hosts;
pub(super) use tcp_model::testing::{A, B};
use tcp_model::{TcpHost, TcpParams, TcpSample};

pub(super) const SERVER: SocketAddrV4 = SocketAddrV4::new(B, 80);

pub(super) fn at(ms: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(ms)
}

/// What an application does at a given time; it may store sockets and what it has learned.
pub(super) type Step = Arc<dyn Fn(&mut SocketCx<'_, '_>, &mut Known) + Send + Sync>;

/// What an application knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) sockets: Vec<SocketId>,
    pub(super) events: Vec<(SimTime, AppEvent)>,
    pub(super) notes: Vec<String>,
}

/// Performs its steps; reads everything that arrives, writes its data on every connection and then
/// shuts down sending, and closes after its peer.
struct LanScript {
    steps: Vec<(u64, Step)>,
    listens: Vec<u16>,
    to_write: u64,
    finishes: bool,
    left: std::collections::BTreeMap<u32, u64>,
    known: Arc<Mutex<Known>>,
}

impl fmt::Debug for LanScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "script of {} steps", self.steps.len())
    }
}

impl LanScript {
    fn write(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let left = self.left.entry(id.slot()).or_insert(0);
        *left -= socket.write(id, *left);
        if *left == 0 && self.finishes {
            socket.shutdown(id);
        }
    }

    fn begin(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        self.left.insert(id.slot(), self.to_write);
        self.write(id, socket);
    }
}

impl App for LanScript {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        let known = Arc::clone(&self.known);
        let mut known = known.lock().unwrap();
        known.events.push((socket.now(), event));
        match event {
            AppEvent::Start => {
                for port in &self.listens {
                    socket.listen(*port, 16).unwrap();
                }
                for (i, (ms, _)) in self.steps.iter().enumerate() {
                    socket.wake(at(*ms), i as u64);
                }
            }
            AppEvent::Wake(i) => {
                let step = Arc::clone(&self.steps[i as usize].1);
                step(socket, &mut known);
            }
            AppEvent::Connected(id) => self.begin(id, socket),
            AppEvent::Acceptable(port) => {
                while let Some(id) = socket.accept(port) {
                    known.sockets.push(id);
                    self.begin(id, socket);
                }
            }
            AppEvent::Writable(id, _) => self.write(id, socket),
            AppEvent::Readable(id, _) => {
                socket.read(id, u64::MAX);
            }
            AppEvent::PeerClosed(id) if self.finishes => socket.close(id),
            _ => {}
        }
    }
}

/// The two hosts before the run.
pub(super) struct Lan {
    pub(super) seed: u64,
    pub(super) params: [TcpParams; 2],
    steps: [Vec<(u64, Step)>; 2],
    pub(super) listens: [Vec<u16>; 2],
    pub(super) to_write: [u64; 2],
    pub(super) finishes: bool,
    apps: [Vec<AppSpec>; 2],
    impairments: Impairments,
}

/// After the run.
pub(super) struct Done {
    pub(super) records: Vec<Record<TcpSample>>,
    pub(super) hosts: Vec<TcpHost>,
    pub(super) known: [Known; 2],
}

impl Lan {
    /// Two hosts, A and B; B listens on port 80.
    pub(super) fn new() -> Lan {
        Lan {
            seed: 1,
            params: [TcpParams::rfc9293(), TcpParams::rfc9293()],
            steps: [Vec::new(), Vec::new()],
            listens: [Vec::new(), vec![80]],
            to_write: [0, 0],
            finishes: true,
            apps: [Vec::new(), Vec::new()],
            impairments: Impairments::default(),
        }
    }

    /// Schedules an action of a host at a time, in milliseconds.
    pub(super) fn step(
        &mut self,
        host: usize,
        ms: u64,
        step: impl Fn(&mut SocketCx<'_, '_>, &mut Known) + Send + Sync + 'static,
    ) {
        self.steps[host].push((ms, Arc::new(step)));
    }

    pub(super) fn connect_at(&mut self, ms: u64) {
        self.step(0, ms, |socket, known| {
            known.sockets.push(socket.connect(None, SERVER).unwrap());
        });
    }

    pub(super) fn connect_from(&mut self, port: u16, server: u16) {
        self.step(0, 0, move |socket, known| {
            let (local, remote) = (SocketAddrV4::new(A, port), SocketAddrV4::new(B, server));
            known
                .sockets
                .push(socket.connect_from(local, remote).unwrap());
        });
    }

    /// A connects and sends this much; both close.
    pub(super) fn exchange(&mut self, bytes: u64) {
        self.to_write[0] = bytes;
        self.connect_at(0);
    }

    pub(super) fn corrupt(&mut self, share: f64) {
        self.impairments.corrupt = share;
    }

    pub(super) fn lose(&mut self, share: f64) {
        self.impairments.loss = share.into();
    }

    pub(super) fn run(self, end: SimTime) -> Done {
        let known: [Arc<Mutex<Known>>; 2] = Default::default();
        let Lan {
            params,
            steps,
            listens,
            to_write,
            finishes,
            mut apps,
            impairments,
            seed,
        } = self;
        let mut hosts = Vec::new();
        for (i, ((params, steps), listens)) in
            params.into_iter().zip(steps).zip(listens).enumerate()
        {
            let script = LanScript {
                steps,
                listens,
                to_write: to_write[i],
                finishes,
                left: Default::default(),
                known: Arc::clone(&known[i]),
            };
            let config = HostConfig::new(params, std::mem::take(&mut apps[i])).tracing(100);
            hosts.push(TcpHost::new(config).with_app(Box::new(script)));
        }
        let [a, b] = hosts.try_into().expect("two hosts");
        let mut pair = two_hosts(a, b).until(end);
        pair.seed = seed;
        let done = pair
            .with_links(|link| link.impairments = impairments.clone())
            .run();
        Done {
            records: done.records,
            hosts: done.hosts.into_iter().flatten().collect(),
            known: known.map(|k| k.lock().unwrap().clone()),
        }
    }
}

impl Done {
    /// All segments, in the order of sending.
    pub(super) fn sent(&self) -> impl Iterator<Item = &SegmentTrace> {
        self.records.iter().filter_map(|r| match &r.sample {
            TcpSample::Segment(trace) if trace.event == SegmentEvent::Sent => Some(&**trace),
            _ => None,
        })
    }

    /// Octets received by the passive end of the n-th connection, and by its active end.
    pub(super) fn received(&self, conn: u32) -> u64 {
        let of = |r: &Record<TcpSample>| match &r.sample {
            TcpSample::Ended(s) if s.conn.serial() == conn => s.counts.bytes_received,
            _ => 0,
        };
        self.records.iter().map(of).sum()
    }
}

/// Two hosts with built-in applications.
pub(super) fn run_apps(apps: [Vec<AppSpec>; 2]) -> Done {
    let mut lan = Lan::new();
    lan.listens = [Vec::new(), Vec::new()];
    lan.apps = apps;
    lan.run(at(600_000))
}
