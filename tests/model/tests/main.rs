//! Explores the model: the design as it is, without each of its guards, and the writers of the auth file.

mod design;
mod guards;
mod policy;
mod trace;
mod writers;
