//! How the versions of HTTP use connections, as defaults of other keys.

use std::borrow::Cow;

use crate::dotted_path::DottedPath;
use crate::file::workload::{HTTP_VERSIONS, PoolFile, WorkloadFile};
use crate::problem::Problem;
use crate::suggest;

/// Requests at a time on a connection of HTTP/2: the usual SETTINGS_MAX_CONCURRENT_STREAMS, and the least that RFC 9113
/// section 6.5.2 recommends.
const STREAMS: u32 = 100;
/// Connections of a browser to a server with HTTP/1.1.
const BROWSER: u32 = 6;

/// Fills in the keys that the version of HTTP decides and that are not given.
///
/// # Errors
/// When the version is unknown.
pub(super) fn fill_in<'a>(
    file: &'a WorkloadFile,
    at: &DottedPath,
) -> Result<Cow<'a, WorkloadFile>, Problem> {
    let Some(version) = &file.http else {
        return Ok(Cow::Borrowed(file));
    };
    let mut filled = file.clone();
    let given = file.pool.unwrap_or_default();
    let pool = |max, streams| PoolFile {
        max: given.max.or(Some(max)),
        streams: given.streams.or(Some(streams)),
        ..given
    };
    match version.as_str() {
        // A pool beside it has the connections kept.
        "http/1.0" if file.pool.is_none() => {
            filled.requests = file.requests.or(Some(1));
            filled.close = file.close.clone().or_else(|| Some("server".to_owned()));
        }
        "http/1.0" => {
            return Err(Problem::new(
                at.key("pool"),
                "HTTP/1.0 keeps no connections, so it has no pool",
            )
            .help("write http = \"http/1.1\", or leave `pool` out"));
        }
        "http/1.1" => filled.pool = Some(pool(1, 1)),
        "http/1.1-six" => filled.pool = Some(pool(BROWSER, 1)),
        "http/2" => filled.pool = Some(pool(1, STREAMS)),
        other => {
            let message = suggest::unknown("version of HTTP", other, HTTP_VERSIONS);
            return Err(Problem::new(at.key("http"), message));
        }
    }
    Ok(Cow::Owned(filled))
}
