//! Connections that are there and say nothing.

use super::*;

/// Z4: a gateway that answers no heartbeat, or has dropped the session without a word that the bot heeds (4003, 4010), is
/// told as deaf within seconds, by a heartbeat that is asked for long before Discord's own is due, and made anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_deaf_connection_is_told_and_made_anew() {
    let faults: [Fault; 3] = [
        ("no heartbeat is answered", |setup| setup.discord.answer_heartbeats(false)),
        ("4003", |setup| setup.discord.close_gateway(4003)),
        ("4010", |setup| setup.discord.close_gateway(4010)),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (name, fault) in faults {
        all.spawn(async move {
            let setup = Setup::new().await;
            let pending = Pending::start(&setup).await;
            fault(&setup);
            let told = pending.says(DEAF, 1, TOLD).await;
            setup.discord.answer_heartbeats(true);
            let back = Instant::now();
            // One that answers again in time stays.
            pending.says(CONNECTED, 2, BACK).await;
            println!("{name}: told after {told:?}, back after {:?}", back.elapsed());
            pending.is_back(&setup, SOON).await;
            assert!(setup.discord.identifies() <= 2, "{name}: {}", pending.bot.said());
            pending.finish(&setup).await;
            setup.discord.assert_clean();
        });
    }
    all.join_all().await;
}

/// Z4: a gateway that takes the connection and then says nothing, or sends no HELLO, whether the session was to be resumed or
/// begun, is told, and is tried again until it speaks; then there is one session, and each command is answered once.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_says_nothing_is_tried_again_until_it_speaks() {
    /// Whether it speaks.
    type Speaking = fn(&Setup, bool);
    let faults: [(&str, Speaking); 2] = [
        ("no answer", |setup, speaks| setup.discord.answer_connections(speaks)),
        ("no HELLO", |setup, speaks| setup.discord.greet(speaks)),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (name, fault) in faults {
        for resumable in [true, false] {
            all.spawn(async move {
                let setup = Setup::new().await;
                let pending = Pending::start(&setup).await;
                fault(&setup, false);
                if !resumable {
                    setup.discord.forget_session();
                }
                setup.discord.drop_connection();
                // Without HELLO, a resumed session goes on all the same.
                if !(resumable && name == "no HELLO") {
                    let began = Instant::now();
                    while pending.said(LOST) + pending.said(DEAF) == 0 {
                        assert!(began.elapsed() < TOLD, "{name}: {}", pending.bot.said());
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    println!("{name}, {resumable}: told after {:?}", began.elapsed());
                    tokio::time::sleep(Duration::from_secs(40)).await;
                }
                fault(&setup, true);
                let began = Instant::now();
                pending.is_back(&setup, BACK).await;
                println!("{name}, {resumable}: back after {:?}", began.elapsed());
                // Had two connections come to life, both would answer.
                pending.finish(&setup).await;
                setup.discord.assert_clean();
            });
        }
    }
    all.join_all().await;
}
