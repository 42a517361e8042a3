//! `latchkey export` and `latchkey restore`: what they write, what they say, and what they leave alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::host::{Host, printed, said};
use crate::screen::Terminal;

/// A host, an identity of its own, and a folder for exports.
struct Vault {
    host: Host,
    folder: tempfile::TempDir,
    recipient: String,
}

impl Vault {
    fn new() -> Self {
        let (host, folder) = (Host::new(), tempfile::tempdir().unwrap());
        let identity = folder.path().join("backup.key");
        let made =
            host.latchkey(&["export", "--make-identity", &identity.to_string_lossy()]).output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        Self { recipient: printed(&made), host, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn named(&self, name: &str) -> String {
        self.file(name).to_string_lossy().into_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(&self.host, arguments)
    }

    /// An export in the file `name`.
    fn export(&self, name: &str) {
        let output = self.run(&["export", "--to", &self.recipient, "--output", &self.named(name)]);
        assert!(output.status.success(), "{}", said(&output));
    }

    /// Code, standard output and standard error of a restore into `host`.
    fn restore(&self, host: &Host, name: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let (file, key) = (self.named(name), self.named("backup.key"));
        let output = run(host, &[&["restore", &*file, "--identity", &*key], more].concat());
        let short = |text: String| text.replace(&*self.folder.path().to_string_lossy(), "~");
        (output.status.code(), short(printed(&output)), short(said(&output)))
    }
}

fn run(host: &Host, arguments: &[&str]) -> Output {
    host.latchkey(arguments).output().unwrap()
}

/// The auth file of `host`.
fn stored(host: &Host) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(&host.auth).unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The names in the folder of `path`.
fn beside(path: &Path) -> Vec<String> {
    crate::place::names(path.parent().unwrap())
}

/// A host is lost, and another one takes its place: shown first, then done, then used; and no token is shown, or lies in the file as
/// it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_here_is_restored_on_a_new_host() {
    let vault = Vault::new();
    let tokens = vault.host.serving("acme").await;
    vault.host.expired("acme/work").await;
    let output = vault.run(&["export", "--to", &vault.recipient, "--output", &vault.named("all.age")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = format!("exported to {}: 2 tenants, 0 threads, 0 owed revocations", vault.named("all.age"));
    assert!(said(&output).contains(&told), "{}", said(&output));
    assert_eq!((mode(&vault.file("all.age")), mode(&vault.file("backup.key"))), (0o600, 0o600));
    assert_eq!(beside(&vault.file("all.age")), ["all.age", "backup.key"]);
    let bytes = std::fs::read(vault.file("all.age")).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n-> X25519 "));
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(&tokens.refresh) && !holds(&tokens.access) && !holds("acme"));

    let new = Host::new();
    let (code, shown, warned) = vault.restore(&new, "all.age", &[]);
    assert_eq!((code, warned.as_str()), (Some(0), ""), "{shown}");
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("An export of another store; here is none yet, made "), "{shown}");
    assert_eq!(
        lines[1..3],
        ["  acme: missing here, would be restored", "  acme/work: missing here, would be restored"]
    );
    assert!(shown.contains("Before you restore: a refresh token is good once."), "{shown}");
    assert!(
        shown.ends_with("Nothing was changed. To restore 2 tenants, run it again with --yes."),
        "{shown}"
    );
    assert!(!new.auth.exists());

    let (code, shown, warned) = vault.restore(&new, "all.age", &["--yes"]);
    assert_eq!(code, Some(0), "{shown} {warned}");
    assert!(shown.ends_with("Restored: 2 tenants."), "{shown}");
    assert!(warned.contains("Before you restore: a refresh token is good once."), "{warned}");
    assert!(!format!("{shown}{warned}").contains(&tokens.refresh));
    assert_eq!(printed(&run(&new, &["token", "acme"])), tokens.access);
    let (code, shown, warned) = vault.restore(&new, "all.age", &["--yes"]);
    assert_eq!((code, warned.as_str()), (Some(0), ""), "{shown}");
    assert!(
        shown.contains("  acme: left: the same tokens are here\n") && shown.ends_with("Nothing was changed."),
        "{shown}"
    );
}

/// G2, G22: a spent token of an old copy does not come back over the newer one, whatever is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_never_takes_the_place_of_newer_tokens() {
    let vault = Vault::new();
    vault.host.expired("acme").await;
    vault.export("old.age");
    let fresh = printed(&vault.run(&["token", "acme"]));
    let held = vault.host.stored("acme");
    for more in [&["--yes"][..], &["--yes", "--replace"], &["--yes", "--replace", "--only", "acme"]] {
        let (code, shown, _) = vault.restore(&vault.host, "old.age", more);
        assert_eq!(code, Some(0), "{shown}");
        assert!(
            shown.contains("the same sign-in is here with newer tokens (generation 2, the export has 1)"),
            "{shown}"
        );
        assert_eq!(vault.host.stored("acme"), held);
    }
    assert_eq!(printed(&vault.run(&["token", "acme"])), fresh);
    assert_eq!((vault.host.authority.refreshes(), vault.host.authority.reuses()), (1, 0));
}

