//! What a test does to the bot's surroundings: time, faults, the gateway's connection.

use std::time::Duration;

use serde_json::Value;

use crate::fault::Fault;
use crate::gateway::{Out, intent};
use crate::server::Discord;

impl Discord {
    /// Moves the stand-in's clock forward: interaction tokens age, deadlines pass.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// The stand-in's present in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.shared.clock.now_ms()
    }

    /// Lets the next `times` requests that match fail with a status. The pattern is `METHOD /path` without
    /// `/api/v10`; `*` is any run of characters.
    pub fn fail(&self, pattern: &str, times: u32, status: u16) {
        self.add_fault(pattern, times, Fault::status(status));
    }

    /// Answers the next `times` matching requests with 429 and `retry_after` in seconds.
    pub fn rate_limit(&self, pattern: &str, times: u32, retry_after: f64) {
        self.add_fault(pattern, times, Fault::rate_limited(retry_after, "user"));
    }

    /// The same, said to be Discord's limit for the whole bot.
    pub fn rate_limit_globally(&self, pattern: &str, times: u32, retry_after: f64) {
        self.add_fault(pattern, times, Fault::rate_limited(retry_after, "global"));
    }

    /// Sets the limit of a kind of request, for a stand-in that counts ([`crate::Builder::like_production`]): so many
    /// in a while, for each webhook and token, channel or guild.
    pub fn limit(&self, pattern: &str, requests: u32, per: Duration) {
        self.shared.change(|world| world.limits.rule(pattern, requests, per));
    }

    /// How many requests were past their limit, and were answered with 429 for it.
    pub fn over_limit(&self) -> u32 {
        self.shared.lock().limits.refused()
    }

    /// Holds the next `times` matching requests back this long before they take effect.
    pub fn delay(&self, pattern: &str, times: u32, by: Duration) {
        self.add_fault(pattern, times, Fault::Before(by));
    }

    /// Lets the next `times` matching requests take effect at once, and answers this much later.
    pub fn delay_answer(&self, pattern: &str, times: u32, by: Duration) {
        self.add_fault(pattern, times, Fault::After(by));
    }

    /// Refuses the next `times` gateway connections with 503.
    pub fn refuse_connections(&self, times: u32) {
        self.fail("GET /socket", times, 503);
    }

    /// Lets the next `times` registrations of commands fail with 500.
    pub fn refuse_registration(&self, times: u32) {
        self.fail("P* /applications/*/commands*", times, 500);
    }

    /// Forgets all faults not yet spent.
    pub fn clear_faults(&self) {
        self.shared.change(|world| world.faults.clear());
    }

    fn add_fault(&self, pattern: &str, times: u32, fault: Fault) {
        self.shared.change(|world| world.faults.add(pattern, times, fault));
    }

    /// Lets the bot do what these permissions say and no more, as a member of its guild and as everybody.
    pub fn allow_bot(&self, permissions: u64) {
        self.shared.change(|world| {
            let (home, bot) = (world.home, world.bot);
            if let Some(guild) = world.guilds.get_mut(&home) {
                if let Some(everyone) = guild.roles.get_mut(&home) {
                    everyone.permissions = permissions;
                }
                if let Some(member) = guild.members.get_mut(&bot) {
                    member.permissions = permissions;
                }
            }
        });
    }

    /// Cuts the gateway connection without a close frame. The session can be resumed.
    pub fn drop_connection(&self) {
        self.shared.change(|world| world.gateway.all(|| Out::Cut));
    }

    /// Closes the gateway connection with a code. Codes after which Discord has no session left end it.
    pub fn close_gateway(&self, code: u16) {
        self.shared.change(|world| {
            if matches!(code, 1000 | 1001 | 4004 | 4006 | 4007 | 4009..=4014) {
                world.gateway.forget();
            }
            world.gateway.all(|| Out::Close(code));
        });
    }

    /// Sends `INVALID_SESSION`; without `resumable` the session is gone.
    pub fn invalidate_session(&self, resumable: bool) {
        self.shared.change(|world| {
            if !resumable {
                world.gateway.forget();
            }
            world.gateway.all(|| Out::Text(format!(r#"{{"op":9,"d":{resumable}}}"#)));
        });
    }

    /// Forgets the session in silence: the next RESUME is answered with `INVALID_SESSION`.
    pub fn forget_session(&self) {
        self.shared.change(|world| world.gateway.forget());
    }

    /// Asks the bot to reconnect and resume (opcode 7).
    pub fn request_reconnect(&self) {
        self.shared.change(|world| world.gateway.all(|| Out::Text(r#"{"op":7,"d":null}"#.to_owned())));
    }

    /// Whether heartbeats are answered; without, a bot takes its connection for dead.
    pub fn answer_heartbeats(&self, answer: bool) {
        self.shared.change(|world| world.gateway.answers_heartbeats = answer);
    }

    /// Whether a gateway connection is greeted with `HELLO`.
    pub fn greet(&self, greet: bool) {
        self.shared.change(|world| world.gateway.greets = greet);
    }

    /// Whether the gateway answers new connections at all: without, it takes them and says nothing.
    pub fn answer_connections(&self, answer: bool) {
        self.shared.change(|world| world.gateway.answers = answer);
    }

    /// Whether Discord is there: while it is not, all connections are cut and nothing is answered.
    pub fn be_there(&self, there: bool) {
        self.shared.change(|world| {
            world.away = !there;
            if !there {
                world.gateway.all(|| Out::Cut);
            }
        });
    }

    /// Takes the bot's token back: every request that needs it is answered with 401, and the next session is refused with
    /// 4004. What is connected stays so.
    pub fn revoke_token(&self) {
        self.shared.change(|world| world.revoked = true);
    }

    /// How many sessions the bot may still begin, and how long until Discord counts anew.
    pub fn limit_sessions(&self, left: u64, reset_after: Duration) {
        let millis = u64::try_from(reset_after.as_millis()).unwrap_or(u64::MAX);
        self.shared.change(|world| world.gateway.starts = (left, millis));
    }

    /// How often the bot began a session.
    pub fn identifies(&self) -> u32 {
        self.shared.lock().gateway.identifies
    }

    /// How often the bot resumed a session.
    pub fn resumes(&self) -> u32 {
        self.shared.lock().gateway.resumes
    }

    /// How many heartbeats the bot sent.
    pub fn heartbeats(&self) -> u32 {
        self.shared.lock().gateway.heartbeats
    }

    /// Waits until the bot has resumed `count` times in all; panics after `timeout`.
    pub async fn wait_resumes(&self, count: u32, timeout: Duration) {
        let done = self.shared.wait(timeout, |world| (world.gateway.resumes >= count).then_some(())).await;
        assert!(done.is_some(), "not resumed {count} times within {timeout:?}\n{}", self.report());
    }

    /// Waits until the bot has identified `count` times in all; panics after `timeout`.
    pub async fn wait_identifies(&self, count: u32, timeout: Duration) {
        let done = self.shared.wait(timeout, |world| (world.gateway.identifies >= count).then_some(())).await;
        assert!(done.is_some(), "not identified {count} times within {timeout:?}\n{}", self.report());
    }

    /// Dispatches an event of the test's own making.
    pub fn dispatch(&self, event: &str, data: &Value) {
        self.shared.change(|world| world.gateway.dispatch(event, intent::NONE, data));
    }
}
