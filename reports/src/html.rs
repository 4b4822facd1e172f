//! `report.html`: one page that needs no other files. It is complete without scripts: figures are
//! then static pictures. With scripts, charts can be enlarged and ladders stepped through; the data
//! for that are in the page, thinned.

mod assets;
pub(crate) mod batch;
pub(crate) mod capture_page;
mod chinese;
pub(crate) mod compare;
mod connections;
mod embed;
pub(crate) mod lesson;
pub(crate) mod live_page;
mod long_run;
mod page;
pub(crate) mod run_page;
