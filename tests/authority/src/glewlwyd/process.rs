//! The server's process, with its configuration and database: made, started, waited for.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::child::Served;

const PROGRAM: &str = "/usr/bin/glewlwyd";
/// Where Debian's package has the tables of a new database.
const TABLES: &str = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";
const REMEDY: &str = "on Debian: apt-get install --no-install-recommends glewlwyd dbconfig-sqlite3";
/// Starting takes a tenth of a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Somebody else may take the port that was found free.
const TRIES: usize = 5;

/// A running server. Its folder goes with it.
#[derive(Debug)]
pub(crate) struct Process {
    served: Served,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Process {
    pub fn start(origin: &str) -> Result<Self, String> {
        if !Path::new(PROGRAM).exists() {
            return Err(format!("{PROGRAM} is missing; {REMEDY}"));
        }
        let mut last = String::new();
        for _ in 0..TRIES {
            match Self::attempt(origin)? {
                Ok(process) => return Ok(process),
                Err(said) => last = said,
            }
        }
        Err(format!("it does not start:\n{last}"))
    }

    /// One start; the inner error is what the server said as it ended.
    fn attempt(origin: &str) -> Result<Result<Self, String>, String> {
        let failed = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(failed)?;
        let database = folder.path().join("glewlwyd.db");
        fill(&database)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(failed)?;
        let written = folder.path().join("glewlwyd.conf");
        fs::write(&written, configuration(origin, address.port(), folder.path())).map_err(failed)?;
        let mut shell = Command::new("sh");
        // The server knows nothing of its standard input: the shell waits for its end, and ends the server then.
        shell.args([
            "-c",
            "\"$0\" --config-file=\"$1\" & server=$!; read -r _; kill -KILL \"$server\"; wait \"$server\"",
        ]);
        shell.arg(PROGRAM).arg(&written).env_clear().env("PATH", "/usr/bin:/bin");
        let (served, _) = Served::start(&mut shell).map_err(failed)?;
        let end = Instant::now() + PATIENCE;
        loop {
            let said = served.said();
            if said.contains("Glewlwyd started on port") {
                return Ok(Ok(Self { served, address, _folder: folder }));
            }
            if said.contains("exiting") || Instant::now() > end {
                return Ok(Err(said));
            }
            sleep(Duration::from_millis(10));
        }
    }

    pub fn id(&self) -> u32 {
        self.served.id()
    }

    pub fn said(&self) -> String {
        self.served.said()
    }
}

/// Makes the tables, with Debian's Python: the program itself makes none.
fn fill(database: &Path) -> Result<(), String> {
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())";
    let made = Command::new("/usr/bin/python3").args(["-c", script]).arg(database).arg(TABLES).output();
    let made = made.map_err(|error| format!("/usr/bin/python3 cannot be run ({error}); {REMEDY} python3"))?;
    if made.status.success() {
        return Ok(());
    }
    Err(format!("no database: {}; {REMEDY}", String::from_utf8_lossy(&made.stderr)))
}

fn configuration(origin: &str, port: u16, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"port={port}
bind_address="127.0.0.1"
external_url="{origin}"
login_url="login.html"
api_prefix="api"
static_files_path="/usr/share/glewlwyd/webapp/"
log_mode="console"
log_level="INFO"
cookie_domain="127.0.0.1"
cookie_secure=0
cookie_same_site="empty"
session_expiration=3600
session_key="GLEWLWYD_SESSION"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
user_middleware_module_path="{folder}"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
use_secure_connection=false
secure_connection_key_file="{folder}/none.key"
secure_connection_pem_file="{folder}/none.pem"
hash_algorithm="SHA512"
database={{ type="sqlite3" path="{folder}/glewlwyd.db" }};
"#
    )
}
