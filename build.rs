//! Lists the files of `mappings/`, so that `crossdock new` has the templates with it, those of `schemas/`: the systems with
//! their manifests and the schemas of their objects, and the descriptions of `systems/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=mappings");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("systems.rs"), systems(&package.join("schemas"), &package.join("systems"))?)?;
    let root = package.join("mappings");
    let mut code = String::from("/// By name: the files of each, from its folder.\npub static TEMPLATES: &[(&str, &[(&str, &[u8])])] = &[\n");
    for template in entries(&root)? {
        let Some(name) = template.file_name().and_then(|name| name.to_str()).filter(|_| template.is_dir()) else { continue };
        let mut files = Vec::new();
        walk(&template, &mut files)?;
        let _ = writeln!(code, "({name:?}, &[");
        for file in files {
            let inside = file.strip_prefix(&template).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let _ = writeln!(code, "({inside:?}, include_bytes!({:?})),", file.to_string_lossy());
        }
        code.push_str("]),\n");
    }
    code.push_str("];\n");
    fs::write(out.join("templates.rs"), code)
}

/// A folder with a `system.yaml` is a system: below `schemas` with a manifest, below `systems` with a description. The `.json` files
/// of its folder below `schemas` are the schemas of its objects.
fn systems(root: &Path, descriptions: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed={}", descriptions.display());
    let (mut manifests, mut described, mut schemas) = (String::new(), String::new(), String::new());
    for folder in entries(descriptions)? {
        let text = folder.join("system.yaml");
        let Some(system) = folder.file_name().and_then(|name| name.to_str()).filter(|_| text.is_file()) else { continue };
        println!("cargo::rerun-if-changed={}", text.display());
        let _ = writeln!(described, "    ({system:?}, include_str!({:?})),", text.to_string_lossy());
    }
    for folder in entries(root)? {
        let manifest = folder.join("system.yaml");
        let Some(system) = folder.file_name().and_then(|name| name.to_str()).filter(|_| folder.is_dir()) else { continue };
        println!("cargo::rerun-if-changed={}", folder.display());
        if manifest.is_file() {
            let _ = writeln!(manifests, "    ({system:?}, include_str!({:?})),", manifest.to_string_lossy());
        }
        // Schemas of a system that has neither are there for whoever describes it, and not part of the program yet.
        if !manifest.is_file() && !descriptions.join(system).join("system.yaml").is_file() {
            continue;
        }
        for file in entries(&folder)?.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
            let object = file.file_stem().unwrap_or_default().to_string_lossy();
            let _ = writeln!(schemas, "    ({system:?}, {object:?}, include_str!({:?})),", file.to_string_lossy());
        }
    }
    Ok(format!(
        "static MANIFESTS: &[(&str, &str)] = &[\n{manifests}];\nstatic DESCRIPTIONS: &[(&str, &str)] = &[\n{described}];\nstatic SCHEMAS: &[(&str, &str, &str)] = &[\n{schemas}];\n"
    ))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for path in entries(folder)? {
        if path.is_dir() { walk(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}