/// A newer sign-in stays unless --replace says otherwise, and what that means is said before it is done.
#[tokio::test(flavor = "multi_thread")]
async fn another_sign_in_is_replaced_only_when_asked_for() {
    let vault = Vault::new();
    let first = vault.host.serving("acme").await;
    vault.export("old.age");
    let second = vault.host.serving("acme").await;
    let (code, shown, _) = vault.restore(&vault.host, "old.age", &["--yes"]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("--replace puts this in its place"), "{shown}");
    assert_eq!(printed(&vault.run(&["token", "acme"])), second.access);
    let (code, shown, warned) = vault.restore(&vault.host, "old.age", &["--yes", "--replace"]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(warned.contains("What is replaced here is dropped"), "{warned}");
    assert!(shown.contains("acme: restored in the place of the sign-in that was here"), "{shown}");
    assert_eq!(printed(&vault.run(&["token", "acme"])), first.access);
}

/// F6: what does not open, or is no export, changes nothing and says why.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_open_is_refused_with_the_reason() {
    let vault = Vault::new();
    vault.host.serving("acme").await;
    vault.export("all.age");
    let new = Host::new();
    let whole = std::fs::read(vault.file("all.age")).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(vault.file(name), bytes).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    write("cut.age", &whole[..whole.len() - 1]);
    write("changed.age", &changed);
    write("other.age", b"{\"version\": 1}");
    write("backup.pass", b"swordfish\n");
    write("empty.pass", b"\n");
    write("plain.txt", b"no export");
    std::fs::File::create(vault.file("huge.age")).unwrap().set_len(81 * 1024 * 1024).unwrap();
    let stranger = vault.named("stranger.key");
    assert!(vault.run(&["export", "--make-identity", &stranger]).status.success());
    assert!(encrypt(&vault, "plain.txt", "plain.age"));

    let (key, pass) = (vault.named("backup.key"), vault.named("backup.pass"));
    for (name, how, why) in [
        ("cut.age", ["--identity", &*key], "it is cut short, or was changed since it was written"),
        ("changed.age", ["--identity", &key], "it is cut short, or was changed since it was written"),
        ("other.age", ["--identity", &key], "it is no file that age encrypted"),
        ("huge.age", ["--identity", &key], "it is larger than any export is (80 MiB)"),
        ("none.age", ["--identity", &key], "No such file or directory"),
        ("", ["--identity", &key], "it is no ordinary file"),
        ("all.age", ["--identity", &stranger], "it is not encrypted for this identity"),
        ("all.age", ["--identity", &pass], "line 1 of the identity file is no age identity"),
        (
            "all.age",
            ["--passphrase-file", &pass],
            "it is encrypted for a recipient: name the identity file with --identity",
        ),
        ("all.age", ["--passphrase-file", &vault.named("empty.pass")], "is empty: write one line into it"),
        ("plain.age", ["--identity", &key], "it was opened, and holds no export of Latchkey"),
    ] {
        let output = run(&new, &["restore", &vault.named(name), how[0], how[1], "--yes"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", said(&output));
        assert!(said(&output).contains(why), "{name}: {}", said(&output));
        assert!(!new.auth.exists(), "{name}");
    }
    let output = run(&new, &["restore", &vault.named("all.age"), "--yes"]);
    assert!(
        said(&output).contains("name the identity file with --identity; nothing was changed"),
        "{}",
        said(&output)
    );
    let (code, _, warned) = vault.restore(&new, "all.age", &["--only", "acme/work"]);
    assert_eq!(
        (code, warned.contains("the export holds no acme/work; it holds acme;")),
        (Some(2), true),
        "{warned}"
    );
}

/// Whether Debian's own age encrypted the file `from` to our recipient.
fn encrypt(vault: &Vault, from: &str, to: &str) -> bool {
    let mut age = Command::new("age");
    age.args(["--encrypt", "--recipient", &vault.recipient, "--output"])
        .arg(vault.file(to))
        .arg(vault.file(from));
    age.status().unwrap().success()
}

/// The files are ordinary age files: the program `age` opens ours with our identity, and we open what it encrypted.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_age_opens_an_export_and_makes_one() {
    let vault = Vault::new();
    vault.host.serving("acme").await;
    vault.export("all.age");
    let opened = Command::new("age")
        .args([
            "--decrypt",
            "--identity",
            &vault.named("backup.key"),
            "--output",
            &vault.named("opened.json"),
        ])
        .arg(vault.file("all.age"))
        .status();
    assert!(opened.unwrap().success());
    let text = std::fs::read_to_string(vault.file("opened.json")).unwrap();
    assert!(text.starts_with("{\"latchkey_export\":1,\"created_at\":"), "{text}");
    assert!(encrypt(&vault, "opened.json", "again.age"));
    let new = Host::new();
    let (code, shown, warned) = vault.restore(&new, "again.age", &["--yes"]);
    assert_eq!(code, Some(0), "{shown} {warned}");
    assert_eq!(printed(&run(&new, &["token", "acme"])), printed(&vault.run(&["token", "acme"])));

    // A key of its own program, and by way of standard input.
    let made = Command::new("age-keygen").arg("--output").arg(vault.file("theirs.key")).output().unwrap();
    let theirs = String::from_utf8_lossy(&made.stderr).replace("Public key: ", "").trim().to_owned();
    let exported = vault.run(&["export", "--to", &theirs, "--to", &vault.recipient]);
    assert!(exported.status.success(), "{}", said(&exported));
    std::fs::write(vault.file("both.age"), &exported.stdout).unwrap();
    let mut restore = vault.host.latchkey(&["restore", "-", "--identity", &vault.named("theirs.key")]);
    let output = restore.stdin(std::fs::File::open(vault.file("both.age")).unwrap()).output().unwrap();
    assert!(printed(&output).contains("acme: left: the same tokens are here"), "{}", said(&output));
}

/// An export is not lost to a wrong name, does not go to a terminal, and is not made for nobody.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_replaces_nothing_unasked_and_is_made_for_somebody() {
    let vault = Vault::new();
    let refused = |arguments: &[&str], why: &str| {
        let output = vault.run(&[&["export"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
        assert!(output.stdout.is_empty());
    };
    let (to, file) = (["--to", &*vault.recipient], vault.named("all.age"));
    refused(&to, "there is no store at ");
    assert!(!vault.host.auth.parent().unwrap().exists());
    vault.host.serving("acme").await;
    std::fs::write(&file, "kept").unwrap();
    refused(
        &[&to[..], &["--output", &file]].concat(),
        "is there already: choose another name, or replace it with --force",
    );
    refused(&["--make-identity", &vault.named("backup.key")], "is there already");
    refused(&[], "nobody is named who could open the export");
    refused(&["--to", "ada"], "\"ada\" is no age recipient");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    let secret = std::fs::read_to_string(vault.file("backup.key")).unwrap();
    let secret = secret.lines().last().unwrap().to_owned();
    let output = vault.run(&["export", "--to", &secret]);
    assert!(
        said(&output).contains("that is an identity, which is secret") && !said(&output).contains(&secret)
    );
    let output = vault.run(&[&["export"], &to[..], &["--force", "--output", &file]].concat());
    assert!(output.status.success(), "{}", said(&output));
    assert!(std::fs::read(&file).unwrap().starts_with(b"age-encryption.org/v1"));
    assert_eq!((beside(Path::new(&file)).len(), mode(Path::new(&file))), (2, 0o600));
    // Half an export is none: a reader who leaves is an error.
    let mut gone = vault.host.latchkey(&[&["export"], &to[..]].concat());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = gone.stdout(Stdio::from(writer)).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let shell = format!(
        "{} --config {} export --to {}",
        env!("CARGO_BIN_EXE_latchkey"),
        vault.host.config.display(),
        to[1]
    );
    let (shown, code) = Terminal::run(&shell, 100, 30, &[]).end();
    assert_eq!((code, shown.contains("an export is no text for a terminal")), (Some(2), true), "{shown}");
}

/// A passphrase is asked for twice and not shown; from a file it opens the same export.
#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_on_a_terminal_and_not_shown() {
    let vault = Vault::new();
    vault.host.serving("acme").await;
    let program = format!("{} --config {}", env!("CARGO_BIN_EXE_latchkey"), vault.host.config.display());
    let line = format!("{program} export --output {}", vault.named("pass.age"));
    for (second, code) in [("Swordfish\r", 2), ("\x03", 130), ("swordfish\r", 0)] {
        let mut terminal = Terminal::run(&line, 100, 30, &[]);
        terminal.until("Passphrase for this export");
        terminal.types("swordfish\r");
        let mut shown = terminal.until("The same again: ");
        terminal.types(second);
        let (rest, ended) = terminal.end();
        shown += &rest;
        assert_eq!(ended, Some(code), "{shown}");
        assert!(!shown.to_lowercase().contains("swordfish"), "{shown}");
        assert_eq!(vault.file("pass.age").exists(), code == 0);
    }
    std::fs::write(vault.file("backup.pass"), "swordfish\n").unwrap();
    let new = Host::new();
    let opened =
        run(&new, &["restore", &vault.named("pass.age"), "--passphrase-file", &vault.named("backup.pass")]);
    assert!(printed(&opened).contains("acme: missing here, would be restored"), "{}", said(&opened));
    std::fs::write(vault.file("wrong.pass"), "Swordfish\n").unwrap();
    let refused =
        run(&new, &["restore", &vault.named("pass.age"), "--passphrase-file", &vault.named("wrong.pass")]);
    assert!(
        said(&refused).contains("it does not open with this passphrase; nothing was changed"),
        "{}",
        said(&refused)
    );
    let nobody = run(&new, &["restore", &vault.named("pass.age")]);
    assert!(
        said(&nobody).contains("it is encrypted with a passphrase: use --passphrase-file"),
        "{}",
        said(&nobody)
    );
}

/// A terminal is never left without echo, lines and Ctrl-C, whatever ends the question; and a key that types no character is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_a_signal_ends_leaves_the_terminal_as_it_was() {
    let vault = Vault::new();
    vault.host.serving("acme").await;
    let program = format!("{} --config {}", env!("CARGO_BIN_EXE_latchkey"), vault.host.config.display());
    let ask = format!(
        "sh -c 'echo \"pid $$.\"; exec \"$@\"' sh {program} export --output {}\necho \"ended $?.\"\nstty -a\n",
        vault.named("pass.age")
    );
    std::fs::write(vault.file("ask.sh"), ask).unwrap();
    let line = format!("sh {}", vault.named("ask.sh"));
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let mut terminal = Terminal::run(&line, 100, 30, &[]);
        let shown = terminal.until("Passphrase for this export (without it, nobody can open it): ");
        let pid = shown.split_once("pid ").and_then(|(_, rest)| rest.split_once('.')).unwrap().0.to_owned();
        let killed = Command::new("kill").args([&*format!("-{signal}"), &*pid]).status().unwrap();
        assert!(killed.success());
        let (rest, _) = terminal.end();
        assert!(rest.contains(&format!("ended {code}.")), "{signal}: {rest}");
        for mode in ["echo", "icanon", "isig"] {
            assert!(rest.split_whitespace().any(|word| word == mode), "{signal} loses {mode}: {rest}");
        }
        assert!(!vault.file("pass.age").exists());
    }
    let mut terminal = Terminal::run(&line, 100, 30, &[]);
    terminal.until("Passphrase for this export");
    terminal.types("sword\x1b[Dfish\r");
    let (rest, _) = terminal.end();
    assert!(
        rest.contains("a key was pressed that types no character") && rest.contains("ended 2."),
        "{rest}"
    );
}

