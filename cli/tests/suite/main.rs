//! The wire contract, and the command, held against the real binary from outside.
//!
//! Each test of the contract spawns a server of its own and speaks to it with the small clients in `client`, so
//! nothing here shares code with what it tests. Source: the wire contract in `docs/TRANSPORTS.md`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends with a panic: the lints' allowance for tests stops at their helper functions"
)]

mod browser;
mod client;
mod command;
mod garbage;
mod link;
mod listener;
mod malformed;
mod nats;
mod server;

mod agents;
mod built_in;
mod capacity;
mod compression;
mod conformance;
mod connections;
mod diff;
mod doctor;
mod edge;
mod endings;
mod event_stream;
mod fleet;
mod foreign;
mod grid;
mod house;
mod interrupting;
mod measuring;
mod mistakes;
mod once;
mod origins;
mod outside_counter;
mod planning;
mod polling;
mod problems;
mod publishing;
mod resuming;
mod robustness;
mod rounds;
mod secure;
mod server_ends;
mod soak;
mod stuck;
mod targets;
mod validity;
mod websocket;
mod wire;
