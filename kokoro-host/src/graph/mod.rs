//! A snapshot of all Planets, for people and for programs.

#[cfg(feature = "pictures")]
mod layout;
#[cfg(feature = "pictures")]
mod mermaid;
#[cfg(feature = "pictures")]
mod picture;
#[cfg(feature = "pictures")]
mod svg;
#[cfg(all(test, feature = "pictures"))]
mod tests;
#[cfg(feature = "pictures")]
mod text;

use std::collections::BTreeSet;
use std::fmt;

use semver::Version;
use serde::Serialize;

use crate::admission::Granted;
use crate::interface::InterfaceName;
use crate::registry::{Entry, Registry, State};
use crate::resolve::Provider;

/// All Planets (plugins) at one moment. Its JSON form (by `serde`) is stable: fields are only ever added. For people it has a text
/// form (by `Display`) and two pictures: [Mermaid](Graph::to_mermaid) and [SVG](Graph::to_svg).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Graph {
    /// The Planets by name.
    pub planets: Vec<Node>,
    /// The names of those that run, in the order in which they were started.
    pub order: Vec<String>,
}

/// One Planet of a [`Graph`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Node {
    /// The Planet's name.
    pub name: String,
    /// Its version, if it gives one.
    pub version: Option<Version>,
    /// The name of its file, if it was loaded from one.
    pub file: Option<String>,
    /// Where it is in its life.
    pub state: State,
    /// Why it does not run, as one sentence; none if it does.
    pub reason: Option<String>,
    /// The reason with everything that helps, on several lines.
    #[serde(skip)]
    pub details: Option<String>,
    /// Its imports, except for those that every Planet is served (WASI, `kokoro:core`).
    pub imports: Vec<Edge>,
    /// The interfaces that it exports.
    pub exports: BTreeSet<InterfaceName>,
    /// The interfaces that it exports and that do not count, because the application has it so.
    pub withheld: BTreeSet<InterfaceName>,
    /// What the application grants it.
    pub granted: Granted,
    /// The component's SHA-256 as 64 hexadecimal digits; none if it could not be read.
    pub sha256: Option<String>,
}

/// One import of a Planet.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Edge {
    /// The import.
    pub interface: InterfaceName,
    /// How much the Planet needs it.
    pub kind: EdgeKind,
    /// Who serves it; none if nobody does.
    pub provider: Option<EdgeProvider>,
}

/// How much a Planet needs an import, or that the application serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EdgeKind {
    /// The Planet does not start without it.
    Required,
    /// The Planet uses it if it is there.
    Optional,
    /// A Satellite of the Planet's own is to serve it, required or not.
    Satellite,
    /// The application serves it.
    Host,
}

/// Who serves an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EdgeProvider {
    /// The Planet of this name.
    Planet(String),
    /// The Satellite of this program, of the Planet's own.
    Satellite(String),
    /// The application; the value is always `true`.
    Host(bool),
}

impl Graph {
    pub(crate) fn of(registry: &Registry) -> Self {
        let planets: Vec<Node> = registry.entries.iter().map(|(name, entry)| Node::of(name, entry)).collect();
        let mut running: Vec<_> = registry.entries.iter().filter(|(_, entry)| entry.is_running()).collect();
        running.sort_by_key(|(_, entry)| entry.started);
        Self { planets, order: running.into_iter().map(|(name, _)| name.clone()).collect() }
    }

    /// The Planet of this name.
    pub fn planet(&self, name: &str) -> Option<&Node> {
        self.planets.iter().find(|node| node.name == name)
    }

    /// The graph as a [Mermaid](https://mermaid.js.org) flowchart, for places that draw such text, as many that show Markdown do.
    ///
    /// It shows what [the SVG](Graph::to_svg) shows; a line to a provider that is not bound ends in a cross. Names and reasons are
    /// escaped: whatever strangers put into them, they stay text. The same graph gives the same text.
    ///
    /// Needs the feature `pictures`, which is on by default.
    #[cfg(feature = "pictures")]
    pub fn to_mermaid(&self) -> String {
        mermaid::draw(self)
    }

