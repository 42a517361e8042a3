//! Imports through the front door: what is believed, what is refused, and that a preview keeps its word.

use latchkey_test_authority::{CLIENT, Person, TokenSet};
use serde_json::{Value, json};

use super::*;
use crate::credential::CredentialState;
use crate::gate::Want;
use crate::import::Program;
use crate::testing::{Host, key};

const LONG: std::time::Duration = std::time::Duration::from_secs(20);

struct House {
    host: Host,
    broker: Broker,
}

impl House {
    fn new(more: &str) -> Self {
        let host = Host::with(more);
        let broker = Broker::new(
            host.store(),
            host.catalog.clone(),
            oauth::Client::new(),
            host.clock.clone(),
            crate::config::Limits::default(),
        );
        Self { host, broker }
    }

    fn guild() -> Self {
        Self::new("share = \"guild\"\n")
    }

    fn mint(&self, person: &Person) -> TokenSet {
        self.host.authority.mint(person, CLIENT, &["openid", "offline_access"])
    }

    /// What the auth file holds, to the byte.
    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.host.path).unwrap_or_default()
    }

    /// Imports a file of openab's, after a preview that must have said the same and changed nothing.
    async fn import(&self, file: &Value) -> Vec<ImportItem> {
        self.import_for(file, None).await
    }

    async fn import_for(&self, file: &Value, user: Option<&str>) -> Vec<ImportItem> {
        let found = Program::Openab.parse(file.to_string().as_bytes()).unwrap();
        let user = user.map(|user| user.parse().unwrap());
        let wish = ImportWish { found, user, by: User::Local(1) };
        let before = self.bytes();
        let preview = self.broker.preview_import(&wish).unwrap();
        assert_eq!(self.bytes(), before, "a preview changes nothing");
        let items = self.broker.import(&wish).await.unwrap();
        assert_eq!(items, preview, "a preview says what the import does");
        if !items.iter().any(|item| item.fate == ImportFate::Stored) {
            assert_eq!(self.bytes(), before, "I7: what is refused changes nothing");
        }
        items
    }

    async fn fates(&self, file: &Value) -> Vec<ImportFate> {
        self.import(file).await.into_iter().map(|item| item.fate).collect()
    }
}

fn record(tokens: &TokenSet, ends: i64) -> Value {
    json!({
        "access_token": tokens.access, "refresh_token": tokens.refresh, "id_token": tokens.id_token,
        "expires_at": ends, "token_endpoint": "https://evil.example/token", "provider": "acme",
    })
}

/// F11, G30: the configured provider's endpoint, issuer and client; the account by the identity token; and it is refreshed
/// like any other.
#[tokio::test]
async fn an_imported_sign_in_is_the_providers_own_and_serves() {
    let house = House::guild();
    let tokens = house.mint(&Person::ada());
    let ended = house.host.clock.now() - 5;
    let items = house.import(&json!({ "acme": record(&tokens, ended) })).await;
    let expected = ImportItem {
        place: "acme".to_owned(),
        tenant: Some(key("acme")),
        account: Some("ada@example.test".to_owned()),
        expires_at: Some(ended),
        is_refreshed: true,
        fate: ImportFate::Stored,
    };
    assert_eq!(items, [expected]);
    let held = house.host.stored(&key("acme")).unwrap();
    let mut expected = house.host.credential(&tokens, &Person::ada());
    expected.id.clone_from(&held.id);
    expected.issuer = Some(house.host.authority.issuer());
    expected.token_endpoint = Some(house.host.authority.token_endpoint());
    expected.id_token = tokens.id_token.as_deref().map(Into::into);
    expected.expires_at = Some(ended);
    expected.obtained_at = None;
    (expected.created_at, expected.updated_at) = (held.created_at, held.updated_at);
    assert_eq!(held, expected);
    let served = house.broker.token(&key("acme"), Want::default(), LONG).await.unwrap();
    assert!(house.host.authority.accepts(served.access_token.expose()));
    assert_eq!((house.host.authority.refreshes(), served.generation), (1, 2));
}

