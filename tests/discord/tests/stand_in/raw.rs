//! A bot without a library: raw REST and gateway frames, so that a test can break any rule.

#![expect(clippy::expect_used, reason = "test support")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use latchkey_test_discord::{Discord, Interaction, Refused, Slash};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything here takes.
pub const SOON: Duration = Duration::from_secs(5);

/// A gateway connection.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects, and swallows HELLO.
    pub async fn open(discord: &Discord) -> Self {
        let (_, gateway) = call(discord, Method::GET, "/gateway", &Value::Null).await;
        let url = format!("{}?v=10", gateway["url"].as_str().expect("a URL"));
        let (stream, _) = connect_async(url).await.expect("a connection");
        let mut socket = Self(stream);
        assert_eq!(socket.frame().await.expect("HELLO")["op"], 10);
        socket
    }

    /// The next frame, or the close code (0 without one).
    pub async fn frame(&mut self) -> Result<Value, u16> {
        loop {
            let next = tokio::time::timeout(SOON, self.0.next()).await.expect("a frame in time");
            return match next {
                Some(Ok(Message::Text(text))) => Ok(serde_json::from_str(text.as_str()).expect("JSON")),
                Some(Ok(Message::Close(frame))) => Err(frame.map_or(0, |frame| frame.code.into())),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Err(0),
            };
        }
    }

    /// The data of the next event of that name, skipping all others.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            let mut frame = self.frame().await.expect("an event");
            if frame["t"] == name {
                return frame["d"].take();
            }
        }
    }

    /// Sends a payload.
    pub async fn send(&mut self, payload: &Value) {
        self.0.send(Message::text(payload.to_string())).await.expect("sent");
    }

    /// Identifies with these intents.
    pub async fn identify(&mut self, discord: &Discord, intents: u64) {
        let token = format!("Bot {}", discord.bot_token());
        self.send(&json!({ "op": 2, "d": { "token": token, "intents": intents, "properties": {} } })).await;
    }
}

/// One REST call with the bot's authorization.
pub async fn call(discord: &Discord, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}/api/v10{path}", discord.api_base());
    let mut request = reqwest::Client::new()
        .request(method, url)
        .header("Authorization", format!("Bot {}", discord.bot_token()));
    if !body.is_null() {
        request = request.json(body);
    }
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

/// A stand-in with a connected bot, and `/auth login [provider]`, `/auth admin` registered.
pub struct Raw {
    pub discord: Discord,
    pub socket: Socket,
}

impl Raw {
    /// With the guilds intent.
    pub async fn start() -> Self {
        Self::on(Discord::start().await).await
    }

    /// On a stand-in that was set up first.
    pub async fn on(discord: Discord) -> Self {
        let option = json!({ "type": 3, "name": "provider", "description": "d", "autocomplete": true });
        let command = json!({ "name": "auth", "description": "d", "options": [
            { "type": 1, "name": "login", "description": "d", "options": [option] },
        ] });
        discord.seed_command(Some(discord.guild()), &command);
        let mut socket = Socket::open(&discord).await;
        socket.identify(&discord, 1).await;
        socket.event("GUILD_CREATE").await;
        Self { discord, socket }
    }

    /// One REST call.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        call(&self.discord, method, path, body).await
    }

    /// Sends the command from a task, and returns the event the bot got.
    pub async fn slash(&mut self, slash: Slash) -> (Value, JoinHandle<Result<Interaction, Refused>>) {
        let sending = tokio::spawn(slash.try_send());
        (self.socket.event("INTERACTION_CREATE").await, sending)
    }

    /// Ann sends `/auth login`; the bot answers with this callback.
    pub async fn login(&mut self, callback: &Value) -> (Value, Interaction) {
        let ann = self.discord.member("ann");
        let (event, sending) = self.slash(ann.slash("/auth login")).await;
        assert_eq!(self.callback(&event, callback).await, (204, 0));
        (event, sending.await.expect("no panic").expect("acknowledged"))
    }

    /// Answers an interaction. Returns the status and the error code.
    pub async fn callback(&self, event: &Value, callback: &Value) -> (u16, u64) {
        let (id, token) = (text(&event["id"]), text(&event["token"]));
        let (status, body) =
            self.call(Method::POST, &format!("/interactions/{id}/{token}/callback"), callback).await;
        (status, body["code"].as_u64().unwrap_or_default())
    }

    /// Uses an interaction's token as a webhook; `below` is empty or `/messages/…`.
    pub async fn webhook(&self, method: Method, event: &Value, below: &str, body: &Value) -> (u16, Value) {
        let (application, token) = (text(&event["application_id"]), text(&event["token"]));
        self.call(method, &format!("/webhooks/{application}/{token}{below}"), body).await
    }

    /// The Discord codes of all violations so far, forgotten afterwards.
    pub fn violations(&self) -> Vec<u32> {
        self.discord.take_violations().into_iter().map(|violation| violation.code).collect()
    }
}

/// A string in JSON.
pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
