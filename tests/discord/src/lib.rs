//! A Discord stand-in on loopback: REST, gateway and people, for Latchkey's tests and demo.
//!
//! It plays Discord for one bot, which reaches it as a separate process (`LATCHKEY_DISCORD_API`) or in the
//! same one, by `HttpBuilder::proxy(discord.api_base()).ratelimiter_disabled(true)`. Built `like_production`, it is
//! `discord.com` over HTTPS, for a bot whose rate limiter is on. What must hold: a bot that
//! breaks one of Discord's rules gets Discord's error *and* is recorded, so that a test fails on it
//! (`assert_clean`); nobody sees what Discord would not show them; and no wait is silent, but ends in a panic
//! that tells all that is known. Nothing here goes beyond 127.0.0.1.
//!
//! ```no_run
//! # async fn run() {
//! use std::time::Duration;
//! use latchkey_test_discord::Discord;
//!
//! const SOON: Duration = Duration::from_secs(5);
//! let discord = Discord::start().await;
//! // … start the bot with `discord.api_base()` and `discord.bot_token()` …
//! discord.wait_ready(SOON).await;
//! discord.wait_registered("auth", SOON).await;
//!
//! let ann = discord.member("ann").roles([discord.role("agents")]);
//! let thread = discord.thread(&discord.channel("general"), "fix-ci");
//! let login = ann.slash("/auth login codex").in_thread(&thread).send().await;
//! let card = login.sees_text("Open sign-in page", SOON).await;
//! assert!(card.is_ephemeral());
//! println!("{}", card.render());
//!
//! let press = login.click("Paste").await;
//! let pasted = press.submit_modal([("Address", "http://localhost/?code=1")]).await;
//! pasted.sees_text("Signed in", SOON).await;
//! discord.assert_clean();
//! # }
//! ```
//!
//! # The stand-in: [`Discord`]
//!
//! | what | call |
//! |---|---|
//! | start | `Discord::start().await`; `Discord::builder().guild(id).other_guild(id).bot_token(t).bot_name(n).heartbeat_interval(d).allow_intents(bits).guild_locale("de").start().await?` |
//! | for the bot | `api_base()`, `bot_token()`, `application_id()`, `guild()` |
//! | as in production | `builder().like_production()`: HTTPS as `discord.com` at `secure_base()`, trusted by `authority()` (PEM); counts requests as Discord does (429 past the limit, `x-ratelimit-*`), `limit(pattern, requests, per)`, `over_limit()` |
//! | wait for it | `wait_ready(d)`, `wait_registered("auth", d)` (returns the command), `wait_identifies(n, d)`, `wait_resumes(n, d)`; after a restart of the bot, count: `wait_identifies(2, d)` |
//! | people, places | `member("ann")`, `role("agents")` (id), `channel("general")`, `channel_in(guild, "general")`, `thread(&channel, "fix-ci")`; each is made at its first mention |
//! | threads | `archive`, `unarchive`, `lock`, `rename`, `delete`, `mute_bot(&channel, true)` |
//! | time | `advance(d)` moves the stand-in's clock (not the bot's); `now_ms()` |
//! | faults | `fail(pattern, times, status)`, `rate_limit(pattern, times, seconds)`, `rate_limit_globally(…)`, `delay(pattern, times, d)` (takes effect late), `delay_answer(pattern, times, d)` (takes effect at once), `refuse_registration(times)`, `refuse_connections(times)`, `clear_faults()`; a pattern is `"POST /channels/*/messages"` |
//! | gateway | `drop_connection()`, `close_gateway(code)`, `invalidate_session(resumable)`, `forget_session()`, `request_reconnect()`, `answer_heartbeats(bool)`, `greet(bool)`, `answer_connections(bool)`, `be_there(bool)`, `revoke_token()`, `limit_sessions(left, reset)`, `identifies()`, `resumes()`, `heartbeats()`, `is_ready()`, `dispatch("EVENT", &json)` |
//! | the bot's rights | `allow_bot(bits)` |
//! | commands | `commands(Some(guild))`, `commands(None)`, `seed_command(scope, &json)`, `seed_command_of_another(scope, &json)`, `commands_of_another()` |
//! | public messages | `channel_messages(&channel)`, `wait_channel_message(&channel, "text", d)` |
//! | judgement | `assert_clean()`, `violations()`, `take_violations()`, `unexpected()`, `requests()`, `requests_to(pattern)`, `schema_available()`, `report()` |
//!
//! # People: [`Member`]
//!
//! | what | call |
//! |---|---|
//! | who | `.roles([id])`, `.manage_guild()`, `.permissions(bits)`, `.in_guild(id)`, `.locale("de")`; later `set_roles([id])`, `leave()` |
//! | type a command | `slash("/auth login codex work")` or `slash("/auth login provider:codex")` or `.option("provider", "codex")`; `.in_thread(&t)`, `.in_channel(&c)`; `.send().await`, `.try_send().await` → [`Refused`], `.ignored(d).await` (fails if answered); `.forced()` sends what a client would not offer |
//! | complete | `autocomplete("/auth login").focused("provider", "co").send().await` → `Vec<`[`Choice`]`>` |
//! | read | `visible_messages(&channel)`, `sees_text(&channel, "text", d)`, `dismiss(&view)` |
//! | write | `says(&channel, "text")` |
//! | direct messages | refused until `open_dms()`; `direct_messages()`, `sees_direct("text", d)` |
//! | press | `click(&view, "Label")`, `select(&view, "Option")`, on any message they see |
//! | forge | `forge_click(&view, "custom_id")`, `forge_select(&view, "custom_id", &["value"])`, `forge_modal(&channel, "custom_id", [("input id", "text")])` |
//!
//! Presses are [`Delivery`] values: `.await` panics without an acknowledgement in 3 s, `.tried().await` returns
//! why, `.ignored(d).await` panics if there is one. They are independent, so `tokio::join!` presses twice at
//! once.
//!
//! # What came of it: [`Interaction`], [`View`], [`Modal`]
//!
//! | what | call |
//! |---|---|
//! | answer | `acknowledgement()`, `acknowledged_after()`, `message()` (`@original` as it is now), `messages()` (all that its member sees), `sees(\|view\| …, d)`, `sees_text("text", d)`, `token()`, `id()`, `story()` |
//! | go on | `click("Label")`, `select("Option")`, `modal()`, `submit_modal([("label or custom id", "text")])`, `link("Label")`, `links()` |
//! | a message | `content()`, `text()`, `contains("text")`, `embeds()`, `components()`, `buttons()`, `button("Label")`, `links()`, `link("Label")`, `is_ephemeral()`, `ephemeral_to()`, `is_deferred()`, `pings()`, `render()`, `history()`, `with_history()`, `raw()` |
//!
//! # Pictures
//!
//! `page(&[discord.picture_of_place(&thread), discord.picture(&view, Some("/auth login")), modal.picture("Latchkey", "")])`
//! is HTML that looks like Discord on a phone, for documentation.
//!
//! # What is a violation
//!
//! No acknowledgement in 3 s; a late one (10062); a second one (40060); a follow-up before it (10015); an empty
//! message (50006); a body against Discord's schemas or the rules written by hand (50035); a missing or wrong
//! authorization header; another application's commands; an edit of somebody else's message. Not violations,
//! but answered as Discord does: an interaction token past its 15 min (50027), a message that is gone (10008),
//! a locked thread (50083), a channel that is gone (10003), a member who left (10007).

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test support crate: panicking assertions are its purpose, and handles are often made for effect"
)]

mod actor;
mod clock;
mod control;
mod fault;
mod gateway;
mod inspect;
mod interaction;
mod limits;
mod message;
mod picture;
mod record;
mod reply;
mod rest;
mod rules;
mod schema;
mod secure;
mod server;
mod shared;
mod view;
mod wire;
mod world;

pub use actor::{Autocomplete, Channel, Choice, Delivery, Input, Interaction, Member, Modal, Refused, Slash};
pub use interaction::{Acknowledgement, Kind};
pub use picture::page;
pub use record::{Request, Violation};
pub use server::{Builder, Discord};
pub use view::{Button, View};