/// An export never takes the place of the store that it is made of.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_never_written_over_the_store() {
    let vault = Vault::new();
    vault.host.serving("acme").await;
    let auth = &vault.host.auth;
    let (folder, name) = (auth.parent().unwrap(), auth.file_name().unwrap().to_string_lossy());
    let before = std::fs::read(auth).unwrap();
    let names = beside(auth);
    let locks = crate::place::names(&folder.join(format!("{name}.locks")));
    for own in [
        folder.join(&*name),
        folder.join(format!("{name}.locks/../{name}")),
        folder.join(format!("{name}.lock")),
        folder.join(format!("{name}.locks/store_id")),
        folder.join(format!("{name}.locks/new.age")),
    ] {
        let own = own.to_string_lossy();
        let output = vault.run(&["export", "--to", &vault.recipient, "--force", "--output", &own]);
        assert_eq!(output.status.code(), Some(2), "{own}: {}", said(&output));
        assert!(said(&output).contains("is part of the store itself: write the export elsewhere"), "{own}");
    }
    assert_eq!(std::fs::read(auth).unwrap(), before);
    assert_eq!(beside(auth), names);
    assert_eq!(crate::place::names(&folder.join(format!("{name}.locks"))), locks);
}

/// An auth file whose lock folder is gone is a store; and what a restore would do is told without making one.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_no_folder_and_an_export_needs_no_lock_folder() {
    let vault = Vault::new();
    vault.host.serving("acme").await;
    let locks = format!("{}.locks", vault.host.auth.display());
    std::fs::remove_dir_all(locks).unwrap();
    vault.export("all.age");
    let new = Host::new();
    let kept = new.auth.parent().unwrap().to_owned();
    assert!(!kept.exists());
    let (code, shown, _) = vault.restore(&new, "all.age", &[]);
    assert!(code == Some(0) && shown.contains("acme: missing here, would be restored"), "{shown}");
    assert!(shown.starts_with("An export of another store; here is none yet"), "{shown}");
    assert!(!kept.exists(), "a plan made its folder");
}

