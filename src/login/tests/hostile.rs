//! Metadata whose endpoints have innocent names, and a resolver that leads those into our own network.

use super::*;
use crate::testing::catalog;

const ISSUER: &str = "https://id.example";

impl Host {
    /// A login machine for the provider `found`, whose metadata is known already, and for which every name leads to `address`.
    fn misled(&mut self, address: &'static str) -> Logins {
        let more = format!(
            "[providers.found]\nissuer = {ISSUER:?}\nclient_id = {CLIENT:?}\nredirect_uri = \"http://127.0.0.1:8765/cb\"\n"
        );
        self.catalog = catalog(&self.authority, &more);
        let now = self.clock.now();
        let at = |path: &str| format!("{ISSUER}{path}");
        let cached = serde_json::json!({
            "version": 1, "issuer": ISSUER, "url": at("/.well-known/openid-configuration"),
            "asked_at": now, "fresh_until": now + 900,
            "document": {
                "issuer": ISSUER, "token_endpoint": at("/token"), "authorization_endpoint": at("/authorize"),
                "device_authorization_endpoint": at("/device"),
            },
        });
        let store: Arc<dyn Store> = self.store();
        store.write_metadata(ISSUER, &cached.to_string()).unwrap();
        let client = oauth::Client::with_names(oauth::Always(vec![address]));
        let directory = Directory::new(Arc::clone(&store), client.clone(), self.clock.clone());
        Logins::new(
            store,
            self.catalog.clone(),
            directory,
            client,
            self.clock.clone(),
            crate::config::Limits::default(),
        )
    }
}

/// T13: neither a device login nor the exchange of a code goes to a name that leads inside: the one is the operator's
/// matter and leaves nothing, the other leaves the code unspent.
#[tokio::test(flavor = "multi_thread")]
async fn no_login_follows_a_name_into_our_own_network() {
    for address in
        ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "0.0.0.0", "::1"]
    {
        let mut host = Host::new();
        let logins = host.misled(address);
        let at = |kind| StartRequest { tenant: "found".parse().unwrap(), ..request("42", kind) };
        match logins.start(at(LoginKind::Device)).await {
            Err(StartError::Operator { why }) => {
                assert!(
                    why.contains(&format!("id.example leads to {address}, which is not a public address")),
                    "{why}"
                );
            }
            other => panic!("{address}: {other:?}"),
        }
        assert_eq!(host.store().snapshot().unwrap().logins().count(), 0, "{address}");
        let login = logins.start(at(LoginKind::Paste)).await.unwrap().login;
        let answer =
            format!("http://127.0.0.1:8765/cb?code=c0de&state={}", login.state.as_ref().unwrap().expose());
        let pasted = logins.paste(&user("42"), &login.id, &answer).await;
        assert!(
            matches!(&pasted, Err(PasteError::NotSent(why)) if why.contains("not a public address")),
            "{pasted:?}"
        );
        assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Pending, "{address}");
    }
}
