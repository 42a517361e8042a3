//! Tests of the configuration as a whole.

use proptest::prelude::*;

use super::*;
use crate::provider::Provider;
use crate::secret::Secret;

const EXAMPLE: &str = include_str!("../../config/latchkey.example.toml");

pub(super) const ACME: &str = r#"
[providers.acme]
token_endpoint = "https://id.acme.example/token"
device_authorization_endpoint = "https://id.acme.example/device"
client_id = "latchkey"
"#;

pub(super) fn parse_with(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let lookup =
        |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Config::parse(text, Path::new("latchkey.toml"), &lookup)
}

pub(super) fn parse(text: &str) -> Config {
    parse_with(text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong, as people read it.
pub(super) fn problems(text: &str) -> String {
    parse_with(text, &[]).map_or_else(|error| error.to_string(), |_| "nothing is wrong".to_owned())
}

pub(super) fn provider<'c>(config: &'c Config, name: &str) -> &'c Provider {
    config.providers.find(name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_example_is_valid_with_and_without_its_comments() {
    let config = parse(EXAMPLE);
    assert_eq!(
        config.discord,
        Some(DiscordConfig {
            guild: 81_384_788_765_712_384,
            command: "auth".to_owned(),
            token: TokenSource::Environment
        })
    );
    assert_eq!((config.access, config.warnings), (Access::default(), Vec::new()));
    let uncommented = |line: &'static str| {
        line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = ")).unwrap_or(line)
    };
    let whole = EXAMPLE.lines().map(uncommented).collect::<Vec<_>>().join("\n");
    // No secret stands there, not even one of nobody's: what holds its place is refused.
    let refused = problems(&whole);
    assert!(refused.contains("gemini.client_secret_obscured: it is not obscured text"), "{refused}");
    let whole = whole.replace("obscured = \"…\"", "obscured = \"BAnKqeU6SkBzaMPZc_uNywdyw7f29eCl3Lo1dbE\"");
    let config = parse_with(&whole, &[("ACME_SECRET", "s"), ("ACME_API_KEY", "k"), ("ACME_TOKEN", "t")])
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        config.providers.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(),
        ["acme", "claude", "codex", "gemini", "github", "mcp:notes"]
    );
    assert_eq!(config.warnings, []);
    // What stands in another line's place has no space behind its mark.
    let instead = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && line.contains(" = ");
    let alone = EXAMPLE.lines().filter(instead).map(|line| (line, parse(&EXAMPLE.replace(line, &line[1..]))));
    let found: Vec<_> = alone.map(|(line, config)| (line, config.warnings)).collect();
    assert!(found.len() == 3 && found.iter().all(|(_, warnings)| warnings.is_empty()), "{found:?}");
}

#[test]
fn an_empty_file_is_valid_and_admits_nobody() {
    let config = parse("");
    assert_eq!(config.discord, None);
    assert_eq!(config.access, Access::default());
    assert_eq!(
        config.store,
        StoreConfig { path: "data/auth.json".into(), allow_unverified_locks: false, seal_key: None }
    );
    assert_eq!(config.limits, Limits::default());
    assert!(
        config.providers.is_empty()
            && config.http.is_none()
            && config.ops.is_none()
            && config.tokens.is_none()
            && config.feeds.is_empty()
    );
}

/// All problems at once, each with its place and remedy.
#[test]
fn all_problems_are_told_together() {
    let text = r#"
[discord]
guild = 81384788765712384
comand = "auth"

[store]
pth = "x"
path = 7

[providers.acme]
issuer = "https://id.acme.example"
client_secret = "hunter2"
flow = ["device"]
share = "everyone"
revocation_endpoint = "http://id.acme.example/revoke"

[provider.codex]
"#;
    assert_eq!(
        problems(text),
        r#"latchkey.toml has 9 problems:
  line 3, column 9: discord.guild: an id must stand in quotes; write "81384788765712384": many programs round numbers as large as this
  line 4, column 1: discord.comand: unknown key; did you mean `command`?
  line 7, column 1: store.pth: unknown key; did you mean `path`?
  line 8, column 8: store.path: is not a quoted text, not empty; write a quoted text, not empty
  line 12, column 17: providers.acme.client_secret: a secret must not stand in the configuration; put it into an environment variable or a file, and name that as client_secret_env or client_secret_file; or write it as client_secret_obscured, which only hides it from scanners and is no encryption
  line 13, column 1: providers.acme.flow: unknown key; did you mean `flows`?
  line 14, column 9: providers.acme.share: is not one of "member", "guild"; write one of "member", "guild"
  line 15, column 23: providers.acme.revocation_endpoint: is not an https address (http only on this host); write an https address (http only on this host)
  line 17, column 2: provider: unknown key; did you mean `providers`?"#
    );
}

