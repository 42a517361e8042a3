//! docker-compose.yml: what each bot and each agent is given, and what is kept from them.

use std::collections::BTreeSet;

use latchkey::backup::PASSPHRASE_MEMORY;
use latchkey::oauth::EXCHANGE_BOUND;
use latchkey::store::STORE_WAIT;
use serde_json::{Value, json};

use crate::{file, yaml};

fn composed() -> Value {
    yaml(&file("docker-compose.yml"))
}

/// What a list, or the keys of an object, hold.
fn names(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(object) => object.keys().cloned().collect(),
        Value::Array(list) => list.iter().map(|entry| entry.as_str().unwrap().to_owned()).collect(),
        other => panic!("neither a list nor an object: {other}"),
    }
}

/// The file with a second server, made as its head says: each block between `[first` and `first]` copied, renamed.
fn with_a_second() -> String {
    let (mut text, mut block) = (String::new(), None::<String>);
    for line in file("docker-compose.yml").lines() {
        text.push_str(line);
        text.push('\n');
        match (line.trim(), &mut block) {
            ("# [first", _) => block = Some(String::new()),
            ("# first]", held) => text.push_str(&held.take().unwrap().replace("first", "second")),
            (_, Some(held)) => {
                held.push_str(line);
                held.push('\n');
            }
            (_, None) => {}
        }
    }
    text
}

/// G29: what ends a bot waits longer than the bot does for an exchange under way, with the writes around it.
#[test]
fn the_stop_grace_is_above_the_drain() {
    let grace = composed()["services"]["first"]["stop_grace_period"].as_str().unwrap().to_owned();
    let grace: u64 = grace.strip_suffix('s').unwrap().parse().unwrap();
    let drain = EXCHANGE_BOUND.as_secs() + 2 * STORE_WAIT.as_secs() + 10 + 3;
    assert!(grace > drain, "{grace} s of grace, and the drain may take {drain} s");
}

/// A passphrase is made a key inside the container, beside the bot: what that takes, and as much again for the two programs.
#[test]
fn an_export_by_passphrase_has_room_beside_the_bot() {
    let limit = composed()["services"]["first"]["mem_limit"].as_str().unwrap().to_owned();
    let limit: u64 = limit.strip_suffix('m').unwrap().parse().unwrap();
    let needed = (PASSPHRASE_MEMORY >> 20) + 128;
    assert!(limit >= needed, "{limit} MiB, and an export beside the bot takes up to {needed} MiB");
}

/// Root's rights, other folders, cores and swap are kept from a process that holds tokens, and it may not fill the host.
#[test]
fn a_bot_can_do_no_more_than_it_must() {
    let bot = &composed()["services"]["first"];
    let held = json!({
        "read_only": bot["read_only"], "cap_drop": bot["cap_drop"], "security_opt": bot["security_opt"],
        "core": bot["ulimits"]["core"], "swap": bot["memswap_limit"] == bot["mem_limit"],
        "pids": bot["pids_limit"].is_u64(), "restart": bot["restart"], "init": bot["init"],
    });
    assert_eq!(
        held,
        json!({
            "read_only": true, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"],
            "core": 0, "swap": true, "pids": true, "restart": "always", "init": true,
        })
    );
    for refused in ["privileged", "cap_add", "user", "network_mode", "pid", "ipc", "devices", "environment"] {
        assert_eq!(bot[refused], Value::Null, "{refused} stands in the bot's block");
    }
    assert_eq!(names(&bot["logging"]["options"]), names(&json!(["max-size", "max-file"])));
}

/// F15: the store is mounted as a folder, and so is whatever is replaced by renaming (the socket, the configuration).
#[test]
fn folders_are_mounted_and_never_a_file_of_them() {
    let all = composed();
    let bot = &all["services"]["first"];
    let expected =
        ["./guilds/first/config:/etc/latchkey:ro", "first-data:/data", "first-socket:/run/latchkey"];
    assert_eq!(names(&bot["volumes"]), names(&json!(expected)));
    assert_eq!(names(&all["volumes"]), names(&json!(["first-data", "first-socket"])));
}

/// A secret is a file, and never in the environment, where `docker inspect` shows it.
#[test]
fn secrets_are_files_that_the_configuration_names() {
    let all = composed();
    let config: toml::Table = file("config/container/latchkey.toml").parse().unwrap();
    let mut targets = BTreeSet::new();
    for secret in all["services"]["first"]["secrets"].as_array().unwrap() {
        let source = secret["source"].as_str().unwrap();
        assert!(all["secrets"][source]["file"].as_str().unwrap().starts_with("./guilds/first/"), "{source}");
        targets.insert(format!("/run/secrets/{}", secret["target"].as_str().unwrap()));
    }
    let named = [&config["discord"]["token_file"], &config["store"]["seal_key_file"]];
    assert_eq!(targets, named.map(|path| path.as_str().unwrap().to_owned()).into());
}

/// An agent has the socket's folder, read-only, and nothing else: no store, no network, no secret, not the bot's user.
#[test]
fn an_agent_has_the_socket_alone() {
    let agent = composed()["services"]["agent"].take();
    let config: toml::Table = file("config/container/latchkey.toml").parse().unwrap();
    let socket = config["tokens"]["socket"].as_str().unwrap();
    assert_eq!(agent["volumes"], json!(["first-socket:/run/latchkey:ro"]));
    assert_eq!(agent["environment"], json!({ "LATCHKEY_SOCKET": socket }));
    assert_eq!(agent["network_mode"], "none");
    assert_eq!(agent["secrets"], Value::Null);
    let uid: i64 = agent["user"].as_str().unwrap().split(':').next().unwrap().parse().unwrap();
    assert_eq!(uid, config["tokens"]["allow"][0]["uid"].as_integer().unwrap());
    let tenants = config["tokens"]["allow"][0]["tenants"].as_array().unwrap();
    assert_eq!(agent["command"][0].as_str(), tenants[0].as_str(), "what it asks for is what it may have");
}

/// A second server is a copied block, and shares nothing with the first but the image: W6, one store and one bot each.
#[test]
fn a_second_server_is_a_copied_block() {
    let (one, two) = (composed(), yaml(&with_a_second()));
    assert_eq!(names(&two["services"]), names(&json!(["agent", "first", "second"])));
    let renamed = one["services"]["first"].to_string().replace("first", "second");
    assert_eq!(two["services"]["second"].to_string(), renamed);
    let mut shared = names(&two["services"]["first"]["volumes"]);
    shared.retain(|volume| names(&two["services"]["second"]["volumes"]).contains(volume));
    assert_eq!(shared, BTreeSet::new());
    for (part, place) in [("volumes", "name"), ("secrets", "file")] {
        let kept = names(&one[part]);
        let copied: BTreeSet<_> = kept.iter().map(|name| name.replace("first", "second")).collect();
        assert_eq!(names(&two[part]), &kept | &copied, "{part}");
        let places: BTreeSet<_> =
            two[part].as_object().unwrap().values().map(|entry| entry[place].as_str().unwrap()).collect();
        assert_eq!(places.len(), 2 * kept.len(), "{part} of both stand in one place: {places:?}");
    }
}
