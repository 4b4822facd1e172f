//! Those who watch the runs: a browser (`--serve`) and the terminal (`--live`).

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use reports::live::LiveEnd;

use crate::cli::args::RunArgs;
use crate::console::{CommandError, flush, note};
use crate::interrupt::Interrupt;
use crate::live::{LiveBoard, LiveServer};
use crate::sweep::Plan;

/// The viewers of a command.
pub(super) struct Viewers {
    board: Option<Arc<LiveBoard>>,
    server: Option<LiveServer>,
    is_batch: bool,
}

impl Viewers {
    /// Starts the viewers that the command line asks for, and prints the address of the page.
    pub(super) fn start(args: &RunArgs, plan: &Plan, dir: &Path) -> Result<Viewers, CommandError> {
        let board = (args.serve || args.live).then(|| LiveBoard::new(plan, dir));
        let server = board.clone().filter(|_| args.serve).map(LiveServer::start);
        let server = server.transpose().map_err(|e| {
            CommandError::Run(format!(
                "error: cannot serve the runs on the loopback interface: {e}\n  = help: leave out --serve; --live shows them in the terminal"
            ))
        })?;
        if let Some(server) = &server {
            note(&format!("watch at {}", server.url()));
        }
        Ok(Viewers {
            board,
            server,
            is_batch: !plan.is_single(),
        })
    }

    /// The board that runs write to; none if nobody watches.
    pub(super) fn board(&self) -> Option<Arc<LiveBoard>> {
        self.board.clone()
    }

    /// Leads the page to the report, and serves that until a signal comes. Without a report, or if a signal
    /// has stopped the runs, there is nothing to wait for.
    pub(super) fn finish(
        self,
        done: Result<(), CommandError>,
        dir: &Path,
        interrupt: &Interrupt,
    ) -> Result<(), CommandError> {
        let (Some(board), Some(server)) = (self.board, self.server) else {
            return done;
        };
        let has_results = match &done {
            Ok(()) | Err(CommandError::Unexpected(_)) => true,
            // Some runs of a batch failed.
            Err(CommandError::Run(_)) => self.is_batch && dir.join("report.html").is_file(),
            Err(CommandError::Usage(_) | CommandError::Stopped { .. }) => false,
        };
        if !has_results {
            let why = done.as_ref().err().map_or("", |e| e.parts().0);
            board.end(LiveEnd::NoReport(why.to_owned()));
            return done;
        }
        board.end(LiveEnd::Report);
        // The message is due now, not when the server ends.
        let done = done.map_err(|failure| {
            note(failure.parts().0);
            match failure {
                CommandError::Unexpected(_) => CommandError::Unexpected(String::new()),
                _ => CommandError::Run(String::new()),
            }
        });
        flush()?;
        note(&format!(
            "the report is at {}results/report.html until Ctrl-C",
            server.url()
        ));
        while !interrupt.is_set() {
            thread::sleep(Duration::from_millis(50));
        }
        done
    }
}
