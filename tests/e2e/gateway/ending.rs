//! The end of a bot that cannot go on, and of no other.

use latchkey_test_authority::Endpoint;

use super::*;
use crate::due::{due, held};

/// Exit code for what the operator must mend.
const USAGE: i32 = 2;

/// W5: what trying again cannot mend ends the bot with its remedy, and not before a refresh under way is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_ends_the_bot_after_what_is_under_way() {
    for (code, remedy) in [(4004, "copy it anew"), (4013, "report it"), (4014, "allow the bot's intents")] {
        let setup = Setup::new().await;
        due(&setup).await;
        let gate = setup.authority.hold_reply(Endpoint::Token);
        let mut bot = Bot::start(&setup).await;
        assert!(setup.authority.eventually(SOON, |_| gate.waiting() == 1).await);
        setup.discord.close_gateway(code);
        bot.wait_said("letting what is under way finish", SOON).await;
        gate.release();
        let status = bot.ended(Duration::from_secs(30)).await;
        assert_eq!(status.code(), Some(USAGE), "{code}: {}", bot.said());
        assert!(bot.said().contains(remedy), "{code}: {}", bot.said());
        assert_eq!((held(&setup).generation, held(&setup).intent), (2, None), "{code}");
    }
}

/// A token that is taken back while the bot runs ends it, though the connection would still be there: it could tell nobody
/// anything any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_taken_back_ends_the_bot() {
    for dropped in [false, true] {
        let setup = Setup::new().await;
        let mut bot = Bot::start(&setup).await;
        setup.discord.revoke_token();
        let began = Instant::now();
        if dropped {
            setup.discord.drop_connection();
        }
        let status = bot.ended(Duration::from_mins(1)).await;
        println!("taken back, dropped {dropped}: ended after {:?}", began.elapsed());
        assert_eq!(status.code(), Some(USAGE), "{}", bot.said());
        assert!(bot.said().contains("refuses the bot's token: copy it anew"), "{}", bot.said());
    }
}

/// One answer that refuses the token may be Discord's mistake.
#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_of_the_token_ends_nothing() {
    let setup = Setup::new().await;
    setup.discord.fail("GET /users/@me", 1, 401);
    let pending = Pending::start(&setup).await;
    let asked = || setup.discord.requests_to("GET /users/@me").len();
    assert!(setup.authority.eventually(Duration::from_secs(45), |_| asked() == 2).await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    pending.is_back(&setup, SOON).await;
    assert_eq!(pending.said("ending"), 0);
}
