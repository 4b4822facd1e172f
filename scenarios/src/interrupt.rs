//! Ctrl-C and SIGTERM: runs stop between two events, and complete runs are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// A request to stop, set by a signal.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Watches for SIGINT and SIGTERM from now on; a second signal ends the process at once. If signals
    /// cannot be watched, they keep their default action.
    pub fn on_signals() -> Interrupt {
        let interrupt = Interrupt::default();
        for signal in [SIGINT, SIGTERM] {
            // Registered before the flags: it must see only those of earlier signals, so that the second
            // signal exits.
            let asked = &interrupt.asked;
            let exit = flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(asked));
            if exit.is_ok() {
                let number = usize::try_from(signal).unwrap_or_default();
                let _ = flag::register_usize(signal, Arc::clone(&interrupt.signal), number);
                let _ = flag::register(signal, Arc::clone(asked));
            }
        }
        interrupt
    }

    /// Requests a stop, as a signal does.
    pub fn stop(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// True if a stop was requested.
    pub fn is_set(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// The exit code of a process that a signal stopped: 130 for Ctrl-C, 143 for SIGTERM.
    pub fn exit_code(&self) -> u8 {
        let signal = self.signal.load(Ordering::SeqCst);
        u8::try_from(128 + signal).unwrap_or(1)
    }
}
