//! What `latchkey check` says of the token socket.
//!
//! Owns the findings over `[tokens]`. Invariant: it connects to the socket and hears its hello at most, and says nothing there.
//! Must not: show the bearer token.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use latchkey::config::{Admitted, TokensConfig};
use latchkey::serve::socket::client::{Connection, HELLO_WAIT, SocketError};
use latchkey::serve::socket::{self, Admission, BindError, Stands};

use super::finding::{Finding, Findings, Level};
use super::runtime;
use crate::exit::Code;

const PART: &str = "tokens";

/// The findings; `store` is the auth file, by whose owner the bot is known.
pub fn look(config: &TokensConfig, store: &Path, findings: &mut Findings) {
    let looked = match runtime() {
        Ok(runtime) => runtime.block_on(socket::look(config)),
        Err(exit) => {
            return findings.add(Finding::told(
                Level::Problem,
                PART,
                exit.code,
                &exit.message.unwrap_or_default(),
            ));
        }
    };
    let mut problem =
        |error: BindError| findings.add(Finding::told(Level::Problem, PART, Code::Usage, &error.to_string()));
    if let Err(error) = Admission::new(config) {
        problem(error.into());
    }
    match looked {
        Err(error) => return problem(error),
        Ok((path, Stands::Free)) => {
            findings.add(Finding::ok(
                PART,
                format!("the token socket is {}; no bot serves it now", path.display()),
            ));
        }
        Ok((path, Stands::Served)) => served(&path, store, findings),
    }
    findings.add(Finding::ok(PART, "the bot's own user may have every tenant"));
    for rule in &config.allow {
        let who = match rule.who {
            Admitted::User(uid) => format!("user {uid}"),
            Admitted::Group(gid) => format!("group {gid}"),
            Admitted::Bearer => "whoever shows the bearer token".to_owned(),
        };
        let tenants: Vec<_> = rule.tenants.iter().map(ToString::to_string).collect();
        findings.add(Finding::ok(PART, format!("{who} may have {}", tenants.join(", "))));
    }
    own(config, findings);
    reach(config, findings);
}

/// Who it is that listens at the socket.
fn served(path: &Path, store: &Path, findings: &mut Findings) {
    match Connection::open(path, Some(store), HELLO_WAIT) {
        Ok(_) | Err(SocketError::Refused { .. }) => {
            findings
                .add(Finding::ok(PART, format!("the token socket is {}; a bot serves it", path.display())));
        }
        Err(error @ SocketError::Stranger { .. }) => {
            let text = format!("{error}; or stop that program, and start the bot");
            findings.add(Finding::told(Level::Problem, PART, Code::Usage, &text));
        }
        Err(error) => {
            let what = format!("somebody listens at the token socket, and no bot answered: {error}");
            findings
                .add(Finding::warning(PART, what, "end that program, and start the bot").at(path.display()));
        }
    }
}

/// Whose user the bot has may have everything: with containers about, that is easily more than one thinks.
fn own(config: &TokensConfig, findings: &mut Findings) {
    let lets_others_in = !config.allow.is_empty() || config.bearer_file.is_some();
    if lets_others_in && rustix::process::geteuid().is_root() {
        let what = "the bot's own user is root here, as it is in most containers: whichever of them reach the socket may have every \
                    tenant, whatever allow says";
        findings.add(Finding::warning(PART, what, "run the bot as a user that nothing else runs as"));
    }
}

/// Who may not even connect is admitted to nothing, whatever `allow` says.
fn reach(config: &TokensConfig, findings: &mut Findings) {
    if config.allow.is_empty() {
        return;
    }
    let all = config.mode & 0o002 != 0;
    let some = config.mode & 0o020 != 0;
    // What is amiss with a group that does not exist is said already.
    let group = socket::group_of(config).ok();
    let of_another_group = |who: Admitted| match who {
        Admitted::User(_) | Admitted::Bearer => None,
        Admitted::Group(gid) => {
            Some(gid).filter(|gid| !all && some && group.is_some_and(|group| group != *gid))
        }
    };
    let reaches = |who: Admitted| match who {
        Admitted::User(_) | Admitted::Bearer => all || (some && config.group.is_some()),
        Admitted::Group(_) => all || some,
    };
    if config.allow.iter().any(|rule| !reaches(rule.who)) {
        let remedy = "write mode = \"0666\", or mode = \"0660\" with a group: who may have what is said by allow in each case";
        let what = "allow names others, and the socket's mode lets only the bot's own user connect";
        findings.add(
            Finding::warning(PART, format!("{what} (mode {:o})", config.mode), remedy).at("tokens.mode"),
        );
    }
    if let (Some(gid), Some(group)) = (config.allow.iter().find_map(|rule| of_another_group(rule.who)), group)
    {
        let what =
            format!("allow names group {gid}, and only group {group} may connect (mode {:o})", config.mode);
        let remedy = format!("write group = \"{gid}\", or mode = \"0666\"");
        findings.add(Finding::warning(PART, what, remedy).at("tokens.group"));
    }
    let folder = config.socket.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let remedy = "choose a folder that they may enter, such as /run/latchkey with mode 755";
    match std::fs::metadata(folder) {
        Ok(found) if found.permissions().mode() & 0o011 == 0 => {
            let what = "allow names others, and they may not enter the socket's folder";
            findings.add(Finding::warning(PART, what, remedy).at(folder.display()));
        }
        Ok(_) => {}
        Err(_) => {
            let what = "allow names others, and the socket's folder is missing: the bot will make it for its own user alone";
            findings.add(Finding::warning(PART, what, remedy).at(folder.display()));
        }
    }
}