/// I9: by the name of the first, also where both come from one file.
#[tokio::test]
async fn a_second_place_for_a_refresh_token_is_refused_with_the_name_of_the_first() {
    let house = House::guild();
    let tokens = house.mint(&Person::ada());
    let ends = house.host.clock.now() + 3_600;
    let one = record(&tokens, ends);
    let elsewhere = |holder: &str| ImportFate::Refused(Objection::HeldElsewhere { holder: key(holder) });
    let fates = house.fates(&json!({ "acme/a": one, "acme/b": one })).await;
    assert_eq!(fates, [ImportFate::Stored, elsewhere("acme/a")]);
    let fates = house.fates(&json!({ "acme/a": one, "acme/b": one, "acme/c@42": one })).await;
    assert_eq!(
        fates,
        [ImportFate::Refused(Objection::Same), elsewhere("acme/a"), elsewhere("acme/a")],
        "and again, it is there already"
    );
    assert_eq!(house.broker.all_tenants().unwrap().len(), 1);
}

/// I2, I8: another account, a key, or a fresher sign-in stays; a fresher import takes the place of a staler sign-in, and
/// leaves it its owner.
#[tokio::test]
async fn what_is_there_stays_unless_the_import_is_the_same_account_and_fresher() {
    let house = House::guild();
    let now = house.host.clock.now();
    let tenant = key("acme");
    house.host.serving(&tenant, &Person::ada()).await;
    let mut held = house.host.stored(&tenant).unwrap();
    held.owner = Some("42".parse().unwrap());
    held.last_used_at = Some(7);
    house.host.put(&tenant, held.clone()).await;

    let (ada, ben) = (house.mint(&Person::ada()), house.mint(&Person::ben()));
    let other = house.fates(&json!({ "acme": record(&ben, now + 9_000) })).await;
    assert_eq!(other, [ImportFate::Refused(Objection::OtherAccount)]);
    let staler = house.fates(&json!({ "acme": record(&ada, now + 3_599) })).await;
    assert_eq!(staler, [ImportFate::Refused(Objection::NotFresher)]);
    let unnamed = json!({ "access_token": "at", "refresh_token": "rt", "expires_at": now + 9_000 });
    let nobody = house.fates(&json!({ "acme": unnamed })).await;
    assert_eq!(nobody, [ImportFate::Refused(Objection::OtherAccount)], "some to none (I2)");

    let fresher = house.fates(&json!({ "acme": record(&ada, now + 3_601) })).await;
    assert_eq!(fresher, [ImportFate::Stored]);
    let stored = house.host.stored(&tenant).unwrap();
    assert_eq!(stored.refresh_token.as_ref().unwrap().expose(), ada.refresh);
    assert_eq!((stored.owner, stored.last_used_at), (held.owner, Some(7)));
    assert!(stored.id != held.id && stored.generation == 1, "a new id, as for a sign-in (G22)");

    let mut api_key = stored_key(&house);
    api_key.state = CredentialState::Ok;
    house.host.put(&tenant, api_key.clone()).await;
    let key_stays = house.fates(&json!({ "acme": record(&ada, now + 9_999) })).await;
    assert_eq!(key_stays, [ImportFate::Refused(Objection::OtherKind { held: CredentialKind::Static })]);
    assert_eq!(house.host.authority.requests().len(), 0, "an import asks and revokes nothing");
}

fn stored_key(house: &House) -> Credential {
    let now = house.host.clock.now();
    Credential::new(CredentialKind::Static, key("acme").provider, "sk-operators".into(), now)
}

/// S14, I8: a stamp from the future, by which nothing could ever be fresher, counts for nothing.
#[tokio::test]
async fn a_stamp_from_the_future_makes_nothing_fresher() {
    let house = House::guild();
    let now = house.host.clock.now();
    for (tenant, received, obtained_at) in [("acme/a", now + 61, None), ("acme/b", now + 60, Some(now + 60))]
    {
        let tokens = house.mint(&Person::ada());
        let mut found = Program::Openab
            .parse(json!({ tenant: record(&tokens, now + 9) }).to_string().as_bytes())
            .unwrap();
        if let Content::Tokens(tokens) = &mut found[0].content {
            tokens.obtained_at = Some(received);
        }
        house.broker.import(&ImportWish { found, user: None, by: User::Local(1) }).await.unwrap();
        assert_eq!(house.host.stored(&key(tenant)).unwrap().obtained_at, obtained_at, "{tenant}");
    }
}

