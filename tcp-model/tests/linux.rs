//! Experiments with real Linux, replayed by the `linux` profile.
//!
//! `tests/linux/README.md` says what was measured; the crate's documentation has the table of
//! results, in the module `linux`.

mod linux {
    mod acknowledging;
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
