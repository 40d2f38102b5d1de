//! Who calls our servers: under which host name, and whether from a page in a browser.
//!
//! A foreign page can make its own name resolve to this machine (DNS rebinding) and then send requests as if we were its server. Its
//! requests still have its name in `Host`, and `Origin` or `Sec-Fetch-Site`.

use std::net::SocketAddr;

use http::{HeaderMap, Uri};

/// Whether a request comes from a page in a browser. What was typed into the address bar does not.
pub fn from_a_page(headers: &HeaderMap) -> bool {
    let typed = headers.get_all("sec-fetch-site").iter().all(|site| site == "none");
    headers.contains_key("origin") || !typed
}

/// Whether a request names us by the address that is listened on: that address and port, or `localhost` and the port where
/// it is a loopback address.
pub fn names_us(listened: SocketAddr, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all("host").iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else { return false };
    is_ours(listened, host) && uri.authority().is_none_or(|authority| is_ours(listened, authority.as_str()))
}

fn is_ours(listened: SocketAddr, host: &str) -> bool {
    let port = listened.port();
    let named = |name: &str| host.eq_ignore_ascii_case(&format!("{name}:{port}")) || (port == 80 && host.eq_ignore_ascii_case(name));
    let address = match listened {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    named(&address) || (listened.ip().is_loopback() && named("localhost"))
}
