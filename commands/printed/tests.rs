//! What tokens are printed as.

use std::collections::BTreeMap;
use std::process::Command;

use latchkey::secret::Secret;

use super::*;

/// Whatever a provider may put into a token, and a shell, a header or a JSON parser may trip over.
const ODD: [&str; 12] = [
    "a b",
    "it's",
    "'; touch hacked; '",
    "$(touch hacked)`touch hacked`",
    "\\",
    "\"quoted\"",
    "käse\u{1F9C0}",
    "~",
    "a:~root",
    "*?[a]",
    "#no comment",
    "!history & more | all > there < is; (so) {on}",
];

fn token(access: &str) -> FreshToken {
    FreshToken {
        tenant: "acme/work@42".parse().unwrap(),
        access_token: Secret::new(access),
        token_type: "Bearer".to_owned(),
        expires_at: Some(1_900_000_000),
        scopes: vec!["openid".to_owned(), "repo".to_owned()],
        generation: 7,
        extra: BTreeMap::new(),
        unnoted: false,
    }
}

fn printed(token: &FreshToken, format: Format) -> Result<String, String> {
    text(token, format, &|_| None).map_err(|error| error.to_string())
}

/// DESIGN: the formats of `latchkey token`.
#[test]
fn each_format_is_a_contract() {
    let with_more = FreshToken {
        extra: BTreeMap::from([("account_id".to_owned(), "acc-1".to_owned())]),
        ..token("aB3.-_~+/=")
    };
    let all = [Format::Plain, Format::Json, Format::Header, Format::Env, Format::Kubernetes]
        .map(|format| printed(&with_more, format).unwrap())
        .join("--\n");
    insta::assert_snapshot!(all, @r#"
    aB3.-_~+/=
    --
    {"tenant":"acme/work@42","access_token":"aB3.-_~+/=","token_type":"Bearer","expires_at":1900000000,"scopes":["openid","repo"],"generation":7,"extra":{"account_id":"acc-1"}}
    --
    Authorization: Bearer aB3.-_~+/=
    --
    LATCHKEY_ACCESS_TOKEN=aB3.-_~+/=
    LATCHKEY_TOKEN_TYPE=Bearer
    LATCHKEY_TENANT=acme/work@42
    LATCHKEY_EXPIRES_AT=1900000000
    LATCHKEY_EXTRA_ACCOUNT_ID=acc-1
    --
    {"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"aB3.-_~+/=","expirationTimestamp":"2030-03-17T17:46:40Z"}}
    "#);
    assert!(matches!(text(&with_more, Format::Git, &|_| None), Err(Unprinted::NoOperation)));
}

/// DESIGN: an unknown end is left out, or null where the contract has the field.
#[test]
fn an_unknown_end_is_not_made_up() {
    let token = FreshToken { expires_at: None, ..token("at") };
    let all = [Format::Json, Format::Env, Format::Kubernetes].map(|format| printed(&token, format).unwrap());
    insta::assert_snapshot!(all.join("--\n"), @r#"
    {"tenant":"acme/work@42","access_token":"at","token_type":"Bearer","expires_at":null,"scopes":["openid","repo"],"generation":7}
    --
    LATCHKEY_ACCESS_TOKEN=at
    LATCHKEY_TOKEN_TYPE=Bearer
    LATCHKEY_TENANT=acme/work@42
    --
    {"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"at"}}
    "#);
}

/// RFC 3339: four digits for a year.
#[test]
fn a_time_without_a_date_is_the_last_that_has_one() {
    let at = |at| {
        let text = printed(&FreshToken { expires_at: Some(at), ..token("at") }, Format::Kubernetes).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["status"]["expirationTimestamp"].as_str().unwrap().to_owned()
    };
    let found = [i64::MIN, -1, 0, 951_782_400, LAST - 1, LAST, LAST + 1, i64::MAX].map(at);
    assert_eq!(
        found,
        [
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "2000-02-29T00:00:00Z",
            "9999-12-31T23:59:58Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59Z",
        ]
    );
}

/// RFC 9110 section 11.1, RFC 6750 section 2.1
#[test]
fn the_scheme_is_spelled_as_every_server_knows_it() {
    let header = |token_type: &str| {
        printed(&FreshToken { token_type: token_type.to_owned(), ..token("at") }, Format::Header)
    };
    for bearer in ["Bearer", "bearer", "BEARER", ""] {
        assert_eq!(header(bearer), Ok("Authorization: Bearer at\n".to_owned()));
    }
    assert_eq!(header("DPoP"), Ok("Authorization: DPoP at\n".to_owned()));
    let refusal = Err("the token type of acme/work@42 cannot be written as one line of this format; \
                       use --format json"
        .to_owned());
    for forged in ["Bearer x\r\nHost:", "Bearer of", "b\u{e4}rer"] {
        assert_eq!(header(forged), refusal);
    }
}

/// Z1: a line's end in a token would be a header or a variable of somebody else's making.
#[test]
fn what_holds_a_control_character_is_not_written_as_lines() {
    for forged in ["at\nLD_PRELOAD=evil", "at\r\nHost: other", "a\0t", "a\u{85}t"] {
        for format in [Format::Header, Format::Env] {
            assert_eq!(
                printed(&token(forged), format),
                Err("the access token of acme/work@42 cannot be written as one line of this format; \
                     use --format json"
                    .to_owned())
            );
        }
        let json: serde_json::Value =
            serde_json::from_str(&printed(&token(forged), Format::Json).unwrap()).unwrap();
        assert_eq!(json["access_token"], forged);
    }
    let extra = BTreeMap::from([("url".to_owned(), "a\nb".to_owned())]);
    assert!(printed(&FreshToken { extra, ..token("at") }, Format::Env).is_err());
}

/// DESIGN, `--format env`: for `eval`, whatever the token.
#[test]
fn a_shell_reads_back_exactly_the_token() {
    let folder = tempfile::tempdir().unwrap();
    for odd in ODD {
        let extra = BTreeMap::from([("the url; true".to_owned(), odd.to_owned())]);
        let lines = printed(&FreshToken { extra, ..token(odd) }, Format::Env).unwrap();
        let script = r#"set -u; eval "$1"; printf '%s\n%s\n%s\n' \
            "$LATCHKEY_ACCESS_TOKEN" "$LATCHKEY_EXTRA_THE_URL__TRUE" "$LATCHKEY_EXPIRES_AT""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh", &lines]).current_dir(folder.path());
        let output = shell.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (String::from_utf8(output.stdout).unwrap(), said.as_str()),
            (format!("{odd}\n{odd}\n1900000000\n"), ""),
            "{lines}"
        );
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing else was done");
}

/// DESIGN, `--format env`: `docker --env-file` takes what stands behind the equals sign as it is.
#[test]
fn what_needs_no_quotes_has_none() {
    for plain in ["gho_acme-1", "eyJhbGciOi.J9-_~+/.abc==", "sk:a/b@c,d%20"] {
        let lines = printed(&token(plain), Format::Env).unwrap();
        assert_eq!(lines.lines().next().unwrap(), format!("LATCHKEY_ACCESS_TOKEN={plain}"));
    }
}

/// DESIGN: the other formats carry the same tokens unharmed.
#[test]
fn odd_tokens_are_carried_whole() {
    for odd in ODD {
        let token = token(odd);
        assert_eq!(printed(&token, Format::Plain), Ok(format!("{odd}\n")));
        assert_eq!(printed(&token, Format::Header), Ok(format!("Authorization: Bearer {odd}\n")));
        let object: serde_json::Value =
            serde_json::from_str(&printed(&token, Format::Kubernetes).unwrap()).unwrap();
        assert_eq!(object["status"]["token"], odd);
    }
}

/// The `ExecCredential` of Kubernetes: the answer has the version that was asked for.
#[test]
fn kubectl_is_answered_in_the_version_that_it_speaks() {
    let asked = |info: &str| {
        let answer = text(&token("at"), Format::Kubernetes, &|name| {
            (name == "KUBERNETES_EXEC_INFO").then(|| info.to_owned())
        });
        answer.map_err(|error| error.to_string()).map(|text| {
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["apiVersion"]
                .as_str()
                .unwrap()
                .to_owned()
        })
    };
    let info = |version: &str| format!(r#"{{"kind":"ExecCredential","apiVersion":"{version}","spec":{{}}}}"#);
    for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
        assert_eq!(asked(&info(version)), Ok(version.to_owned()));
    }
    assert_eq!(asked(""), Ok("client.authentication.k8s.io/v1".to_owned()));
    insta::assert_snapshot!(asked(&info("client.authentication.k8s.io/v2")).unwrap_err(), @r#"the kubeconfig asks for "client.authentication.k8s.io/v2", which is not known here; write apiVersion: client.authentication.k8s.io/v1 (or v1beta1 for kubectl before 1.22) below its exec:"#);
    insta::assert_snapshot!(asked("{half").unwrap_err(), @"KUBERNETES_EXEC_INFO, which kubectl sets, is not an ExecCredential; unset it to get client.authentication.k8s.io/v1");
}
