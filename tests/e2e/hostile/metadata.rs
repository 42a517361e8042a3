//! Metadata that lies: endpoints where nobody outside may send us, documents without end, and endpoints that change.

use latchkey_test_authority::{CLIENT, REDIRECT};

use super::*;
use crate::harness::SOON;
use crate::members::{ADDRESS, OPEN, PASTE};

const PLACE: &str = "/.well-known/oauth-authorization-server";

async fn found(hostile: &Hostile) -> Setup {
    let table = format!(
        "[providers.found]\nissuer = {:?}\nclient_id = {CLIENT:?}\nredirect_uri = {REDIRECT:?}\nshare = \"guild\"\n",
        hostile.origin(),
    );
    Setup::plan().more(&table).start().await
}

/// The document of the issuer at `origin`, with these members put over it.
fn document(origin: &str, over: &Value) -> Value {
    let mut document = json!({
        "issuer": origin,
        "token_endpoint": format!("{origin}/token-a"),
        "authorization_endpoint": format!("{origin}/authorize"),
        "code_challenge_methods_supported": ["S256"],
    });
    document.as_object_mut().expect("an object").extend(over.as_object().expect("an object").clone());
    document
}

/// T7, T13: no endpoint of metadata leads where only the operator may send us, however its address is spelled; `check` names
/// it, the member is told, and nothing is asked there.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_leads_into_no_network_of_ours() {
    let hostile = Hostile::always(Raw::Close);
    let setup = found(&hostile).await;
    let bot = loud(&setup).await;
    let origin = hostile.origin();
    for address in [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest",
        "https://2852039166/latest",
        "https://0xa9fea9fe/latest",
        "https://0251.0376.0251.0376/latest",
        "https://169.254.43518/latest",
        "https://[::ffff:169.254.169.254]/latest",
        "https://[64:ff9b::a9fe:a9fe]/latest",
        "https://[fd00:ec2::254]/latest",
        "https://metadata.google.internal/computeMetadata",
        "https://metadata.google.internal./computeMetadata",
        "https://0.0.0.0/token",
        "https://localhost./token",
        "https://a.localhost/token",
        "https://127.0.0.1@id.example/token",
        "http://user:password@127.0.0.1/token",
        "https://１６９.254.169.254/latest",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//127.0.0.1/token",
        "",
        FORGED,
    ] {
        for member in ["token_endpoint", "authorization_endpoint", "revocation_endpoint"] {
            // Each address once as the token endpoint; the others' rule is the same.
            if member != "token_endpoint" && !address.starts_with("http://169") {
                continue;
            }
            let body = document(&origin, &json!({ member: address }));
            hostile.answer(move |_| ok(&body));
            let checked = setup.cli(&["check"]).await;
            assert_eq!(checked.code, 2, "{member} {address:?}: {checked:?}");
            assert!(checked.stdout.contains(&format!("its {member} ")), "{address:?}: {checked:?}");
            assert!(checked.stdout.contains("is not an https address of the public network"), "{checked:?}");
            let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!checked.stdout.contains(odd) && !checked.stdout.contains("@everyone"), "{checked:?}");
        }
    }
    let start = setup
        .discord
        .member("ann")
        .slash("/auth login found")
        .in_thread(&setup.thread("fix-ci"))
        .send()
        .await;
    start.sees_text("is not set up right", SOON).await;
    assert!(hostile.asked().iter().all(|asked| asked.path.starts_with("/.well-known/")));
    assert_harmless(&setup, &bot, &[]);
}

