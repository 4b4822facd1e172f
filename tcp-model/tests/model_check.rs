//! A model check: two end points and a channel that loses, duplicates and reorders segments, with
//! every interleaving of arrivals, calls and time-outs. It is written for this purpose instead of
//! using a general model checker: the end points are deterministic and can be copied, so a
//! depth-first search over digests is enough, and rules can inspect the end points.
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
