//! The shape of a successful token reply, and of the identity token in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::ledger::{Grant, Issued};
use crate::reply::Reply;
use crate::settings::{ExpiresIn, IdToken, ScopeShape};
use crate::state::State;

/// What tokens are handed out for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Occasion<'a> {
    /// A sign-in, with the `nonce` of its request.
    SignIn(Option<&'a str>),
    /// A refresh.
    Refresh,
}

/// The reply that hands out `issued`, in the shape that is set.
pub(crate) fn granted(state: &mut State, issued: &Issued, occasion: Occasion<'_>) -> Reply {
    let shape = state.settings.reply.clone();
    let pad = |token: &str| if shape.padded { format!(" {token}\n") } else { token.to_owned() };
    let scopes = state.ledger.grant(issued.grant).scopes.clone();
    let seconds = state.settings.access_lifetime.as_secs();

    let mut body = Map::new();
    if !shape.no_access_token {
        body.insert("access_token".into(), pad(&issued.access).into());
    }
    if let Some(kind) = shape.token_type {
        body.insert("token_type".into(), kind.into());
    }
    match shape.expires_in {
        ExpiresIn::Real => drop(body.insert("expires_in".into(), seconds.into())),
        ExpiresIn::Text => drop(body.insert("expires_in".into(), seconds.to_string().into())),
        ExpiresIn::Says(value) => drop(body.insert("expires_in".into(), value)),
        ExpiresIn::Missing => {}
    }
    match shape.scope {
        ScopeShape::Spaces => drop(body.insert("scope".into(), scopes.join(" ").into())),
        ScopeShape::Commas => drop(body.insert("scope".into(), scopes.join(",").into())),
        ScopeShape::Array => drop(body.insert("scope".into(), json!(scopes))),
        ScopeShape::Missing => {}
    }
    if let Some(token) = &issued.refresh {
        body.insert("refresh_token".into(), pad(token).into());
    }
    if let Some(token) = id_token(state, issued, occasion) {
        body.insert("id_token".into(), token.into());
    }
    overlay(&mut body, &shape.extra);

    let body = Value::Object(body);
    if shape.form_encoded { Reply::form(shape.status, &body) } else { Reply::json(shape.status, &body) }
}

/// Puts `over` over `body`; a null takes a member out.
pub(crate) fn overlay(body: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        if value.is_null() {
            body.remove(name);
        } else {
            body.insert(name.clone(), value.clone());
        }
    }
}

/// The identity token for a grant, if one is set.
pub(crate) fn id_token(state: &mut State, issued: &Issued, occasion: Occasion<'_>) -> Option<String> {
    let shape = &state.settings.reply;
    let algorithm = match shape.id_token {
        IdToken::None => return None,
        IdToken::Unsigned => "none",
        IdToken::Signed => "HS256",
    };
    let claims = claims(state, state.ledger.grant(issued.grant), occasion);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({"alg": algorithm, "typ": "JWT"}));
    let signed = format!("{head}.{}", part(&claims));
    let signature = match shape.id_token {
        IdToken::Signed => URL_SAFE_NO_PAD.encode(hmac_sha256(state.origin.as_bytes(), signed.as_bytes())),
        IdToken::None | IdToken::Unsigned => String::new(),
    };
    let token = format!("{signed}.{signature}");
    state.secrets.note(&token);
    Some(token)
}

fn claims(state: &State, grant: &Grant, occasion: Occasion<'_>) -> Value {
    let (person, nonce) = match occasion {
        Occasion::SignIn(nonce) => (&grant.person, nonce),
        Occasion::Refresh => (state.settings.refresh_as.as_ref().unwrap_or(&grant.person), None),
    };
    let now = state.now() / 1000;
    let mut claims = json!({
        "iss": state.issuer(),
        "sub": person.sub,
        "aud": grant.client,
        "iat": now,
        "exp": now + 3600,
        "email": person.email,
        "email_verified": true,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    if state.settings.reply.account_claim {
        claims["https://api.openai.com/auth"] = json!({
            "chatgpt_account_id": person.account_id(),
            "chatgpt_user_id": format!("user-{}", person.sub),
        });
    }
    claims
}

/// RFC 2104, for keys of up to 64 bytes.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let length = key.len().min(64);
    block[..length].copy_from_slice(&key[..length]);
    let keyed = |mask: u8| Sha256::new().chain_update(block.map(|byte| byte ^ mask));
    let inner = keyed(0x36).chain_update(message).finalize();
    keyed(0x5c).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_the_one_of_the_standard() {
        let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(tag[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }
}
