//! Experiments with a real Linux kernel, repeated with the `linux` profile.
//!
//! `tests/linux/README.md` describes the measurements; the crate's documentation has a table of the
//! results, in the module `linux`.

mod linux {
    mod acknowledging;
    mod drop_lists;
    mod fixture;
    mod floods;
    mod flows;
    mod listening;
    mod lives;
    mod recovery;
    mod replay;
    mod script;
    mod teardown;
    mod timers;
}