/// What does not open is named when it is exported, does not come back, and can be removed where it stands.
#[tokio::test(flavor = "multi_thread")]
async fn what_stays_sealed_in_an_export_is_named_and_does_not_come_back() {
    let vault = Vault { host: Host::sealed(), ..Vault::new() };
    for tenant in ["acme", "acme/b"] {
        vault.host.serving(tenant).await;
    }
    let mut file = stored(&vault.host);
    let moved = file["tenants"]["acme"]["refresh_token"].clone();
    assert!(moved.as_str().unwrap().starts_with("sealed:"));
    file["tenants"]["acme/b"]["refresh_token"] = moved;
    std::fs::write(&vault.host.auth, file.to_string()).unwrap();
    let export = ["export", "--to", &vault.recipient, "--output", &vault.named("all.age"), "--force"];
    let output = vault.run(&export);
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    let told = "not everything that is sealed opens with the keys that are here, and what does not is of no use in the export (acme/b)";
    assert!(said(&output).contains("exported to") && said(&output).contains(told), "{}", said(&output));

    let new = Host::new();
    let (code, shown, said_of_it) = vault.restore(&new, "all.age", &["--yes"]);
    assert_eq!(code, Some(6), "{shown} {said_of_it}");
    assert!(shown.contains("acme/b: left: in the export it is still sealed"), "{shown}");
    assert_eq!(stored(&new)["tenants"].as_object().unwrap().keys().collect::<Vec<_>>(), ["acme"]);

    let asked = vault.run(&["logout", "acme/b"]);
    assert_eq!(asked.status.code(), Some(2), "{}", said(&asked));
    assert!(said(&asked).contains("it is removed here, unread"), "{}", said(&asked));
    assert_eq!(stored(&vault.host), file);
    let removed = vault.run(&["logout", "acme/b", "--yes"]);
    assert_eq!(removed.status.code(), Some(0), "{}", said(&removed));
    assert!(said(&removed).contains("what stood under acme/b is removed"), "{}", said(&removed));
    let tenants = stored(&vault.host)["tenants"].clone();
    assert_eq!(tenants.as_object().unwrap().keys().collect::<Vec<_>>(), ["acme"]);
    assert_eq!(vault.run(&export).status.code(), Some(0));
}

/// Z3: who exported and restored what stands in the audit trail, without a token.
#[tokio::test(flavor = "multi_thread")]
async fn exports_and_restores_stand_in_the_audit_trail() {
    let vault = Vault::new();
    let tokens = vault.host.serving("acme").await;
    let audited = |host: &Host, arguments: &[&str]| {
        let output = host.latchkey(arguments).env("LATCHKEY_LOG", "latchkey::audit=info").output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let lines = said(&output);
        assert!(!lines.contains(&tokens.access) && !lines.contains(&tokens.refresh));
        lines.lines().filter(|line| line.contains("latchkey::audit")).map(str::to_owned).collect::<Vec<_>>()
    };
    let file = vault.named("all.age");
    let lines = audited(&vault.host, &["export", "--to", &vault.recipient, "--output", &file]);
    assert!(
        lines.len() == 1 && lines[0].contains("exported user=local:") && lines[0].contains("tenants=1"),
        "{lines:?}"
    );
    let lines = audited(&Host::new(), &["restore", &file, "--identity", &vault.named("backup.key"), "--yes"]);
    assert!(
        lines.len() == 1 && lines[0].contains("restored user=local:") && lines[0].contains("tenant=acme"),
        "{lines:?}"
    );
}
