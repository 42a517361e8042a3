//! Who may have what over the socket, by the kernel's word and the bearer token.

use super::*;

const ASK: &str = r#"{"id":1,"op":"token","tenant":"acme"}"#;

fn ask(tenant: &str) -> Value {
    json!({"id": tenant, "op": "token", "tenant": tenant})
}

fn said_no(answer: &Value) {
    assert_eq!(
        (&answer["ok"], &answer["error"], &answer["exit_code"]),
        (&json!(false), &json!("not_allowed"), &json!(5)),
        "{answer}"
    );
}

/// Z2, Z3: who is not named gets one line and no more, and the bot says so once.
#[tokio::test(flavor = "multi_thread")]
async fn another_user_gets_nothing() {
    if !is_root() {
        return println!("not tried: only root can become another user");
    }
    let (setup, socket) = setup("allow = [{ uid = 4711, tenants = [\"*\"] }]").await;
    let tokens = seed(&setup, "acme", false).await;
    let bot = Bot::start(&setup).await;
    for _ in 0..3 {
        let heard = as_other(&socket, STRANGER, &[], &[serde_json::from_str(ASK).unwrap()]).await;
        assert_eq!(heard.len(), 1, "{heard:?}");
        said_no(&heard[0]);
        assert!(heard[0]["message"].as_str().unwrap().contains("{ uid = 65534, tenants ="), "{heard:?}");
        assert!(!heard[0].to_string().contains(&*tokens.access));
    }
    let refused = ["token refused: not allowed consumer=\"uid:65534\" tenant=\"any\" count=1".to_owned()];
    assert_eq!(audit(&bot), refused);
}

