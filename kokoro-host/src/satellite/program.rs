//! A Satellite's program: whether it may run and can run on this machine, and the copy of it that does.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{Access, Mode, OFlags};
use sha2::{Digest as _, Sha256};

use super::PROGRAM;
use super::folder::Folder;
use crate::admission::SatelliteGrant;
use crate::interface::in_one_line;

/// Whether the program is there, may run and can run on this machine, as far as that can be told without running it. Gives its SHA-256.
pub(crate) fn check_program(file: &Path, grant: &SatelliteGrant) -> Result<String, String> {
    let program = open(file, grant)?;
    look(&program).map_err(|problem| format!("its program `{}` {problem}", shown(file)))?;
    let permitted = permitted(grant)?;
    let found = sha256(&program).map_err(|error| unreadable(file, &error))?;
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
    _folder: Option<Folder>,
}

impl Image {
    /// Copies the program, and looks at the copy.
    pub(super) fn of(file: &Path, grant: &SatelliteGrant) -> Result<Self, String> {
        match memory() {
            Some(memory) => Self::nameless(file, grant, memory),
            None => Self::named(file, grant),
        }
    }

    /// A copy in memory.
    fn nameless(file: &Path, grant: &SatelliteGrant, mut to: File) -> Result<Self, String> {
        copy(file, grant, &mut to)?;
        // First of all: until then another process of this user could open it by way of /proc, and write to it.
        seal(&to).map_err(|error| format!("the copy of it cannot be sealed: {error}"))?;
        let interpreter = examine(file, grant, &to)?;
        let path = CString::new(format!("/proc/self/fd/{PROGRAM}")).map_err(|error| error.to_string())?;
        Ok(Self { path, file: Some(to.into()), interpreter, _folder: None })
    }

    /// A copy in a folder that only this user has access to. (Other processes of this user could write to it. What they can do to this
    /// process is more than that.)
    pub(super) fn named(file: &Path, grant: &SatelliteGrant) -> Result<Self, String> {
        let unplaced = |error| format!("there is no room for a copy of it: {error}");
        let folder = Folder::new().map_err(unplaced)?;
        let path = folder.path().join(&grant.program);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let to = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o500)).map_err(|error| unplaced(error.into()))?;
        // Nobody may have it open for writing when it runs.
        copy(file, grant, &mut File::from(to))?;
        let copied = File::open(&path).map_err(|error| unreadable(&path, &error))?;
        let interpreter = examine(file, grant, &copied)?;
        let path = CString::new(path.into_os_string().into_vec()).map_err(|error| error.to_string())?;
        Ok(Self { path, file: None, interpreter, _folder: Some(folder) })
    }
}

/// Copies all of a program.
fn copy(file: &Path, grant: &SatelliteGrant, to: &mut File) -> Result<(), String> {
    let mut program = open(file, grant)?;
    match io::copy(&mut program, to) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("its program `{}` cannot be copied: {error}", shown(file))),
    }
}

/// Whether the copy of a program may run here; what executes it, if it is a script.
fn examine(file: &Path, grant: &SatelliteGrant, copied: &File) -> Result<Option<String>, String> {
    if let Some(permitted) = permitted(grant)? {
        compare(file, &sha256(copied).map_err(|error| unreadable(file, &error))?, permitted)?;
    }
    look(copied).map_err(|problem| format!("its program `{}` {problem}", shown(file)))
}

fn open(file: &Path, grant: &SatelliteGrant) -> Result<File, String> {
    let path = shown(file);
    // Not blocking, lest it be a pipe that nobody writes to.
    let opened = rustix::fs::open(file, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    let program: File = match opened {
        Ok(program) => program.into(),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
            let help = match &grant.file {
                Some(_) => "the application says that it is there, by `SatelliteGrant::file`".to_owned(),
                None => format!("it belongs beside the component, in `PLANET.satellites/{}`", SatelliteGrant::TARGET),
            };
            return Err(format!("its program is not there: `{path}`\n  help: {help}"));
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

/// The SHA-256 of a file, from its beginning.
fn sha256(file: &File) -> io::Result<String> {
    let (mut sha256, mut bytes, mut offset) = (Sha256::new(), vec![0; 64 << 10], 0);
    loop {
        match file.read_at(&mut bytes, offset) {
            Ok(0) => break,
            Ok(read) => {
                sha256.update(&bytes[..read]);
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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
    let kinds = kinds(&header);
    if kinds.is_empty() {
        return Err("is neither a program nor a script that begins with `#!`".to_owned());
    }
    // What this very process was started from runs here.
    let own = std::env::current_exe().and_then(File::open).and_then(|own| self::header(&own));
    let own = own.map(|own| self::kinds(&own)).unwrap_or_default();
    match own.is_empty() || own.iter().any(|own| kinds.contains(own)) {
        true => Ok(None),
        false => Err(format!(
            "is for another machine: it is {}, and here runs {}\n  help: build it for `{}`",
            kinds.join(" and "),
            own.join(" and "),
            SatelliteGrant::TARGET
        )),
    }
}

fn header(program: &File) -> io::Result<Vec<u8>> {
    let mut header = vec![0; HEADER];
    let read = program.read_at(&mut header, 0)?;
    header.truncate(read);
    Ok(header)
}

/// What a program is made for, as its header says: one machine, or several; none if it is no program.
fn kinds(header: &[u8]) -> Vec<String> {
    match header {
        [0x7f, b'E', b'L', b'F', ..] => elf(header).into_iter().collect(),
        // Mach-O, and then the type of processor.
        [0xcf, 0xfa, 0xed, 0xfe, processor @ ..] => {
            let processor = processor.first_chunk();
            processor.map(|processor| mach_o(u32::from_le_bytes(*processor))).into_iter().collect()
        }
        // Several of those in one file, of which the system takes the one that it needs: how many there are, and then for each, after
        // its type of processor, where it is. (Java's files begin like the first kind. Their version is more than any number of parts.)
        [0xca, 0xfe, 0xba, last @ (0xbe | 0xbf), rest @ ..] => {
            let size = if *last == 0xbe { 20 } else { 32 };
            let Some((count, parts)) = rest.split_first_chunk() else { return Vec::new() };
            let count = u32::from_be_bytes(*count);
            if count > 30 {
                return Vec::new();
            }
            let processors = parts.chunks_exact(size).take(count as usize).filter_map(|part| part.first_chunk());
            processors.map(|processor| mach_o(u32::from_be_bytes(*processor))).collect()
        }
        _ => Vec::new(),
    }
}

fn mach_o(processor: u32) -> String {
    format!("Mach-O for processors of the type {processor:#x}")
}

fn elf(header: &[u8]) -> Option<String> {
    // Class and order of bytes, and 12 bytes later, after the type, the machine.
    let [class, order] = *header.get(4..)?.first_chunk()?;
    let machine = *header.get(18..)?.first_chunk()?;
    let machine = if order == 2 { u16::from_be_bytes(machine) } else { u16::from_le_bytes(machine) };
    let bits = match class {
        1 => "32-bit",
        2 => "64-bit",
        _ => return None,
    };
    let order = if order == 2 { "big-endian" } else { "little-endian" };
    Some(format!("ELF, {bits}, {order}, for {}", machine_name(machine)))
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
