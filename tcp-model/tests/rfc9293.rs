//! RFC 9293 requirement by requirement: a test for each labelled sentence, one file per group of
//! sections, and the table that says where each is implemented.

mod rfc9293 {
    mod closing;
    mod header;
    mod keep_alive;
    mod lan;
    mod network;
    mod opening;
    mod retransmission;
    mod rig;
    mod segment_arrives;
    mod segmentation;
    mod table;
    mod urgent;
    mod user_calls;
    mod windows;
}
