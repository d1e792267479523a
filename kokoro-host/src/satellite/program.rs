//! A Satellite's program: whether it may run and can run on this machine, and the copy of it that does.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, Mode, OFlags};
use sha2::{Digest as _, Sha256};

use super::PROGRAM;
use crate::admission::SatelliteGrant;
use crate::interface::in_one_line;

/// Whether the program is there, may run and can run on this machine, as far as that can be told without running it. Gives its SHA-256.
pub(crate) fn check_program(file: &Path, grant: &SatelliteGrant) -> Result<String, String> {
    let mut program = open(file)?;
    look(&program).map_err(|problem| format!("its program `{}` {problem}", shown(file)))?;
    let permitted = permitted(grant)?;
    let found = copy(&mut program, &mut io::sink()).map_err(|error| unreadable(file, &error))?;
    if let Some(permitted) = permitted {
        compare(file, &found, permitted)?;
    }
    Ok(found)
}

/// A program that is ready to run: a copy that nobody can change any more.
#[derive(Debug)]
pub(super) struct Image {
    /// What is executed.
    pub(super) path: CString,
    /// The copy, if it has no name. It becomes the file [`PROGRAM`] of the child, which `path` leads to there.
    pub(super) file: Option<OwnedFd>,
    /// What executes it, if it is a script.
    pub(super) interpreter: Option<String>,
    /// Where the copy is, if it has a name: it goes with this.
    _folder: Option<tempfile::TempDir>,
}

impl Image {
    /// Copies the program, and looks at the copy.
    pub(super) fn of(file: &Path, grant: &SatelliteGrant) -> Result<Self, String> {
        let mut program = open(file)?;
        let permitted = permitted(grant)?;
        let (mut to, folder) = place(grant).map_err(|error| format!("there is no room for a copy of it: {error}"))?;
        let found = copy(&mut program, &mut to).map_err(|error| unreadable(file, &error))?;
        if let Some(permitted) = permitted {
            compare(file, &found, permitted)?;
        }
        let interpreter = look(&to).map_err(|problem| format!("its program `{}` {problem}", shown(file)))?;
        if let Some((folder, path)) = folder {
            // Nobody may have it open for writing when it runs.
            drop(to);
            let path = CString::new(path.into_os_string().into_vec()).map_err(|error| error.to_string())?;
            return Ok(Self { path, file: None, interpreter, _folder: Some(folder) });
        }
        seal(&to).map_err(|error| format!("the copy of it cannot be sealed: {error}"))?;
        let path = CString::new(format!("/proc/self/fd/{PROGRAM}")).map_err(|error| error.to_string())?;
        Ok(Self { path, file: Some(to.into()), interpreter, _folder: None })
    }
}

fn open(file: &Path) -> Result<File, String> {
    let path = shown(file);
    // Not blocking, lest it be a pipe that nobody writes to.
    let opened = rustix::fs::open(file, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    let program: File = match opened {
        Ok(program) => program.into(),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
            return Err(format!(
                "its program is not there: `{path}`\n  help: it belongs beside the component, in `PLANET.satellites/{}`",
                SatelliteGrant::TARGET
            ));
        }
        Err(error) => return Err(unreadable(file, &error.into())),
    };
    let metadata = program.metadata().map_err(|error| unreadable(file, &error))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "no file" };
        return Err(format!("its program `{path}` is {what}"));
    }
    if metadata.mode() & 0o111 == 0 || rustix::fs::access(file, Access::EXEC_OK).is_err() {
        return Err(format!("its program `{path}` is not executable\n  help: `chmod +x` makes it so"));
    }
    Ok(program)
}

fn unreadable(file: &Path, error: &io::Error) -> String {
    format!("its program `{}` cannot be read: {error}", shown(file))
}

fn shown(file: &Path) -> String {
    in_one_line(file.display())
}

/// The SHA-256 that it has to have, if the application has named any.
fn permitted(grant: &SatelliteGrant) -> Result<Option<&str>, String> {
    if grant.sha256.is_empty() {
        return Ok(None);
    }
    match grant.sha256.get(SatelliteGrant::TARGET) {
        Some(sha256) => Ok(Some(sha256)),
        None => Err(format!(
            "the application permits it by its SHA-256, and names none for `{}`\n  help: `SatelliteGrant::sha256` names it",
            SatelliteGrant::TARGET
        )),
    }
}

fn compare(file: &Path, found: &str, permitted: &str) -> Result<(), String> {
    if found == permitted {
        return Ok(());
    }
    Err(format!(
        "the application permits another program: `{}` has the SHA-256 {found}, and {permitted} is permitted",
        shown(file)
    ))
}

