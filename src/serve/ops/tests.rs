//! The three routes, and the probe behind them.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::*;
use crate::health::Gateway;
use crate::metrics::{ALL, Family};
use crate::testing::{Host, key};

struct Asked {
    status: u16,
    kind: String,
    body: String,
}

async fn ask(server: &Server, method: Method, path: &str) -> Asked {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let answer = TowerToHyperService::new(server.clone().router()).call(request).await.unwrap();
    let kind = answer.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
    let (status, body) = (answer.status().as_u16(), to_bytes(answer.into_body(), 1 << 20).await.unwrap());
    Asked { status, kind: kind.unwrap_or_default(), body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn get(server: &Server, path: &str) -> (u16, String) {
    let asked = ask(server, Method::GET, path).await;
    (asked.status, asked.body)
}

fn server(host: &Host, health: &Health) -> Server {
    Server::new(health.clone(), host.store(), host.clock.clone())
}

/// Z4: alive is not ready; what is lacking is said, and the status says it to programs.
#[tokio::test]
async fn alive_and_ready_are_told_apart() {
    let (host, health) = (Host::new(), Health::default());
    let server = server(&host, &health);
    let (status, body) = get(&server, "/readyz").await;
    let lacking = r#"["not connected to Discord yet","the store was not tried yet"]"#;
    let wanted = format!(
        "{{\"gateway\":\"connecting\",\"gateway_seconds\":0,\"lacking\":{lacking},\"ready\":false}}\n"
    );
    assert_eq!((status, body), (503, wanted));
    assert_eq!(get(&server, "/healthz").await, (200, "{\"alive\":true,\"ended\":[]}\n".to_owned()));

    health.gateway(Gateway::Connected);
    health.store(Ok(()));
    let ready = "{\"gateway\":\"connected\",\"gateway_seconds\":0,\"lacking\":[],\"ready\":true}\n";
    assert_eq!(get(&server, "/readyz").await, (200, ready.to_owned()));
    health.gateway(Gateway::Deaf);
    assert_eq!((get(&server, "/readyz").await.0, get(&server, "/healthz").await.0), (503, 200));

    let died = tokio::spawn(health.clone().watched("a task", async { panic!("a fault of the test") }));
    assert!(died.await.is_err());
    assert_eq!(
        get(&server, "/healthz").await,
        (503, "{\"alive\":false,\"ended\":[\"a task\"]}\n".to_owned())
    );
}

/// Z4: nothing but reading, and nothing but the three.
#[tokio::test]
async fn there_is_nothing_else() {
    let (host, health) = (Host::new(), Health::default());
    let server = server(&host, &health);
    for path in ["/healthz", "/readyz", "/metrics"] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            assert_eq!(ask(&server, method.clone(), path).await.status, 405, "{method} {path}");
        }
        let head = ask(&server, Method::HEAD, path).await;
        assert_eq!((head.status, &*head.body), (get(&server, path).await.0, ""), "HEAD {path}");
    }
    for path in ["/", "/metrics/", "/debug", "/callback/acme", "/go/1"] {
        assert_eq!(get(&server, path).await.0, 404, "{path}");
    }
    assert_eq!(ask(&server, Method::GET, "/metrics").await.kind, scrape::CONTENT_TYPE);
}

/// The samples of a scrape that begin so, in order.
fn samples(text: &str, beginning: &str) -> Vec<String> {
    let mut found: Vec<_> =
        text.lines().filter(|line| line.starts_with(beginning)).map(str::to_owned).collect();
    found.sort();
    found
}

