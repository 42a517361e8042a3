//! One process a thread: each gets the token of its own member (docs/openab.md).

use std::path::Path;
use std::process::Command;

use latchkey::binding::Binding;
use latchkey::store::{Touches, update};
use latchkey::tenant::ThreadId;

use crate::host::{Host, key, printed, said};

/// The worked example, as the page has it.
fn example(name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openab.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains(&format!("# {name}:"))).unwrap().to_owned()
}

async fn bind(host: &Host, thread: &str, tenant: &str) {
    let (thread, tenant) = (thread.parse::<ThreadId>().unwrap(), key(tenant));
    update(&*host.store(), Touches::thread(&thread), move |view| {
        let tenants = [(tenant.provider.clone(), tenant)].into();
        view.put_binding(&thread, Binding { tenants, ..Binding::default() });
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
}

/// docs/openab.md, across processes: thread, then its channel, and never a guess.
#[tokio::test(flavor = "multi_thread")]
async fn each_process_gets_the_token_of_its_own_thread() {
    let host = Host::new();
    let (ann, bob) = (host.serving("acme@1").await, host.serving("acme@2").await);
    bind(&host, "2001", "acme@1").await;
    bind(&host, "1001", "acme@2").await;
    let folder = host.config.parent().unwrap();
    for name in ["broker.sh", "agent.sh"] {
        std::fs::write(folder.join(name), example(name)).unwrap();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_latchkey")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.display());
    let mut broker = Command::new("sh");
    broker.arg("broker.sh").current_dir(folder).env("PATH", path).env("LATCHKEY_CONFIG", &host.config);
    let output = broker.output().unwrap();
    let text = printed(&output);
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    let expected = [
        format!("thread 2001 works with {}", ann.access),
        format!("thread 2002 works with {}", bob.access),
        "thread 2003: somebody must sign in here with /auth login".to_owned(),
    ];
    assert_eq!(lines, expected, "{}", said(&output));
    assert!(said(&output).contains("acme@1, acme@2"), "the candidates are named: {}", said(&output));
}
