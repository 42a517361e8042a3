//! codex, with a model provider whose token comes from a command.

use std::sync::Arc;
use std::time::Duration;

use latchkey_test_authority::Endpoint;
use serde_json::json;

use super::api::{Answers, Api, events};
use super::{Ended, Place, of_npm, recipe};

/// A model that says one thing, as the Responses API streams it.
fn model() -> Answers {
    let said = json!({"type": "message", "role": "assistant", "id": "i1",
        "content": [{"type": "output_text", "text": "good morning"}]});
    let usage = json!({"input_tokens": 1, "input_tokens_details": null, "output_tokens": 1,
        "output_tokens_details": null, "total_tokens": 2});
    let stream = events(&[
        json!({"type": "response.created", "response": {"id": "r1"}}),
        json!({"type": "response.output_item.done", "item": said}),
        json!({"type": "response.completed", "response": {"id": "r1", "usage": usage}}),
    ]);
    Arc::new(move |path| match path {
        "/v1/responses" => Some(("text/event-stream", stream.clone())),
        "/v1/models" => Some(("application/json", br#"{"models":[]}"#.to_vec())),
        _ => None,
    })
}

/// Asks the model something.
async fn ask(place: &Place, api: &Api) -> Ended {
    let recipe = recipe("toml", "model_providers.acme.auth");
    place.write(".codex/config.toml", &recipe.replace("https://api.acme.example", &api.origin()));
    let mut command = place.program(of_npm("@openai", "codex-", "codex"));
    command.args(["exec", "--skip-git-repo-check"]);
    // Its statistics and its plugins come from elsewhere.
    command.args(["-c", "analytics.enabled=false", "--disable", "plugins", "hi"]);
    place.run(command).await
}

/// docs/consumers.md, G24: the recipe works, and its token lasts longer than codex keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn codex_sends_what_its_command_prints() {
    let (place, api, first) = Place::serving(model()).await;
    let ended = ask(&place, &api).await;
    ended.greets();
    assert_eq!(api.tokens("/responses"), [(Some(first.access.clone()), 200)]);
    assert!(api.seen().iter().all(|seen| seen.ways == ["bearer"]), "{:?}", api.seen());
    assert_eq!(place.host.authority.refreshes(), 0);

    // It keeps the token for five minutes: one that lasts hardly longer is replaced before it gets it.
    place.ends_soon().await;
    let ended = ask(&place, &api).await;
    ended.greets();
    assert_eq!(place.host.authority.refreshes(), 1);
    assert_eq!(api.tokens("/responses").last().unwrap().0, Some(place.stored()));
}

/// docs/consumers.md, G14: after a 401 the command is run anew, and what others have refreshed is used.
#[tokio::test(flavor = "multi_thread")]
async fn codex_asks_again_after_a_401() {
    let (place, api, first) = Place::serving(model()).await;
    place.reject(&first.access);
    api.before_401(place.somebody_else_names(&first.access));
    let ended = ask(&place, &api).await;
    ended.greets();
    let all = api.tokens("");
    assert_eq!(all[0], (Some(first.access.clone()), 401));
    assert_eq!(api.tokens("/responses").last(), Some(&(Some(place.stored()), 200)));
    assert_eq!(place.host.authority.refreshes(), 1);
}

/// docs/consumers.md: codex waits for a refresh that takes longer than its own five seconds.
#[tokio::test(flavor = "multi_thread")]
async fn codex_waits_for_a_slow_refresh() {
    let place = Place::new();
    place.host.expired("acme").await;
    place.host.authority.latency(Endpoint::Token, Duration::from_secs(7));
    let api = Api::start(&place.host.authority, model()).await;
    let ended = ask(&place, &api).await;
    ended.greets();
    assert!(api.tokens("").iter().all(|seen| *seen == (Some(place.stored()), 200)), "{:?}", api.seen());
    assert!(!ended.said.contains("timed out"), "{}", ended.said);
    assert_eq!(place.host.authority.refreshes(), 1);
}
