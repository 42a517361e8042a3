//! A Discord stand-in on loopback.
