//! What tests of the programs' files share.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::Value;

use super::edit::{Edit, Offer};
use crate::secret::Secret;

/// A token that came on 2026-03-01 at 12:00 and lasts an hour.
pub(super) fn offer(token: &str, account: Option<&str>) -> Offer {
    Offer {
        access_token: Secret::new(token),
        id_token: None,
        account: account.map(str::to_owned),
        scopes: Vec::new(),
        obtained_at: 1_772_366_400,
        expires_at: Some(1_772_370_000),
    }
}

/// The text that is to be written.
pub(super) fn edited(edit: &Edit) -> String {
    match edit {
        Edit::Write(text) => text.expose().to_owned(),
        Edit::Keep => panic!("nothing is to be written"),
    }
}

/// A JSON Web Token with these claims.
pub(super) fn web_token(claims: &Value) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part("{\"alg\":\"RS256\"}"), part(&claims.to_string()))
}

/// An object of anything, some of it by names that matter.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    let any = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let names = prop_oneof![
        "\\PC{0,6}".boxed(),
        prop::sample::select(vec![
            "tokens",
            "access_token",
            "auth_mode",
            "refreshToken",
            "scopes",
            "kept_by"
        ])
        .prop_map(str::to_owned)
        .boxed(),
    ];
    prop::collection::btree_map(names, any, 0..5).prop_map(|map| Value::Object(map.into_iter().collect()))
}
