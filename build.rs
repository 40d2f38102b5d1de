//! Lists the files of `mappings/`, so that `crossdock new` has the templates with it, and those of `schemas/`: the systems with
//! their manifests and the schemas of their objects.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=mappings");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("systems.rs"), systems(&package.join("schemas"))?)?;
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

/// A folder with a `system.yaml` is a system; the `.json` files beside it are the schemas of its objects.
fn systems(root: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", root.display());
    let (mut manifests, mut schemas) = (String::new(), String::new());
    for folder in entries(root)? {
        let manifest = folder.join("system.yaml");
        let Some(system) = folder.file_name().and_then(|name| name.to_str()).filter(|_| manifest.is_file()) else { continue };
        println!("cargo::rerun-if-changed={}", folder.display());
        let _ = writeln!(manifests, "    ({system:?}, include_str!({:?})),", manifest.to_string_lossy());
        for file in entries(&folder)?.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
            let object = file.file_stem().unwrap_or_default().to_string_lossy();
            let _ = writeln!(schemas, "    ({system:?}, {object:?}, include_str!({:?})),", file.to_string_lossy());
        }
    }
    Ok(format!("static MANIFESTS: &[(&str, &str)] = &[\n{manifests}];\nstatic SCHEMAS: &[(&str, &str, &str)] = &[\n{schemas}];\n"))
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
