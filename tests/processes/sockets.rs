//! What stands behind a socket in tests: a listener that does as it is told, or the real server in this process.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use latchkey::config::Config;
use latchkey::serve::socket::{self, Admission, KnownThread, Server, Whereabouts};
use latchkey::tenant::ThreadId;
use tokio_util::sync::CancellationToken;

use crate::host::Host;

/// What a listener does with each connection. `{}` in a text is the id of the host's store.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Says this and no more, and keeps the connection.
    Says(String),
    /// Says this and leaves.
    SaysAndLeaves(String),
    /// Says the one, reads a line, says the other and leaves.
    Answers(String, String),
}

impl Manner {
    pub fn says(text: &str) -> Self {
        Self::Says(text.to_owned())
    }

    /// A bot of this store, which answers so.
    pub fn bot(answer: &str) -> Self {
        Self::Answers(HELLO.to_owned(), format!("{answer}\n"))
    }

    /// A bot of this store, which refuses so.
    pub fn refuses(word: &str, code: u8) -> Self {
        Self::bot(&refusal(word, code))
    }
}

/// The hello of the bot of the host's own store.
pub const HELLO: &str =
    "{\"latchkey\":\"token-socket\",\"version\":1,\"store_id\":\"{}\",\"colour\":\"blue\"}\n";

/// A refusal, with a message that names it.
pub fn refusal(word: &str, code: u8) -> String {
    format!(
        r#"{{"id":1,"ok":false,"error":"{word}","exit_code":{code},"message":"the bot says {word}","since":3}}"#
    )
}

/// A token, as a bot hands it out.
pub fn token(text: &str) -> String {
    format!(
        r#"{{"id":1,"ok":true,"tenant":"acme","access_token":"{text}","token_type":"Bearer","expires_at":null,
            "scopes":["openid"],"generation":7,"colour":"blue"}}"#
    )
    .replace('\n', "")
}

/// A listener on a socket of the host's.
pub struct Listener {
    asked: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl Listener {
    pub fn at(path: &Path, store_id: &str, manner: &Manner) -> Self {
        // One that went before it leaves its file.
        drop(std::fs::remove_file(path));
        let listener = UnixListener::bind(path).unwrap();
        let new = Self { asked: Arc::default(), connections: Arc::default() };
        let (asked, connections) = (Arc::clone(&new.asked), Arc::clone(&new.connections));
        let (manner, store_id) = (manner.clone(), store_id.to_owned());
        // Ends with the test's process.
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                *connections.lock().unwrap() += 1;
                // The other side may have left.
                kept.extend(serve(stream.unwrap(), &manner, &store_id, &asked).ok().flatten());
            }
        });
        new
    }

    /// The requests that came, as JSON.
    pub fn asked(&self) -> Vec<serde_json::Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

fn serve(
    mut stream: UnixStream,
    manner: &Manner,
    store_id: &str,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<Option<UnixStream>> {
    let mut say = |text: &str| stream.write_all(text.replace("{}", store_id).as_bytes());
    match manner {
        Manner::Says(text) => {
            say(text)?;
            return Ok(Some(stream));
        }
        Manner::SaysAndLeaves(text) => say(text)?,
        Manner::Answers(hello, answer) => {
            say(hello)?;
            let mut line = String::new();
            let read = BufReader::new(stream.try_clone()?).read_line(&mut line)?;
            if read > 0 {
                asked.lock().unwrap().push(line);
                stream.write_all(answer.as_bytes())?;
            }
        }
    }
    Ok(None)
}

impl Host {
    /// Where the host's socket is.
    pub fn socket(&self) -> PathBuf {
        self.config.with_file_name("latchkey.sock")
    }

    /// Names the socket in the configuration.
    pub fn knows_the_socket(&self) {
        self.configure(&format!("[tokens]\nsocket = \"{}\"", self.socket().display()));
    }

    /// The id of its store, once one is written.
    pub fn store_id(&self) -> String {
        let text: serde_json::Value = serde_json::from_str(&self.bytes()).unwrap();
        text["store_id"].as_str().unwrap().to_owned()
    }

    /// The program where there is no configuration, and a socket.
    pub fn latchkey_alone(&self, arguments: &[&str]) -> Command {
        let empty = self.config.with_file_name("empty");
        std::fs::create_dir_all(&empty).unwrap();
        let mut command = Command::new(self.latchkey(&[]).get_program());
        command.args(arguments).current_dir(empty).env_remove("FAILPOINTS").env_remove("LATCHKEY_CONFIG");
        command.env("LATCHKEY_SOCKET", self.socket());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Serves the host's store in this process, as the bot does, until what it gives is dropped. `parent` is the channel that
    /// every thread hangs from.
    pub async fn serves(&self, parent: Option<&str>) -> Serving {
        let config = Config::load(&self.config).unwrap().tokens.unwrap();
        let parent: Option<ThreadId> = parent.map(|parent| parent.parse().unwrap());
        let known = KnownThread { parent };
        let whereabouts = Whereabouts::new(move |_| Some(known.clone()), |_| Box::pin(async { Ok(None) }));
        let bound = socket::bind(&config).await.unwrap();
        let server = Server::new(self.broker(), Admission::new(&config).unwrap(), whereabouts, 1_024);
        let closing = CancellationToken::new();
        tokio::spawn(server.serve(bound, closing.clone()));
        Serving(closing)
    }
}

/// A server that ends when this is dropped.
pub struct Serving(CancellationToken);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
