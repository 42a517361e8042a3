//! Authorization servers for tests.
