//! How a counterexample is told: what happened, and what it changed.

use latchkey_test_model::protocol::Action;
use latchkey_test_model::world::{Credential, Process, Room, Step, World};
use stateright::Path;

/// A part of the world, as text.
type Part = (&'static str, fn(&World) -> String);

const PARTS: [Part; 8] = [
    ("processes", |world| world.processes.iter().map(process).collect::<Vec<_>>().join(", ")),
    ("store", |world| world.store.as_ref().map_or_else(|| "empty".to_owned(), credential)),
    ("room", |world| match &world.room {
        Room::Written(rescue) => format!("holds {}", credential(&rescue.credential)),
        other => format!("{other:?}"),
    }),
    ("server", |world| {
        let families = world.server.families.iter();
        let told = families.map(|family| format!("{}/{}/{}", family.serial, family.uses, family.unanswered));
        format!(
            "serial/uses/unanswered {}, grants {:?}",
            told.collect::<Vec<_>>().join(" "),
            world.server.grants
        )
    }),
    ("now", |world| world.now.to_string()),
    ("full disk", |world| world.disk_is_full.to_string()),
    ("sibling", |world| format!("{:?}", world.sibling)),
    ("witness", |world| format!("{:?}", world.witness)),
];

/// A run, one line for each thing that happened.
pub fn told(path: &Path<World, Action>) -> String {
    let mut lines = Vec::new();
    let mut before: Option<(World, Option<Action>)> = None;
    for (world, action) in path.clone().into_vec() {
        let happened = before.as_ref().and_then(|(_, action)| *action);
        let happened = happened.map_or_else(|| "at first".to_owned(), |action| format!("{action:?}"));
        let last = before.as_ref().map(|(world, _)| world);
        let parts = PARTS.iter().map(|(name, part)| (name, last.map(part), part(&world)));
        let changed = parts.filter(|(_, before, now)| before.as_ref() != Some(now));
        let changed: Vec<_> = changed.map(|(name, _, now)| format!("{name}: {now}")).collect();
        lines.push(format!("{happened:28} {}", changed.join("; ")));
        before = Some((world, action));
    }
    lines.join("\n")
}

fn credential(credential: &Credential) -> String {
    let (version, token) = (credential.version, credential.token);
    let intent =
        credential.intent.map(|i| format!(" intent {} at {}", i.attempt, i.sent_at)).unwrap_or_default();
    format!(
        "{}.{} token {}.{} until {} {:?}{intent} retry {:?}",
        version.id,
        version.generation,
        token.id,
        token.serial,
        credential.expires_at,
        credential.state,
        credential.retry_at
    )
}

fn process(process: &Process) -> String {
    let step = match process.step {
        Step::BeforeLock(_) => "BeforeLock".to_owned(),
        Step::WithLock(_) => "WithLock".to_owned(),
        Step::Marking(_, mark) => format!("Marking {mark:?}"),
        Step::AfterRoom(e) => format!("AfterRoom attempt {}", e.attempt),
        Step::AfterIntent(e) => format!("AfterIntent attempt {}", e.attempt),
        Step::Sending(e) => format!("Sending attempt {}", e.attempt),
        Step::AfterReply(e, outcome) => format!("AfterReply attempt {} {outcome:?}", e.attempt),
        Step::SaveFailed(_) => "SaveFailed".to_owned(),
        Step::AfterRescue(_) => "AfterRescue".to_owned(),
        other => format!("{other:?}"),
    };
    format!("{step}{}", if process.holds_lock { "*" } else { "" })
}
