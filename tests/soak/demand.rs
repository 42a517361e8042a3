//! Those who ask for tokens: spawned programs, tasks of this process, and members who sign in anew.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use latchkey::broker::Broker;
use latchkey::credential::CredentialState;
use latchkey::gate::Want;
use rand::Rng;
use rand::rngs::StdRng;

use crate::kills::{End, choose, kill9, refresh_of, refresh_was_killed};
use crate::world::{LENIENT, STRICT, key, lenient, strict};
use crate::{Figures, LONG, Run};

/// One that is always there; where a fault is to show, one of two, so that callers meet.
fn any_tenant(run: &Run, choices: &mut StdRng) -> String {
    let numbers = |all: u32| if run.plan.fault.is_some() { 0..1 } else { 0..all };
    if choices.random_bool(0.5) {
        strict(choices.random_range(numbers(STRICT)))
    } else {
        lenient(choices.random_range(numbers(LENIENT)))
    }
}

/// What a caller says of the token it has: fresh enough, rejected, to last an hour.
fn wish(run: &Run, tenant: &str, choices: &mut StdRng) -> Want {
    let held = || run.world.stored(tenant).map(|held| held.access_token.hash());
    match choices.random_range(0..10) {
        0 => Want { rejected: held(), ..Want::default() },
        1 => Want { min_valid: 3_600, ..Want::default() },
        _ => Want::default(),
    }
}

/// Runs the program over and over, and kills it or its refresh now and then.
pub async fn by_program(run: Arc<Run>, part: u32) {
    let mut choices = run.choices(&format!("program {part}"));
    while run.goes_on() {
        let tenant = any_tenant(&run, &mut choices);
        let may_be_unknown = tenant.starts_with('f');
        let (end, fault) = match run.plan.fault {
            Some(fault) => (End::Itself, Some(fault.to_owned())),
            None => choose(&mut choices, may_be_unknown),
        };
        let want = wish(&run, &tenant, &mut choices);
        call(&run, &tenant, &want, end, fault, &mut choices).await;
        run.pause(&mut choices, 0..100).await;
    }
}

async fn call(run: &Run, tenant: &str, want: &Want, end: End, fault: Option<String>, choices: &mut StdRng) {
    let mut command = run.world.latchkey(&["token", tenant, "--timeout", "20s"]);
    command.args(["--min-valid", &format!("{}s", want.min_valid)]);
    if let Some(rejected) = want.rejected {
        command.args(["--rejected-sha256", &rejected.to_string()]);
    }
    if let Some(fault) = fault {
        command.env("FAILPOINTS", fault);
    }
    let since = SystemTime::now();
    let child = command.spawn().unwrap();
    let caller = child.id();
    let striking = async {
        if matches!(end, End::Caller | End::Refresh) {
            run.pause(choices, 0..120).await;
            let victim = if end == End::Caller { caller } else { caller.and_then(refresh_of) };
            if victim.is_some_and(kill9) {
                Figures::count(&run.figures.kills);
                // Even one that has come to its end may have been killed before its save.
                if end == End::Refresh {
                    run.kills.note(tenant, since);
                }
            }
        }
    };
    let (output, ()) = tokio::join!(tokio::time::timeout(LONG, child.wait_with_output()), striking);
    let Ok(output) = output else {
        run.violations.add(format!("a call for {tenant} did not end in {} s", LONG.as_secs()));
        return;
    };
    let output = output.unwrap();
    if end == End::AtStep && refresh_was_killed(&output) {
        run.killed(tenant, since);
    }
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => {
            run.violations.check(run.world.server_of(tenant).secrets().contains(&printed), || {
                format!("a call for {tenant} printed what no server gave: {} bytes", printed.len())
            });
            Figures::count(&run.figures.tokens_by_program);
        }
        // Passing trouble; a refresh that was killed; a caller that was; a token rejected again within a minute (G15).
        Some(4) | None => {}
        Some(1) if matches!(end, End::AtStep | End::Refresh) && refresh_was_killed(&output) => {}
        Some(5) if want.rejected.is_some() => {}
        Some(code) if run.plan.fault.is_none() => {
            let said = String::from_utf8_lossy(&output.stderr).chars().take(300).collect::<String>();
            run.violations.add(format!("a call for {tenant} ended with {code}: {said}"));
        }
        Some(_) => {}
    }
}

/// Asks in this process, and leaves before the answer now and then (G9).
pub async fn in_process(run: Arc<Run>, broker: Broker, part: u32) {
    let mut choices = run.choices(&format!("task {part}"));
    while run.goes_on() {
        let tenant = any_tenant(&run, &mut choices);
        let want = wish(&run, &tenant, &mut choices);
        let patience = if choices.random_bool(0.2) { 20 } else { 10_000 };
        let tenant_key = key(&tenant);
        let asking = broker.token(&tenant_key, want, Duration::from_secs(15));
        if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_millis(patience), asking).await {
            Figures::count(&run.figures.tokens_in_process);
        }
        run.pause(&mut choices, 1..60).await;
    }
}

/// Signs in anew where a sign-in is in doubt, and elsewhere now and then, whatever is under way there. What was stored last
/// is there to the end.
pub async fn signing_in_again(run: Arc<Run>) {
    let mut choices = run.choices("signing in again");
    let mut last: Vec<Option<String>> = vec![None; LENIENT as usize];
    while run.goes_on() {
        run.pause(&mut choices, 200..1_500).await;
        let number = choices.random_range(0..LENIENT);
        let tenant = lenient(number);
        let held = run.world.stored(&tenant);
        let (id, state) = held.map(|held| (held.id, held.state)).unzip();
        let known = last[number as usize].take();
        run.violations.check(id.is_some() && (known.is_none() || known == id), || {
            format!("the sign-in that was stored last for {tenant} is gone: {known:?}, there is {id:?}")
        });
        if state == Some(CredentialState::Ok) && choices.random_bool(0.7) {
            last[number as usize] = known;
            continue;
        }
        last[number as usize] = Some(run.world.sign_in(&tenant).await);
        Figures::count(&run.figures.sign_ins);
    }
}
