//! The health of an upstream server, by the results of its checks.

use super::super::deadline::Deadline;

/// Wake token: a check of the upstream server whose number is in the bits above these.
const CHECK: u64 = 3;
const CHECK_SHIFT: u32 = 8;

/// The token of a wake to check the upstream server of this number.
pub(super) fn check_token(server: usize) -> u64 {
    CHECK | (server as u64) << CHECK_SHIFT
}

/// The upstream server that a wake's token says to check, by number.
pub(super) fn checked_of(token: u64) -> Option<usize> {
    (token & 0xff == CHECK).then_some((token >> CHECK_SHIFT) as usize)
}

/// The connection of a health check.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckConnection {
    /// The server by number.
    pub(super) server: usize,
    pub(super) deadline: Deadline,
}

/// The health of an upstream server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Health {
    up: bool,
    /// Results in a row that speak against the present state.
    against: u32,
    /// A check is being made.
    pub(super) checking: bool,
}

impl Default for Health {
    fn default() -> Self {
        Health {
            up: true,
            against: 0,
            checking: false,
        }
    }
}

impl Health {
    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// Takes the result of a check; returns true if the state changes.
    pub(super) fn take(&mut self, success: bool, rise: u32, fall: u32) -> bool {
        if success == self.up {
            self.against = 0;
            return false;
        }
        self.against += 1;
        let needed = if self.up { fall } else { rise };
        if self.against < needed {
            return false;
        }
        self.up = success;
        self.against = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_falls_and_rises_after_its_number_of_checks_in_a_row() {
        let mut health = Health::default();
        let states: Vec<bool> = "ffsfffsfsssf"
            .chars()
            .map(|c| {
                health.take(c == 's', 2, 3);
                health.is_up()
            })
            .collect();
        let (t, f) = (true, false);
        assert_eq!(states, [t, t, t, t, t, f, f, f, f, t, t, t]);
    }
}
