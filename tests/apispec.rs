//! Vendors' API descriptions, whole files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use crossdock::apispec::{ApiSpec, indented};
use crossdock::project::yaml;
use crossdock::value::Json;

/// Reads every API description below the folder that `CROSSDOCK_API_FILES` names:
/// `CROSSDOCK_API_FILES=… cargo nextest run --test all --run-ignored only every_file_of_a_folder`.
#[test]
#[ignore = "the vendors' whole files are not part of the repository"]
fn every_file_of_a_folder_can_be_read() {
    let root =
        std::env::var_os("CROSSDOCK_API_FILES").map(std::path::PathBuf::from).unwrap_or_else(|| unreachable!("CROSSDOCK_API_FILES names no folder"));
    let (mut waiting, mut read) = (vec![root], 0);
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let begun = std::time::Instant::now();
        let name = path.display().to_string();
        let api = match path.extension().and_then(|extension| extension.to_str()) {
            Some("graphql") => ApiSpec::graphql(&[(&name, &text)]).unwrap_or_else(|error| unreachable!("{name}: {error}")),
            Some("yaml") => {
                let read = yaml::read(&text).or_else(|error| yaml::read(&indented(&text).ok_or(error)?));
                let node = read.unwrap_or_else(|error| unreachable!("{name}: {error} at {}", error.at));
                ApiSpec::openapi(&node.json()).unwrap_or_else(|error| unreachable!("{name}: {error}"))
            }
            Some("json") => {
                let json: Json = serde_json::from_str(&text).unwrap();
                if json.get("swagger").is_none() && json.get("openapi").is_none() {
                    continue;
                }
                ApiSpec::openapi(&json).unwrap_or_else(|error| unreachable!("{name}: {error}"))
            }
            _ => continue,
        };
        assert!(!api.operations.is_empty(), "{name}");
        println!("{:>5} operations, {:>6} types, {:?}: {name}", api.operations.len(), api.named().count(), begun.elapsed());
        read += 1;
    }
    assert!(read > 0, "there is no API description in the folder");
}
