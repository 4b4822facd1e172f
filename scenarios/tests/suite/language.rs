//! What the scenario language can express, compared with times and numbers computed by hand.

mod applications;
mod captures;
mod links;
mod models;
mod partitions;
mod pauses;
mod pools;
mod queues;
mod shapes;
