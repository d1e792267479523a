//! A standard library for [`TARGET`], built from Debian's packages where rustup cannot download one.
//!
//! Debian has a compiler that knows the target (`rustc-web`), the library's source (`rust-web-src`) and
//! a libc (`wasi-libc`), but not the library itself. It is built once and kept in the user's cache
//! folder: it belongs to those packages and not to a checkout, so that neither `cargo clean` nor a
//! second clone costs the minute it takes.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, announce};
use crate::toolchain::{FLAGS, TARGET, cargo_home, without_paths};
use crate::workspace::Workspace;

/// What the recipe is made of. The first one's version also names the folder.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];
/// Where those packages put the compiler, its cargo, and the libc. A rustup installation has others, earlier on PATH.
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const LIBC: &str = "/usr/lib/wasm32-wasi";
/// To be raised when the recipe below changes what it makes.
const RECIPE: u32 = 2;

/// A standard library that is ready for use.
#[derive(Debug)]
pub(crate) struct Sysroot {
    folder: PathBuf,
}

impl Sysroot {
    /// The compiler that uses it.
    pub(crate) fn rustc(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    /// Differs from that of every other build, the same source's included.
    pub(crate) fn id(&self) -> Result<String> {
        let file = self.folder.join("id");
        fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))
    }

    fn is_complete(&self) -> bool {
        self.folder.join("id").is_file()
    }
}

/// Finds the library, or installs what is needed and builds it.
pub(crate) fn prepare(workspace: &Workspace, linkers: &[PathBuf]) -> Result<Sysroot> {
    let mut installed = versions()?;
    let missing: Vec<_> = PACKAGES.into_iter().filter(|name| !installed.iter().any(|(have, _)| have == name)).collect();
    if !missing.is_empty() {
        process::apt_install(&missing)?;
        installed = versions()?;
    }

    let cache = cache(workspace);
    let sysroot = Sysroot { folder: cache.join(key(&installed)) };
    if sysroot.is_complete() {
        return Ok(sysroot);
    }

    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be created", cache.display()))?;
    let lock = File::create(cache.join("lock"))?;
    lock.lock().context("the cache folder cannot be locked")?;
    // Another process may have built it while this one waited.
    if !sysroot.is_complete() {
        build(&sysroot, linkers)?;
    }
    Ok(sysroot)
}

/// The packages that are installed, with their versions.
fn versions() -> Result<Vec<(String, String)>> {
    if process::find(&["dpkg-query"]).is_none() {
        bail!("this is no Debian system (no `dpkg-query`)");
    }
    // Fails when a package is unknown, and prints the others all the same.
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${db:Status-Status} ${Package} ${Version}\n"])
        .args(PACKAGES)
        .stderr(Stdio::null())
        .output()
        .context("`dpkg-query` could not be started")?;
    Ok(parse_versions(&String::from_utf8_lossy(&output.stdout)))
}

fn parse_versions(text: &str) -> Vec<(String, String)> {
    let installed = text.lines().filter_map(|line| line.strip_prefix("installed "));
    installed.filter_map(|line| line.split_once(' ')).map(|(name, version)| (name.into(), version.into())).collect()
}

/// The folder under the cache that belongs to these packages and this recipe.
fn key(installed: &[(String, String)]) -> String {
    let version = installed.iter().find(|(name, _)| name == PACKAGES[0]).map_or("", |(_, version)| version);
    let upstream = version.split(['+', '-', '~', ':']).next().unwrap_or_default();
    let mut inputs: Vec<_> = installed.iter().map(|(name, version)| format!("{name}={version}\n")).collect();
    inputs.sort_unstable();
    // FNV-1a: the standard library's hash may differ from one Rust release to the next.
    let hash = format!("recipe={RECIPE}\n{}", inputs.concat())
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("rust-{upstream}-{hash:016x}")
}

fn cache(workspace: &Workspace) -> PathBuf {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map_or_else(|| workspace.target(), |folder| folder.join("kokoro"))
        .join("wasm-toolchain")
}

