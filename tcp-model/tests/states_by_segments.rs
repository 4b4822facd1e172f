//! Every state meets every class of segment: the end point against the rules of RFC 9293 section
//! 3.10.7 as rewritten in `oracle`.

mod states_by_segments {
    mod check;
    mod opening;
    mod oracle;
    mod places;
    mod segments;
}
