//! A model check: two end points and a channel that loses, duplicates and reorders, with every
//! interleaving of arrivals, calls and time-outs. Written for this purpose instead of using a
//! general checker: the end points are deterministic and copyable, so a depth-first search over
//! digests is all that is needed, and rules can inspect them.
//!
//! `SYNFIN_DEEP=1` raises the bounds.

mod model_check {
    mod case;
    mod mutants;
    mod rules;
    mod scenarios;
    mod search;
    mod world;
}
