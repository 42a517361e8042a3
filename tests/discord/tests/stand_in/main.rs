//! The stand-in's own tests: each rule it enforces is broken here once, so that a stand-in without it fails.

mod actors;
mod bot;
mod channels;
mod gateway;
mod interactions;
mod raw;
mod rest;
mod with_serenity;
