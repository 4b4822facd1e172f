//! A listener with a backlog of 5 whose application never accepts, or only after 10 s; RTT 50 ms.

use sim_core::{SimDuration, SimTime};
use tcp_model::app::spec::HostConfig;
use tcp_model::app::{App, AppEvent};
use tcp_model::host::SocketCx;
use tcp_model::params::SynCookies;
use tcp_model::sample::{EndReason, OpenResult, SegmentEvent, Side, TcpSample};
use tcp_model::testing::two_hosts;
use tcp_model::{TcpHost, TcpParams};

use super::fixture::{LISTENING, lines};
use super::replay::{TICK, ms, params, phases};
use super::script::SERVER;

/// Connects at given times; sends 100 B once connected, or nothing.
#[derive(Debug)]
struct Crowd {
    start: SimTime,
    at: Vec<SimDuration>,
    sends: bool,
}

impl App for Crowd {
    fn on_event(&mut self, event: AppEvent, cx: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                for at in &self.at {
                    cx.wake(self.start + *at, 0);
                }
            }
            AppEvent::Wake(_) => {
                cx.connect(None, SERVER).unwrap();
            }
            AppEvent::Connected(socket) if self.sends => {
                cx.write(socket, 100);
            }
            _ => {}
        }
    }
}

/// Listens, and accepts from a given time on, or never.
#[derive(Debug)]
struct Deaf {
    from: Option<SimTime>,
}

impl App for Deaf {
    fn on_event(&mut self, event: AppEvent, cx: &mut SocketCx<'_, '_>) {
        if event == AppEvent::Start {
            cx.listen(SERVER.port(), 5).unwrap();
            if let Some(from) = self.from {
                cx.wake(from, 0);
            }
        }
        if self.from.is_some_and(|from| cx.now() >= from) {
            while cx.accept(SERVER.port()).is_some() {}
        }
    }
}

#[derive(Clone)]
struct Run {
    params: TcpParams,
    at: Vec<SimDuration>,
    sends: bool,
    accept_at: Option<SimDuration>,
    seconds: u64,
}

/// What the measurement counted; times count from each client's connect.
#[derive(Debug, Default)]
struct Counted {
    connected: f64,
    last_connected: f64,
    timed_out: f64,
    last_timed_out: f64,
    reset: f64,
    last_reset: f64,
    overflows: f64,
    drops: f64,
    syn_retransmissions: f64,
}

fn run(run: &Run, start: SimTime) -> Counted {
    let host = |app: Box<dyn App>| {
        TcpHost::new(HostConfig::new(run.params.clone(), Vec::new()).tracing(100)).with_app(app)
    };
    let client = host(Box::new(Crowd {
        start,
        at: run.at.clone(),
        sends: run.sends,
    }));
    let server = host(Box::new(Deaf {
        from: run.accept_at.map(|at| start + at),
    }));
    let done = two_hosts(client, server)
        .with_delay(ms(25))
        .until(start + SimDuration::from_secs(run.seconds))
        .run();
    let mut counted = Counted::default();
    for record in &done.records {
        match &record.sample {
            TcpSample::Outcome(o) if o.result == OpenResult::Established => {
                counted.connected += 1.0;
                counted.last_connected = counted.last_connected.max(o.latency.as_secs_f64());
            }
            TcpSample::Outcome(o) if o.result == OpenResult::TimedOut => {
                counted.timed_out += 1.0;
                counted.last_timed_out = counted.last_timed_out.max(o.latency.as_secs_f64());
            }
            TcpSample::Ended(s) if s.side == Side::Active && s.reason == EndReason::Reset => {
                counted.reset += 1.0;
                let lived = record.time.since(s.opened).as_secs_f64();
                counted.last_reset = counted.last_reset.max(lived);
            }
            TcpSample::Segment(t)
                if t.event == SegmentEvent::Sent && t.retransmission.is_some() =>
            {
                let syn = t.segment.flags.is_syn() && record.node.0 == 0;
                counted.syn_retransmissions += f64::from(u8::from(syn));
            }
            _ => {}
        }
    }
    let stats = done.hosts[1].as_ref().unwrap().stats();
    counted.overflows = stats.listen_overflows as f64;
    counted.drops = stats.listen_drops as f64;
    counted
}

