//! The server of `--serve`: HTTP/1.1 on the loopback interface, one request for each connection.
//!
//! It is written by hand on the standard library, because it needs so little: GET without a body, no persistent
//! connections, no TLS, one reader. The small servers on crates.io are hardly maintained, and the maintained
//! ones bring an asynchronous runtime; neither would spare the checks of token, host and path in `request.rs`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use reports::{LIVE_SCRIPT, live_page, live_part};

use super::LiveBoard;
use super::request::{Refusal, Wanted, media_type, read};

/// Largest head of a request, bytes.
const MOST_HEAD: usize = 16 * 1024;
/// Connections served at once; browsers open about six.
const MOST_CONNECTIONS: usize = 32;
/// How long a connection may stay silent, or not read.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the page may do: no other host, no inline script.
const PAGE_POLICY: &str = "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; \
    script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'\r\n";

/// A server, which lasts as long as the program.
#[derive(Debug)]
pub(crate) struct LiveServer {
    url: String,
}

/// What all connections share.
struct Served {
    board: Arc<LiveBoard>,
    own: SocketAddr,
    token: String,
    connections: AtomicUsize,
}

impl LiveServer {
    /// Listens on a free port of the loopback interface, of IPv4 or else of IPv6.
    ///
    /// # Errors
    /// When there is no port, no thread, or no random numbers.
    pub(crate) fn start(board: Arc<LiveBoard>) -> io::Result<LiveServer> {
        let listener =
            TcpListener::bind("127.0.0.1:0").or_else(|_| TcpListener::bind("[::1]:0"))?;
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let own = listener.local_addr()?;
        let served = Arc::new(Served {
            board,
            own,
            token,
            connections: AtomicUsize::new(0),
        });
        let url = format!("http://{own}/{}/", served.token);
        let accept = move || {
            listener
                .incoming()
                .flatten()
                .for_each(|stream| begin(&served, stream))
        };
        thread::Builder::new()
            .name("serve".to_owned())
            .spawn(accept)?;
        Ok(LiveServer { url })
    }

    /// The address of the page, with the token.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Serves a connection on a thread of its own: browsers open connections before they have a request.
fn begin(served: &Arc<Served>, stream: TcpStream) {
    // The listener is bound to the loopback interface already; this does not rely on it.
    let is_local = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
    if !is_local || served.connections.load(Ordering::SeqCst) >= MOST_CONNECTIONS {
        return;
    }
    served.connections.fetch_add(1, Ordering::SeqCst);
    let own = Arc::clone(served);
    let serve = move || {
        // A reader that has gone away is nobody's error.
        let _ = own.serve(stream);
        own.connections.fetch_sub(1, Ordering::SeqCst);
    };
    if thread::Builder::new().spawn(serve).is_err() {
        served.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Served {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let Some(head) = head(&mut stream)? else {
            return refuse(&mut stream, Refusal::Malformed);
        };
        match read(&head, self.own, &self.token) {
            Err(refusal) => refuse(&mut stream, refusal),
            Ok(Wanted::Redirect) => {
                let to = format!("Location: /{}/\r\n", self.token);
                send(&mut stream, "301 Moved Permanently", "text/plain", &to, b"")
            }
            Ok(Wanted::Page(language)) => {
                let page = live_page(&self.board.view(), language);
                send(
                    &mut stream,
                    "200 OK",
                    "text/html; charset=utf-8",
                    PAGE_POLICY,
                    page.as_bytes(),
                )
            }
            Ok(Wanted::Part) => {
                let part = live_part(&self.board.view());
                send(
                    &mut stream,
                    "200 OK",
                    "text/html; charset=utf-8",
                    PAGE_POLICY,
                    part.as_bytes(),
                )
            }
            Ok(Wanted::Script) => send(
                &mut stream,
                "200 OK",
                "text/javascript; charset=utf-8",
                "",
                LIVE_SCRIPT.as_bytes(),
            ),
            Ok(Wanted::File(path)) => match self.open(&path) {
                Some((mut file, length)) => {
                    write_head(&mut stream, "200 OK", media_type(&path), "", length)?;
                    io::copy(&mut file, &mut stream).map(|_| ())
                }
                None => refuse(&mut stream, Refusal::NotFound),
            },
        }
    }

    /// Opens a file of the results, unless a symbolic link leads out of their directory.
    fn open(&self, path: &Path) -> Option<(File, u64)> {
        let dir = self.board.dir.canonicalize().ok()?;
        let full: PathBuf = dir.join(path).canonicalize().ok()?;
        if !full.starts_with(&dir) || !full.is_file() {
            return None;
        }
        let file = File::open(full).ok()?;
        let length = file.metadata().ok()?.len();
        Some((file, length))
    }
}

/// Reads up to the empty line that ends the head of a request; none if there is none, or it is not text.
fn head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut part = [0; 2048];
    while bytes.len() < MOST_HEAD {
        let n = stream.read(&mut part)?;
        bytes.extend_from_slice(&part[..n]);
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            bytes.truncate(end + 4);
            return Ok(String::from_utf8(bytes).ok());
        }
        if n == 0 {
            break;
        }
    }
    Ok(None)
}

fn refuse(stream: &mut TcpStream, refusal: Refusal) -> io::Result<()> {
    let (status, more, text) = match refusal {
        Refusal::Malformed => (
            "400 Bad Request",
            "",
            "This is no request that synfin understands.\n",
        ),
        Refusal::Forbidden => (
            "403 Forbidden",
            "",
            "Use the whole address that synfin has printed, with its token.\n",
        ),
        Refusal::NotFound => ("404 Not Found", "", "There is no such file, or not yet.\n"),
        Refusal::NotGet => (
            "405 Method Not Allowed",
            "Allow: GET\r\n",
            "Only GET is possible.\n",
        ),
    };
    send(
        stream,
        status,
        "text/plain; charset=utf-8",
        more,
        text.as_bytes(),
    )
}

fn send(
    stream: &mut TcpStream,
    status: &str,
    media: &str,
    more: &str,
    body: &[u8],
) -> io::Result<()> {
    write_head(stream, status, media, more, body.len() as u64)?;
    stream.write_all(body)
}

/// Writes the head of an answer. Nothing is cached, nothing is shown within other pages, and no link passes the
/// token on.
fn write_head(
    stream: &mut TcpStream,
    status: &str,
    media: &str,
    more: &str,
    length: u64,
) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
         X-Frame-Options: DENY\r\nCross-Origin-Resource-Policy: same-origin\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes())
}