/// Z2: a user has what is named for it, its groups and its bearer token together, and knows of nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_what_is_named_and_knows_of_nothing_else() {
    if !is_root() {
        return println!("not tried: only root can become another user");
    }
    let bearer = "0123456789abcdef0123456789abcdef";
    let (setup, socket) = setup(&format!(
        "bearer_file = \"bearer\"\nallow = [{{ uid = {STRANGER}, tenants = [\"acme@1\"] }}, \
         {{ gid = {GROUP}, tenants = [\"acme\"] }}, {{ bearer = true, tenants = [\"acme@2\"] }}]"
    ))
    .await;
    let file = setup.dir.path().join("bearer");
    std::fs::write(&file, format!("{bearer}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    for tenant in ["acme", "acme@1", "acme@2", "acme@3"] {
        seed(&setup, tenant, false).await;
    }
    let all = [ask("acme"), ask("acme@1"), ask("acme@2"), ask("acme@3")];
    let bot = Bot::start(&setup).await;
    let with_bearer = json!({"id": "first", "op": "status", "bearer": bearer});

    // What is given, of the four, and what of them status and watch tell.
    let table: [(u32, &[u32], bool, &[&str]); 5] = [
        (STRANGER, &[], false, &["acme@1"]),
        (STRANGER, &[GROUP], false, &["acme", "acme@1"]),
        (STRANGER, &[], true, &["acme@1", "acme@2"]),
        (4_711, &[GROUP], false, &["acme"]),
        (4_711, &[], true, &["acme@2"]),
    ];
    for (uid, groups, shows, given) in table {
        let who = format!("{uid} {groups:?} {shows}");
        let first = shows.then(|| with_bearer.clone());
        let more = [json!({"id": "status", "op": "status"}), json!({"id": "watch", "op": "watch"})];
        let lines: Vec<_> = first.into_iter().chain(all.clone()).chain(more).collect();
        let heard = as_other(&socket, uid, groups, &lines).await;
        assert_eq!(heard[0]["latchkey"], "token-socket", "{who}");
        let of = |id: &str| {
            heard.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{who}: {id}"))
        };
        for asked in &all {
            let tenant = asked["tenant"].as_str().unwrap();
            if given.contains(&tenant) {
                assert_eq!(of(tenant)["tenant"], tenant, "{who}");
            } else {
                said_no(of(tenant));
            }
        }
        let named = |list: &Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|one| one["tenant"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(named(&of("status")["status"]["tenants"]), given, "{who}");
        let told = heard
            .iter()
            .filter(|answer| answer["event"] == "tenant")
            .map(|answer| answer["about"].as_str().unwrap());
        assert_eq!(told.collect::<Vec<_>>(), given, "{who}");
    }

    // No bearer token, a wrong one, and garbage before one: one answer, and the end.
    for line in [
        json!({"op": "status"}),
        json!({"op": "status", "bearer": "0123456789abcdef0123456789abcdeX"}),
        json!([]),
    ] {
        let heard = as_other(&socket, 4_711, &[], &[line.clone(), with_bearer.clone()]).await;
        assert_eq!(heard.len(), 2, "{line}: {heard:?}");
        assert!(matches!(heard[1]["error"].as_str(), Some("not_allowed" | "bad_request")), "{heard:?}");
    }
    // A wrong one is refused in words of its own, whatever its user has without it.
    let heard = as_other(&socket, STRANGER, &[], &[json!({"id": 1, "op": "status", "bearer": "0123"})]).await;
    said_no(&heard[1]);
    assert!(heard[1]["message"].as_str().unwrap().contains("is not the one"), "{heard:?}");
    let said = bot.said();
    assert!(!said.contains(bearer), "{said}");
    let lines = audit(&bot);
    for line in [
        "token handed out consumer=\"bearer\" tenant=\"acme@2\" count=1",
        "token handed out consumer=\"uid:65534\" tenant=\"acme@1\" count=1",
        "token handed out consumer=\"uid:4711\" tenant=\"acme\" count=1",
        "token refused: not allowed consumer=\"uid:65534\" tenant=\"acme@3\" count=1",
    ] {
        assert!(lines.iter().any(|said| said == line), "{line}: {lines:#?}");
    }
}

/// Where nothing serves, the candidates that are named are those that the caller may have.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_the_names_of_what_they_may_not_have() {
    if !is_root() {
        return println!("not tried: only root can become another user");
    }
    let (setup, socket) = setup(&format!(
        "allow = [{{ uid = {STRANGER}, tenants = [\"acme@1\"] }}]\n[providers.other]\nissuer = \"https://other.example\"\n\
         client_id = \"c\"\nflows = [\"device\"]\ntoken_endpoint = \"https://other.example/token\"\n\
         device_authorization_endpoint = \"https://other.example/device\"\n"
    ))
    .await;
    seed(&setup, "acme@1", false).await;
    seed(&setup, "acme@2", false).await;
    bind(&setup, 77, "acme@2").await;
    let _bot = Bot::start(&setup).await;
    // Of other providers nobody learns whether they are configured, or have anything; and a bearer token where there is none is
    // passed over.
    let other = |id: &str, name: &str| json!({"id": id, "op": "token", "tenant": name, "bearer": "0123"});
    let asked = [other("1", "other"), other("2", "nowhere"), other("3", "other/x@7"), ask("acme@1")];
    let heard = as_other(&socket, STRANGER, &[], &asked).await;
    let of = |id: &str| heard.iter().find(|answer| answer["id"] == id).unwrap();
    for id in ["1", "2", "3"] {
        said_no(of(id));
        assert_eq!(of(id)["message"], of("1")["message"]);
    }
    assert!(of("1")["message"].as_str().unwrap().contains("of these providers: acme;"), "{heard:?}");
    assert_eq!(of("acme@1")["ok"], true, "{heard:?}");
    let in_thread = json!({"id": "t", "op": "token", "tenant": "acme", "thread": "77"});
    let heard = as_other(&socket, STRANGER, &[], &[ask("acme"), in_thread]).await;
    let of = |id: &str| heard.iter().find(|answer| answer["id"] == id).unwrap();
    assert!(of("acme")["message"].as_str().unwrap().contains("acme@1"), "{heard:?}");
    said_no(of("t"));
    assert!(!format!("{heard:?}").contains("acme@2"), "{heard:?}");
}

/// A file that others can read is no secret: the bot does not start on it, and `latchkey check` says the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_token_that_others_can_read_ends_the_start() {
    let (setup, _) =
        setup("bearer_file = \"bearer\"\nallow = [{ bearer = true, tenants = [\"acme\"] }]").await;
    let file = setup.dir.path().join("bearer");
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let mut bot = Bot::spawn(&setup, |_| {});
    assert_eq!(bot.ended(LONG).await.code(), Some(2), "{}", bot.said());
    assert!(bot.said().contains("chmod 600"), "{}", bot.said());
    let check = setup.cli(&["check"]).await;
    assert_eq!(check.code, 2, "{}", check.stdout);
    assert!(
        check.stdout.contains("PROBLEM  tokens:") && check.stdout.contains("chmod 600"),
        "{}",
        check.stdout
    );
}