/// Counts must be equal. Times must agree, for some phase of the tick count, within one tick plus
/// the spread over the repetitions.
fn check(name: &str, setup: &Run) {
    let measured = |what: &str| -> Vec<f64> {
        let of = |f: Vec<&str>| (f[0] == name && f[2] == what).then(|| f[3].parse().unwrap());
        lines(LISTENING).filter_map(of).collect()
    };
    assert_eq!(measured("connected").len(), 3, "{name} was not measured");
    let runs: Vec<Counted> = phases().step_by(61).map(|p| run(setup, p)).collect();
    let one = &runs[0];
    println!("{name}: {one:?}");
    for (what, found) in [
        ("connected", one.connected),
        ("error_ETIMEDOUT", one.timed_out),
        ("error_ECONNRESET", one.reset),
        ("overflows", one.overflows),
        ("drops", one.drops),
        ("syn_retransmissions", one.syn_retransmissions),
    ] {
        assert_eq!(measured(what), [found; 3], "{name}: {what}");
    }
    type Time = fn(&Counted) -> f64;
    let times: [(&str, Time); 3] = [
        ("connected_last_s", |c| c.last_connected),
        ("error_ETIMEDOUT_last_s", |c| c.last_timed_out),
        ("error_ECONNRESET_last_s", |c| c.last_reset),
    ];
    for (what, of) in times {
        let values = measured(what);
        let most = values.iter().copied().fold(f64::MIN, f64::max);
        let spread = most - values.iter().copied().fold(f64::MAX, f64::min);
        for value in &values {
            let off = runs.iter().map(|r| (of(r) - value).abs());
            let off = off.fold(f64::MAX, f64::min);
            assert!(
                off <= TICK + spread,
                "{name}: {what} {value} is off by {off}"
            );
        }
    }
}

fn burst() -> Run {
    Run {
        params: TcpParams {
            syn_cookies: SynCookies::Off,
            ..params()
        },
        at: vec![ms(0); 20],
        sends: false,
        accept_at: None,
        seconds: 140,
    }
}

fn spaced() -> Run {
    Run {
        at: (0..12).map(|i| ms(200 * i)).collect(),
        seconds: 80,
        ..burst()
    }
}

fn steps() -> Run {
    Run {
        at: (0..10).map(|i| ms(if i < 4 { 0 } else { 1000 })).collect(),
        seconds: 80,
        ..burst()
    }
}

#[test]
fn a_burst_fills_both_queues_and_the_rest_times_out() {
    check("accept_burst_abort0_cookies0", &burst());
    let params = TcpParams {
        abort_on_overflow: true,
        syn_cookies: SynCookies::Off,
        ..params()
    };
    check("accept_burst_abort1_cookies0", &Run { params, ..burst() });
}

#[test]
fn cookies_connect_every_client_whether_the_server_keeps_it_or_not() {
    let cookies = Run {
        params: params(),
        ..burst()
    };
    check("accept_burst_abort0_cookies1", &cookies);
    check(
        "accept_burst_recover10",
        &Run {
            accept_at: Some(ms(10_000)),
            seconds: 40,
            ..cookies
        },
    );
}

#[test]
fn syns_that_find_the_accept_queue_full_are_dropped() {
    check("accept_spaced_abort0_cookies0", &spaced());
    let params = TcpParams {
        abort_on_overflow: true,
        ..params()
    };
    check("accept_spaced_abort1_cookies1", &Run { params, ..spaced() });
}

#[test]
fn an_application_that_accepts_at_last_gets_the_retried_connections() {
    check(
        "accept_spaced_recover10",
        &Run {
            accept_at: Some(ms(10_000)),
            seconds: 40,
            ..spaced()
        },
    );
}

#[test]
fn a_last_ack_that_finds_the_queue_full_is_dropped_and_the_syn_ack_retried() {
    check("accept_step4+6_abort0", &steps());
    check(
        "accept_step4+6_recover10",
        &Run {
            accept_at: Some(ms(10_000)),
            seconds: 40,
            ..steps()
        },
    );
}

#[test]
fn abort_on_overflow_answers_the_last_ack_with_a_reset() {
    let params = TcpParams {
        abort_on_overflow: true,
        ..params()
    };
    check("accept_step4+6_abort1", &Run { params, ..steps() });
}

#[test]
fn a_client_with_data_is_reset_when_the_request_is_gone() {
    check(
        "accept_step4+6_send_abort0",
        &Run {
            sends: true,
            seconds: 140,
            ..steps()
        },
    );
}
