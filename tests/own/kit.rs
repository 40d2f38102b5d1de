//! A probe against a sandbox of the kit: commercetools, described as if it were a client's own system.

use std::sync::Arc;
use std::time::Duration;

use crossdock::http::net::Net;
use crossdock::http::{Clock, SystemClock, Transport};
use crossdock::sandbox::commercetools;
use crossdock::sandbox::faults::{FaultKit, Faults, Faulty};
use crossdock::sandbox::server::{listen, serve};

use super::run;

#[test]
fn a_sandbox_of_the_kit_is_probed_and_its_writes_count() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let shop = runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let transport: Arc<dyn Transport> = Arc::new(Net::new(Duration::from_secs(20)).unwrap());
        let (listener, url) = listen(0).await.unwrap();
        let options = commercetools::Options { orders: 30, start: clock.now(), ..commercetools::Options::default() };
        let system = Faulty::new(Box::new(commercetools::Commercetools::new(options)), FaultKit::new(1, Faults::default()));
        serve(listener, url, system, clock, transport)
    });
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let root = crate::common::root();
    let described = std::fs::read_to_string(root.join("systems/commercetools/system.yaml")).unwrap();
    write("systems/own-shop/system.yaml", &described.replace("system: commercetools\n", "system: own-shop\n"));
    for (name, text) in crate::common::files(&root.join("schemas/commercetools")) {
        write(&format!("schemas/own-shop/{name}"), &text);
    }
    let config = format!(
        "connections:\n  shop: {{ system: own-shop, region: europe-west1.gcp, project: sandbox, client_id: sandbox, client_secret: \"${{NORTHBAY_TOKEN}}\", url: \"{}/sandbox\" }}\n",
        shop.url
    );
    write("crossdock.yaml", &config);
    // The sandbox takes one secret only: whoever is not let in learns nothing.
    let (code, out) = run(folder.path(), &["system", "probe", "own-shop", "--yes"]);
    assert!(code == Some(1) && out.contains("NO   sign_in:"), "{out}");
    write("crossdock.yaml", &config.replace("\"${NORTHBAY_TOKEN}\"", "sandbox"));
    let (code, out) = run(folder.path(), &["system", "probe", "own-shop", "--yes", "--writes", "--objects", "InventoryEntry,Order"]);
    assert_eq!(code, Some(0), "{out}");
    for line in [
        "ok   Order, order: 30 records are in the order of `lastModifiedAt`",
        "ok   Order, find orderNumber:",
        "ok   InventoryEntry, find sku:",
        "ok   InventoryEntry, create: a second InventoryEntry with the same `key` was refused",
        "ok   InventoryEntry, update: a change with an old version was refused (409 Conflict)",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let probed = std::fs::read_to_string(folder.path().join("systems/own-shop/probe.yaml")).unwrap();
    assert_eq!(probed.matches("holds: true\n").count(), 2, "{probed}");
}
