//! Claude Code's `apiKeyHelper`.

use std::sync::Arc;

use serde_json::json;

use super::api::{Answers, Api, events};
use super::{Ended, Place, of_npm, recipe};

/// A model that says one thing, as the Messages API streams it.
fn model() -> Answers {
    let message = json!({"id": "m1", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
    let stream = events(&[
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "good morning"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
            "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ]);
    Arc::new(move |path| path.ends_with("/messages").then(|| ("text/event-stream", stream.clone())))
}

/// Asks the model something.
async fn ask(place: &Place, api: &Api) -> Ended {
    place.write(".claude/settings.json", &recipe("json", "apiKeyHelper"));
    let mut command = place.program(of_npm("@anthropic-ai", "claude-code-", "claude"));
    command.args(["-p", "hi"]).env("ANTHROPIC_BASE_URL", api.origin());
    command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1").env("DISABLE_AUTOUPDATER", "1");
    place.run(command).await
}

/// docs/consumers.md, G24: the recipe works, and its token lasts longer than Claude Code keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn claude_code_sends_what_its_helper_prints() {
    let (place, api, first) = Place::serving(model()).await;
    let ended = ask(&place, &api).await;
    ended.greets();
    let seen = api.seen();
    assert!(seen.iter().any(|seen| seen.path == "/v1/messages"), "{seen:?}");
    for seen in &seen {
        assert_eq!((seen.token.as_ref(), &*seen.ways), (Some(&first.access), &["bearer", "x-api-key"][..]));
    }
    assert_eq!(place.host.authority.refreshes(), 0);

    // It keeps the token for five minutes: one that lasts hardly longer is replaced before it gets it.
    place.ends_soon().await;
    let ended = ask(&place, &api).await;
    ended.greets();
    assert_eq!(place.host.authority.refreshes(), 1);
    assert_eq!(api.seen().last().unwrap().token, Some(place.stored()));
}

/// docs/consumers.md, G14: after a 401 the helper is run anew, and what others have refreshed is used.
#[tokio::test(flavor = "multi_thread")]
async fn claude_code_asks_again_after_a_401() {
    let (place, api, first) = Place::serving(model()).await;
    place.reject(&first.access);
    api.before_401(place.somebody_else_names(&first.access));
    let ended = ask(&place, &api).await;
    ended.greets();
    assert_eq!(
        api.tokens("/messages"),
        [(Some(first.access.clone()), 401), (Some(place.stored()), 200)],
        "the helper was asked again"
    );
    assert_eq!(place.host.authority.refreshes(), 1);
}