/// T7, T13, T10: a document without end, of another, or elsewhere is none; the other place sees nobody.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_without_end_and_elsewhere_is_none() {
    let trap = Hostile::always(Raw::Close);
    let body = document(&trap.origin(), &json!({}));
    trap.answer(move |_| ok(&body));
    let hostile = Hostile::always(Raw::Close);
    let setup = found(&hostile).await;
    let origin = hostile.origin();
    let deep = format!("{{\"issuer\":{origin:?},\"x\":{}", "[".repeat(500_000));
    for (answer, code, told) in [
        (Raw::endless_chunks("200 OK"), 2, "larger than 1 MiB"),
        (Raw::endless_length("200 OK"), 2, "larger than 1 MiB"),
        (Raw::endless_head("200 OK"), 4, "cannot be had"),
        (Raw::redirect("302 Found", &trap.url(PLACE)), 2, "a redirect, which is not followed"),
        (Raw::redirect("308 Permanent Redirect", &trap.url(PLACE)), 2, "a redirect, which is not followed"),
        (Raw::Bytes(b"SSH-2.0-x\r\n".to_vec()), 4, "cannot be had"),
        (Raw::json("200 OK", deep), 2, "no JSON object"),
        (ok(&document(&format!("{origin}/"), &json!({}))), 2, "it is the document of"),
        (ok(&document(FORGED, &json!({}))), 2, "it is the document of"),
        (ok(&document(&origin, &json!({"token_endpoint": [FORGED]}))), 2, "malformed"),
        (
            Raw::json("200 OK", format!("{{\"issuer\":{origin:?},\"issuer\":\"https://e.example\"}}")),
            2,
            "malformed",
        ),
    ] {
        let what = format!("{answer:?}").chars().take(120).collect::<String>();
        let sent = hostile.sent();
        hostile.answer(move |_| answer.clone());
        let checked = setup.cli(&["check"]).await;
        assert!(checked.stdout.contains(told), "{what}: {checked:?}");
        assert_eq!(checked.code, code, "{what}: {checked:?}");
        assert!(hostile.sent() - sent < 64 * 1024 * 1024, "{what}: {} bytes", hostile.sent() - sent);
        let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!checked.stdout.contains(odd) && !checked.stdout.contains("@everyone"), "{checked:?}");
    }
    assert_eq!(trap.connections(), 0);
}

/// T5, C10, G30: metadata that names another token endpoint after the start gets no code; and after the sign-in, no refresh
/// token. The operator is told, and the sign-in is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_token_endpoint_gets_neither_code_nor_refresh_token() {
    let hostile = Hostile::always(Raw::Close);
    let origin = hostile.origin();
    let serve = |endpoint: &str| {
        let body = document(&origin, &json!({"token_endpoint": format!("{origin}{endpoint}")}));
        let tokens = json!({"access_token": "at-of-a", "refresh_token": "rt-of-a", "expires_in": 3600});
        hostile.answer(move |asked| ok(if asked.path.starts_with("/token") { &tokens } else { &body }));
    };
    let to = |path: &str| hostile.asked().iter().filter(|asked| asked.path == path).count();
    let setup = found(&hostile).await;
    let forget =
        || std::fs::remove_dir_all(setup.store().with_file_name("auth.json.metadata")).expect("a cache");
    serve("/token-a");
    let bot = loud(&setup).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let card = ann.slash("/auth login found").in_thread(&thread).send().await;
    card.sees_text(PASTE, SOON).await;
    let link: url::Url = card.link(OPEN).parse().expect("an address");
    let state = link.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();

    serve("/token-b");
    forget();
    // Another process knows the new one; so does the bot that comes back.
    assert_eq!(setup.cli(&["check"]).await.code, 0);
    let bot = bot.restart(&setup).await;
    let answer = format!("{REDIRECT}?code=c0de&state={state}");
    let pasted = card.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
    pasted.sees_text("Signed in to found", SOON).await;
    assert_eq!((to("/token-a"), to("/token-b")), (1, 0), "the code goes where the login began");

    let asked = setup.cli(&["token", "found", "--min-valid", "2h"]).await;
    assert_eq!((asked.code, asked.stdout.as_str()), (2, ""), "{asked:?}");
    assert!(asked.stderr.contains("token_endpoint"), "{asked:?}");
    assert_eq!((to("/token-a"), to("/token-b")), (1, 0), "the refresh token goes nowhere");
    assert_eq!(setup.token(&["found"]).await, "at-of-a", "what serves goes on serving");
    assert!(setup.stored().contains("rt-of-a"));
    drop(bot);
    setup.discord.assert_clean();
}
