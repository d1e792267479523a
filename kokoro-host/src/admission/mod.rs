//! What the application decides of each Planet (plugin) before its code is compiled: whether it may load, under which name,
//! which of its exports count and what it is granted.

mod addresses;
mod grants;
mod hosts;
mod satellites;

use std::collections::BTreeSet;
use std::fmt;
use std::future::{IntoFuture, Ready, ready};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::addresses::{Addresses, AddressesError};
pub(crate) use self::grants::{Access, Directory};
pub use self::grants::{Granted, Grants};
pub(crate) use self::hosts::{Hosts, authority_parts};
pub use self::satellites::SatelliteGrant;
use crate::interface::{InterfaceName, InterfaceNameError};
use crate::manifest::Manifest;

/// A component that would like to become a Planet (plugin): what an application is shown to decide by.
///
/// Nothing of it has been compiled or run. The file's place, the hash, imports and exports are facts; its name, its version and
/// what it asks for are claims of a stranger. The types of its interfaces are to be had from [`inspect`](crate::inspect()), given
/// [`bytes`](Candidate::bytes).
#[derive(Clone)]
pub struct Candidate {
    file: Option<PathBuf>,
    bytes: Arc<[u8]>,
    sha256: Arc<str>,
    manifest: Arc<Manifest>,
    imports: Arc<BTreeSet<InterfaceName>>,
    exports: Arc<BTreeSet<InterfaceName>>,
}

impl Candidate {
    pub(crate) fn new(
        file: Option<PathBuf>,
        bytes: Arc<[u8]>,
        sha256: &str,
        manifest: &Manifest,
        imports: impl IntoIterator<Item = InterfaceName>,
        exports: impl IntoIterator<Item = InterfaceName>,
    ) -> Self {
        Self {
            file,
            bytes,
            sha256: sha256.into(),
            manifest: Arc::new(manifest.clone()),
            imports: Arc::new(imports.into_iter().collect()),
            exports: Arc::new(exports.into_iter().collect()),
        }
    }

    /// Where it was read from; none if it came from memory.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The SHA-256 of the component, as 64 hexadecimal digits in lower case.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The component itself: these very bytes are what is compiled if it is admitted, whatever happens to the file
    /// meanwhile.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name that it gives itself; [`Admission::named`] can give it another.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// What it says of itself; among that `permissions`, what it asks to be allowed, and `app`, which is yours to interpret.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every interface that it imports, WASI's and `kokoro:core`'s included.
    pub fn imports(&self) -> &BTreeSet<InterfaceName> {
        &self.imports
    }

    /// Every interface that it exports, `kokoro:core`'s included.
    pub fn exports(&self) -> &BTreeSet<InterfaceName> {
        &self.exports
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("name", &self.name())
            .field("file", &self.file)
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

/// What the application decides of a [`Candidate`].
///
/// ```
/// use kokoro_host::{Admission, Grants, Primary};
///
/// # const KNOWN: &[&str] = &[];
/// # async fn example() -> Result<(), kokoro_host::Error> {
/// let primary = Primary::builder()
///     .admit(|plugin| match KNOWN.contains(&plugin.sha256()) {
///         true => Admission::granted(Grants::none().read("content", "/content")),
///         false => Admission::refused("it is not on the list"),
///     })
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Admission(Result<Admitted, String>);

/// An [`Admission`] that lets the Planet in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admitted {
    pub(crate) name: Option<String>,
    pub(crate) exports: Option<Result<BTreeSet<InterfaceName>, InterfaceNameError>>,
    pub(crate) grants: Grants,
}

impl Admission {
    /// Lets it in: under its own name, with all its exports, granted nothing.
    pub fn admitted() -> Self {
        Self(Ok(Admitted::default()))
    }

    /// Lets it in, and grants it what is in `grants`.
    pub fn granted(grants: Grants) -> Self {
        Self(Ok(Admitted { grants, ..Admitted::default() }))
    }

    /// Keeps it out. The reason, a sentence, is shown to whoever asks why the Planet, or one that needs it, does not run.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self(Err(reason.into()))
    }

    /// Gives the Planet this name, whatever it calls itself.
    pub fn named(self, name: impl Into<String>) -> Self {
        self.with(|admitted| admitted.name = Some(name.into()))
    }

    /// Of its exports, lets only these count, each a name (`acme:log/sink`) in whatever version or with just one
    /// (`acme:log/sink@1.2.0`). Nobody is bound to the others, and the application cannot call them either, nor functions
    /// that are in no interface. Those that it does not have make no difference.
    pub fn only_exports(self, exports: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let exports = exports.into_iter().map(|name| name.as_ref().parse()).collect();
        self.with(|admitted| admitted.exports = Some(exports))
    }

    /// Lets none of its exports count: it may run, and serves nobody.
    pub fn no_exports(self) -> Self {
        self.with(|admitted| admitted.exports = Some(Ok(BTreeSet::new())))
    }

    fn with(mut self, change: impl FnOnce(&mut Admitted)) -> Self {
        if let Ok(admitted) = &mut self.0 {
            change(admitted);
        }
        self
    }

    pub(crate) fn into_result(self) -> Result<Admitted, String> {
        self.0
    }
}

/// Everyone is let in and nothing is granted.
impl Default for Admission {
    fn default() -> Self {
        Self::admitted()
    }
}

/// A decision that needs no waiting is a decision all the same.
impl IntoFuture for Admission {
    type Output = Self;
    type IntoFuture = Ready<Self>;

    fn into_future(self) -> Self::IntoFuture {
        ready(self)
    }
}

/// Who cannot decide refuses.
impl<E: fmt::Display> From<Result<Admission, E>> for Admission {
    fn from(decision: Result<Admission, E>) -> Self {
        decision.unwrap_or_else(|error| Self::refused(format!("the application could not decide about it: {error:#}")))
    }
}

impl Admitted {
    /// Whether an export counts.
    pub(crate) fn counts(&self, export: &InterfaceName) -> bool {
        match &self.exports {
            None => true,
            Some(Ok(names)) => {
                names.contains(export) || names.iter().any(|n| n.version().is_none() && n.path() == export.path())
            }
            Some(Err(_)) => false,
        }
    }
}
