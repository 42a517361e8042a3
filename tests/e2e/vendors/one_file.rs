//! A vendor that keeps to the standards costs one table, and the page that says so is right.

use latchkey_test_authority::Authority;
use toml::Table;

use super::story::{Story, Vendor, Way};
use super::{led, table};
use crate::documentation::providers::examples;

/// The table of `name` on the page.
fn example(name: &str) -> Table {
    let found = examples().into_iter().find_map(|text| {
        let document: Table = text.parse().expect("an example is TOML");
        document["providers"].get(name).and_then(toml::Value::as_table).cloned()
    });
    found.unwrap_or_else(|| panic!("[providers.{name}] is on the page"))
}

async fn play(vendor: Vendor) {
    let written = example(vendor.name);
    let table = |server: &Authority| led::whole(vendor.name, &written, server);
    Story::begin(vendor, table).await.play_all().await;
}

/// What both examples come to: nothing that is not in the standards.
const STANDARD: Vendor = Vendor {
    name: "northgate",
    typed: &["northgate", "ng"],
    title: "Northgate",
    client: ("agents", None, Some("http://127.0.0.1:8765/cb")),
    server: table::standard,
    operator: "",
    environment: &[],
    ways: &[Way::Device, Way::Address],
    notice: None,
    account: Some("ada@example.test"),
    refreshes: true,
    goodbye: "It was ended at the provider too.",
    script: include_str!("wire/standard.txt"),
};

/// VENDORS: a vendor that nobody has heard of, by its endpoints.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_vendor_costs_one_table() {
    play(STANDARD).await;
}

/// VENDORS, T13: another, by its issuer alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_vendor_that_publishes_its_metadata_costs_one_line_of_it() {
    let script = include_str!("wire/published.txt");
    play(Vendor { name: "southgate", typed: &["southgate"], title: "southgate", script, ..STANDARD }).await;
}
