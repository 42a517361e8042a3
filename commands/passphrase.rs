//! A passphrase: from a file, or from a person at a terminal.
//!
//! Owns the asking. Invariants: what is typed is not shown, and the terminal is as it was afterwards, also where a signal ends the
//! program meanwhile; a passphrase is never an argument,
//! where every process on the host could read it. Must not: judge how good one is.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use latchkey::secret::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use secrecy::zeroize::Zeroizing;

use crate::exit::{Code, Exit};
use crate::login::Signals;
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
    // Before anything is hidden.
    heed_signals()?;
    let typed = {
        // Before the question: whoever answers at once is not shown either.
        let hidden = Unseen::begin();
        let _hidden = hidden
            .map_err(|error| Exit::new(Code::Internal, format!("cannot hide what is typed: {error}")))?;
        // Where standard error is closed there is nobody to ask.
        drop(write!(std::io::stderr(), "{question}"));
        line(&mut std::io::stdin().lock())
    };
    match typed {
        Typed::Line(typed) if typed.is_empty() => {
            Err(Exit::new(Code::Usage, "an empty passphrase protects nothing: type one"))
        }
        Typed::Line(typed) => Ok(typed),
        Typed::NoText => Err(Exit::new(
            Code::Usage,
            "a key was pressed that types no character (an arrow, a tab, or the like), and cannot be part of a passphrase: run it again",
        )),
        Typed::GivenUp => Err(Exit::new(Code::Interrupted, "no passphrase was given; nothing was changed")),
    }
}

/// What somebody typed.
enum Typed {
    /// A line.
    Line(Secret),
    /// What cannot be typed again for sure: control characters, or no text.
    NoText,
    /// The person gave up.
    GivenUp,
}

/// One line, key by key: what ends the program elsewhere ends the question here, so that the terminal is put right first.
fn line(input: &mut impl Read) -> Typed {
    let mut typed = Zeroizing::new(Vec::new());
    let (mut key, mut is_text) = ([0], true);
    while matches!(input.read(&mut key), Ok(1)) {
        match key[0] {
            // Not before the line's end: the rest of what a key sends would go to the shell.
            b'\r' | b'\n' => {
                let line = std::str::from_utf8(&typed).ok().filter(|_| is_text);
                return line.map_or(Typed::NoText, |line| Typed::Line(Secret::new(line)));
            }
            // Ctrl-C, Ctrl-D, Ctrl-\.
            3 | 4 | 28 => return Typed::GivenUp,
            // Backspace takes a whole character.
            8 | 127 => while typed.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {},
            // Ctrl-U.
            21 => {
                typed.clear();
                is_text = true;
            }
            0..=31 => is_text = false,
            byte if u64::try_from(typed.len()).unwrap_or(u64::MAX) < CAP => typed.push(byte),
            _ => {}
        }
    }
    Typed::GivenUp
}

/// How the terminal was before it was kept from showing what is typed; none while it shows it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Has the signals that end the program put the terminal right first, from now on.
fn heed_signals() -> Result<(), Exit> {
    static HEEDED: Mutex<bool> = Mutex::new(false);

    let mut is_heeded = HEEDED.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_heeded {
        return Ok(());
    }
    let failed =
        |error: std::io::Error| Exit::new(Code::Internal, format!("cannot wait for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    let mut signals = {
        let _within = runtime.enter();
        Signals::new()?
    };
    // The question waits for the terminal in this thread, so that another hears of signals. It lives as long as the program, since a
    // signal that was heeded once never ends it by itself again.
    let thread = std::thread::Builder::new().name("latchkey-signals".to_owned());
    let heeding = thread.spawn(move || {
        let code = runtime.block_on(signals.next());
        // Held to the end, so that nothing is hidden again.
        let mut before = before();
        show(&mut before);
        std::process::exit(code as i32)
    });
    heeding.map_err(failed)?;
    *is_heeded = true;
    Ok(())
}

fn before() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts the terminal back as it was, on a new line.
fn show(before: &mut Option<Termios>) {
    if let Some(before) = before.take() {
        // If it cannot be put back, nobody is left to tell.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
        drop(writeln!(std::io::stderr()));
    }
}

/// While it lives, the terminal shows nothing of what is typed.
struct Unseen;

impl Unseen {
    fn begin() -> rustix::io::Result<Self> {
        let mut held = before();
        let before = tcgetattr(std::io::stdin())?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen)?;
        *held = Some(before);
        Ok(Self)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        show(&mut before());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_is_corrected_and_given_up_by_the_usual_keys() {
        for (keys, expected) in [
            ("abc\n", Ok("abc")),
            ("abc\r", Ok("abc")),
            ("ax\x7fbc\n", Ok("abc")),
            ("aé\x7fbc\n", Ok("abc")),
            ("\x7f\x7fabc\n", Ok("abc")),
            ("wrong\x15abc\n", Ok("abc")),
            ("a b\n", Ok("a b")),
            ("\n", Ok("")),
            ("abc\x03", Err("given up")),
            ("abc\x04", Err("given up")),
            ("abc", Err("given up")),
            ("abc\x1b[D\n", Err("no text")),
            ("a\tbc\n", Err("no text")),
            ("a\0bc\n", Err("no text")),
            ("\x1b[A\x15abc\n", Ok("abc")),
        ] {
            let typed = line(&mut keys.as_bytes());
            let typed = match &typed {
                Typed::Line(typed) => Ok(typed.expose()),
                Typed::NoText => Err("no text"),
                Typed::GivenUp => Err("given up"),
            };
            assert_eq!(typed, expected, "{keys:?}");
        }
    }
}
