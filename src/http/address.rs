//! Where a connection's credentials may go.

use url::{Host, Url};

/// Reads an address that credentials are sent to: over TLS only, or on this machine.
///
/// # Errors
/// Why it is none, to be read after `has a url that`.
pub fn address(given: &str) -> Result<Url, String> {
    let url = Url::parse(given).map_err(|error| format!("cannot be read: {error}"))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("names no host".to_owned()),
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        _ => return Err("would send the secret in the clear".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("is more than an address".to_owned());
    }
    Ok(url)
}