/// Line and column as an editor counts them, in characters; the nearest known name of a key, of a section, and of a built-in.
#[test]
fn each_problem_has_its_place_and_the_nearest_known_name() {
    for (text, line, column, key, remedy) in [
        ("[store]\n  paht = 'x'\n", 2, 3, "store.paht", "did you mean `path`?"),
        ("discrod = 1\n", 1, 1, "discrod", "did you mean `discord`?"),
        ("\n[acess]\n", 2, 2, "acess", "did you mean `access`?"),
        ("[access]\nmember = { anyone = true }\n", 2, 1, "access.member", "did you mean `members`?"),
        (
            "[access]\nmembers = { users = [\"ä\"], role = [] }\n",
            2,
            28,
            "access.members.role",
            "did you mean `roles`?",
        ),
        ("[limits]\nopen_login = 1\n", 2, 1, "limits.open_login", "did you mean `open_logins`?"),
        (
            "[providers.codx]\n",
            1,
            12,
            "providers.codx.token_endpoint",
            "did you mean the built-in [providers.codex]?",
        ),
        ("x = = 1\n", 1, 5, "", "correct the TOML there"),
    ] {
        let Err(ConfigError::Invalid { problems, .. }) =
            Config::parse(text, Path::new("latchkey.toml"), &|_| None)
        else {
            panic!("{text}");
        };
        let found = problems.iter().any(|problem| {
            (problem.line, problem.column, &*problem.key) == (Some(line), Some(column), key)
                && problem.remedy.contains(remedy)
        });
        assert!(found, "{text}: {problems:#?}");
    }
}

#[test]
fn broken_toml_is_told_by_line_and_without_its_text() {
    let text = "[discord]\nguild = \"1\"\ntoken_file = hunter2\n[store\n";
    let shown = problems(text);
    assert!(
        shown.contains("line 3, column ") && shown.contains("line 4, column ") && !shown.contains("hunter2"),
        "{shown}"
    );
}

