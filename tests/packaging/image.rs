//! The image: Dockerfile and .dockerignore, and the configuration for containers.

use std::collections::BTreeSet;
use std::path::Path;

use latchkey::config::Config;
use serde_json::json;

use crate::{file, yaml};

/// The instructions of the last stage, each on one line.
fn last_stage() -> Vec<String> {
    let text = file("Dockerfile").replace("\\\n", " ");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let start = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    lines[start..].iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn instruction(name: &str) -> String {
    let found: Vec<_> =
        last_stage().into_iter().filter(|line| line.starts_with(&format!("{name} "))).collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0].split_once(' ').unwrap().1.to_owned()
}

/// No shell is there, and none is asked for; the user is a number, not root's; SIGTERM is what the bot drains on.
#[test]
fn the_image_has_no_shell_and_no_root() {
    assert_eq!(last_stage()[0], "FROM scratch");
    assert!(!last_stage().iter().any(|line| line.starts_with("RUN ")), "there is nothing to run it with");
    let uid: u32 = instruction("USER").split(':').next().unwrap().parse().unwrap();
    assert!(
        uid > 1_000 && uid != 65_532 && uid != 65_534,
        "{uid} is root's, a person's, or other images' too"
    );
    assert_eq!(instruction("STOPSIGNAL"), "SIGTERM");
    for words in [instruction("ENTRYPOINT"), instruction("CMD")] {
        assert!(serde_json::from_str::<Vec<String>>(&words).is_ok(), "{words} wants a shell");
    }
}

/// The health check is the program's own, and compose asks as the image does.
#[test]
fn the_health_check_is_the_programs_own() {
    let asked = instruction("HEALTHCHECK").split_once("CMD ").unwrap().1.to_owned();
    assert_eq!(serde_json::from_str::<Vec<String>>(&asked).unwrap(), ["/usr/local/bin/latchkey", "health"]);
    let composed = yaml(&file("docker-compose.yml"));
    let test = &composed["services"]["first"]["healthcheck"]["test"];
    assert_eq!(test, &json!(["CMD", "/usr/local/bin/latchkey", "health"]));
    let config: toml::Table = file("config/container/latchkey.toml").parse().unwrap();
    assert!(config["ops"]["listen"].is_str(), "nothing would answer it");
}

/// F15, F4: what a fresh volume takes over is the bot's alone, and is where the configuration says.
#[test]
fn the_folders_of_the_volumes_belong_to_the_bot() {
    let (user, text) = (instruction("USER"), file("Dockerfile"));
    for (from, to, folder, mode) in
        [("/owned/root", "/", "data", "0700"), ("/owned/run", "/run", "latchkey", "0755")]
    {
        let made = format!("install -d -m {mode} {from}/{folder}");
        let given = format!("COPY --from=build --chown={user} {from} {to}");
        assert!(text.contains(&made), "not found: {made}");
        assert!(last_stage().contains(&given), "not found: {given}");
    }
    let config: toml::Table = file("config/container/latchkey.toml").parse().unwrap();
    let parent = |value: &toml::Value| Path::new(value.as_str().unwrap()).parent().unwrap().to_owned();
    assert_eq!(parent(&config["store"]["path"]), Path::new("/data"));
    assert_eq!(parent(&config["tokens"]["socket"]), Path::new("/run/latchkey"));
}

/// The configuration for containers is one that Latchkey takes.
#[test]
fn the_configuration_for_containers_is_taken() {
    let environment = |_: &str| None;
    let path = "config/container/latchkey.toml";
    let read = Config::parse(&file(path), Path::new(path), &environment);
    assert!(read.is_ok(), "{:?}", read.err());
}

/// An image is built from what is named, so that no data, secret or build of the host gets into it.
#[test]
fn the_image_is_built_from_named_files_alone() {
    let text = file(".dockerignore");
    let lines: BTreeSet<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.contains("*"), "everything else is left out");
    for line in &lines {
        if let Some(path) = line.strip_prefix('!') {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{path} is not there");
            assert!(
                !["data", "guilds", "target", ".git"].contains(&path),
                "{path} is no business of the image"
            );
        }
    }
    for secret in ["/guilds", "/discord-token", "/latchkey.toml", "/seal.key*", "/backup.key", "*.age"] {
        assert!(file(".gitignore").lines().any(|line| line == secret), "{secret} holds what no commit may");
    }
}

/// Whoever runs an image, or copies the programs out of it, sees which version it is.
#[test]
fn the_image_bears_the_programs_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(last_stage().contains(&format!("ARG VERSION={version}")), "the label has another version");
    let image = format!("latchkey:{version}");
    for service in yaml(&file("docker-compose.yml"))["services"].as_object().unwrap().values() {
        assert_eq!(service["image"], json!(image));
    }
    for text in ["README.md", "docs/deploying.md", "docs/upgrading.md", "docker-compose.yml", "scripts/image"]
        .map(file)
    {
        let named =
            text.split("latchkey:").skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let other: Vec<_> = named.filter(|rest| !rest.starts_with(version)).collect();
        assert_eq!(other, Vec::<&str>::new(), "an image of another version is named");
    }
}
