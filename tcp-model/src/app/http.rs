//! The octets of exchanges as HTTP/1.1 (RFC 9112), for captures: each request and response has exactly
//! the size that the simulation gave it.
//!
//! A request is a GET with a path of the right length or, from half a kilobyte on, a POST with
//! content; a response has its length in `Content-Length`. Messages too short for that, and data
//! outside any exchange, consist of letters. The error of a proxy, a response that ends too early, appears as the
//! beginning of an ordinary one.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::draws::{DrawKey, DrawKind};
use super::spec::{AppSpec, Exchange, ServerSpec};
use crate::segment::{ConnId, Segment};
use crate::wire::payload_byte;

/// Requests from this size on carry content.
const POST_FROM: u64 = 512;

/// The exchanges at each server, and how far the capture has come on each connection.
#[derive(Debug)]
pub struct HttpPayloads {
    seed: u64,
    servers: FxHashMap<SocketAddrV4, Arc<ServerSpec>>,
    /// By connection and direction, true from the client: the message looked at last.
    places: FxHashMap<(ConnId, bool), MessageStart>,
}

/// A message in its stream.
#[derive(Clone, Copy, Debug, Default)]
struct MessageStart {
    index: u32,
    start: u64,
}

impl HttpPayloads {
    /// Payloads of a run with this seed; servers are added with [`HttpPayloads::add_host`].
    pub fn new(seed: u64) -> HttpPayloads {
        HttpPayloads {
            seed,
            servers: FxHashMap::default(),
            places: FxHashMap::default(),
        }
    }

    /// Adds the servers among the applications of a host.
    pub fn add_host(&mut self, addresses: &[Ipv4Addr], apps: &[AppSpec]) {
        for app in apps {
            let server = match app {
                // Responses of multiplexed connections come in another order.
                AppSpec::Server(server) if server.multiplexed.is_none() => Some(server),
                AppSpec::Proxy(proxy) => Some(&proxy.front),
                _ => None,
            };
            if let Some(server) = server {
                let server = Arc::new(server.clone());
                for address in addresses {
                    let at = SocketAddrV4::new(*address, server.port);
                    self.servers.insert(at, Arc::clone(&server));
                }
            }
        }
    }

    /// Fills `out`, which has the length of the payload, with the payload of a segment from `src` to `dst`.
    pub fn fill(&mut self, src: Ipv4Addr, dst: Ipv4Addr, segment: &Segment, out: &mut [u8]) {
        let to = SocketAddrV4::new(dst, segment.dst_port);
        let from = SocketAddrV4::new(src, segment.src_port);
        let (server, client) = match (self.servers.get(&to), self.servers.get(&from)) {
            (Some(server), _) => (Arc::clone(server), true),
            (None, Some(server)) => (Arc::clone(server), false),
            (None, None) => return,
        };
        let conn = segment.tag.conn;
        let exchange = server.exchange_of(conn.class());
        let place = self.places.entry((conn, client)).or_default();
        let stream = HttpStream {
            key: DrawKey {
                seed: self.seed,
                conn,
                index: 0,
            },
            exchange,
            client,
        };
        let end = segment.tag.offset + out.len() as u64;
        if segment.tag.offset < place.start {
            *place = MessageStart::default();
        }
        let mut at = segment.tag.offset;
        while at < end {
            let size = stream.size(place.index);
            let after = place.start + size;
            if after <= at {
                let Some(index) = place
                    .index
                    .checked_add(1)
                    .filter(|&i| i < exchange.requests)
                else {
                    return;
                };
                *place = MessageStart {
                    index,
                    start: after,
                };
                continue;
            }
            let until = after.min(end);
            let message = stream.message(size);
            for octet in at..until {
                if let Some(byte) = message.octet(octet - place.start) {
                    out[(octet - segment.tag.offset) as usize] = byte;
                }
            }
            at = until;
        }
    }
}

/// One direction of a connection.
struct HttpStream<'a> {
    key: DrawKey,
    exchange: &'a Exchange,
    client: bool,
}

/// The head of a message; empty if the message is too short for it.
struct MessageHead {
    head: String,
    /// Where filler letters go, and how many.
    filler: (usize, u64),
}

