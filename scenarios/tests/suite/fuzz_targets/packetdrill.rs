//! Arbitrary text as a packetdrill script: it is rejected with the place of the error, or it runs to an outcome.

use tcp_model::Connection;
use tcp_model::packetdrill::{RunOptions, parse, run as run_script};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(script) = parse(text) else { return };
    let options = RunOptions::default();
    let _ = run_script(
        &script,
        &mut |open| Box::new(Connection::new(open)),
        &options,
    );
}
