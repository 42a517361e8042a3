//! Discord out of order for a minute: it answers with errors, with limits, or not at all.

use super::*;
use crate::due::{due, refreshed};

/// How long it lasts.
const OUTAGE: Duration = Duration::from_mins(1);
/// All but the gateway's connection.
const REST: [&str; 7] =
    ["interactions", "webhooks", "channels", "guilds", "users", "applications", "gateway"];

fn all_rest(fault: impl Fn(&str)) {
    for place in REST {
        fault(&format!("* /{place}*"));
    }
}

/// W5, U1: a minute of errors or limits ends nothing: a sign-in that is finished meanwhile is told of afterwards, and the rest goes
/// on.
#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_errors_loses_nothing() {
    let faults: [Fault; 3] = [
        ("500", |setup| all_rest(|pattern| setup.discord.fail(pattern, u32::MAX, 500))),
        ("429", |setup| all_rest(|pattern| setup.discord.rate_limit(pattern, u32::MAX, 5.0))),
        ("429 for all", |setup| {
            all_rest(|pattern| setup.discord.rate_limit_globally(pattern, u32::MAX, 5.0));
        }),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (name, fault) in faults {
        for production in [false, true] {
            all.spawn(async move {
                let plan = if production { Setup::plan().like_production() } else { Setup::plan() };
                let setup = plan.start().await;
                let pending = Pending::start(&setup).await;
                fault(&setup);
                let end = Instant::now() + OUTAGE;
                setup.authority.approve_device(&pending.device.link(OPEN), &Person::ada()).await;
                assert!(
                    setup.authority.eventually(NEXT_POLL, |_| setup.stored().contains("succeeded")).await
                );
                tokio::time::sleep(end.saturating_duration_since(Instant::now())).await;
                setup.discord.clear_faults();
                let over = Instant::now();
                pending.device.sees_text("Signed in to Acme as ada", OUTAGE).await;
                println!("{name}, production {production}: told {:?} after its end", over.elapsed());
                pending.is_back(&setup, SOON).await;
                pending.paste(&setup).await;
                assert_eq!((pending.said(LOST), pending.said(DEAF)), (0, 0), "{}", pending.bot.said());
                assert_eq!(setup.discord.identifies(), 1);
                setup.discord.assert_clean();
            });
        }
    }
    all.join_all().await;
}

/// W5, Z4: a Discord that is gone for a minute is told of, ends nothing, and keeps no token from being refreshed; then there is one
/// new session, and what was finished meanwhile is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_minute_without_discord_loses_nothing() {
    let setup = Setup::new().await;
    let pending = Pending::start(&setup).await;
    setup.discord.be_there(false);
    let end = Instant::now() + OUTAGE;
    let told = pending.says(LOST, 1, TOLD).await;
    due(&setup).await;
    setup.authority.approve_device(&pending.device.link(OPEN), &Person::ada()).await;
    refreshed(&setup).await;
    let token = setup.cli(&["token", "acme@1"]).await;
    assert!(setup.authority.accepts(&token.stdout), "{token:?}");
    tokio::time::sleep(end.saturating_duration_since(Instant::now())).await;
    setup.discord.be_there(true);
    let over = Instant::now();
    pending.is_back(&setup, BACK).await;
    println!("gone: told after {told:?}, back {:?} after its end", over.elapsed());
    pending.device.sees_text("Signed in to Acme as ada", OUTAGE).await;
    pending.paste(&setup).await;
    assert_eq!(setup.discord.identifies(), 2, "{}", pending.bot.said());
    setup.discord.assert_clean();
}

/// A Discord out of order when the bot starts is waited for: an exit would only have it started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_starts_meanwhile_waits() {
    let faults: [Fault; 3] = [
        ("500", |setup| all_rest(|pattern| setup.discord.fail(pattern, u32::MAX, 500))),
        ("gone", |setup| setup.discord.be_there(false)),
        // Where the library cannot learn the gateway's address, it would go to Discord's own.
        ("no address", |setup| setup.discord.fail("GET /gateway", u32::MAX, 500)),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (name, fault) in faults {
        all.spawn(async move {
            let setup = Setup::new().await;
            fault(&setup);
            let bot = Bot::spawn(&setup, |_| {});
            if name != "no address" {
                tokio::time::sleep(Duration::from_secs(25)).await;
                setup.discord.clear_faults();
                setup.discord.be_there(true);
            }
            bot.wait_said("latchkey: ready", BACK).await;
            setup.discord.assert_clean();
        });
    }
    all.join_all().await;
}
