//! Opening a browser, if there is one.
//!
//! Owns which program that is. Invariants: no shell reads the link; the program gets the link and no secret of ours, in a
//! process group of its own, so that Ctrl-C here does not close it. Must not: wait for it.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use latchkey::config::Config;

use crate::setup;

/// The programs to try in turn, each with its arguments: what `$BROWSER` names, where it names any; else the desktop's own,
/// where there is a desktop. `variable` gives the environment.
pub(super) fn programs(variable: &dyn Fn(&str) -> Option<String>) -> Vec<Vec<String>> {
    if let Some(named) = variable("BROWSER") {
        // As other programs read it: several are parted by colons, and %s stands for the link.
        let programs =
            named.split(':').map(|one| one.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        return programs.filter(|words| !words.is_empty()).collect();
    }
    if cfg!(target_os = "macos") {
        return vec![vec!["open".to_owned()]];
    }
    let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| variable(name).is_some());
    if has_desktop { vec![vec!["xdg-open".to_owned()]] } else { Vec::new() }
}

/// Opens `link` with the first of `programs` that can be started; whether one could. The secrets that `config` names are not theirs.
pub(super) fn open(programs: &[Vec<String>], link: &str, config: &Config) -> bool {
    programs.iter().any(|words| {
        let Some((program, arguments)) = words.split_first() else { return false };
        let mut command = Command::new(program);
        command.args(with_link(arguments, link));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        setup::keep_secrets_from(&mut command, Some(config));
        let Ok(mut child) = command.spawn() else { return false };
        // So that it is no zombie while the sign-in is waited for.
        std::thread::spawn(move || drop(child.wait()));
        true
    })
}

fn with_link(arguments: &[String], link: &str) -> Vec<String> {
    let mut filled: Vec<_> = arguments.iter().map(|argument| argument.replace("%s", link)).collect();
    if !arguments.iter().any(|argument| argument.contains("%s")) {
        filled.push(link.to_owned());
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The link is one argument, whatever stands in it.
    #[test]
    fn the_link_stays_one_argument() {
        let link = "https://id.example/?a=1&b='; rm -rf /";
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(with_link(&words("--new"), link), ["--new", link]);
        assert_eq!(with_link(&words("--app=%s -x"), link), [&format!("--app={link}"), "-x"]);
        assert_eq!(with_link(&[], link), [link]);
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn what_is_named_comes_before_the_desktops_own() {
        let with = |set: &'static [(&str, &str)]| {
            programs(&|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(with(&[]), Vec::<Vec<String>>::new());
        assert_eq!(with(&[("DISPLAY", ":0")]), [["xdg-open"]]);
        assert_eq!(
            with(&[("BROWSER", "firefox --new %s:lynx:"), ("DISPLAY", ":0")]),
            [vec!["firefox", "--new", "%s"], vec!["lynx"]]
        );
    }
}