/// Builds beside the final place and moves it there when it is whole.
fn build(sysroot: &Sysroot, linkers: &[PathBuf]) -> Result<()> {
    let version = process::output(Command::new(RUSTC).arg("--version").env_remove("LD_LIBRARY_PATH"))
        .context("Debian's compiler does not work")?;
    if !is_new_enough(&version, env!("CARGO_PKG_RUST_VERSION")) {
        bail!(
            "Debian's `rustc-web` is too old ({}): {} or later is needed, which the security suite of Debian 12 has",
            version.trim(),
            env!("CARGO_PKG_RUST_VERSION"),
        );
    }
    announce(format_args!("building the standard library for {TARGET} from source, one or two minutes"));
    let started = Instant::now();
    let mut partial = sysroot.folder.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    remove(&partial)?;
    remove(&sysroot.folder)?;
    let library = partial.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(library.join("self-contained"))?;

    for file in build_std(&partial.join("std"), linkers)? {
        fs::copy(&file, library.join(file.file_name().context("a library without a name")?))?;
    }
    for name in ["libc.a", "crt1-command.o", "crt1-reactor.o"] {
        fs::copy(Path::new(LIBC).join(name), library.join("self-contained").join(name))
            .with_context(|| format!("`wasi-libc` has no {name} in {LIBC}"))?;
    }
    link_host(&partial)?;
    write_compiler(&partial.join("rustc"))?;
    remove(&partial.join("std"))?;
    fs::write(partial.join("id"), format!("{:x}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos()))?;
    fs::rename(&partial, &sysroot.folder)?;
    announce(format_args!(
        "built in {} s, kept in {} (98 MB; it may be removed at any time)",
        started.elapsed().as_secs(),
        sysroot.folder.display(),
    ));
    Ok(())
}

/// Compiles the library by way of an empty crate, in `folder`, and returns its parts.
fn build_std(folder: &Path, linkers: &[PathBuf]) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"nothing\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n",
    )?;
    fs::write(folder.join("lib.rs"), "#![no_std]\n")?;
    let path = env::var_os("PATH").unwrap_or_default();
    let mut flags = OsString::from("-Cembed-bitcode=yes\u{1f}");
    flags.push(without_paths(&cargo_home(), "cargo"));
    process::run(
        Command::new(CARGO)
            .current_dir(folder)
            .args(["build", "--release", "-Zbuild-std=std,panic_abort,proc_macro", "--target", TARGET])
            .args(["--target-dir", "target"])
            .env("RUSTC", RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            // With bitcode, which the link-time optimisation of Planets (plugins) reads.
            .env(FLAGS, flags)
            .env_remove("RUSTFLAGS")
            .env_remove("LD_LIBRARY_PATH")
            .env("PATH", env::join_paths(linkers.iter().cloned().chain(env::split_paths(&path)))?),
    )?;
    let output = folder.join("target").join(TARGET).join("release/deps");
    let mut files = Vec::new();
    for file in output.read_dir().with_context(|| format!("{} cannot be read", output.display()))? {
        let file = file?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libnothing-") {
            files.push(file);
        }
    }
    Ok(files)
}

/// Lends the new sysroot the library of Debian's compiler for this machine: macros and build scripts need it.
fn link_host(sysroot: &Path) -> Result<()> {
    let ask = |arguments: &[&str]| process::output(Command::new(RUSTC).args(arguments).env_remove("LD_LIBRARY_PATH"));
    let about = ask(&["-vV"])?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).context("Debian's compiler names no host")?;
    let debian = ask(&["--print", "sysroot"])?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        Path::new(debian.trim_end()).join("lib/rustlib").join(host),
        sysroot.join("lib/rustlib").join(host),
    )?;
    Ok(())
}

/// Writes a program that calls Debian's compiler with the sysroot beside it.
fn write_compiler(file: &Path) -> Result<()> {
    fs::write(file, format!("#!/bin/sh\nexec {RUSTC} --sysroot \"$(dirname \"$0\")\" \"$@\"\n"))?;
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}

/// Whether `rustc --version`'s answer is at least `needed`.
fn is_new_enough(version: &str, needed: &str) -> bool {
    let parse = |text: &str| {
        let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    version.split(' ').nth(1).and_then(parse) >= parse(needed)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "installed rustc-web 1.96.0+dfsg1-1~deb12u2\n\
                        config-files cargo-web 1.85.0-1\n\
                        installed wasi-libc 0.0~git20220510.9886d3d-2\n";

    #[test]
    fn a_package_that_was_removed_is_not_installed() {
        let names: Vec<_> = parse_versions(TEXT).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["rustc-web", "wasi-libc"]);
    }

    #[test]
    fn the_key_depends_on_versions_and_not_on_their_order() {
        let mut installed = parse_versions(TEXT);
        let before = key(&installed);
        assert!(before.starts_with("rust-1.96.0-"), "{before}");
        installed.reverse();
        assert_eq!(key(&installed), before);
        installed[0].1.push_str("+b1");
        assert_ne!(key(&installed), before);
    }

    #[test]
    fn an_older_compiler_is_not_new_enough() {
        assert!(is_new_enough("rustc 1.96.0 (ac68faa20 2026-05-25)", "1.95"));
        assert!(is_new_enough("rustc 1.95.0-nightly", "1.95"));
        assert!(!is_new_enough("rustc 1.85.0 (built from a source tarball)", "1.95"));
        assert!(!is_new_enough("nonsense", "1.95"));
    }
}
