//! What shells complete, by the real shells.

use std::process::{Command, Stdio};

use latchkey::binding::Binding;
use latchkey::store::{Touches, update};
use latchkey::tenant::ThreadId;

use crate::host::{Host, key, printed, said};
use crate::screen::Terminal;

/// Runs `line` in `shell`, with `latchkey` on the path and the host's configuration.
fn shell(host: &Host, shell: &[&str], line: &str) -> String {
    let mut command = Command::new(shell[0]);
    command
        .args(&shell[1..])
        .arg(line)
        .stdin(Stdio::null())
        .env("LATCHKEY_CONFIG", &host.config)
        .env("PATH", path());
    command.env("HOME", host.config.parent().unwrap()).current_dir(host.config.parent().unwrap());
    let output = command.output().unwrap_or_else(|error| panic!("{} runs: {error}", shell[0]));
    assert_eq!(said(&output), "", "nothing is said in the middle of a line");
    printed(&output)
}

fn path() -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_latchkey")).parent().unwrap();
    format!("{}:/usr/local/bin:/usr/bin:/bin", program.display())
}

/// What bash puts in the place of the word at the end of `line`: each candidate, as bash is given it.
fn in_bash(host: &Host, line: &str) -> Vec<String> {
    // As bash does it: the words are cut at its own breaks, and the last of them goes in as $2.
    let script = format!(
        "source <(latchkey completions bash)
        COMP_LINE={line}; COMP_POINT=${{#COMP_LINE}}
        rest=\"$COMP_LINE\"; COMP_WORDS=(); 
        while [[ -n \"$rest\" ]]; do
            blank=\"${{rest%%[![:space:]]*}}\"; rest=\"${{rest#\"$blank\"}}\"
            if [[ \"$rest\" == [@:=]* ]]; then word=\"${{rest:0:1}}\"; else word=\"${{rest%%[[:space:]@:=]*}}\"; fi
            [[ -n \"$rest$blank\" ]] && COMP_WORDS+=(\"$word\"); rest=\"${{rest#\"$word\"}}\"
        done
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); two=\"${{COMP_WORDS[COMP_CWORD]}}\"
        case \"$two\" in [@:=]) two= ;; esac
        _latchkey latchkey \"$two\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        line = quoted(line)
    );
    let mut found: Vec<_> =
        shell(host, &["bash", "--norc", "-c"], &script).lines().map(str::to_owned).collect();
    found.sort_unstable();
    found
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Every name of [`furnished`].
const ALL: [&str; 7] = ["acme", "acme/work", "codex", "codex@42", "codex@43", "mcp:notes", "mcp:notes@42"];

async fn furnished() -> Host {
    let host = Host::new();
    let config = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(
        &host.config,
        config + "[providers.codex]\n[providers.\"mcp:notes\"]\nurl = \"https://notes.example/mcp\"\n",
    )
    .unwrap();
    for tenant in ["codex", "codex@42", "codex@43", "mcp:notes@42", "acme/work"] {
        host.serving(tenant).await;
    }
    let thread: ThreadId = "2001".parse().unwrap();
    update(&*host.store(), Touches::thread(&thread), move |view| {
        let tenants = [(key("codex").provider, key("codex@42"))].into();
        view.put_binding(&thread, Binding { tenants, ..Binding::default() });
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    host
}

/// Tenants and providers come from store and configuration, also across what bash takes for the end of a word.
#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_tenants_across_its_own_breaks() {
    let host = furnished().await;
    for (line, expected) in [
        ("latchkey tok", &["token"][..]),
        ("latchkey token co", &["codex", "codex@42", "codex@43"]),
        ("latchkey exec ac", &["acme", "acme/work"]),
        ("latchkey exec --env TOKEN codex@4", &["42", "43"]),
        ("latchkey token codex@", &["42", "43"]),
        ("latchkey token codex@4", &["42", "43"]),
        ("latchkey token mcp:n", &["notes", "notes@42"]),
        ("latchkey token mcp:notes@", &["42"]),
        ("latchkey status codex@42 ac", &["acme", "acme/work"]),
        ("latchkey logout a", &["acme/work"]),
        ("latchkey token codex --thread ", &["2001"]),
        ("latchkey token codex --user=4", &["42", "43"]),
        ("latchkey completions po", &["powershell"]),
        ("latchkey token zzz", &[]),
    ] {
        assert_eq!(in_bash(&host, line), expected, "{line}");
    }
    let mut offered = in_bash(&host, "latchkey token ");
    offered.retain(|name| !name.starts_with('-'));
    assert_eq!(offered, ALL);
    // The configuration that is named on the line is the one that is read.
    let other = Host::new();
    let line = format!("latchkey --config {} token a", host.config.display());
    assert_eq!(in_bash(&other, &line), ["acme", "acme/work"]);
}

/// The same as a person does it, with the key itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_press_in_bash_completes_a_tenant() {
    let host = furnished().await;
    let config = host.config.display().to_string();
    let path = path();
    let env =
        [("LATCHKEY_CONFIG", config.as_str()), ("PATH", &path), ("PS1", "$ "), ("INPUTRC", "/dev/null")];
    let mut terminal = Terminal::run("bash --norc --noprofile -i", 120, 20, &env);
    terminal.types("source <(latchkey completions bash); echo rea''dy\n");
    terminal.until("ready");
    // Completed as our line, and then printed rather than run.
    for (typed, completed) in [
        ("logout acme/", "logout acme/work"),
        ("exec acme/", "exec acme/work"),
        ("logout mcp:notes@", "logout mcp:notes@42"),
        ("status codex@42 ac", "status codex@42 acme"),
        ("comp", "completions"),
    ] {
        terminal.types(&format!("latchkey {typed}\t\u{1}echo got \u{5} end\n"));
        terminal.until(&format!("got latchkey {completed} end"));
    }
    terminal.types("exit\n");
    terminal.end();
}

/// fish and zsh, as far as they tell without a person.
#[tokio::test(flavor = "multi_thread")]
async fn fish_and_zsh_complete_tenants() {
    let host = furnished().await;
    let fish = |line: &str| {
        let script = format!("latchkey completions fish | source; complete -C {}", quoted(line));
        let found = shell(&host, &["fish", "--no-config", "-c"], &script);
        found.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fish("latchkey token co"), ["codex", "codex@42", "codex@43"]);
    assert_eq!(fish("latchkey token mcp:notes@"), ["mcp:notes@42"]);
    assert_eq!(fish("latchkey exec ac"), ["acme", "acme/work"]);
    let mut offered = fish("latchkey token ");
    offered.retain(|name| !name.starts_with('-'));
    assert_eq!(offered, ALL);

    let config = host.config.display().to_string();
    let path = path();
    let env = [("LATCHKEY_CONFIG", config.as_str()), ("PATH", &path), ("PS1", "$ ")];
    let mut zsh = Terminal::run("zsh -f -i", 120, 20, &env);
    zsh.types("autoload -Uz compinit && compinit -D -u; source <(latchkey completions zsh); echo rea''dy\n");
    zsh.until("ready");
    zsh.types("latchkey logout mcp:\t\u{1}echo got \u{5} end\n");
    zsh.until("got latchkey logout mcp:notes@42 end");
    zsh.types("latchkey exec acme/\t\u{1}echo got \u{5} end\n");
    zsh.until("got latchkey exec acme/work end");
    zsh.types("exit\n");
    zsh.end();
}

/// What cannot be read completes nothing and says nothing; nothing is made, locked or asked.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_completes_nothing() {
    let host = Host::new();
    assert_eq!(in_bash(&host, "latchkey token a"), ["acme"]);
    assert!(!host.auth.parent().unwrap().exists(), "completing made a store");
    host.serving("acme/work").await;
    assert_eq!(in_bash(&host, "latchkey token a"), ["acme", "acme/work"]);
    let locks = host.auth.with_added_extension("locks");
    std::fs::remove_dir_all(&locks).unwrap();
    assert_eq!(in_bash(&host, "latchkey token a"), ["acme"]);
    assert!(!locks.exists(), "completing made the lock folder");
    std::fs::create_dir(&locks).unwrap();
    std::fs::write(&host.auth, "{half").unwrap();
    assert_eq!(in_bash(&host, "latchkey token a"), ["acme"]);
    std::fs::write(&host.config, "[store\n").unwrap();
    assert_eq!(in_bash(&host, "latchkey token a"), [""; 0]);
    assert_eq!(in_bash(&host, "latchkey tok"), ["token"]);
    assert_eq!(host.authority.requests().len(), 0);
}

/// A variable that no script has set so changes no command.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_name_of_a_shell_has_names_completed() {
    let host = Host::new();
    let fresh = host.serving("acme").await.access;
    for value in ["", "0", "1", "tcsh", "/bin/bash", "Bash", "bash "] {
        let output = host.latchkey(&["token", "acme"]).env("LATCHKEY_COMPLETE", value).output().unwrap();
        assert_eq!((output.status.code(), printed(&output)), (Some(0), fresh.clone()), "{value:?}");
    }
}

/// Each shell has its script, and it names the program by its name, so that an update of it is enough.
#[test]
fn each_shell_has_its_script() {
    let host = Host::new();
    for name in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = host.latchkey(&["completions", name]).output().unwrap();
        let script = printed(&output);
        assert!(output.status.success() && script.contains("LATCHKEY_COMPLETE"), "{name}: {script}");
        assert!(!script.contains(env!("CARGO_BIN_EXE_latchkey")), "{name}: {script}");
    }
    assert_eq!(host.latchkey(&["completions", "tcsh"]).output().unwrap().status.code(), Some(2));
}