/// A member's own slot is named by the file or by the operator, never guessed.
#[tokio::test]
async fn a_members_slot_is_named_by_the_file_or_by_the_operator() {
    let house = House::new("");
    let ends = house.host.clock.now() + 3_600;
    let one = record(&house.mint(&Person::ada()), ends);
    let guessed = house.import(&json!({ "acme": one })).await;
    assert!(matches!(&guessed[0].fate, ImportFate::LeftOut(why) if why.contains("--user")), "{guessed:?}");
    let other = house.import_for(&json!({ "acme@42": one }), Some("43")).await;
    assert!(
        matches!(&other[0].fate, ImportFate::LeftOut(why) if why.contains("42's, not 43's")),
        "{other:?}"
    );
    let named = house.import_for(&json!({ "acme": one }), Some("43")).await;
    assert_eq!((&named[0].tenant, &named[0].fate), (&Some(key("acme@43")), &ImportFate::Stored));
    assert_eq!(house.host.stored(&key("acme@43")).unwrap().owner, Some("43".parse().unwrap()));
}

/// G30: what was issued to another client or by another issuer is left alone, with the remedy; so is what is not
/// configured, and what could not be refreshed any more.
#[tokio::test]
async fn what_the_configuration_does_not_agree_with_is_left_out_with_the_remedy() {
    let house = House::guild();
    let now = house.host.clock.now();
    let tokens = house.mint(&Person::ada());
    let mut moved = record(&tokens, now + 3_600);
    let claims = json!({ "iss": "https://elsewhere.example", "sub": "ada" }).to_string();
    let part = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, claims);
    moved["id_token"] = format!("e30.{part}.s").into();
    let mut ended = record(&tokens, now - 1);
    ended["refresh_token"] = "".into();
    let mcp = json!({ "client_id": "x", "token_response": { "access_token": "at" } });
    let fates = house.fates(&json!({ "acme": moved, "acme/x": ended, "linear": mcp })).await;
    let texts: Vec<_> = fates
        .iter()
        .map(|fate| match fate {
            ImportFate::LeftOut(why) | ImportFate::Configure(why) => why.clone(),
            other => format!("{other:?}"),
        })
        .collect();
    let issuer = house.host.authority.issuer();
    assert_eq!(
        texts,
        [
            format!(
                "it was issued by \"https://elsewhere.example\", and acme is configured for {issuer}: correct the issuer, \
                 or sign in anew"
            ),
            "its token has ended, and there is no refresh token".to_owned(),
            "provider mcp:linear is not configured: add [providers.\"mcp:linear\"] to latchkey.toml"
                .to_owned(),
        ]
    );
}

/// F5: an entry that cannot be read is not written over unseen, and stands in nobody else's way.
#[tokio::test]
async fn a_damaged_entry_is_not_written_over() {
    let house = House::guild();
    let ends = house.host.clock.now() + 3_600;
    house.host.serving(&key("acme"), &Person::ada()).await;
    let text = String::from_utf8(house.bytes()).unwrap().replace("\"oauth\"", "\"odd\"");
    std::fs::write(&house.host.path, text).unwrap();
    let one = record(&house.mint(&Person::ada()), ends);
    let two = record(&house.mint(&Person::ada()), ends);
    let fates = house.fates(&json!({ "acme": one, "acme/b": two })).await;
    assert!(matches!(&fates[0], ImportFate::Damaged(error) if error.key == "acme"), "{fates:?}");
    assert_eq!(fates[1], ImportFate::Stored);
    assert_eq!(house.broker.store().snapshot().unwrap().damaged().len(), 1);
}