/// Z4: what stands in the store is told as it stands; a tenant that is gone has no series.
#[tokio::test]
async fn what_is_gone_has_no_series() {
    let (host, health) = (Host::new(), Health::default());
    let server = server(&host, &health);
    let (_, text) = get(&server, "/metrics").await;
    for Family { name, .. } in ALL {
        assert_eq!(samples(&text, &format!("# HELP {name} ")).len(), 1, "{name} is described once");
        assert_eq!(samples(&text, &format!("# TYPE {name} ")).len(), 1, "{name} is described once");
    }
    assert_eq!(samples(&text, "latchkey_tenant"), Vec::<String>::new());

    host.serving(&key("acme/one"), &latchkey_test_authority::Person::ada()).await;
    host.serving(&key("acme/two"), &latchkey_test_authority::Person::ada()).await;
    let mut dead = host.stored(&key("acme/two")).unwrap();
    dead.state = crate::credential::CredentialState::NeedsLogin;
    dead.failures = 3;
    dead.expires_at = Some(host.clock.now() - 30);
    host.put(&key("acme/two"), dead).await;
    let (_, text) = get(&server, "/metrics").await;
    assert_eq!(
        samples(&text, "latchkey_tenant"),
        [
            "latchkey_tenant_expires_in_seconds{tenant=\"acme/one\"} 3600",
            "latchkey_tenant_expires_in_seconds{tenant=\"acme/two\"} -30",
            "latchkey_tenant_operator_error{tenant=\"acme/one\"} 0",
            "latchkey_tenant_operator_error{tenant=\"acme/two\"} 0",
            "latchkey_tenant_refresh_failures{tenant=\"acme/one\"} 0",
            "latchkey_tenant_refresh_failures{tenant=\"acme/two\"} 3",
            "latchkey_tenant_state{state=\"fresh\",tenant=\"acme/one\"} 1",
            "latchkey_tenant_state{state=\"needs_login\",tenant=\"acme/two\"} 1",
            "latchkey_tenants{state=\"fresh\"} 1",
            "latchkey_tenants{state=\"needs_login\"} 1",
        ]
    );
    assert_eq!(samples(&text, "latchkey_provider_alarm"), ["latchkey_provider_alarm{provider=\"acme\"} 0"]);
    // Of this host's tenants: another test of this process may have one that is unsaved.
    assert_eq!(samples(&text, "latchkey_rotation_unsaved{tenant=\"acme/"), Vec::<String>::new());

    crate::store::update(&*host.store(), crate::store::Touches::tenant(&key("acme/two")), |view| {
        view.remove_tenant(&key("acme/two"));
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    let (_, text) = get(&server, "/metrics").await;
    assert!(!text.contains("acme/two"), "{text}");

    std::fs::write(&host.path, "{half").unwrap();
    let (status, text) = get(&server, "/metrics").await;
    assert_eq!(
        (status, samples(&text, "latchkey_store_readable ")),
        (200, vec!["latchkey_store_readable 0".to_owned()])
    );
}

/// Z4: a configuration that was refused is seen until one is taken over.
#[tokio::test]
async fn a_refused_reload_is_seen_until_one_is_taken_over() {
    let (host, health) = (Host::new(), Health::default());
    let server = server(&host, &health);
    for (taken_over, wanted) in [(None, 1), (Some(false), 0), (Some(true), 1)] {
        if let Some(taken_over) = taken_over {
            health.reloaded(taken_over);
        }
        let (_, text) = get(&server, "/metrics").await;
        let found = samples(&text, "latchkey_config_last_reload_successful ");
        assert_eq!(found, [format!("latchkey_config_last_reload_successful {wanted}")]);
    }
}

/// Z4, Z1: no secret is in a scrape.
#[tokio::test]
async fn a_scrape_shows_no_secret() {
    let (host, health) = (Host::new(), Health::default());
    let tokens = host.serving(&key("acme"), &latchkey_test_authority::Person::ada()).await;
    let (_, text) = get(&server(&host, &health), "/metrics").await;
    assert!(!text.contains(&tokens.access) && !text.contains(&tokens.refresh));
    host.authority.assert_no_secret_in(&text);
}

/// Z4: the probe tells within its period that the store cannot be written, and that it can again.
#[tokio::test]
async fn the_probe_follows_the_store() {
    let (host, health) = (Host::new(), Health::default());
    health.gateway(Gateway::Connected);
    let folder = host.path.parent().unwrap().join("data");
    let store = Arc::new(FileStore::open(&folder.join("auth.json"), true, host.clock.clone()).unwrap());
    let probing = tokio::spawn(probe(health.clone(), store));
    let becomes = async |ready: bool| {
        for _ in 0..600 {
            if health.readiness().is_ready() == ready {
                return health.readiness().lacking;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it stays {:?}", health.readiness())
    };
    becomes(true).await;
    std::fs::rename(&folder, host.path.parent().unwrap().join("away")).unwrap();
    let lacking = becomes(false).await;
    assert!(lacking[0].starts_with("cannot "), "{lacking:?}");
    std::fs::rename(host.path.parent().unwrap().join("away"), &folder).unwrap();
    becomes(true).await;
    probing.abort();
}

/// Z4: an address that is taken is refused, with the remedy.
#[tokio::test]
async fn an_address_that_is_taken_is_refused_with_the_remedy() {
    let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = taken.local_addr().unwrap();
    assert_eq!(
        bind(address).await.unwrap_err().to_string(),
        format!(
            "cannot serve health and metrics on {address}: another program listens there; stop that, or choose another \
             listen under [ops]; every bot on a host needs its own"
        )
    );
}
