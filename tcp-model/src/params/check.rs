//! Checks of parameter values against each other.

use super::TcpParams;

/// A parameter whose value is out of range or does not fit another one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}; {help}")]
pub struct Conflict {
    /// The parameter's key.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub help: String,
}

impl TcpParams {
    /// Checks that the values fit each other.
    ///
    /// # Errors
    /// The first conflict.
    pub fn check(&self) -> Result<(), Conflict> {
        let wrong = |key, message: String, help: String| Err(Conflict { key, message, help });
        let (low, high) = self.port_range;
        if low > high {
            return wrong(
                "ip_local_port_range",
                format!("the port range is reversed: it goes from {low} to {high}"),
                format!("write [{high}, {low}]"),
            );
        }
        if self.min_path_mtu > self.mtu {
            return wrong(
                "min_path_mtu",
                format!(
                    "`min_path_mtu` ({}) is larger than `mtu` ({})",
                    self.min_path_mtu, self.mtu
                ),
                "make it smaller, or `mtu` larger".to_owned(),
            );
        }
        for (key, time) in [("min_rto", self.min_rto), ("initial_rto", self.initial_rto)] {
            if time > self.max_rto {
                return wrong(
                    key,
                    format!(
                        "`{key}` ({time}) is longer than `max_rto` ({})",
                        self.max_rto
                    ),
                    "make it shorter, or `max_rto` longer".to_owned(),
                );
            }
        }
        Ok(())
    }
}
