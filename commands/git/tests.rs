//! What git is told, and what it tells us.

use std::collections::BTreeMap;

use latchkey::secret::Secret;

use super::*;

fn token(access: &str) -> FreshToken {
    FreshToken {
        tenant: "github".parse().unwrap(),
        access_token: Secret::new(access),
        token_type: "Bearer".to_owned(),
        expires_at: Some(1_900_000_000),
        scopes: Vec::new(),
        generation: 1,
        extra: BTreeMap::new(),
        unnoted: false,
    }
}

/// What is made of an operation and its input, or why nothing is.
fn read(operation: &str, input: &str) -> Result<Request, String> {
    Request::read(operation, input.as_bytes()).map_err(|exit| {
        assert_eq!(exit.code, Code::Usage);
        exit.message.unwrap()
    })
}

/// git-credential(1): what git 2.47 sends to a helper.
#[test]
fn what_git_sends_is_understood() {
    let sent = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=github.com\n\
                wwwauth[]=Basic realm=\"GitHub\"\n";
    assert_eq!(read("get", sent), Ok(Request::Get { username: None }));
    let sent = "protocol=https\nhost=github.com:8443\npath=a/b.git\nusername=ada\n\nafter=its end\n";
    assert_eq!(read("get", sent), Ok(Request::Get { username: Some("ada".to_owned()) }));
    let sent = "protocol=https\nhost=github.com\nusername=oauth2\npassword=a=t==\n";
    assert_eq!(read("erase", sent), Ok(Request::Erase(Some(TokenHash::of("a=t==")))));
    assert_eq!(read("erase", "protocol=https\nhost=github.com\n"), Ok(Request::Erase(None)));
    for ignored in ["store", "capability", "later"] {
        assert_eq!(read(ignored, sent), Ok(Request::Nothing), "gitcredentials(7)");
    }
}

/// git-credential(1): the input format.
#[test]
fn bad_input_is_refused_in_words() {
    insta::assert_snapshot!(read("get", "nonsense\n").unwrap_err(), @"standard input has a line without an equals sign; git sends lines of the form attribute=value, such as protocol=https");
    insta::assert_snapshot!(read("get", "").unwrap_err(), @"standard input names no protocol; git sends lines of the form attribute=value, such as protocol=https");
    insta::assert_snapshot!(read("get", "protocol=https\nhost=\n").unwrap_err(), @"standard input names no host; git sends lines of the form attribute=value, such as protocol=https");
    assert!(read("erase", &"a".repeat(300_000)).unwrap_err().contains("is longer than 262144 bytes"));
    let error = Request::read("get", &b"host=\xff\n"[..]).unwrap_err();
    assert!(error.message.unwrap().contains("is not UTF-8"));
}

/// Z1: a token is not sent where anybody on the way can read it.
#[test]
fn only_tls_or_this_host_gets_a_token() {
    let get = |protocol: &str, host: &str| read("get", &format!("protocol={protocol}\nhost={host}\n"));
    for this in ["127.0.0.1", "127.8.9.1:80", "localhost", "LocalHost:8080", "[::1]", "[::1]:3000"] {
        assert_eq!(get("http", this), Ok(Request::Get { username: None }), "{this}");
    }
    for other in [
        "github.com",
        "127.0.0.1.example",
        "127.0.0.1@example",
        "localhost.example:80",
        "127.0.0.1:80@example",
        "127.0.0.1:",
        "10.0.0.1",
        "[::2]:80",
        "::1",
        "[::1].example",
        "127.1",
        "localhost:8x",
    ] {
        assert!(get("http", other).is_err(), "{other}");
        assert!(get("https", other).is_ok(), "{other}");
    }
    for protocol in ["smtp", "ftp", "HTTPS", "cert"] {
        assert!(get(protocol, "127.0.0.1").is_err(), "{protocol}");
    }
    insta::assert_snapshot!(get("http", "git.example").unwrap_err(), @r#"git asks for a password for "git.example" over "http", where the token could be read on the way; use an https address"#);
}

/// git-credential(1): the answer.
#[test]
fn git_gets_a_name_a_password_and_its_end() {
    assert_eq!(
        answer(&token("at"), None).unwrap(),
        "username=oauth2\npassword=at\npassword_expiry_utc=1900000000\n"
    );
    let endless = FreshToken { expires_at: None, ..token("'a t'=\"ä\"") };
    assert_eq!(answer(&endless, Some("ada")).unwrap(), "username=ada\npassword='a t'=\"ä\"\n");
    // Another line would be another attribute: the host, say.
    assert!(answer(&token("at\nhost=evil"), None).is_err());
}

/// git-credential(1): the operation is an argument, and belongs to this format alone.
#[test]
fn an_operation_and_the_format_come_together() {
    let refused = |format, operation| Request::of(format, operation).unwrap_err().message.unwrap();
    insta::assert_snapshot!(refused(Format::Git, None), @"--format git answers git, which names an operation: latchkey token TENANT --format git get|store|erase");
    insta::assert_snapshot!(refused(Format::Plain, Some("get")), @r#""get" after the tenant is understood with --format git alone; leave it out"#);
    assert_eq!(Request::of(Format::Json, None).unwrap(), None);
}
