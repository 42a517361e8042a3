//! Discord's `OpenAPI` document, where there is one: request bodies are judged by its schemas.
//!
//! The document is read once per process from `$DISCORD_OPENAPI`, or from `../shared/discord-openapi.json`
//! beside the workspace. It is no part of the project. Without it the rules written by hand still hold, and
//! standard error says so once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::reply::Problem;

/// Problems reported of one body.
const REPORTED: usize = 8;
/// Characters of one schema error that are worth reading.
const LONGEST: usize = 300;

/// The schemas, with the validators compiled so far.
#[derive(Debug)]
pub(crate) struct Schemas {
    schemas: Map<String, Value>,
    compiled: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Schemas {
    /// The schemas of this process, if the document is there.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Schemas>> = OnceLock::new();
        SHARED.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        let path = std::env::var_os("DISCORD_OPENAPI").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/discord-openapi.json")),
            PathBuf::from,
        );
        let found = std::fs::read(&path).ok().and_then(|text| Self::parse(&text));
        if found.is_none() {
            eprintln!(
                "discord stand-in: no OpenAPI document at {} (set DISCORD_OPENAPI); bodies are judged by the \
                 rules written by hand only",
                path.display()
            );
        }
        found
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut document: Value = serde_json::from_slice(text).ok()?;
        match document["components"]["schemas"].take() {
            Value::Object(schemas) => Some(Self { schemas, compiled: Mutex::default() }),
            _ => None,
        }
    }

    /// What the schema `name` finds wrong with `body`, with each path prefixed by `at`.
    pub(crate) fn check(&self, name: &str, at: &str, body: &Value) -> Vec<Problem> {
        let validator = match self.validator(name) {
            Ok(validator) => validator,
            Err(why) => return vec![Problem { path: at.to_owned(), text: why }],
        };
        validator
            .iter_errors(body)
            .take(REPORTED)
            .map(|error| {
                let inner = error.instance_path().to_string().trim_start_matches('/').replace('/', ".");
                let path = [at, &inner].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(".");
                let text: String = error.to_string().chars().take(LONGEST).collect();
                Problem { path, text: format!("schema {name}: {text}") }
            })
            .collect()
    }

    fn validator(&self, name: &str) -> Result<Arc<Validator>, String> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(name) {
            return Ok(Arc::clone(known));
        }
        if !self.schemas.contains_key(name) {
            return Err(format!("the OpenAPI document has no schema {name}"));
        }
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#/components/schemas/{name}"),
            "components": { "schemas": self.closure(name) },
        });
        let made = jsonschema::options()
            .should_validate_formats(true)
            .build(&root)
            .map_err(|error| format!("schema {name} does not compile: {error}"))?;
        let made = Arc::new(made);
        compiled.insert(name.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// The schema and all it refers to: compiling the whole document for each would take seconds.
    fn closure(&self, name: &str) -> Map<String, Value> {
        let mut found = Map::new();
        let mut open = BTreeSet::from([name.to_owned()]);
        while let Some(next) = open.pop_first() {
            if let Some(schema) = self.schemas.get(&next).filter(|_| !found.contains_key(&next)) {
                references(schema, &mut open);
                found.insert(next, schema.clone());
            }
        }
        found
    }
}

fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                found.extend(name.rsplit('/').next().map(str::to_owned));
            }
            map.values().for_each(|inner| references(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_judges_with_all_it_refers_to() {
        let text = br##"{"components":{"schemas":{
            "A":{"type":"object","properties":{"b":{"$ref":"#/components/schemas/B"}}},
            "B":{"type":"string","maxLength":3}}}}"##;
        let schemas = Schemas::parse(text).expect("a document with schemas");
        assert_eq!(schemas.check("A", "data", &json!({ "b": "abc" })), []);
        let problems = schemas.check("A", "data", &json!({ "b": "abcd" }));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "data.b");
        assert!(schemas.check("C", "", &json!({}))[0].text.contains("no schema C"));
    }
}
