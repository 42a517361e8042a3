//! A passphrase: from a file, or from a person at a terminal.
//!
//! Owns the asking. Invariants: what is typed is not shown, and the terminal is as it was afterwards; a passphrase is never an argument,
//! where every process on the host could read it. Must not: judge how good one is.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use latchkey::secret::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::exit::{Code, Exit};
use crate::terminal;

/// The most bytes that a file of a secret has.
const CAP: u64 = 64 * 1024;

/// The one line that stands in the file at `path`.
pub fn of_file(path: &Path) -> Result<Secret, Exit> {
    let text = secret_file(path, "the passphrase")?;
    let wrong = |why: &str| {
        Err(Exit::new(
            Code::Usage,
            format!("the passphrase file {} {why}: write one line into it", path.display()),
        ))
    };
    match text.expose().trim_end_matches(['\r', '\n']) {
        "" => wrong("is empty"),
        line if line.contains(['\r', '\n']) => wrong("has several lines"),
        line => Ok(Secret::new(line)),
    }
}

/// All that stands in a small file of secrets.
pub fn secret_file(path: &Path, what: &str) -> Result<Secret, Exit> {
    let failed = |why: &dyn std::fmt::Display| {
        Exit::new(Code::Usage, format!("cannot read {what} from {}: {why}", path.display()))
    };
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(CAP + 1).read_to_string(&mut text));
    let text = Secret::new(text);
    read.map_err(|error| failed(&error))?;
    if u64::try_from(text.expose().len()).unwrap_or(u64::MAX) > CAP {
        return Err(failed(&"it is larger than 64 KiB, so it is another file"));
    }
    Ok(text)
}

/// Asks for a new passphrase, twice; `None` where nobody can be asked.
pub fn ask_new() -> Result<Option<Secret>, Exit> {
    if !terminal::is_interactive() {
        return Ok(None);
    }
    let passphrase = asked("Passphrase for this export (without it, nobody can open it): ")?;
    if asked("The same again: ")? != passphrase {
        return Err(Exit::new(Code::Usage, "the two passphrases differ; nothing was written"));
    }
    Ok(Some(passphrase))
}

/// Asks for a passphrase; `None` where nobody can be asked.
pub fn ask() -> Result<Option<Secret>, Exit> {
    if terminal::is_interactive() { asked("Passphrase of this export: ").map(Some) } else { Ok(None) }
}

fn asked(question: &str) -> Result<Secret, Exit> {
    let typed = {
        // Before the question: whoever answers at once is not shown either.
        let hidden = Unseen::begin();
        let _hidden = hidden
            .map_err(|error| Exit::new(Code::Internal, format!("cannot hide what is typed: {error}")))?;
        // Where standard error is closed there is nobody to ask.
        drop(write!(std::io::stderr(), "{question}"));
        line(&mut std::io::stdin().lock())
    };
    drop(writeln!(std::io::stderr()));
    match typed {
        Some(typed) if typed.is_empty() => {
            Err(Exit::new(Code::Usage, "an empty passphrase protects nothing: type one"))
        }
        Some(typed) => Ok(typed),
        None => Err(Exit::new(Code::Interrupted, "no passphrase was given; nothing was changed")),
    }
}

/// One line, key by key: what ends the program elsewhere ends the question here, so that the terminal is put right first. `None` where
/// the person gave up.
fn line(input: &mut impl Read) -> Option<Secret> {
    let mut typed = Vec::new();
    let mut key = [0];
    while input.read(&mut key).ok()? == 1 {
        match key[0] {
            b'\r' | b'\n' => return Some(Secret::new(String::from_utf8(typed).ok()?)),
            // Ctrl-C, Ctrl-D, Ctrl-\.
            3 | 4 | 28 => return None,
            // Backspace takes a whole character.
            8 | 127 => while typed.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {},
            // Ctrl-U.
            21 => typed.clear(),
            byte if u64::try_from(typed.len()).unwrap_or(u64::MAX) < CAP => typed.push(byte),
            _ => {}
        }
    }
    None
}

/// While it lives, the terminal shows nothing of what is typed.
struct Unseen(Termios);

impl Unseen {
    fn begin() -> rustix::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen)?;
        Ok(Self(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // If it cannot be put back, nobody is left to tell.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_is_corrected_and_given_up_by_the_usual_keys() {
        for (keys, expected) in [
            ("abc\n", Some("abc")),
            ("abc\r", Some("abc")),
            ("ax\x7fbc\n", Some("abc")),
            ("aé\x7fbc\n", Some("abc")),
            ("\x7f\x7fabc\n", Some("abc")),
            ("wrong\x15abc\n", Some("abc")),
            ("a b\n", Some("a b")),
            ("\n", Some("")),
            ("abc\x03", None),
            ("abc\x04", None),
            ("abc", None),
        ] {
            let typed = line(&mut keys.as_bytes());
            assert_eq!(typed.as_ref().map(Secret::expose), expected, "{keys:?}");
        }
    }
}
