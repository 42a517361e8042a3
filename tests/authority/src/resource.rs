//! The other endpoints: metadata, revocation, registration, and a protected resource.

use serde_json::{Value, json};

use crate::incoming::{BodyKind, Incoming};
use crate::person::Client;
use crate::reply::Reply;
use crate::settings::Revocation;
use crate::state::State;
use crate::token::DEVICE_CODE;
use crate::token_reply::overlay;

/// Answers the metadata documents (RFC 8414, `OpenID` Connect discovery 1.0, RFC 9728).
pub(crate) fn metadata(state: &State, incoming: &Incoming) -> Reply {
    let prefix = state.settings.prefix();
    let inserted = |name: &str| format!("/.well-known/{name}{prefix}");
    let appended = format!("{prefix}/.well-known/openid-configuration");
    let path = incoming.path.trim_end_matches('/');
    if path.starts_with("/.well-known/oauth-protected-resource") {
        let resource = path.trim_start_matches("/.well-known/oauth-protected-resource");
        return Reply::json(
            200,
            &json!({"resource": format!("{}{resource}", state.origin), "authorization_servers": [state.issuer()]}),
        );
    }
    let known = [inserted("oauth-authorization-server"), inserted("openid-configuration"), appended];
    if !known.iter().any(|at| at == path) {
        return Reply::error(404, "not_found", "no metadata here");
    }
    let mut body = json!({
        "issuer": state.issuer(),
        "authorization_endpoint": state.url("/authorize"),
        "token_endpoint": state.url("/token"),
        "device_authorization_endpoint": state.url("/device_authorization"),
        "revocation_endpoint": state.url("/revoke"),
        "registration_endpoint": state.url("/register"),
        "userinfo_endpoint": state.url("/userinfo"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_CODE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256"],
    });
    if state.settings.iss_in_answer {
        body["authorization_response_iss_parameter_supported"] = true.into();
    }
    if let Value::Object(members) = &mut body {
        overlay(members, &state.settings.metadata);
    }
    Reply::json(200, &body)
}

/// Answers the revocation endpoint: 200 even for a token that nobody knows (RFC 7009, section 2.2).
pub(crate) fn revoke(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method != "POST" || incoming.body != BodyKind::Form {
        return Reply::error(400, "invalid_request", "POST with a form-encoded body only");
    }
    let client = match state.authenticate(incoming) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    let Some(token) = incoming.field("token") else {
        return Reply::error(400, "invalid_request", "token is missing");
    };
    if state.settings.revocation == Revocation::Refused {
        return Reply::error(401, "invalid_client", "this client may not revoke");
    }
    let owner = state.ledger.grant_of(token).map(|grant| state.ledger.grant(grant).client.clone());
    if owner.is_some_and(|owner| owner != client.id) {
        return Reply::error(400, "invalid_request", "the token belongs to another client");
    }
    state.ledger.revoke(token, state.settings.revocation);
    Reply::empty(200)
}

/// Answers dynamic client registration: a public client, with the redirect URIs it asks for (RFC 7591).
pub(crate) fn register(state: &mut State, incoming: &Incoming) -> Reply {
    let uris = incoming.field("redirect_uris").unwrap_or("[]");
    let Ok(uris) = serde_json::from_str::<Vec<String>>(uris) else {
        return Reply::error(400, "invalid_redirect_uri", "redirect_uris must be an array of strings");
    };
    if incoming.method != "POST" || incoming.body != BodyKind::Json {
        return Reply::error(400, "invalid_client_metadata", "POST with a JSON body only");
    }
    let id = format!("client-{}", state.clients.len());
    let client = Client { redirect_uris: uris.clone(), ..Client::public(&id, &[]) };
    state.clients.insert(id.clone(), client);
    let body = json!({
        "client_id": id,
        "client_id_issued_at": state.now() / 1000,
        "redirect_uris": uris,
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", DEVICE_CODE],
    });
    Reply::json(201, &body)
}

/// Answers the protected resource: who the access token stands for, or 401 (RFC 6750, section 3).
pub(crate) fn api(state: &State, incoming: &Incoming) -> Reply {
    let resource = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/api\"", state.origin);
    let Some(token) = incoming.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) else {
        return Reply::empty(401).header("www-authenticate", &format!("Bearer {resource}")).named("no_token");
    };
    let accepted = state.ledger.accepts(token, state.now()).filter(|_| !state.settings.api_rejects_all);
    let Some(grant) = accepted.map(|id| state.ledger.grant(id)) else {
        return Reply::error(401, "invalid_token", "the access token is not valid")
            .header("www-authenticate", &format!("Bearer error=\"invalid_token\", {resource}"));
    };
    Reply::json(
        200,
        &json!({"sub": grant.person.sub, "email": grant.person.email, "scope": grant.scopes.join(" ")}),
    )
}
