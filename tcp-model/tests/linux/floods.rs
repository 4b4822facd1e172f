//! A SYN flood: 300 SYNs, 100 per second, from addresses that never answer, and a legitimate connect
//! every 0.5 s for 40 s; RTT 50 ms, the application accepts at once.

use sim_core::network::{LinkChange, NetworkBuilder};
use sim_core::{LinkSpec, RunConfig, SimDuration, SimTime, Simulation};
use tcp_model::app::spec::HostConfig;
use tcp_model::app::{App, AppEvent};
use tcp_model::host::SocketCx;
use tcp_model::params::{GiveUp, SynCookies};
use tcp_model::sample::{SegmentEvent, Side, TcpSample};
use tcp_model::{State, TcpHost, TcpParams};

use super::fixture::{FLOODS, lines};
use super::replay::{ms, params, phases};
use super::script::SERVER;

/// Connects at regular intervals.
#[derive(Debug)]
struct Caller {
    start: SimTime,
    every: SimDuration,
    calls: u64,
}

impl App for Caller {
    fn on_event(&mut self, event: AppEvent, cx: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                for n in 0..self.calls {
                    cx.wake(self.start + self.every * n, n);
                }
            }
            AppEvent::Wake(_) => {
                cx.connect(None, SERVER).unwrap();
            }
            _ => {}
        }
    }
}

/// Accepts every connection.
#[derive(Debug)]
struct Accepting {
    backlog: u32,
}

impl App for Accepting {
    fn on_event(&mut self, event: AppEvent, cx: &mut SocketCx<'_, '_>) {
        if event == AppEvent::Start {
            cx.listen(SERVER.port(), self.backlog).unwrap();
        }
        while cx.accept(SERVER.port()).is_some() {}
    }
}

/// What was counted at the server.
#[derive(Debug, Default)]
struct Counted {
    connected: f64,
    half_open: f64,
    drops: f64,
    cookies: f64,
    retransmissions: f64,
}

fn host(params: TcpParams, app: Box<dyn App>) -> Option<TcpHost> {
    let config = HostConfig::new(params, Vec::new()).tracing(1000);
    Some(TcpHost::new(config).with_app(app))
}

fn run(backlog: u32, syn_cookies: SynCookies, honest: u64, start: SimTime) -> Counted {
    let params = TcpParams {
        max_syn_backlog: 128,
        syn_cookies,
        ..params()
    };
    let one_shot = TcpParams {
        syn_give_up: GiveUp::Retries(0),
        syn_linear_timeouts: 0,
        ..params.clone()
    };
    let caller = |every, calls| {
        Box::new(Caller {
            start,
            every,
            calls,
        })
    };
    let hosts = vec![
        host(params.clone(), caller(ms(500), honest)),
        host(params, Box::new(Accepting { backlog })),
        host(one_shot, caller(ms(10), 300)),
    ];
    let mut net = NetworkBuilder::new();
    let [client, server, source] = ["honest", "server", "flooding"].map(|name| net.host(name));
    net.join(LinkSpec::new(client, server, None, ms(25)));
    let [_, unanswered] = net.join(LinkSpec::new(source, server, None, ms(25)));
    net.link_mut(unanswered).changes.push(LinkChange {
        at: SimTime::ZERO + ms(1),
        rate: None,
        delay: None,
        loss: None,
        up: Some(false),
    });
    let config = RunConfig::new(1, start + SimDuration::from_secs(85));
    let done = Simulation::new(net.build().unwrap(), hosts, &config).run_to_end();
    let mut counted = Counted::default();
    let (mut half_open, mut since) = (0i32, SimTime::ZERO);
    for record in done.records.iter().filter(|r| r.node.0 == 1) {
        match &record.sample {
            TcpSample::State(c) if c.side == Side::Passive => {
                if record.time > since {
                    counted.half_open = counted.half_open.max(half_open.into());
                }
                since = record.time;
                half_open += i32::from(c.to == State::SynReceived);
                half_open -= i32::from(c.from == State::SynReceived);
                counted.connected += f64::from(u8::from(c.to == State::Established));
            }
            TcpSample::Segment(t)
                if t.event == SegmentEvent::Sent
                    && t.segment.flags.is_syn()
                    && t.retransmission.is_some() =>
            {
                counted.retransmissions += 1.0;
            }
            _ => {}
        }
    }
    let stats = done.hosts[1].as_ref().unwrap().stats();
    counted.drops = stats.listen_drops as f64;
    counted.cookies = f64::from(stats.syn_cookies_sent);
    counted
}

/// Repeats the experiment with as many legitimate connects as each repetition made. Each count must
/// agree with that repetition for some phase of the tick count. The tolerance is the spread over the
/// repetitions and, as the times of the connects are not known, one connect in twenty and one
/// dropped SYN for each connect that waits for more than 20 s.
fn check(name: &str, backlog: u32, cookies: SynCookies) {
    let measured = |column: usize| -> Vec<f64> {
        let of = |f: Vec<&str>| (f[0] == name).then(|| f[column].parse().unwrap());
        lines(FLOODS).filter_map(of).collect()
    };
    let honest = measured(2);
    assert_eq!(honest.len(), 3, "{name} was not measured");
    type Count = fn(&Counted) -> f64;
    let counts: [(&str, usize, f64, Count); 5] = [
        ("connected", 3, 4.0, |c| c.connected),
        ("half open", 4, 0.0, |c| c.half_open),
        ("drops", 5, 20.0, |c| c.drops),
        ("cookies", 6, 4.0, |c| c.cookies),
        ("SYN-ACKs again", 7, 0.0, |c| c.retransmissions),
    ];
    for (repetition, honest) in honest.iter().enumerate() {
        let runs = phases().step_by(401);
        let runs: Vec<Counted> = runs
            .map(|phase| run(backlog, cookies, *honest as u64, phase))
            .collect();
        println!("{name}: {:?}", runs[0]);
        for (what, column, room, count) in counts {
            let values = measured(column);
            let most = values.iter().copied().fold(f64::MIN, f64::max);
            let least = values.iter().copied().fold(f64::MAX, f64::min);
            let room = most - least + room;
            let found: Vec<f64> = runs.iter().map(count).collect();
            let value = values[repetition];
            assert!(
                found.iter().any(|f| (f - value).abs() <= room),
                "{name}: {what} {found:?} for {value} of {values:?}"
            );
        }
    }
}

#[test]
fn without_cookies_a_flood_fills_the_queue_to_its_limit() {
    check("syn_b1024_msb128_cookies0", 1024, SynCookies::Off);
}

#[test]
fn a_short_queue_drops_old_requests_for_honest_clients() {
    check("syn_b64_msb128_cookies0", 64, SynCookies::Off);
}

#[test]
fn with_cookies_the_backlog_alone_is_the_limit() {
    check("syn_b1024_msb128_cookies1", 1024, SynCookies::WhenFull);
}

#[test]
fn with_cookies_always_nothing_is_kept() {
    check("syn_b1024_msb128_cookies2", 1024, SynCookies::Always);
    check("syn_b64_msb128_cookies2", 64, SynCookies::Always);
}
