//! The bot that refreshes ahead, and what can end it in the middle: signals, `kill -9`, a log that nobody reads.

use std::process::Stdio;
use std::time::{Duration, Instant};

use latchkey::credential::CredentialState;
use latchkey::fault::Step;
use latchkey_test_authority::{Endpoint, Reuse};
use rustix::process::{Pid, Signal, kill_process};

use crate::due::{LONG, due, held, refreshed, waits_for_a_lock};
use crate::harness::{Bot, Setup};

/// W5, G29: whatever asks the bot to end, at whatever step: the exchange is finished and stored, and only then it ends.
#[tokio::test(flavor = "multi_thread")]
async fn signals_at_every_step_end_the_bot_and_lose_nothing() {
    for signal in ["TERM", "INT", "QUIT"] {
        for step in
            [Step::AfterIntent, Step::AfterReply, Step::TemporaryDurable, Step::AfterSave, Step::AfterPublish]
        {
            let setup = Setup::new().await;
            due(&setup).await;
            // Of the two writes of a refresh, the one that stores what came.
            let before = if step == Step::TemporaryDurable { "1*off->" } else { "" };
            let fault = format!("{}={before}1*return({signal})", step.name());
            let mut bot = Bot::spawn(&setup, |program| {
                program.env("FAILPOINTS", &fault);
            });
            let status = bot.ended(LONG).await;
            assert!(status.success(), "{fault}: {status:?}");
            let held = held(&setup);
            let sent = setup.authority.refreshes();
            // Between the intent and the request, the one or the other is first.
            assert!(sent == 1 || (step == Step::AfterIntent && sent == 0), "{fault}: {sent}");
            assert_eq!((held.generation, held.intent), (1 + sent as u64, None), "{fault}");
            assert!(setup.authority.would_refresh(held.refresh_token.unwrap().expose()), "{fault}");
            assert_eq!(setup.authority.reuses(), 0, "{fault}");
        }
    }
}

/// W5: a hangup at any step of a refresh has the configuration read anew, and the refresh goes on as if nothing was.
#[tokio::test(flavor = "multi_thread")]
async fn hangups_at_every_step_reload_and_lose_nothing() {
    for step in
        [Step::AfterIntent, Step::AfterReply, Step::TemporaryDurable, Step::AfterSave, Step::AfterPublish]
    {
        let setup = Setup::new().await;
        due(&setup).await;
        let before = if step == Step::TemporaryDurable { "1*off->" } else { "" };
        let fault = format!("{}={before}1*return(HUP)", step.name());
        let mut bot = Bot::spawn(&setup, |program| {
            program.env("FAILPOINTS", &fault);
        });
        bot.wait_said("the configuration was reloaded", LONG).await;
        let held = refreshed(&setup).await;
        assert!(setup.authority.would_refresh(held.refresh_token.unwrap().expose()), "{fault}");
        assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0), "{fault}");
        assert!(bot.stop().await.success(), "{fault}");
    }
}

/// G29: before anything is sent, nothing is sent any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_is_asked_to_end_starts_no_exchange() {
    let setup = Setup::new().await;
    due(&setup).await;
    let mut bot = Bot::spawn(&setup, |program| {
        program.env("FAILPOINTS", "before-lock=return(stop)");
    });
    let id = Pid::from_raw(i32::try_from(bot.id()).unwrap()).unwrap();
    let stat = format!("/proc/{}/stat", bot.id());
    let end = Instant::now() + LONG;
    while !std::fs::read_to_string(&stat).unwrap().rsplit_once(')').unwrap().1.trim_start().starts_with('T') {
        assert!(Instant::now() < end, "it never came to its refresh");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    kill_process(id, Signal::TERM).unwrap();
    kill_process(id, Signal::CONT).unwrap();
    assert!(bot.ended(LONG).await.success());
    assert_eq!((setup.authority.refreshes(), held(&setup).generation), (0, 1));
}

/// G12, G19, G20: the next bot makes good what a dead one left, with at most one more try.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_dies_at_any_step_is_made_good_by_the_next() {
    for (fault, lost) in [
        ("with-lock=return(kill)", false),
        ("after-intent=return(kill)", false),
        ("after-reply=return(kill)", true),
        ("temporary-durable=1*off->return(kill)", true),
        ("renamed=1*off->return(kill)", false),
        ("after-save=return(kill)", false),
        ("write-temporary=1*off->return(28);after-rescue=return(kill)", false),
    ] {
        let setup = Setup::new().await;
        setup.authority.set(|settings| settings.reuse = Reuse::Lenient);
        due(&setup).await;
        let mut dead = Bot::spawn(&setup, |program| {
            program.env("FAILPOINTS", fault);
        });
        assert!(!dead.ended(LONG).await.success(), "{fault}");
        let _bot = Bot::start(&setup).await;
        let held = refreshed(&setup).await;
        assert_eq!(held.state, CredentialState::Ok, "{fault}");
        assert!(setup.authority.would_refresh(held.refresh_token.unwrap().expose()), "{fault}");
        assert_eq!(setup.authority.refreshes(), if lost { 2 } else { 1 }, "{fault}");
    }
}

/// G1, G12: agents that wait while the bot refreshes get the token although it dies.
#[tokio::test(flavor = "multi_thread")]
async fn agents_get_their_token_although_the_bot_dies_while_it_refreshes() {
    let setup = Setup::new().await;
    setup.authority.set(|settings| settings.reuse = Reuse::Lenient);
    due(&setup).await;
    let gate = setup.authority.hold_reply(Endpoint::Token);
    let mut bot = Bot::spawn(&setup, |_| {});
    assert!(setup.authority.eventually(LONG, |_| gate.waiting() == 1).await);
    let mut agents = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let mut agent = tokio::process::Command::from(setup.program());
        agent.args(["token", "acme@1", "--timeout", "50s"]).kill_on_drop(true);
        let agent = agent.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        waits_for_a_lock(agent.id().unwrap());
        agents.spawn(async move { agent.wait_with_output().await.unwrap() });
    }
    bot.kill9();
    gate.release();
    let mut tokens: Vec<_> = agents.join_all().await.into_iter().map(|output| output.stdout).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    let token = String::from_utf8(tokens.swap_remove(0)).unwrap();
    assert!(setup.authority.accepts(token.trim_end()));
    assert_eq!(setup.authority.refreshes(), 2);
}

/// G29: a bot whose log nobody reads any more finishes what it has begun, and ends as asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_without_a_reader_of_its_log_loses_nothing() {
    let setup = Setup::new().await;
    due(&setup).await;
    let gate = setup.authority.hold_reply(Endpoint::Token);
    let mut program = setup.program();
    program.arg("run").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut bot = tokio::process::Command::from(program).kill_on_drop(true).spawn().unwrap();
    assert!(setup.authority.eventually(LONG, |_| gate.waiting() == 1).await);
    drop(bot.stderr.take());
    kill_process(Pid::from_raw(i32::try_from(bot.id().unwrap()).unwrap()).unwrap(), Signal::TERM).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    gate.release();
    let status = tokio::time::timeout(LONG, bot.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status:?}");
    assert_eq!(refreshed(&setup).await.failures, 0);
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
}
