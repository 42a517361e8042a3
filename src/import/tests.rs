//! The parsers, by files as those programs write them, and by files that nobody should.

use proptest::prelude::*;

use super::*;
use crate::clock::UnixSeconds;

const STAMP: UnixSeconds = 1_795_000_000;

const CODEX: &[u8] = include_bytes!("tests/files/codex.json");
const CODEX_KEY: &[u8] = include_bytes!("tests/files/codex-key.json");
const CLAUDE: &[u8] = include_bytes!("tests/files/claude.json");
const HERMES: &[u8] = include_bytes!("tests/files/hermes.json");
const OPENAB: &[u8] = include_bytes!("tests/files/openab.json");
const OPENAB_LEGACY: &[u8] = include_bytes!("tests/files/openab-legacy.json");

const FILES: [(Program, &[u8]); 6] = [
    (Program::Codex, CODEX),
    (Program::Codex, CODEX_KEY),
    (Program::Claude, CLAUDE),
    (Program::Hermes, HERMES),
    (Program::Openab, OPENAB),
    (Program::Openab, OPENAB_LEGACY),
];

fn tokens(provider: &str, access: &str, refresh: &str) -> Tokens {
    let mut made = Tokens::new(provider, Secret::new(access));
    made.refresh_token = Some(Secret::new(refresh)).filter(|token| !token.is_empty());
    made
}

fn left_out<'a>(found: &'a [Found], place: &str) -> &'a str {
    let content = found.iter().find(|found| found.place == place).map(|found| &found.content);
    match content {
        Some(Content::LeftOut(why)) => why,
        other => panic!("{place} is {other:?}"),
    }
}

/// F11: the sign-in, and not the key beside it.
#[test]
fn codex_keeps_a_sign_in_or_a_key() {
    let found = Program::Codex.parse(CODEX).unwrap();
    let mut expected = tokens("codex", "at-codex", "rt-codex");
    expected.id_token = Some(Secret::new("e30.e30.id"));
    expected.account_id = Some("acct-ada".to_owned());
    expected.obtained_at = Some(STAMP);
    assert_eq!(found[0], expected.clone().found("tokens"));
    assert_eq!(left_out(&found, "OPENAI_API_KEY"), "codex uses its sign-in, and a slot holds one of the two");

    let key = Tokens::key("codex", Secret::new("sk-codex")).found("OPENAI_API_KEY");
    assert_eq!(Program::Codex.parse(CODEX_KEY).unwrap(), [key]);

    let by_key = String::from_utf8(CODEX.to_vec()).unwrap().replace("chatgpt", "apikey");
    let found = Program::Codex.parse(by_key.as_bytes()).unwrap();
    assert!(left_out(&found, "tokens").contains("API key"));
    assert_eq!(found[1], Tokens::key("codex", Secret::new("sk-codex-unused")).found("OPENAI_API_KEY"));
}

/// F11: its times are in milliseconds.
#[test]
fn claude_keeps_one_sign_in() {
    let found = Program::Claude.parse(CLAUDE).unwrap();
    let mut expected = tokens("claude", "at-claude", "rt-claude");
    expected.expires_at = Some(STAMP);
    expected.scopes = vec!["user:inference".to_owned(), "user:profile".to_owned()];
    assert_eq!(found[0], expected.found("claudeAiOauth"));
    assert_eq!((left_out(&found, "mcpOAuth"), found.len()), ("it is no sign-in to Claude", 2));
}

/// F11: both spellings of the source; the first of the pool by priority, the others as profiles; what it borrowed stays
/// where it is, and a copy of what the pool has is not listed twice.
#[test]
fn hermes_keeps_a_pool() {
    let found = Program::Hermes.parse(HERMES).unwrap();
    let mut expected: Vec<Found> = Vec::new();
    let mut key = Tokens::key("anthropic", Secret::new("sk-key"));
    key.profile = None;
    expected.push(key.found("credential_pool.anthropic[0]"));
    let pool = |number| format!("credential_pool.openai-codex[{number}]");
    for (number, profile, serial, at) in [
        (1, None, 1, Some(STAMP)),
        (0, Some("team-account"), 2, Some(STAMP)),
        // A label like the one before: its id.
        (2, Some("c3"), 3, None),
    ] {
        let mut one = tokens("codex", &format!("at-pool-{serial}"), &format!("rt-pool-{serial}"));
        one.profile = profile.map(str::to_owned);
        one.obtained_at = at;
        expected.push(one.found(pool(number)));
    }
    expected.push(tokens("nous", "at-nous", "rt-nous").found("providers.nous"));
    let usable: Vec<_> =
        found.iter().filter(|found| matches!(found.content, Content::Tokens(_))).cloned().collect();
    assert_eq!(usable, expected);
    assert!(left_out(&found, &pool(3)).contains("import it from the program that did"));
    assert!(left_out(&found, "credential_pool.anthropic[1]").contains("api_key_env"));
}

