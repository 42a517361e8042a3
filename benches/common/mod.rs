//! What the benchmarks stand on: an auth file of some size on a real disk, and each thing beside its peer.
//!
//! A thing and its peer take turns in one loop, so that what else the machine does falls on both.

pub mod by_hand;
pub mod ground;
pub mod pair;
pub mod rows;