impl HttpStream<'_> {
    fn size(&self, index: u32) -> u64 {
        let key = DrawKey { index, ..self.key };
        match self.client {
            true => key.bytes(DrawKind::Request, self.exchange.request).max(1),
            false => key.bytes(DrawKind::Response, self.exchange.response),
        }
    }

    fn message(&self, size: u64) -> MessageHead {
        let digits = size.to_string().len();
        let with_content = |start: &str, end: &str| {
            let head = start.len() + digits + end.len();
            let content = size.saturating_sub(head as u64);
            let head = format!("{start}{content:0digits$}{end}");
            let filler = (head.len(), content);
            MessageHead { head, filler }
        };
        let message = if !self.client {
            with_content(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ",
                "\r\n\r\n",
            )
        } else if size >= POST_FROM {
            with_content(
                "POST / HTTP/1.1\r\nHost: server\r\nContent-Length: ",
                "\r\n\r\n",
            )
        } else {
            let head = "GET / HTTP/1.1\r\nHost: server\r\n\r\n".to_owned();
            let filler = ("GET /".len(), size.saturating_sub(head.len() as u64));
            MessageHead { head, filler }
        };
        if message.head.len() as u64 > size {
            return MessageHead {
                head: String::new(),
                filler: (0, 0),
            };
        }
        message
    }
}

impl MessageHead {
    /// The octet at a position of the message; `None` if it is filler outside HTTP.
    fn octet(&self, at: u64) -> Option<u8> {
        let (before, letters) = (self.filler.0 as u64, self.filler.1);
        if self.head.is_empty() {
            None
        } else if at < before {
            self.head.as_bytes().get(at as usize).copied()
        } else if at < before + letters {
            Some(payload_byte(at - before))
        } else {
            self.head.as_bytes().get((at - letters) as usize).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::spec::Distribution;
    use crate::segment::Tag;

    const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

    fn payloads(request: f64, response: f64) -> HttpPayloads {
        let server = ServerSpec {
            exchange: Arc::new(Exchange {
                requests: 2,
                request: Distribution::Constant(request),
                response: Distribution::Constant(response),
                ..Exchange::default()
            }),
            ..ServerSpec::default()
        };
        let mut payloads = HttpPayloads::new(1);
        payloads.add_host(&[SERVER], &[AppSpec::Server(server)]);
        payloads
    }

    /// A stretch of the stream from the client, or from the server.
    fn text(payloads: &mut HttpPayloads, client: bool, offset: u64, len: usize) -> String {
        let (src, dst) = if client {
            (CLIENT, SERVER)
        } else {
            (SERVER, CLIENT)
        };
        let (src_port, dst_port) = if client { (4000, 80) } else { (80, 4000) };
        let segment = Segment {
            src_port,
            dst_port,
            len: len as u32,
            tag: Tag {
                offset,
                ..Tag::default()
            },
            ..Segment::EMPTY
        };
        let mut out = vec![b'-'; len];
        payloads.fill(src, dst, &segment, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn messages_follow_each_other_with_their_sizes() {
        let mut p = payloads(40.0, 100.0);
        let request = "GET /abcdefgh HTTP/1.1\r\nHost: server\r\n\r\n";
        assert_eq!(request.len(), 40);
        assert_eq!(text(&mut p, true, 0, 80), request.repeat(2));
        // Cut anywhere, in any order, and after the last message nothing.
        assert_eq!(text(&mut p, true, 70, 12), format!("{}--", &request[30..]));
        assert_eq!(text(&mut p, true, 3, 5), request[3..8]);
        let response = text(&mut p, false, 0, 100);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 034\r\n\r\n";
        assert!(response.starts_with(head), "{response}");
        assert_eq!(response.len() - head.len(), 34);
        assert_eq!(text(&mut p, false, 100, 100), response);
    }

    #[test]
    fn large_requests_have_content_and_small_messages_are_left_alone() {
        let mut p = payloads(1000.0, 20.0);
        let request = text(&mut p, true, 0, 1000);
        let (head, content) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
        assert!(head.ends_with(&format!("Content-Length: {:04}", content.len())));
        assert_eq!(text(&mut p, false, 0, 20), "-".repeat(20));
    }
}