/// G30: where it is refreshed is written down with the first refresh, if it could not be at the import.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_for_a_provider_that_is_discovered_learns_its_token_endpoint() {
    let mut host = Host::new();
    let authority = host.authority.clone();
    let issuer = format!(
        "\n[providers.found]\nshare = \"guild\"\nissuer = {:?}\nclient_id = {CLIENT:?}\n",
        authority.issuer()
    );
    host.catalog = crate::testing::catalog(&authority, &issuer);
    let broker = Broker::new(
        host.store(),
        host.catalog.clone(),
        oauth::Client::new(),
        host.clock.clone(),
        crate::config::Limits::default(),
    );
    let house = House { host, broker };
    let tokens = house.mint(&Person::ada());
    let mut file = record(&tokens, house.host.clock.now() - 5);
    file["provider"] = "found".into();
    assert_eq!(house.fates(&json!({ "found": file })).await, [ImportFate::Stored]);
    let endpoint = || house.host.stored(&key("found")).unwrap().token_endpoint;
    assert_eq!(endpoint(), None);
    house.broker.token(&key("found"), Want::default(), LONG).await.unwrap();
    assert_eq!(endpoint(), Some(authority.token_endpoint()));
}

/// F11, G30: what a server registered for another program is refreshed by that client, at the server that is known; until it
/// is, nothing is stored that could not be refreshed.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_a_registered_client_is_refreshed_by_that_client() {
    let mut host = Host::new();
    let authority = host.authority.clone();
    let table =
        format!("\n[providers.\"mcp:linear\"]\nshare = \"guild\"\nurl = \"{}/mcp\"\n", authority.issuer());
    host.catalog = crate::testing::catalog(&authority, &table);
    let broker = Broker::new(
        host.store(),
        host.catalog.clone(),
        oauth::Client::new(),
        host.clock.clone(),
        crate::config::Limits::default(),
    );
    let house = House { host, broker };
    let tokens = house.mint(&Person::ada());
    let reply =
        json!({ "access_token": &*tokens.access, "refresh_token": &*tokens.refresh, "expires_in": 5 });
    let named = json!({ "client_id": CLIENT, "token_response": &reply, "token_received_at": house.host.clock.now() - 60 });
    let nameless = json!({ "token_response": &reply });
    let why = |fates: &[ImportFate]| match fates {
        [ImportFate::Configure(why)] => why.clone(),
        other => format!("{other:?}"),
    };
    let fates = house.fates(&json!({ "linear": &nameless })).await;
    assert!(why(&fates).contains("does not say to which client"), "{fates:?}");
    let fates = house.fates(&json!({ "linear": &named })).await;
    assert!(why(&fates).contains("have `latchkey check` ask for it"), "{fates:?}");

    let linear = key("mcp:linear");
    let provider = house.host.catalog.get(&linear.provider).unwrap().clone();
    house.broker.directory().look(&provider).await.unwrap();
    assert_eq!(house.fates(&json!({ "linear": &named })).await, [ImportFate::Stored]);
    let stored = house.host.stored(&linear).unwrap();
    assert_eq!(stored.token_endpoint, Some(authority.token_endpoint()));
    let fresh = house.broker.token(&linear, Want::default(), LONG).await.unwrap();
    assert!(authority.accepts(fresh.access_token.expose()));
    assert_eq!(house.host.stored(&linear).unwrap().generation, 2);
}

/// RFC 8707: an import is refreshed for what a sign-in here would be, whoever its client is.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_refreshed_for_the_configured_resource() {
    let mut host = Host::new();
    let authority = host.authority.clone();
    let table = format!(
        "\n[providers.api]\nshare = \"guild\"\nissuer = {:?}\ntoken_endpoint = {:?}\nclient_id = {CLIENT:?}\n\
         authorization_endpoint = {:?}\nredirect_uri = \"http://127.0.0.1:8765/cb\"\nresource = \"https://api.example\"\n",
        authority.issuer(),
        authority.token_endpoint(),
        authority.authorization_endpoint(),
    );
    host.catalog = crate::testing::catalog(&authority, &table);
    let broker = Broker::new(
        host.store(),
        host.catalog.clone(),
        oauth::Client::new(),
        host.clock.clone(),
        crate::config::Limits::default(),
    );
    let house = House { host, broker };
    let mut file = record(&house.mint(&Person::ada()), house.host.clock.now() - 5);
    file["provider"] = "api".into();
    assert_eq!(house.fates(&json!({ "api": file })).await, [ImportFate::Stored]);
    house.broker.token(&key("api"), Want::default(), LONG).await.unwrap();
    let refreshes = authority.requests_to(latchkey_test_authority::Endpoint::Token);
    assert_eq!(refreshes.last().unwrap().field("resource"), Some("https://api.example"));
}
