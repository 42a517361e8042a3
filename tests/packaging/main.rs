//! What Latchkey is delivered with: the compose file, the image's description, and what may come in with dependencies.
//!
//! Owns the laws that these files must keep. Reads the files of this folder alone; starts nothing but a YAML reader.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod compose;
mod image;
mod supply;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A file of the repository.
fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What YAML says, read by Debian's own reader.
fn yaml(text: &str) -> Value {
    const READ: &str = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let mut reader = Command::new("/usr/bin/python3")
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    reader.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success(), "this is no YAML, or python3-yaml is missing:\n{text}");
    serde_json::from_slice(&read.stdout).unwrap()
}
