//! Programs that use the socket API on two hosts with a wire between them.
//!
//! Not `tcp_model::testing::Pair`: here [`Sockets`] owns the host's driver, and the calls under test go through it.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};
use tcp_model::TcpParams;
use tcp_model::host::Driver;
use tcp_model::sockets::{Errno, SocketNo, Sockets};
use tcp_model::spec::{HostConfig, TraceSpec};

const PORT: u16 = 80;

/// Host 0 connects to host 1 over a wire with a delay of 10 ms.
struct TestWire {
    hosts: [Sockets<'static>; 2],
    now: SimTime,
}

impl TestWire {
    fn new() -> TestWire {
        let host = |number: u8| {
            let config = HostConfig {
                params: Arc::new(TcpParams::linux()),
                apps: Vec::new(),
                trace: TraceSpec::default(),
            };
            let address = Ipv4Addr::new(10, 0, 0, number);
            let driver = Driver::new(config, number.into(), vec![address], 7);
            Sockets::new(driver, TcpParams::linux())
        };
        TestWire {
            hosts: [host(0), host(1)],
            now: SimTime::ZERO,
        }
    }

    fn server() -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), PORT)
    }

    /// Lets five round trips pass.
    fn exchange(&mut self) {
        for _ in 0..10 {
            self.now += SimDuration::from_millis(10);
            for from in 0..2 {
                self.hosts[1 - from].time_out(self.now);
                while let Some(sent) = self.hosts[from].next_packet() {
                    self.hosts[1 - from].receive(&sent.packet);
                }
            }
        }
    }

    fn listen(&mut self, backlog: u32) -> SocketNo {
        let listener = self.hosts[1].socket();
        self.hosts[1].bind(listener, None, Some(PORT)).unwrap();
        self.hosts[1].listen(listener, backlog).unwrap();
        listener
    }

    /// A connection: the socket of host 0 and that of host 1.
    fn connected(&mut self) -> (SocketNo, SocketNo) {
        let listener = self.listen(8);
        let socket = self.hosts[0].socket();
        let begun = self.hosts[0].connect(socket, TestWire::server());
        assert_eq!(begun, Err(Errno("EINPROGRESS")));
        self.exchange();
        assert_eq!(self.hosts[0].connect(socket, TestWire::server()), Ok(()));
        (socket, self.hosts[1].accept(listener).unwrap())
    }
}

#[test]
fn bytes_come_back_from_an_echo_and_both_ends_close() {
    let mut wire = TestWire::new();
    let (client, server) = wire.connected();
    assert_eq!(wire.hosts[0].send(client, 3000), Ok(3000));
    wire.exchange();
    let received = wire.hosts[1].receive_data(server, 10_000).unwrap();
    assert_eq!(wire.hosts[1].send(server, received), Ok(3000));
    wire.hosts[1].close(server);
    wire.exchange();
    assert_eq!(wire.hosts[0].receive_data(client, 1000), Ok(1000));
    assert_eq!(wire.hosts[0].receive_data(client, 9000), Ok(2000));
    assert_eq!(wire.hosts[0].receive_data(client, 9000), Ok(0));
    wire.hosts[0].close(client);
    wire.exchange();
    assert_eq!(wire.hosts[1].host().time_waits(), 1);
}

#[test]
fn a_connect_to_a_port_where_nobody_listens_is_refused_and_may_be_tried_again() {
    let mut wire = TestWire::new();
    let socket = wire.hosts[0].socket();
    let _ = wire.hosts[0].connect(socket, TestWire::server());
    let again = wire.hosts[0].connect(socket, TestWire::server());
    assert_eq!(again, Err(Errno("EALREADY")));
    wire.exchange();
    let refused = wire.hosts[0].connect(socket, TestWire::server());
    assert_eq!(refused, Err(Errno("ECONNREFUSED")));
    wire.listen(1);
    let _ = wire.hosts[0].connect(socket, TestWire::server());
    wire.exchange();
    assert_eq!(wire.hosts[0].connect(socket, TestWire::server()), Ok(()));
    let known = wire.hosts[0].connect(socket, TestWire::server());
    assert_eq!(known, Err(Errno("EISCONN")));
}

#[test]
fn a_reset_is_reported_once_and_then_the_pipe_is_broken() {
    let mut wire = TestWire::new();
    let (client, server) = wire.connected();
    wire.hosts[0].disconnect(client);
    wire.exchange();
    let hosts = &mut wire.hosts;
    assert_eq!(hosts[1].receive_data(server, 1), Err(Errno("ECONNRESET")));
    assert_eq!(hosts[1].receive_data(server, 1), Ok(0));
    assert_eq!(hosts[1].send(server, 1), Err(Errno("EPIPE")));
    let nowhere = hosts[0].socket();
    assert_eq!(hosts[0].send(nowhere, 1), Err(Errno("EPIPE")));
    assert_eq!(hosts[0].receive_data(nowhere, 1), Err(Errno("ENOTCONN")));
}

#[test]
fn ports_and_sockets_in_use_are_refused_and_a_full_buffer_asks_to_come_again() {
    let mut wire = TestWire::new();
    let (client, _) = wire.connected();
    let second = wire.hosts[1].socket();
    let hosts = &mut wire.hosts;
    let in_use = hosts[1].bind(second, None, Some(PORT));
    assert_eq!(in_use, Err(Errno("EADDRINUSE")));
    assert_eq!(hosts[0].listen(client, 1), Err(Errno("EINVAL")));
    assert_eq!(hosts[0].accept(client), Err(Errno("EINVAL")));
    let taken = hosts[0].send(client, 1 << 40).unwrap();
    assert!(0 < taken && taken < 1 << 40);
    assert_eq!(hosts[0].send(client, 1), Err(Errno("EAGAIN")));
    assert_eq!(hosts[0].shutdown(client, false, true), Ok(()));
    assert_eq!(hosts[0].send(client, 1), Err(Errno("EPIPE")));
}
