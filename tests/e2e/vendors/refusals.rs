//! What members read where a vendor says no, in the way in which that vendor says it.

use latchkey_test_authority::{Canned, CopilotAccess, Endpoint, Person};
use serde_json::json;

use super::story::{Story, Vendor, Way};
use super::{begin, known};
use crate::harness::{NEXT_POLL, SOON};
use crate::members::OPEN;

/// A story of which a member is signed in, and their token.
async fn signed_in(vendor: Vendor, way: Way) -> (Story, String) {
    let story = begin(vendor).await;
    let login = story.sign_in(story.card(0).await, way).await;
    login.sees_text(&format!("Signed in to {}", vendor.title), NEXT_POLL).await;
    let token = story.serving(None).await;
    (story, token)
}

/// `/auth login`, and what it comes to where that is not a card.
async fn login_says(story: &Story, text: &str) -> String {
    let line = format!("/auth login {}", story.vendor.typed[0]);
    let login = story.ann.slash(&line).in_thread(&story.thread).send().await;
    login.sees_text(text, SOON).await.text()
}

/// VENDORS, T11: codex answers as if there were no device sign-in where it is switched off; the other way goes on.
#[tokio::test(flavor = "multi_thread")]
async fn codex_says_that_its_device_sign_in_is_switched_off() {
    let story = begin(known("codex")).await;
    let nothing_there =
        json!({"error": {"message": "Not found", "type": "invalid_request_error", "code": null}});
    story.server.answer_next(Endpoint::CodexStart, 1, Canned::json(404, &nothing_there));
    let login = story.ann.slash("/auth login codex").in_thread(&story.thread).send().await;
    login.sees_text("OpenAI Codex has this way to sign in switched off", SOON).await;
    let card = login.click("Try another way").await;
    card.sees_text(OPEN, SOON).await;
    let signed_in = story.sign_in(card, Way::Address).await;
    signed_in.sees_text("Signed in to OpenAI Codex", SOON).await;
    story.setup.discord.assert_clean();
}

/// VENDORS, T11: codex's "not yet" comes as 403 and as 404, with and without its code; its other refusals end the login.
#[tokio::test(flavor = "multi_thread")]
async fn codex_says_not_yet_in_several_ways() {
    let story = begin(known("codex")).await;
    let coded = json!({"error": {"code": "deviceauth_authorization_pending", "message": "not decided yet"}});
    story.server.answer_next(Endpoint::CodexPoll, 1, Canned::json(403, &coded));
    story.server.answer_next(Endpoint::CodexPoll, 1, Canned::new(404, "application/json", ""));
    let card = story.card(0).await;
    let polled =
        |times: usize| move |server: &latchkey_test_authority::Authority| server.device_polls() >= times;
    assert!(story.server.eventually(NEXT_POLL, polled(2)).await);
    let shown = card.message().text();
    let code = story.server.user_codes().into_iter().find(|code| shown.contains(code.as_str())).unwrap();
    story.server.deny_device(&code).await;
    card.sees_text("was declined on the provider's page", NEXT_POLL).await;
    assert_eq!(story.token(None).await.status.code(), Some(3));
    story.setup.discord.assert_clean();
}

/// VENDORS, G17, G18: codex's word for a refresh token that was used twice ends the sign-in, in plain words, and once.
#[tokio::test(flavor = "multi_thread")]
async fn codex_says_that_a_refresh_token_was_used_twice() {
    let (story, token) = signed_in(known("codex"), Way::Device).await;
    let reused = json!({"error": {
        "message": "Your refresh token has already been used to generate a new access token.",
        "type": "invalid_request_error", "param": null, "code": "refresh_token_reused",
    }});
    story.server.answer_next(Endpoint::Token, 1, Canned::json(401, &reused));
    ends(&story, &token, "has ended. Sign in again").await;
}

/// VENDORS, T8: Google's words for a sign-in that was ended in the account's settings.
#[tokio::test(flavor = "multi_thread")]
async fn gemini_says_that_the_sign_in_was_ended_elsewhere() {
    let (story, token) = signed_in(known("gemini"), Way::Code).await;
    let gone = Canned::error(400, "invalid_grant", "Token has been expired or revoked.");
    story.server.answer_next(Endpoint::Token, 1, gone);
    ends(&story, &token, "has ended. Sign in again").await;
}

/// The next refresh is refused for good: the agent is told, the member reads `text`, and nothing is sent again.
async fn ends(story: &Story, token: &str, text: &str) {
    let refreshes = story.server.refreshes();
    for _ in 0..2 {
        let refused = story.token(Some(token)).await;
        assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(3), &b""[..]), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("sign in again"), "{refused:?}");
    }
    assert_eq!(story.server.refreshes(), refreshes + 1);
    let status = story.ann.slash("/auth status").in_thread(&story.thread).send().await;
    let shown = status.sees_text("has ended", SOON).await;
    assert!(shown.text().replace('\\', "").contains(text), "{}", shown.render());
    story.setup.discord.assert_clean();
}

/// T14, VENDORS: without Google's secret nothing is sent; the member is led to the operator, and `check` tells the operator what to do.
#[tokio::test(flavor = "multi_thread")]
async fn gemini_without_its_secret_is_the_operators_to_mend() {
    let story = begin(Vendor { environment: &[], ..known("gemini") }).await;
    let said = login_says(&story, "operator").await;
    assert!(!said.contains("SECRET"), "{said}");
    let checked = story.setup.cli(&["check"]).await;
    assert!(checked.stdout.contains("LATCHKEY_GEMINI_CLIENT_SECRET is not set"), "{checked:?}");
    assert_eq!(story.server.requests().len(), 0);
    story.setup.discord.assert_clean();
}

