//! Arbitrary bytes as the options of a TCP header: iterating over them terminates, and the bytes are kept.

use tcp_model::options::Options;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(options) = Options::from_bytes(bytes) else {
        return;
    };
    assert!(options.iter().count() <= 40, "more options than bytes");
    assert!(options.sack_blocks().count() <= 4);
    let _ = options.timestamps();
    let again = Options::from_bytes(options.as_bytes()).expect("its own bytes");
    assert_eq!(again.as_bytes(), options.as_bytes());
}
