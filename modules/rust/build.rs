//! Compiles the interface for C, which joins Rust to the server's classes. It needs a C++ compiler: `CXX`, or c++.
//! `SLUICE_C` and `SLUICE_INCLUDE` name the folders of sluice_c.cpp and of the headers, if they are neither where the
//! source tree has them nor where they were installed with this crate.

use std::path::PathBuf;
use std::process::Command;

/// What the variable says, or the first of these folders, beside the crate's, that has the file.
fn folder(variable: &str, file: &str, usual: &[&str]) -> PathBuf {
    println!("cargo:rerun-if-env-changed={variable}");
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let found = usual.iter().map(|folder| here.join(folder)).find(|folder| folder.join(file).exists());
    found.unwrap_or_else(|| panic!("there is no {file}: name its folder by the variable {variable}"))
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(status.success(), "{command:?} has failed");
}

fn main() {
    let c = folder("SLUICE_C", "sluice_c.cpp", &["../c"]);
    let include = folder("SLUICE_INCLUDE", "sluice/handler.h", &["../../core/api", "../../../include"]);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let source = c.join("sluice_c.cpp");
    println!("cargo:rerun-if-changed={}", source.display());
    println!("cargo:rerun-if-changed={}", include.display());
    let object = out.join("sluice_c.o");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    run(Command::new(compiler)
        .args(["-std=c++20", "-O2", "-fPIC", "-fvisibility=hidden", "-c"])
        .arg(format!("-I{}", include.display()))
        .arg(format!("-I{}", c.display()))
        .arg(source)
        .arg("-o")
        .arg(&object));
    let library = out.join("libsluice_c.a");
    let _ = std::fs::remove_file(&library);
    run(Command::new("ar").arg("crs").arg(&library).arg(&object));
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=sluice_c");
    println!("cargo:rustc-link-lib=stdc++");
}