/// F11, F12: what never ends, what is under way, and an MCP server that is named like a provider.
#[test]
fn openab_keeps_a_map_of_tenants() {
    let found = Program::Openab.parse(OPENAB).unwrap();
    let mut codex = tokens("codex", "at-codex", "rt-codex");
    codex.expires_at = Some(STAMP);
    let mut github = tokens("github", "at-github", "");
    (github.profile, github.user) = (Some("work".to_owned()), Some("80351110224678912".to_owned()));
    let mut grok = tokens("mcp:grok", "at-mcp", "rt-mcp");
    grok.token_type = Some("Bearer".to_owned());
    (grok.obtained_at, grok.expires_at) = (Some(STAMP), Some(STAMP + 3_600));
    grok.scopes = vec!["read".to_owned(), "write".to_owned()];
    grok.client_id = Some("mcp-client".to_owned());
    for (place, expected) in [("codex", codex), ("github/Work@80351110224678912", github), ("grok", grok)] {
        let one = found.iter().find(|found| found.place == place).unwrap();
        assert_eq!(*one, expected.found(place));
    }
    assert!(left_out(&found, "claude").contains("under way"));
    assert!(left_out(&found, "not a slot").contains("is not a provider name"));
    assert_eq!(found.len(), 5, "nothing is passed over in silence");

    let mut legacy = tokens("codex", "at-legacy", "rt-legacy");
    legacy.expires_at = Some(STAMP);
    let found = Program::Openab.parse(OPENAB_LEGACY).unwrap();
    assert_eq!(found, [legacy.found("the whole file (one codex sign-in)")]);
}

/// T5, Z2: whatever a file says of endpoints is not even read.
#[test]
fn no_endpoint_leaves_a_file() {
    for (program, bytes) in FILES {
        assert!(!format!("{:?}", program.parse(bytes).unwrap()).contains("evil"), "{program}");
    }
}

/// F11: the place is named, and no value.
#[test]
fn a_bad_file_is_an_error_with_its_place() {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let half = text(CODEX)[..90].to_owned();
    for (program, file, error) in [
        (Program::Codex, String::new(), "not JSON, at line 1, column 0"),
        (Program::Codex, half, "not JSON, at line 5"),
        (Program::Codex, "[]".to_owned(), "the file is a list, where an object is expected"),
        (
            Program::Codex,
            text(CODEX).replace("\"at-codex\"", "[7]"),
            "tokens.access_token is a list, where a text",
        ),
        (Program::Codex, text(CODEX).replace("rt-codex", "rt codex"), "tokens.refresh_token is another text"),
        (
            Program::Claude,
            text(CLAUDE).replace("1795000000999", "\"soon\""),
            "claudeAiOauth.expiresAt is a text",
        ),
        (Program::Claude, r#"{"claudeAiOauth":7}"#.to_owned(), "claudeAiOauth is a number, where an object"),
        (
            Program::Hermes,
            text(HERMES).replace("\"at-pool-3\"", "true"),
            "openai-codex[2].access_token is true or false",
        ),
        (
            Program::Hermes,
            r#"{"credential_pool":{"x":{}}}"#.to_owned(),
            "credential_pool.x is an object, where a list",
        ),
        (Program::Openab, r#"{"codex":"at-very-secret"}"#.to_owned(), "codex is a text, where an object"),
    ] {
        let found = program.parse(file.as_bytes()).unwrap_err().to_string();
        assert!(found.contains(error), "{program}: {found}");
        assert!(!found.contains("secret") && !found.contains("soon"), "{found}");
    }
    assert_eq!(Program::Codex.parse(b"{\"a\":\"\xff\"}"), Err(ImportError::NotText { at: 6 }));
    assert_eq!(Program::Codex.parse(&vec![b' '; MOST_BYTES + 1]), Err(ImportError::TooLarge));
    for empty in ["{}", r#"{"tokens":null}"#, r#"{"credential_pool":{}}"#, r#"{"claudeAiOauth":null}"#] {
        for program in [Program::Codex, Program::Hermes] {
            assert_eq!(program.parse(empty.as_bytes()), Ok(Vec::new()), "{program}: {empty}");
        }
    }
}

/// Z1
#[test]
fn a_record_is_printed_without_its_tokens() {
    for (program, bytes) in FILES {
        let printed = format!("{:?}", program.parse(bytes).unwrap());
        for secret in ["at-", "rt-", "sk-", "a-verifier"] {
            assert!(!printed.contains(secret), "{program}: {printed}");
        }
    }
}

proptest! {
    /// F11: a file that was cut, or in which something was overwritten, is read or refused.
    #[test]
    fn no_file_makes_a_parser_panic(which in 0_usize..6, at in 0_usize..2_000, with in "[\\[\\]{}\",:0-9a-z]{0,6}", cut in any::<bool>()) {
        let (program, bytes) = FILES[which];
        let at = at % bytes.len();
        let mut file = bytes[..at].to_vec();
        file.extend(with.bytes());
        if !cut {
            file.extend(bytes.iter().skip(at + with.len()));
        }
        for program in [program, Program::Codex, Program::Openab] {
            let _ = program.parse(&file);
        }
    }
}
