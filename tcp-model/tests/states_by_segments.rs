//! Every state meets every class of segment: the end point against the rules of RFC 9293 section
//! 3.10.7 as `oracle` has them in its own words.

mod states_by_segments {
    mod check;
    mod opening;
    mod oracle;
    mod places;
    mod segments;
}
