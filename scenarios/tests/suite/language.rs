//! What the scenario language can express, against times and numbers worked out by hand.

mod applications;
mod captures;
mod links;
mod models;
mod partitions;
mod pauses;
mod pools;
mod queues;
mod shapes;