/// VENDORS: a secret that Google does not take is the operator's too, and no member's fault.
#[tokio::test(flavor = "multi_thread")]
async fn gemini_with_a_wrong_secret_is_the_operators_to_mend() {
    let wrong = &[("LATCHKEY_GEMINI_CLIENT_SECRET", "GOCSPX-of-somebody-else")];
    let story = begin(Vendor { environment: wrong, ..known("gemini") }).await;
    let login = story.sign_in(story.card(0).await, Way::Code).await;
    login.sees_text("only the operator can fix that", SOON).await;
    assert!(!story.bot.said().contains("GOCSPX"), "{}", story.bot.said());
    assert_eq!(story.token(None).await.status.code(), Some(3));
    story.setup.discord.assert_clean();
}

/// VENDORS: whose terms are in doubt is not signed in to before the operator has accepted that.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_against_terms_that_nobody_accepted() {
    for name in ["antigravity", "claude"] {
        let story = begin(Vendor { operator: "", ..known(name) }).await;
        let said = login_says(&story, "operator").await;
        assert!(!said.contains(OPEN), "{said}");
        let checked = story.setup.cli(&["check"]).await;
        assert!(checked.stdout.contains("set accept_terms_risk = true if you accept that"), "{checked:?}");
        assert_eq!(story.server.requests().len(), 0);
        story.setup.discord.assert_clean();
    }
}

/// Somebody else's code, pasted: Google's page shows no state, so that the verifier alone ties the answer to the sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_code_of_another_sign_in_is_refused_by_its_verifier() {
    let story = begin(known("gemini")).await;
    let theirs = story.card(0).await;
    let address: url::Url = story.server.sign_in(&theirs.link(OPEN), &Person::ben()).await.parse().unwrap();
    let code = address.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    let bob = story.setup.discord.member("bob");
    let own = bob.slash("/auth login gemini").in_thread(&story.thread).send().await;
    own.sees_text(OPEN, SOON).await;
    let pasted = own
        .click(crate::members::PASTE)
        .await
        .submit_modal([("Code from the last page", code.as_str())])
        .await;
    pasted.sees_text("The provider no longer accepted your answer", SOON).await;
    story.setup.discord.assert_clean();
}

/// VENDORS, T8, T10: `MiniMax` refuses with HTTP 200; a start that it refuses is the operator's to mend, in its own words.
#[tokio::test(flavor = "multi_thread")]
async fn minimax_refuses_a_start_with_http_200() {
    let story = begin(known("minimax")).await;
    let refused = json!({"base_resp": {"status_code": 2013, "status_msg": "invalid params, client_id"}});
    story.server.answer_next(Endpoint::DeviceStart, 1, Canned::json(200, &refused));
    let said = login_says(&story, "MiniMax").await;
    assert!(said.contains("Nothing was started") && !said.contains(OPEN), "{said}");
    assert_eq!(story.server.device_polls(), 0);
    story.setup.discord.assert_clean();
}

/// VENDORS, T8, G18: so does its refusal of a refresh, which ends the sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn minimax_refuses_a_refresh_with_http_200() {
    let (story, token) = signed_in(known("minimax"), Way::Device).await;
    let refused =
        json!({"status": "error", "base_resp": {"status_code": 1004, "status_msg": "invalid refresh token"}});
    story.server.answer_next(Endpoint::Token, 1, Canned::json(200, &refused));
    ends(&story, &token, "has ended. Sign in again").await;
}

/// VENDORS, T10: an account without a Copilot subscription is told so at the sign-in, and nothing is stored.
#[tokio::test(flavor = "multi_thread")]
async fn copilot_without_a_subscription_is_told_at_the_sign_in() {
    let story = begin(known("copilot")).await;
    story.server.set(|settings| settings.copilot.access = CopilotAccess::NoPlan);
    let login = story.sign_in(story.card(0).await, Way::Device).await;
    let said = login.sees_text("Your account has no access to this at the provider", NEXT_POLL).await;
    assert!(said.contains("Nothing was stored"), "{}", said.render());
    assert_eq!(story.token(None).await.status.code(), Some(3));
    story.setup.discord.assert_clean();
}

/// VENDORS, G18: a subscription that ends ends no sign-in: nobody is asked to sign in again for it.
#[tokio::test(flavor = "multi_thread")]
async fn copilot_whose_subscription_ended_keeps_the_sign_in() {
    let story = begin(known("copilot")).await;
    let login = story.sign_in(story.card(0).await, Way::Device).await;
    login.sees_text("Signed in to GitHub Copilot", NEXT_POLL).await;
    story.server.set(|settings| settings.copilot.access = CopilotAccess::NoPlan);
    story.setup.expire(&format!("copilot@{}", story.ann.id())).await;
    let refused = story.token(None).await;
    assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(5), &b""[..]), "{refused:?}");
    let status = story.ann.slash("/auth status").in_thread(&story.thread).send().await;
    let shown = status.sees_text("gives this account no access", SOON).await;
    assert!(shown.contains("signing in again with the same account does not help"), "{}", shown.render());
    story.setup.discord.assert_clean();
}

/// VENDORS, G17: GitHub's token, once it is taken back there, ends the sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn copilot_whose_access_was_removed_at_github_has_ended() {
    let (story, token) = signed_in(known("copilot"), Way::Device).await;
    story.server.revoke_grant(&token);
    let exchanges = story.server.copilot_exchanges();
    for _ in 0..2 {
        assert_eq!(story.token(Some(&token)).await.status.code(), Some(3));
    }
    assert_eq!(story.server.copilot_exchanges(), exchanges + 1, "it is asked once");
    let status = story.ann.slash("/auth status").in_thread(&story.thread).send().await;
    status.sees_text("has ended. Sign in again", SOON).await;
    story.setup.discord.assert_clean();
}
