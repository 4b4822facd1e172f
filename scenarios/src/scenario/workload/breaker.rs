//! Circuit breakers, checked.

use tcp_model::spec::BreakerSpec;

use super::time_outs::longer_than_zero;
use crate::dotted_path::DottedPath;
use crate::file::workload::BreakerFile;
use crate::problem::Problem;

/// Checks a circuit breaker.
///
/// # Errors
/// When a number is zero or a share is not between 0 and 1.
pub(super) fn read(
    file: Option<&BreakerFile>,
    at: &DottedPath,
) -> Result<Option<BreakerSpec>, Problem> {
    let Some(file) = file else {
        return Ok(None);
    };
    for (key, value) in [("failures", file.failures), ("window", file.window)] {
        if value == Some(0) {
            return Err(Problem::new(
                at.key(key),
                format!("`{key}` must be at least 1"),
            ));
        }
    }
    if let Some(share) = file.share
        && !(share > 0.0 && share <= 1.0)
    {
        return Err(Problem::new(
            at.key("share"),
            format!("`share` = {share} must be above 0 and at most 1"),
        ));
    }
    let d = BreakerSpec::default();
    Ok(Some(BreakerSpec {
        failures: match file.share {
            None => file.failures.or(d.failures),
            Some(_) => file.failures,
        },
        share: file.share,
        window: file.window.unwrap_or(d.window),
        open: longer_than_zero(file.open, "open", at)?.unwrap_or(d.open),
    }))
}

/// Writes every value out.
pub(super) fn to_file(breaker: &BreakerSpec) -> BreakerFile {
    BreakerFile {
        failures: breaker.failures,
        share: breaker.share,
        window: Some(breaker.window),
        open: Some(breaker.open),
    }
}
