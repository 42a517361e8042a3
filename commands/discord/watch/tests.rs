//! The judgement on a connection, on a paused clock.

use latchkey::health::Health;

use super::*;

const GUILD: GuildId = GuildId::new(1);
const LIVE: Shard = Shard { stage: ConnectionStage::Connected, latency: None };
const RESUMING: Shard = Shard { stage: ConnectionStage::Resuming, latency: None };

fn answered(millis: u64) -> Shard {
    Shard { latency: Some(Duration::from_millis(millis)), ..LIVE }
}

/// A watch over a connection that has a session, with its number.
fn connected() -> (Watch, u64) {
    let watch = Watch::new(Health::default());
    let number = watch.begin();
    watch.connected(number, "Latchkey", "auth", GUILD, true);
    (watch, number)
}

fn stands(watch: &Watch) -> Gateway {
    watch.health.readiness().gateway
}

/// What is done while `shard` stands as it does for `seconds`, one look a second: each step but the first that is not to stay.
async fn looks(watch: &Watch, shard: Option<Shard>, seconds: u64) -> Vec<(u64, Step)> {
    let mut steps = Vec::new();
    for second in 0..seconds {
        match watch.look(shard) {
            Step::Stay => {}
            step => steps.push((second, step)),
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    steps
}

/// Z4: silence is asked about, told as deafness when nobody answers, and ended; within 16 and 21 seconds.
#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_is_heard_is_told_and_made_anew() {
    let (watch, _) = connected();
    assert_eq!(looks(&watch, Some(LIVE), 15).await, [(10, Step::Ask)]);
    assert_eq!(stands(&watch), Gateway::Connected);
    assert_eq!(looks(&watch, Some(LIVE), 5).await, []);
    assert_eq!(stands(&watch), Gateway::Deaf);
    assert_eq!(watch.look(Some(LIVE)), Step::Anew);
    watch.lost();
    assert_eq!((stands(&watch), watch.outcome()), (Gateway::Away, Outcome::Poor));
}

/// An answer, late or not, and anything else that is heard, is life; a busy connection is never asked.
#[tokio::test(start_paused = true)]
async fn whatever_is_heard_is_life() {
    let (watch, number) = connected();
    assert_eq!(looks(&watch, Some(LIVE), 17).await, [(10, Step::Ask)]);
    assert_eq!(stands(&watch), Gateway::Deaf);
    assert_eq!(watch.look(Some(answered(3))), Step::Stay);
    assert_eq!(stands(&watch), Gateway::Connected);
    assert_eq!(looks(&watch, Some(answered(3)), 12).await, [(10, Step::Ask)]);
    watch.heard(number);
    assert_eq!(looks(&watch, Some(answered(3)), 9).await, []);
    for _ in 0..100 {
        watch.heard(number);
        assert_eq!(looks(&watch, Some(answered(3)), 9).await, []);
    }
    assert_eq!(stands(&watch), Gateway::Connected);
}

/// A session that broke off has a while to go on; its end, or a shard that is gone, is ours to make good.
#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_go_on_is_made_anew() {
    let (watch, number) = connected();
    assert_eq!(looks(&watch, Some(RESUMING), 29).await, []);
    assert_eq!(stands(&watch), Gateway::Away);
    watch.resumed(number);
    assert_eq!((stands(&watch), watch.look(Some(LIVE))), (Gateway::Connected, Step::Stay));
    assert_eq!(looks(&watch, Some(RESUMING), 31).await, [(30, Step::Anew)]);
    let (watch, _) = connected();
    assert_eq!(watch.look(None), Step::Anew);
}

/// A connection that is not made within ten seconds, or has no session within thirty, is made anew; only the latter was a session start.
#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_begin_is_made_anew() {
    let begun = Shard { stage: ConnectionStage::Disconnected, latency: None };
    for (shard, bound, outcome) in [(None, 10, Outcome::Unreached), (Some(begun), 30, Outcome::Poor)] {
        let watch = Watch::new(Health::default());
        watch.begin();
        assert_eq!(looks(&watch, shard, bound + 1).await, [(bound, Step::Anew)]);
        watch.lost();
        assert_eq!((stands(&watch), watch.outcome()), (Gateway::Connecting, outcome));
    }
}

/// What an earlier connection still says is not taken for a word of the one that is there.
#[tokio::test(start_paused = true)]
async fn an_earlier_connection_says_nothing_of_this_one() {
    let (watch, earlier) = connected();
    watch.lost();
    let number = watch.begin();
    watch.connected(earlier, "Latchkey", "auth", GUILD, true);
    watch.resumed(earlier);
    assert_eq!((stands(&watch), watch.outcome()), (Gateway::Away, Outcome::Unreached));
    watch.connected(number, "Latchkey", "auth", GUILD, true);
    tokio::time::advance(LASTING).await;
    assert_eq!((stands(&watch), watch.outcome()), (Gateway::Connected, Outcome::Good));
    watch.heard(earlier);
    assert_eq!(watch.look(Some(LIVE)), Step::Ask, "the earlier one's word is no sign of life");
}

/// Z4: each break is counted once, however fast it is mended and whoever sees it first.
#[tokio::test(start_paused = true)]
async fn each_break_is_counted_once() {
    let (watch, number) = connected();
    let breaks = || watch.with(|state| state.breaks);
    watch.look(Some(LIVE));
    assert_eq!(breaks(), 0, "the first session is no break");
    for _ in 0..5 {
        watch.resumed(number);
        watch.look(Some(LIVE));
    }
    assert_eq!(breaks(), 5, "mended before anybody looked");
    watch.look(Some(RESUMING));
    assert_eq!(breaks(), 6);
    // The shard may be seen to stand before its word of that is heard.
    watch.look(Some(LIVE));
    watch.resumed(number);
    assert_eq!(breaks(), 6);
    watch.connected(number, "Latchkey", "auth", GUILD, true);
    assert_eq!(breaks(), 7, "the session was ended, and another begun");
    let number = watch.begin();
    watch.connected(number, "Latchkey", "auth", GUILD, true);
    assert_eq!(breaks(), 8);
    looks(&watch, Some(LIVE), 17).await;
    assert_eq!((stands(&watch), breaks()), (Gateway::Deaf, 9));
    watch.look(Some(answered(3)));
    watch.resumed(number);
    assert_eq!(breaks(), 10, "the silence was over before it broke");
    watch.look(Some(RESUMING));
    watch.lost();
    let number = watch.begin();
    watch.connected(number, "Latchkey", "auth", GUILD, true);
    assert_eq!(breaks(), 11);
}
