//! `report.html`: one page that needs nothing else, figures inline.

pub(crate) mod batch;
mod page;
pub(crate) mod run_page;