/// Copies all, and gives its SHA-256.
fn copy(from: &mut File, to: &mut impl Write) -> io::Result<String> {
    let (mut sha256, mut bytes) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => {
                sha256.update(&bytes[..read]);
                to.write_all(&bytes[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Where the copy goes: a file in memory, or one with a name, which only this user can read.
type Place = (File, Option<(tempfile::TempDir, PathBuf)>);

fn place(grant: &SatelliteGrant) -> io::Result<Place> {
    match memory() {
        Some(file) => Ok((file, None)),
        None => {
            // Such a folder is made with the mode 0700.
            let folder = tempfile::Builder::new().prefix("kokoro-satellite-").tempdir()?;
            let path = folder.path().join(&grant.program);
            let file = rustix::fs::open(
                &path,
                OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC,
                Mode::from_raw_mode(0o700),
            )?;
            Ok((file.into(), Some((folder, path))))
        }
    }
}

/// Whether copies have no names here.
pub(super) fn has_memory_files() -> bool {
    memory().is_some()
}

/// A file in memory that can be executed; none where the system has none, or forbids it.
#[cfg(target_os = "linux")]
fn memory() -> Option<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let made = match memfd_create("kokoro-satellite", flags | MemfdFlags::EXEC) {
        // Kernels before 6.3 do not know that flag, and have all such files executable.
        Err(rustix::io::Errno::INVAL) => memfd_create("kokoro-satellite", flags),
        made => made,
    };
    // It is executed by its path there.
    made.ok().map(File::from).filter(|_| Path::new("/proc/self/fd").is_dir())
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<File> {
    None
}

#[cfg(target_os = "linux")]
fn seal(file: &File) -> io::Result<()> {
    use rustix::fs::SealFlags;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    Ok(rustix::fs::fcntl_add_seals(file, seals)?)
}

#[cfg(not(target_os = "linux"))]
fn seal(_: &File) -> io::Result<()> {
    Ok(())
}

/// How much of a program says what it is.
const HEADER: usize = 256;

/// What executes a script; none for a program of this machine's own kind. All else is refused here: the C library would hand
/// it to a shell.
fn look(program: &File) -> Result<Option<String>, String> {
    let header = header(program).map_err(|error| format!("cannot be read: {error}"))?;
    if let Some(rest) = header.strip_prefix(b"#!") {
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        return match String::from_utf8_lossy(line).trim() {
            "" => Err("begins with `#!` and names no interpreter".to_owned()),
            line => Ok(Some(in_one_line(line))),
        };
    }
    let Some(kind) = kind(&header) else {
        return Err("is neither a program nor a script that begins with `#!`".to_owned());
    };
    // What this very process was started from runs here.
    let own = std::env::current_exe().and_then(File::open).and_then(|own| self::header(&own));
    match own.as_deref().ok().and_then(self::kind) {
        Some(own) if own != kind => Err(format!(
            "is for another machine: it is {kind}, and here runs {own}\n  help: build it for `{}`",
            SatelliteGrant::TARGET
        )),
        _ => Ok(None),
    }
}

fn header(program: &File) -> io::Result<Vec<u8>> {
    let mut header = vec![0; HEADER];
    let read = program.read_at(&mut header, 0)?;
    header.truncate(read);
    Ok(header)
}

/// What a program is made for, as its header says.
fn kind(header: &[u8]) -> Option<String> {
    match header {
        // Class and order of bytes, and 12 bytes later, after the type, the machine.
        [0x7f, b'E', b'L', b'F', class, order, ..] => {
            let machine: [u8; 2] = header.get(18..20)?.try_into().ok()?;
            let machine = if *order == 2 { u16::from_be_bytes(machine) } else { u16::from_le_bytes(machine) };
            let bits = match class {
                1 => "32-bit",
                2 => "64-bit",
                _ => return None,
            };
            let order = if *order == 2 { "big-endian" } else { "little-endian" };
            Some(format!("ELF, {bits}, {order}, for {}", machine_name(machine)))
        }
        // Mach-O, and then the type of processor.
        [0xcf, 0xfa, 0xed, 0xfe, processor @ ..] => {
            let processor = u32::from_le_bytes(*processor.first_chunk()?);
            Some(format!("Mach-O for processors of the type {processor:#x}"))
        }
        _ => None,
    }
}

/// As in ELF's registry.
fn machine_name(machine: u16) -> String {
    match machine {
        3 => "x86".to_owned(),
        8 => "MIPS".to_owned(),
        21 => "64-bit PowerPC".to_owned(),
        22 => "S/390".to_owned(),
        40 => "32-bit ARM".to_owned(),
        62 => "x86-64".to_owned(),
        183 => "64-bit ARM".to_owned(),
        243 => "RISC-V".to_owned(),
        258 => "LoongArch".to_owned(),
        other => format!("machine {other}"),
    }
}
