//! `cargo run --example visitor -- FOLDER`: a member who tries a bot that somebody else starts.
//!
//! Owns the stand-in for Discord, one provider, and the verdict: it ends with zero only if `/auth login` was answered and the
//! sign-in ended well. What the bot needs to know is written to FOLDER: `guild`, `token`, `api` (for `LATCHKEY_DISCORD_API`)
//! and `provider.toml`, the last of all. Must not: start or end the bot, or reach anything but loopback. After its visit it
//! stays, with Discord and the provider, until its standard input is closed. `scripts/newcomer` and `scripts/image` use it.
#![expect(clippy::print_stdout, reason = "whoever waits for the visit reads what happens")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "anything that is not as told ends the visit")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use latchkey_test_authority::{Authority, CLIENT, Person, Settings};
use latchkey_test_discord::Discord;

/// How long the bot may take to come: somebody may have to build it.
const UNTIL_IT_COMES: Duration = Duration::from_hours(2);
/// How long an answer may take.
const SOON: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).expect("usage: visitor FOLDER");
    let discord = Discord::start().await;
    let acme = Authority::start_with(Settings { name: "Acme".to_owned(), ..Settings::default() });
    leave_word(&folder, &discord, &acme);

    let began = Instant::now();
    let told = |what: &str| println!("{:7.1} s  {what}", began.elapsed().as_secs_f64());
    discord.wait_ready(UNTIL_IT_COMES).await;
    told("the bot is connected");
    discord.wait_registered("auth", SOON).await;
    let thread = discord.thread(&discord.channel("general"), "fix-ci");
    let ann = discord.member("ann");
    let login = ann.slash("/auth login acme").in_thread(&thread).send().await;
    let seen = login.sees_text("Open sign-in page", SOON).await;
    told("ann typed /auth login acme, and reads:");
    for line in seen.render().lines() {
        println!("           {line}");
    }
    acme.approve_device(&login.link("Open sign-in page"), &Person::ada()).await;
    login.sees_text("Signed in to Acme", SOON).await;
    told("ann signed in, and reads that it worked");
    discord.assert_clean();

    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await
        .unwrap()
        .unwrap();
}

/// What the bot needs to know, in files of their own.
fn leave_word(folder: &Path, discord: &Discord, acme: &Authority) {
    let provider = format!(
        "[providers.acme]\ntitle = \"Acme\"\nshare = \"guild\"\nflows = [\"device\"]\nissuer = {:?}\ntoken_endpoint = {:?}\n\
         device_authorization_endpoint = {:?}\nrevocation_endpoint = {:?}\nclient_id = {CLIENT:?}\n",
        acme.issuer(),
        acme.token_endpoint(),
        acme.device_authorization_endpoint(),
        acme.revocation_endpoint(),
    );
    let words = [
        ("guild", discord.guild().to_string()),
        ("token", discord.bot_token().to_owned()),
        ("api", discord.api_base()),
        ("provider.toml", provider),
    ];
    for (name, text) in words {
        std::fs::write(folder.join(name), text).expect("the folder can be written");
    }
}
