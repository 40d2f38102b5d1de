//! The one place that reads YAML.
pub fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_yaml::from_str_with_options(text, serde_yaml::options! { strict_booleans: true }).map_err(|error| {
        let at = error.location();
        Fault { message: error.to_string(), line: at.map_or(0, |at| at.line() as u32), column: at.map_or(0, |at| at.column() as u32) }
    })
}
pub struct Fault { pub message: String, pub line: u32, pub column: u32 }
