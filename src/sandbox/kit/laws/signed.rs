//! `signed`: what tells that a webhook comes from the system.

use base64::Engine as _;
use ring::hmac;

/// The signature of a body, printed as the law says; none for a hash or a form that the kit has not.
pub fn signature(hash: &str, print: &str, secret: &str, body: &[u8]) -> Option<String> {
    let algorithm = match hash {
        "hmac-sha256" => hmac::HMAC_SHA256,
        "hmac-sha512" => hmac::HMAC_SHA512,
        _ => return None,
    };
    let signed = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body);
    match print {
        "base64" => Some(base64::engine::general_purpose::STANDARD.encode(signed.as_ref())),
        "hex" => Some(signed.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()),
        _ => None,
    }
}
