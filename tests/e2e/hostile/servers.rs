//! An MCP server that means harm, and the authorization server that it names: every step to a client of ours there.

use super::*;
use crate::harness::SOON;

const MISCONFIGURED: &str = "is not set up right";

const SERVER: &str = "/mcp";
const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
const METADATA: &str = "/.well-known/oauth-authorization-server";
const REGISTER: &str = "/register";
const CASES: usize = 15;
/// What a card with a link says.
const OPEN: &str = "Sign in to mcp";

/// What an honest server answers at `path`.
fn honest(origin: &str, path: &str) -> Raw {
    match path {
        SERVER => {
            let challenge = format!("www-authenticate: Bearer resource_metadata=\"{origin}{RESOURCE}\"");
            Raw::http("401 Unauthorized", &[&challenge], "")
        }
        RESOURCE => ok(&json!({"resource": format!("{origin}{SERVER}"), "authorization_servers": [origin]})),
        METADATA => ok(&json!({
            "issuer": origin,
            "token_endpoint": format!("{origin}/token"),
            "authorization_endpoint": format!("{origin}/authorize"),
            "registration_endpoint": format!("{origin}{REGISTER}"),
            "code_challenge_methods_supported": ["S256"],
        })),
        REGISTER => Raw::json("201 Created", "{\"client_id\":\"registered\"}"),
        _ => Raw::http("404 Not Found", &[], ""),
    }
}

/// T7, T10, T13, U3: whatever one of the steps answers, no link is shown, nothing is followed, and the member is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_mcp_server_leads_nowhere() {
    let trap = Hostile::always(Raw::Close);
    // One server for each case: what was found of one is kept for a while.
    let hostile: Vec<_> = (0..CASES).map(|_| Hostile::always(Raw::Close)).collect();
    let table = |(number, hostile): (usize, &Hostile)| {
        format!("[providers.\"mcp:bad{number}\"]\nurl = {:?}\n", hostile.url(SERVER))
    };
    let tables = hostile.iter().enumerate().map(table).collect::<String>();
    let setup = Setup::plan().more(&tables).start().await;
    let bot = loud(&setup).await;
    let (before, thread) = (peak(&bot), setup.thread("fix-ci"));
    let elsewhere = |path: &str| Raw::redirect("307 Temporary Redirect", &trap.url(path));
    let challenged = |at: &str| {
        let challenge = format!("www-authenticate: Bearer resource_metadata=\"{at}\"");
        Raw::http("401 Unauthorized", &[&challenge], "")
    };
    let resource = |number: usize, servers: Value| {
        ok(&json!({"resource": hostile[number].url(SERVER), "authorization_servers": servers}))
    };
    let cases: [_; CASES] = [
        // A knock that brings nothing hides no document.
        (SERVER, Raw::endless_head("401 Unauthorized"), OPEN),
        (SERVER, challenged("http://169.254.169.254/latest"), MISCONFIGURED),
        (SERVER, challenged("https://metadata.google.internal/x"), MISCONFIGURED),
        (RESOURCE, resource(3, json!(["http://169.254.169.254"])), MISCONFIGURED),
        (RESOURCE, resource(4, json!(["https://[::ffff:169.254.169.254]"])), MISCONFIGURED),
        (RESOURCE, resource(5, json!([FORGED])), MISCONFIGURED),
        (
            RESOURCE,
            ok(&json!({"resource": "https://e.example/", "authorization_servers": [hostile[6].origin()]})),
            MISCONFIGURED,
        ),
        (METADATA, ok(&json!({"issuer": "https://e.example"})), MISCONFIGURED),
        // Nor does what is no document lead anywhere but to the server's own origin.
        (RESOURCE, Raw::endless_chunks("200 OK"), OPEN),
        (REGISTER, Raw::endless_chunks("201 Created"), MISCONFIGURED),
        (REGISTER, Raw::endless_length("400 Bad Request"), MISCONFIGURED),
        (REGISTER, elsewhere(REGISTER), "The provider says"),
        (REGISTER, refused("invalid_client_metadata", FORGED), "The provider says"),
        (REGISTER, Raw::json("201 Created", "{\"client_id\":\"a\\u202eb\"}"), MISCONFIGURED),
        (
            REGISTER,
            Raw::json("201 Created", "{\"client_id\":\"a\",\"client_secret\":\"b\\r\\nX: 1\"}"),
            MISCONFIGURED,
        ),
    ];
    for (number, (at, answer, expected)) in cases.into_iter().enumerate() {
        let what = format!("{at}: {answer:?}").chars().take(200).collect::<String>();
        let home = hostile[number].origin();
        hostile[number].answer(
            move |asked| {
                if asked.path == at { answer.clone() } else { honest(&home, &asked.path) }
            },
        );
        let member = setup.discord.member(&format!("m{number}"));
        let start = member.slash(&format!("/auth login mcp:bad{number}")).in_thread(&thread).send().await;
        start.sees_text(expected, SOON).await;
        let links = start.links();
        assert_eq!(links.is_empty(), expected != OPEN, "{what}: {links:?}");
        let leads_home = |(_, link): &(String, String)| link.starts_with(&hostile[number].origin());
        assert!(links.iter().all(leads_home), "{what}: {links:?}");
    }
    assert_eq!(trap.connections(), 0);
    assert!(peak(&bot) < before + 64, "from {before} to {} MiB", peak(&bot));
    assert_harmless(&setup, &bot, &[]);
}
