//! The secrets in the paths of webhooks.

use std::collections::BTreeMap;

use crate::app::process::variable;
use crate::app::{Failure, LoadedProject};
use crate::http::Secret;

/// The shortest secret of a hook's path, in characters.
const SHORTEST: usize = 24;

/// By connection: the secret part of its hooks' path, from `CROSSDOCK_HOOK_<CONNECTION>`.
///
/// # Errors
/// One is short enough to be guessed.
pub fn secrets(project: &LoadedProject) -> Result<BTreeMap<String, Secret>, Failure> {
    let mut secrets = BTreeMap::new();
    for name in project.compiled.config.connections.keys() {
        let variable_name = format!("CROSSDOCK_HOOK_{}", name.to_uppercase());
        if let Some(secret) = variable(&variable_name) {
            if secret.chars().count() < SHORTEST {
                return Err(Failure::usage(format!("{variable_name} is shorter than {SHORTEST} characters and could be guessed"))
                    .hint("openssl rand -hex 24"));
            }
            secrets.insert(name.clone(), Secret::new(secret));
        }
    }
    Ok(secrets)
}
