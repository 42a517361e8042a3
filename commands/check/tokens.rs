//! What `latchkey check` says of the token socket.
//!
//! Owns the findings over `[tokens]`. Invariant: it connects to the socket at most, and says nothing there. Must not: show the
//! bearer token.

use std::os::unix::fs::PermissionsExt;

use latchkey::config::{Admitted, TokensConfig};
use latchkey::serve::socket::{self, Admission, BindError, Stands};

use super::{Findings, Level, runtime};
use crate::exit::Code;

const PART: &str = "tokens";

pub fn look(config: &TokensConfig, findings: &mut Findings) {
    let looked = match runtime() {
        Ok(runtime) => runtime.block_on(socket::look(config)),
        Err(exit) => return findings.add(Level::Problem, PART, exit.message.unwrap_or_default(), exit.code),
    };
    let mut problem = |error: BindError| findings.add(Level::Problem, PART, error.to_string(), Code::Usage);
    if let Err(error) = Admission::new(config) {
        problem(error.into());
    }
    match looked {
        Err(error) => return problem(error),
        Ok((path, Stands::Free)) => {
            findings.ok(PART, format!("the token socket is {}; no bot serves it now", path.display()));
        }
        Ok((path, Stands::Served)) => {
            findings.ok(PART, format!("the token socket is {}; a bot serves it", path.display()));
        }
    }
    findings.ok(PART, "the bot's own user may have every tenant");
    for rule in &config.allow {
        let who = match rule.who {
            Admitted::User(uid) => format!("user {uid}"),
            Admitted::Group(gid) => format!("group {gid}"),
            Admitted::Bearer => "whoever shows the bearer token".to_owned(),
        };
        let tenants: Vec<_> = rule.tenants.iter().map(ToString::to_string).collect();
        findings.ok(PART, format!("{who} may have {}", tenants.join(", ")));
    }
    reach(config, findings);
}

/// Who may not even connect is admitted to nothing, whatever `allow` says.
fn reach(config: &TokensConfig, findings: &mut Findings) {
    let all = config.mode & 0o002 != 0;
    let some = config.mode & 0o020 != 0;
    let reaches = |who: Admitted| match who {
        Admitted::User(_) | Admitted::Bearer => all || (some && config.group.is_some()),
        Admitted::Group(_) => all || some,
    };
    if config.allow.iter().any(|rule| !reaches(rule.who)) {
        let remedy = "write mode = \"0666\", or mode = \"0660\" with a group: who may have what is said by allow in each case";
        let what = "allow names others, and the socket's mode lets only the bot's own user connect";
        findings.warn(PART, format!("{what} (mode {:o}); {remedy}", config.mode));
    }
    let folder = config.socket.parent().and_then(|folder| std::fs::metadata(folder).ok());
    let is_shut = folder.is_some_and(|folder| folder.permissions().mode() & 0o011 == 0);
    if is_shut && !config.allow.is_empty() {
        let remedy = "choose a folder that they may enter, such as /run/latchkey with mode 755";
        findings
            .warn(PART, format!("allow names others, and they may not enter the socket's folder; {remedy}"));
    }
}
