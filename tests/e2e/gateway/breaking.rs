//! Connections that break off: the session goes on where Discord keeps it, and begins anew where not.

use super::*;

/// Z4, U1: whatever breaks the connection, the bot hears again within seconds, with as few session starts as can be, and what
/// waits is finished.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_resumed_where_it_can_be_and_else_begun_anew() {
    let setup = Setup::new().await;
    let pending = Pending::start(&setup).await;
    let resumed: [Fault; 5] = [
        ("4000", |setup| setup.discord.close_gateway(4000)),
        ("1006", |setup| setup.discord.drop_connection()),
        ("RECONNECT", |setup| setup.discord.request_reconnect()),
        ("INVALID SESSION, resumable", |setup| setup.discord.invalidate_session(true)),
        ("4008", |setup| setup.discord.close_gateway(4008)),
    ];
    for (number, (name, fault)) in (1..).zip(resumed) {
        println!("{name}");
        fault(&setup);
        setup.discord.wait_resumes(number, SOON).await;
        pending.is_back(&setup, SOON).await;
        assert_eq!(setup.discord.identifies(), 1, "{name}: {}", pending.bot.said());
    }
    assert_eq!((pending.said(LOST), pending.said(DEAF)), (0, 0), "{}", pending.bot.said());
    let anew: [Fault; 4] = [
        ("INVALID SESSION", |setup| setup.discord.invalidate_session(false)),
        ("4009", |setup| setup.discord.close_gateway(4009)),
        ("4007", |setup| setup.discord.close_gateway(4007)),
        ("gone", |setup| {
            setup.discord.forget_session();
            setup.discord.drop_connection();
        }),
    ];
    for (number, (name, fault)) in (1..).zip(anew) {
        println!("{name}");
        fault(&setup);
        setup.discord.wait_identifies(u32::try_from(number).unwrap() + 1, BACK).await;
        pending.is_back(&setup, SOON).await;
        assert_eq!(setup.discord.identifies() as usize, number + 1, "{name}: {}", pending.bot.said());
    }
    pending.finish(&setup).await;
    setup.discord.assert_clean();
}

/// The sessions that Discord lets a bot begin in a day are not used up by one that is started again and again.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_session_starts_are_waited_for() {
    let setup = Setup::new().await;
    setup.discord.limit_sessions(0, Duration::from_secs(4));
    let bot = Bot::spawn(&setup, |_| {});
    bot.wait_said("few of the sessions", SOON).await;
    assert_eq!(setup.discord.identifies(), 0);
    setup.discord.limit_sessions(1_000, Duration::from_secs(4));
    bot.wait_said("latchkey: ready", SOON).await;
    setup.discord.assert_clean();
}
