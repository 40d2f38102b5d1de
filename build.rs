//! Lists the files of `mappings/`, so that `crossdock new` has the templates with it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=mappings");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("mappings");
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
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("templates.rs"), code)
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