/// T14
#[test]
fn a_secret_is_never_taken_from_the_text() {
    for text in ["[discord]\nguild=\"1\"\ntoken=\"hunter2\"", &format!("{ACME}client_secret = \"hunter2\"")] {
        let shown = problems(text);
        assert!(shown.contains("a secret must not stand in the configuration"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn the_other_sections_are_read() {
    let config = parse(
        r#"
[access]
members = { roles = ["1"], users = ["2", "3"], anyone = true }
admins = { users = ["4"] }
[http]
public_url = "https://login.example.org"
[ops]
listen = "[::1]:9000"
[tokens]
socket = "s"
mode = "0660"
group = "agents"
allow = [
  { uid = 1000, tenants = ["Codex/Work", "anthropic@*"] },
  { gid = 1001, tenants = ["*"] },
  { bearer = true, tenants = ["codex"] },
]
bearer_file = "b"
[feeds.tool]
tenant = "openai/work"
program = "codex"
path = "codex/auth.json"
[providers.codex]
aliases = ["openai"]
[providers.claude]
[limits]
starts_per_minute = 2
"#,
    );
    assert_eq!(
        config.access,
        Access {
            members: Rule { roles: vec![1], users: vec![2, 3], anyone: true },
            admins: Rule { users: vec![4], ..Rule::default() }
        }
    );
    let http = HttpConfig {
        listen: "127.0.0.1:8484".parse().unwrap(),
        public_url: "https://login.example.org".parse().ok(),
    };
    assert_eq!(config.http, Some(http));
    assert_eq!(config.ops, Some(OpsConfig { listen: "[::1]:9000".parse().unwrap() }));
    assert_eq!(
        config.tokens,
        Some(TokensConfig {
            socket: "s".into(),
            mode: 0o660,
            group: Some("agents".to_owned()),
            allow: vec![
                AllowRule {
                    who: Admitted::User(1000),
                    tenants: vec!["codex/work".parse().unwrap(), "claude@*".parse().unwrap()],
                },
                AllowRule { who: Admitted::Group(1001), tenants: vec!["*".parse().unwrap()] },
                AllowRule { who: Admitted::Bearer, tenants: vec!["codex".parse().unwrap()] },
            ],
            bearer_file: Some("b".into())
        })
    );
    let feed = FeedConfig {
        name: "tool".to_owned(),
        tenant: "codex/work".parse().unwrap(),
        program: FeedProgram::Codex,
        path: "codex/auth.json".into(),
    };
    assert_eq!(config.feeds, [feed]);
    assert_eq!(config.limits, Limits { starts_per_minute: 2, ..Limits::default() });
}

#[test]
fn sections_that_cannot_work_are_refused() {
    for (text, expected) in [
        ("[discord]", "discord.guild: missing"),
        ("[discord]\nguild = \"guild\"", "Copy ID"),
        ("[discord]\nguild = \"1\"\ncommand = \"/auth\"", "without the slash"),
        ("[access]\nadmins = { anyone = true }", "not everybody can be an admin"),
        ("[access]\nmembers = { roles = [1] }", "write \"1\""),
        ("[http]\nlisten = \"8484\"", "as in \"127.0.0.1:8484\""),
        ("[http]\nlisten = \"127.0.0.1:1\"\n[ops]\nlisten = \"127.0.0.1:1\"", "choose another port"),
        ("[http]\npublic_url = \"http://login.example.org\"", "an https address"),
        ("[tokens]\nmode = \"rw\"", "is no mode for the socket"),
        ("[tokens]\nallow = [{ uid = -1, tenants = [\"codex\"] }]", "tokens.allow.uid"),
        ("[tokens]\nallow = [{ uid = 1 }]", "an entry needs tenants"),
        ("[tokens]\nallow = [{ tenants = [\"*\"] }]", "one of uid, gid and bearer"),
        ("[tokens]\nallow = [{ uid = 1, gid = 1, tenants = [\"*\"] }]", "one of uid, gid and bearer"),
        ("[tokens]\nallow = [{ uid = 1, tenants = [\"nobody@*\"] }]", "add [providers.nobody]"),
        (
            "[tokens]\nallow = [{ bearer = true, tenants = [\"*\"] }]",
            "name the file that holds the bearer token",
        ),
        ("[tokens]\nbearer_file = \"b\"", "admits nobody to anything"),
        ("[feeds.a]\nprogram = \"codex\"\npath = \"p\"", "feeds.a.tenant: missing"),
        ("[feeds.a]\ntenant = \"codex\"\nprogram = \"vi\"\npath = \"p\"", "one of \"codex\", \"claude\""),
        (
            "[providers.codex]\n[feeds.a]\ntenant = \"codex\"\nprogram = \"codex\"\npath = \"p\"\n\
             [feeds.b]\ntenant = \"codex\"\nprogram = \"codex\"\npath = \"p\"",
            "give each feed a file of its own",
        ),
        ("[tokens]\nallow = [{ uid = 1, tenants = [\"a b\"] }]", "is not a provider name"),
        ("[limits]\nstarts_per_minute = 0", "1 or more"),
        ("[limits]\nopen_logins = 0", "1 or more"),
        ("[limits]\ncommands_per_minute = -1", "1 or more"),
        ("discord = 1", "write [discord]"),
    ] {
        let shown = problems(text);
        assert!(shown.contains(expected), "{text}: {shown}");
    }
}

#[test]
fn the_bots_token_is_read_when_it_is_needed() {
    let env = |_: &str| Some(" token\n".to_owned());
    assert_eq!(TokenSource::Environment.read(&env), Ok(Secret::new("token")));
    assert_eq!(TokenSource::Environment.read(&|_| None), Err(TokenSourceError::NotSet));
    let absent = TokenSource::File("/nonexistent/token".into()).read(&|_| None);
    assert!(matches!(absent, Err(TokenSourceError::Unreadable { .. })));
}

#[test]
fn the_file_is_found_where_it_is_named_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latchkey.toml");
    std::fs::write(&file, EXAMPLE).unwrap();
    let absent = folder.path().join("absent.toml");
    let variable = |path: &Path| {
        let path = path.display().to_string();
        move |name: &str| (name == "LATCHKEY_CONFIG").then(|| path.clone())
    };
    assert_eq!(locate(Some(&file), &variable(&absent)), Ok(file.clone()));
    assert_eq!(locate(None, &variable(&file)), Ok(file.clone()));
    assert_eq!(
        locate(Some(&absent), &variable(&file)),
        Err(ConfigError::NotFound { looked: vec![absent.clone()] }),
        "what is named must be there"
    );
    assert_eq!(locate(None, &variable(&absent)), Err(ConfigError::NotFound { looked: vec![absent.clone()] }));
    assert!(Config::load(&file).is_ok());
    assert!(matches!(Config::load(&absent), Err(ConfigError::Unreadable { .. })));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~\n\u{e4}\u{1f600}]{0,200}") {
        let _ = parse_with(&text, &[]);
    }

    #[test]
    fn no_slip_of_the_keyboard_makes_it_panic(at in 0..EXAMPLE.len(), slip in "[\\[\\]{}=\"#.,\n\u{e4}a1]{0,3}", gone in 0..4_usize) {
        let start = (0..=at).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap();
        let end = (at + gone..=EXAMPLE.len()).find(|end| EXAMPLE.is_char_boundary(*end)).unwrap_or(EXAMPLE.len());
        let _ = parse_with(&format!("{}{slip}{}", &EXAMPLE[..start], &EXAMPLE[end..]), &[]);
    }
}

/// T14: what a command must not inherit is known, whether it is set or not, and what a built-in names is among it.
#[test]
fn the_variables_that_hold_secrets_are_known() {
    let text = format!(
        "{ACME}client_secret_env = \"ACME_SECRET\"\n[providers.bare]\napi_key_env = \"BARE_KEY\"\ntoken_env = \"BARE_TOKEN\"\n\
         [providers.claude]\n"
    );
    let expected = |config: &Config| {
        let claude = provider(config, "claude");
        let built_in = [&claude.api_key, &claude.env_token].into_iter().flatten();
        let built_in: Vec<_> = built_in.map(|source| source.variable.clone()).collect();
        assert!(!built_in.is_empty(), "Claude's keys have names of their own");
        let ours = ["DISCORD_TOKEN", "ACME_SECRET", "BARE_KEY", "BARE_TOKEN"].map(ToOwned::to_owned);
        ours.into_iter().chain(built_in).collect::<BTreeSet<_>>()
    };
    for env in [&[][..], &[("ACME_SECRET", "s"), ("BARE_KEY", "k")]] {
        let config = parse_with(&text, env).unwrap();
        let found: BTreeSet<_> = config.secret_variables().into_iter().map(ToOwned::to_owned).collect();
        assert_eq!(found, expected(&config));
    }
}

/// Z3, and sealing: where keys are named, one place and no secret; where audit lines go.
#[test]
fn keys_that_seal_and_the_log() {
    let sealed = |line: &str| parse(&format!("[store]\n{line}\n{ACME}")).store.seal_key;
    assert_eq!(sealed(""), None);
    assert_eq!(sealed("seal_key_file = \"seal.keys\""), Some(SealKeySource::File("seal.keys".into())));
    assert_eq!(sealed("seal_key_env = \"SEAL\""), Some(SealKeySource::Environment("SEAL".to_owned())));
    assert_eq!(sealed("seal_key_credential = \"seal\""), Some(SealKeySource::Credential("seal".to_owned())));
    for (line, what) in [
        ("seal_key = \"AAAA\"", "must not stand in the configuration"),
        ("seal_key_file = \"a\"\nseal_key_env = \"B\"", "stands beside seal_key_file"),
        ("seal_key_credential = \"../a\"", "no name of a credential"),
    ] {
        let told = problems(&format!("[store]\n{line}\n{ACME}"));
        assert!(told.contains(what), "{told}");
    }
    let config = parse(&format!("[store]\nseal_key_env = \"SEAL\"\n{ACME}"));
    assert!(config.secret_variables().contains("SEAL"));

    let log = |lines: &str| parse(&format!("[log]\n{lines}\n{ACME}")).log;
    assert_eq!(log(""), LogConfig::default());
    let both = LogConfig { format: LogFormat::Json, audit: Some(AuditSink::File("audit.jsonl".into())) };
    assert_eq!(log("format = \"json\"\naudit = \"audit.jsonl\""), both);
    assert_eq!(log("audit = \"-\"").audit, Some(AuditSink::StandardOutput));
    assert!(problems("[log]\nformat = \"xml\"").contains("\"plain\", \"json\""));
}

/// The bot's token from systemd's credentials.
#[test]
fn a_token_that_systemd_hands_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("discord-token"), "token\n").unwrap();
    let text = "[discord]\nguild = \"1\"\ntoken_credential = \"discord-token\"\n";
    let token = parse(&format!("{text}{ACME}")).discord.unwrap().token;
    let env = |name: &str| (name == CREDENTIALS_VARIABLE).then(|| folder.path().display().to_string());
    assert_eq!(token.read(&env), Ok(Secret::new("token")));
    let missing = token.read(&|_| None).unwrap_err().to_string();
    assert!(missing.contains("LoadCredential=discord-token"), "{missing}");
    let both = problems(&format!("{text}token_file = \"a\"\n{ACME}"));
    assert!(both.contains("token_credential: stands beside token_file"), "{both}");
}
