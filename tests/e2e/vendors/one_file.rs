//! The addresses and names that are shipped, whole: what the stories cannot see, since they lead addresses elsewhere.