    /// The graph as a picture: a whole SVG document, which needs nothing else.
    ///
    /// Arrows lead from left to right, from a Planet to who serves its import; those of several Planets to the same interface
    /// meet. A state has its colour and its shape, and what does not run its reason. An optional import is dashed, and one that
    /// is not bound pale: a waiting Planet is bound to nobody yet, so its arrows show who could serve it, or the interface that
    /// nobody provides. The application is there if it serves anything. What has no room, such as versions, exports, grants
    /// and the rest of a reason, is shown by browsers when one points at a box or a line.
    ///
    /// It has a background of its own, light or dark as the reader prefers. Names and reasons are escaped: whatever strangers
    /// put into them, they stay text. The same graph gives the same bytes. Needs the feature `pictures`, which is on by default.
    ///
    /// ```no_run
    /// # fn show(primary: &kokoro_host::Primary) -> std::io::Result<()> {
    /// std::fs::write("planets.svg", primary.graph().to_svg())?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "pictures")]
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }
}

impl Node {
    fn of(name: &str, entry: &Entry) -> Self {
        let (state, reason) = entry.state();
        let mut node = Self {
            name: name.to_owned(),
            version: None,
            file: entry.file.as_ref().and_then(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned()),
            state,
            details: reason.as_ref().map(|reason| reason.details.clone()),
            reason: reason.map(|reason| reason.sentence),
            imports: Vec::new(),
            exports: BTreeSet::new(),
            withheld: entry.withheld.clone(),
            granted: entry.grants.summary(),
            sha256: entry.inspection.as_ref().map(|inspection| inspection.sha256.clone()),
        };
        let Some(inspection) = &entry.inspection else { return node };
        let manifest = &inspection.manifest;
        node.version = manifest.version.clone();
        node.exports = manifest.provides.clone();
        let required = manifest.requires.iter().map(|import| (import, EdgeKind::Required));
        let optional = manifest.optional.iter().map(|import| (import, EdgeKind::Optional));
        node.imports = required
            .chain(optional)
            .map(|(import, kind)| {
                let (kind, provider) = match entry.providers.get(import) {
                    _ if entry.bindings.served.contains_key(import) => (EdgeKind::Host, Some(EdgeProvider::Host(true))),
                    Some(Provider::Satellite(program)) => {
                        (EdgeKind::Satellite, Some(EdgeProvider::Satellite(program.clone())))
                    }
                    _ if manifest.satellite(import).is_some() => (EdgeKind::Satellite, None),
                    Some(Provider::Planet { name, .. }) => (kind, Some(EdgeProvider::Planet(name.clone()))),
                    _ => (kind, None),
                };
                Edge { interface: import.clone(), kind, provider }
            })
            .collect();
        node
    }
}

impl fmt::Display for Graph {
    /// For people: a Planet a paragraph, its imports below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, node) in self.planets.iter().enumerate() {
            write!(f, "{}{node}", if i == 0 { "" } else { "\n" })?;
        }
        if !self.order.is_empty() {
            write!(f, "\nstarted in this order: {}\n", self.order.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        match &self.details {
            None => writeln!(f, "  {}", self.state)?,
            Some(details) => {
                let mut lines = details.lines();
                writeln!(f, "  {}: {}", self.state, lines.next().unwrap_or_default())?;
                for line in lines {
                    writeln!(f, "    {line}")?;
                }
            }
        }
        for export in &self.exports {
            writeln!(f, "  exports   {export}")?;
        }
        for export in &self.withheld {
            writeln!(f, "  withheld  {export}")?;
        }
        if !self.granted.is_empty() {
            writeln!(f, "  granted   {}", self.granted)?;
        }
        for edge in &self.imports {
            let kind = match edge.kind {
                EdgeKind::Required => "requires ",
                EdgeKind::Optional => "optional ",
                EdgeKind::Satellite => "satellite",
                EdgeKind::Host => "imports  ",
            };
            write!(f, "  {kind} {}", edge.interface)?;
            match &edge.provider {
                Some(EdgeProvider::Planet(name)) => writeln!(f, " <- {name}")?,
                Some(EdgeProvider::Satellite(program)) => writeln!(f, " <- its satellite {program}")?,
                Some(EdgeProvider::Host(_)) => writeln!(f, " <- the application")?,
                None if self.state == State::Running => writeln!(f, " <- nobody")?,
                // Nothing is bound yet; the reason says for what it waits.
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
