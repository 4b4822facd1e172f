//! What the scenario language can express, against times and numbers worked out by hand.

mod common;

#[path = "language/applications.rs"]
mod applications;
#[path = "language/captures.rs"]
mod captures;
#[path = "language/links.rs"]
mod links;
#[path = "language/models.rs"]
mod models;
#[path = "language/partitions.rs"]
mod partitions;
#[path = "language/pools.rs"]
mod pools;
#[path = "language/queues.rs"]
mod queues;
