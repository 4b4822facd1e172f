//! `synfin completions`, `synfin man` and `synfin licenses`.

use std::io::{self, Write as _};

use clap::CommandFactory as _;

use super::args::Cli;
use crate::console::{CommandError, outcome};

/// Prints a script for a shell.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "synfin", &mut script);
    outcome(io::stdout().lock().write_all(&script))
}

/// Prints the licences of the program and of the packages that are built into it.
pub(super) fn licenses() -> Result<(), CommandError> {
    let text = include_str!("../../notices.txt");
    outcome(io::stdout().lock().write_all(text.as_bytes()))
}

/// Prints the manual page: the program, then each command.
pub(super) fn man() -> Result<(), CommandError> {
    let mut page = Vec::new();
    render(&mut page)
        .map_err(|e| CommandError::Run(format!("error: cannot write the page: {e}")))?;
    outcome(io::stdout().lock().write_all(&page))
}

fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(page)?;
    for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let title = format!("\n.SH \"SYNFIN {}\"\n", sub.get_name().to_uppercase());
        page.write_all(title.as_bytes())?;
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(page, "{}.", about.replace('\\', "\\\\"))?;
        let man = clap_mangen::Man::new(sub.clone());
        man.render_synopsis_section(page)?;
        man.render_options_section(page)?;
    }
    Ok(())
}
