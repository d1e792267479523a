//! What the application grants a Planet of native programs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(feature = "satellites")]
use kokoro_satellite::protocol::TOKEN_VARIABLE;

use crate::manifest::is_program_name;

/// A Satellite (a native child process) that a Planet (plugin) may own: which program, and how it runs.
///
/// It is not sandboxed: what it may do is what the user may do under whom the application runs. What is said here is how it is
/// started, and a few limits that the system holds.
///
/// ```
/// use kokoro_host::{Grants, SatelliteGrant};
///
/// let codec = SatelliteGrant::program("image-codec")
///     .sha256("x86_64-unknown-linux-gnu", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
///     .env("LANG", "C")
///     .address_space(2 << 30);
/// let grants = Grants::none().satellite(codec);
/// assert_eq!(grants.summary().to_string(), "satellite image-codec");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct SatelliteGrant {
    pub(crate) program: String,
    pub(crate) file: Option<PathBuf>,
    pub(crate) sha256: BTreeMap<String, String>,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) directory: PathBuf,
    pub(crate) limits: SatelliteLimits,
    /// What is wrong with the grant itself.
    pub(crate) problems: Vec<String>,
}

/// What the system lets a Satellite use up; none is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SatelliteLimits {
    pub(crate) address_space: Option<u64>,
    pub(crate) cpu_time: Option<Duration>,
    pub(crate) open_files: Option<u64>,
}

impl SatelliteGrant {
    /// The program of this name, which the Planet asks for; without arguments and with an empty environment. Its working directory is
    /// the root.
    pub fn program(program: impl Into<String>) -> Self {
        let program = program.into();
        let problems = match is_program_name(&program) {
            true => Vec::new(),
            false => vec![format!(
                "{program:?} cannot be a program's name: that has 1 to 64 letters, digits, dashes, dots and underscores, and does not \
                 begin with a dot\n  help: `SatelliteGrant::file` says where a program is"
            )],
        };
        Self {
            program,
            file: None,
            sha256: BTreeMap::new(),
            args: Vec::new(),
            env: BTreeMap::new(),
            directory: PathBuf::from("/"),
            limits: SatelliteLimits::default(),
            problems,
        }
    }

    /// Takes the program from this file. Default: `PLANET.satellites/TARGET/PROGRAM` beside the component, where `TARGET` is
    /// [`SatelliteGrant::TARGET`].
    pub fn file(mut self, file: impl AsRef<Path>) -> Self {
        self.file = Some(file.as_ref().to_owned());
        self
    }

    /// Runs it on machines of this target only if the program has this SHA-256: 64 hexadecimal digits. Once any is given, targets without one
    /// are refused. It is compared before every start, with the very bytes that run.
    pub fn sha256(mut self, target: impl Into<String>, sha256: impl Into<String>) -> Self {
        let (target, sha256) = (target.into(), sha256.into().to_ascii_lowercase());
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.problems.push(format!("{sha256:?} is no SHA-256: that has 64 hexadecimal digits"));
        }
        self.sha256.insert(target, sha256);
        self
    }

    /// Passes arguments to it, after the name of the program. Each call adds to what is there.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        if self.args.iter().any(|arg| arg.contains('\0')) {
            self.problems.push(format!("an argument of `{}` has a zero byte", self.program));
        }
        self
    }

    /// Sets an environment variable for it. It sees no other, but for one that Kokoro needs.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            self.problems.push(format!("{name:?} cannot be an environment variable with that value"));
        }
        #[cfg(feature = "satellites")]
        if name == TOKEN_VARIABLE {
            self.problems.push(format!("the environment variable `{TOKEN_VARIABLE}` is set by Kokoro itself"));
        }
        self.env.insert(name, value);
        self
    }

    /// Sets its working directory. Default: the root, `/`.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Bounds its address space, in bytes; allocations beyond it fail. Large arguments and results are
    /// mapped into it: leave room for twice the largest of each.
    pub fn address_space(mut self, bytes: u64) -> Self {
        self.limits.address_space = Some(bytes);
        self
    }

    /// Bounds the processor time that it may use up from its start to its end, over all its threads; it is ended when that is over. In
    /// whole seconds, rounded up.
    pub fn cpu_time(mut self, time: Duration) -> Self {
        self.limits.cpu_time = Some(time);
        self
    }

    /// Bounds how many files it may have open, the seven that it starts with included.
    pub fn open_files(mut self, files: u64) -> Self {
        self.limits.open_files = Some(files);
        self
    }

    /// The target of this build, as in the names of folders with programs: `x86_64-unknown-linux-gnu`.
    pub const TARGET: &'static str = env!("KOKORO_TARGET");
}

/// The values of variables and arguments can be secrets.
impl fmt::Debug for SatelliteGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SatelliteGrant")
            .field("program", &self.program)
            .field("file", &self.file)
            .field("sha256", &self.sha256)
            .field("args", &self.args.len())
            .field("env", &self.env.keys())
            .field("directory", &self.directory)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_granted_is_a_problem_and_not_dropped() {
        let problem = |grant: SatelliteGrant| grant.problems.first().cloned().unwrap_or_default();
        assert_eq!(problem(SatelliteGrant::program("image-codec").env("LANG", "C")), "");
        let token = SatelliteGrant::program("image-codec").env("KOKORO_SATELLITE", "x");
        assert_eq!(problem(token), "the environment variable `KOKORO_SATELLITE` is set by Kokoro itself");
        for name in ["", "../codec", "bin/codec", ".codec", "a\nb"] {
            let problem = problem(SatelliteGrant::program(name));
            assert!(problem.starts_with(&format!("{name:?} cannot be a program's name: ")), "{problem}");
        }
    }
}
