//! How a test starts: everyone is found and looked at, fakes are made, a Primary is built, and all are loaded.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use kokoro_host::types::Interface;
use kokoro_host::{Admission, Engine, Grants, Inspection, InterfaceName, Manifest, Primary, SatelliteGrant};
use tokio::runtime::{self, Runtime};

use crate::component::{Component, Source};
use crate::fake::{Fake, Live};
use crate::forwarder;
use crate::harness::{Harness, Role};
use crate::log::{self, Log};
use crate::running::{Fixture, Running};
use crate::wit::{self, Folder};

impl Harness {
    /// Makes the fakes and the Primary, and loads everyone.
    pub(crate) fn begin(self) -> Result<Running, String> {
        if runtime::Handle::try_current().is_ok() {
            return Err(INSIDE.to_owned());
        }
        let mut planet = Loaded::of(&self.source)?;
        let others = self.others.iter().map(Loaded::of).collect::<Result<Vec<_>, _>>()?;
        let stands_in: Vec<&InterfaceName> =
            self.fakes.iter().filter(|(_, role)| *role == Role::Satellite).map(|(fake, _)| fake.wanted()).collect();
        planet.without_satellites(&stands_in)?;

        let mut folder = self.wit.as_deref().map(Folder::read).transpose()?;
        let mut fakes = self.fakes.clone();
        fakes.extend(
            self.rest_of_application(&planet, folder.as_ref()).into_iter().map(|fake| (fake, Role::Application)),
        );
        let mut names: BTreeSet<String> =
            others.iter().chain([&planet]).map(|planet| planet.inspection.manifest.name.clone()).collect();
        let everyone: Vec<&Loaded> = [&planet].into_iter().chain(&others).collect();
        let mut builder =
            Primary::builder().engine(engine()?).limits(self.limits.clone()).restarts(self.restarts.clone());
        let mut made = Vec::new();
        for (index, (fake, role)) in fakes.iter().enumerate() {
            if fakes[..index].iter().any(|(other, _)| other.is(fake)) {
                return Err(format!("the fake `{}` is given twice", fake.name()));
            }
            let folder = folder.as_mut().filter(|_| *role == Role::Application);
            let (name, interface) = types(fake, &everyone, folder)?;
            let planet = (*role != Role::Application).then(|| free(fake.name(), &mut names));
            let internal = |word: &str| -> InterfaceName {
                format!("{INTERNAL}{index}-{word}/{word}").parse().expect("it is the name of an interface")
            };
            let (mut served, mut component) = (name.clone(), Arc::<[u8]>::default());
            if planet.is_some() {
                let (behind, fate) = (internal("behind"), internal("fate"));
                component = forwarder::component(&name, &behind, &fate, &interface)
                    .map_err(|why| format!("`{name}` cannot be faked: {why}"))?;
                builder = builder.serve(fake.fate_service(&fate)?);
                served = behind;
            }
            builder = builder.serve(match fake.own_service() {
                Some(service) => kokoro_host::rt::renamed_service(service.clone(), &served),
                None => fake.service(&served, &interface),
            });
            let shown = planet.clone().unwrap_or_else(|| fake.name());
            made.push((fake.clone(), planet, shown, Arc::new(interface), component));
        }
        for service in &self.services {
            builder = builder.serve(service.clone());
        }
        for export in &planet.inspection.manifest.provides {
            builder = builder.prefer(export.path(), planet.inspection.manifest.name.clone());
        }
        let (main, grants) = (planet.inspection.manifest.name.clone(), self.grants_of(&planet));
        builder = builder.admit(move |candidate| match candidate.name() == main {
            true => Admission::granted(grants.clone()),
            false => Admission::admitted(),
        });
        if self.has_satellites {
            builder = builder.allow_satellites();
        }

        let log = Log::default();
        let dispatch = log.dispatch();
        let runtime = runtime(&dispatch)?;
        let primary = {
            let _inside = runtime.enter();
            builder.build().map_err(|error| error.to_string())?
        };
        let fixture = Arc::new(Fixture {
            planet: planet.inspection.manifest.name.clone(),
            inspection: planet.inspection.clone(),
            primary,
            runtime: Some(runtime),
            dispatch,
            log,
            fakes: made.iter().map(|(fake, ..)| fake.clone()).collect(),
            at_misuse: Mutex::default(),
            directories: self.directories,
        });
        let running = Running::new(Arc::clone(&fixture));
        let loaded = made.into_iter().try_for_each(|(fake, planet, shown, interface, component)| {
            fake.begin(Live {
                planet: planet.clone(),
                shown,
                interface,
                component: Arc::clone(&component),
                fixture: Arc::downgrade(&fixture),
            })?;
            match planet {
                Some(name) => running.load_component(&name, &component),
                None => Ok(()),
            }
        });
        let loaded = loaded.and_then(|()| {
            let mut components = others.iter().chain([&planet]).map(|planet| &planet.component);
            components.try_for_each(|component| running.load_component(&component.stem, &component.bytes))
        });
        match loaded {
            Ok(()) => Ok(running),
            Err(why) => {
                // That is enough to say of it.
                running.says_nothing();
                Err(why)
            }
        }
    }

    /// Of the application that the Planet is tested against, what nobody has faked.
    fn rest_of_application(&self, planet: &Loaded, folder: Option<&Folder>) -> Vec<Fake> {
        let Some(folder) = folder else { return Vec::new() };
        let offered = folder.imported();
        let imports = planet.inspection.imports.keys();
        let is_served = |import: &InterfaceName| {
            let fakes = self.fakes.iter().map(|(fake, _)| fake.wanted());
            let services = self.services.iter().map(|service| kokoro_host::rt::served(service).0);
            fakes.chain(services).any(|name| wit::serves(import, name) || wit::serves(name, import))
        };
        let rest = imports.filter(|import| offered.iter().any(|name| name.can_serve(import)) && !is_served(import));
        rest.map(|import| Fake::of(&import.to_string())).collect()
    }

    fn grants_of(&self, planet: &Loaded) -> Grants {
        let mut grants = self.grants.clone();
        if self.has_satellites {
            let programs: BTreeSet<&String> =
                planet.inspection.manifest.satellites.iter().map(|satellite| &satellite.program).collect();
            for program in programs {
                let mut grant = SatelliteGrant::program(program);
                if let Some(file) = &planet.component.file {
                    let beside = file.with_extension("satellites").join(SatelliteGrant::TARGET).join(program);
                    grant = grant.file(beside);
                }
                grants = grants.satellite(grant);
            }
        }
        grants
    }
}

/// How the interfaces between a fake's component and the test begin.
pub(crate) const INTERNAL: &str = "kokoro-test:fake";

/// What is said of everything that waits, where nobody may.
pub(crate) const INSIDE: &str = "this waits, and must not do so inside an async runtime\n  \
     help: write an ordinary `#[test]`, and await what is async in it by `test.wait(async { .. })`";

/// A component that was looked at.
struct Loaded {
    component: Component,
    inspection: Inspection,
}

impl Loaded {
    fn of(source: &Source) -> Result<Self, String> {
        let component = source.component()?;
        let inspection = kokoro_host::inspect(&component.stem, &component.bytes)
            .map_err(|error| format!("`{}` cannot be loaded: {error}", component.stem))?;
        Ok(Self { component, inspection })
    }

    /// Makes Satellites that have a stand-in ordinary dependencies.
    fn without_satellites(&mut self, stands_in: &[&InterfaceName]) -> Result<(), String> {
        if stands_in.is_empty() {
            return Ok(());
        }
        let manifest = &self.inspection.manifest;
        for fake in stands_in {
            if !manifest.satellites.iter().any(|satellite| wit::serves(&satellite.interface, fake)) {
                let there: Vec<String> =
                    manifest.satellites.iter().map(|satellite| format!("`{}`", satellite.interface)).collect();
                return Err(format!(
                    "`{}` asks for no satellite that serves `{fake}`; its satellites serve: {}",
                    manifest.name,
                    if there.is_empty() { "nothing".to_owned() } else { there.join(", ") }
                ));
            }
        }
        let json = manifest_without(manifest, stands_in);
        self.component.bytes = forwarder::with_manifest(&self.component.bytes, &json).into();
        self.inspection = kokoro_host::inspect(&self.component.stem, &self.component.bytes)
            .map_err(|error| format!("`{}` cannot be loaded: {error}", self.component.stem))?;
        Ok(())
    }
}

fn manifest_without(manifest: &Manifest, stands_in: &[&InterfaceName]) -> serde_json::Value {
    let names = |names: &BTreeSet<InterfaceName>| names.iter().map(InterfaceName::to_string).collect::<Vec<_>>();
    let satellites = manifest
        .satellites
        .iter()
        .filter(|satellite| !stands_in.iter().any(|fake| wit::serves(&satellite.interface, fake)));
    let satellites: Vec<serde_json::Value> = satellites
        .map(|satellite| {
            serde_json::json!({
                "interface": satellite.interface.to_string(),
                "program": satellite.program,
                "start": satellite.start,
                "reload": satellite.reload,
            })
        })
        .collect();
    serde_json::json!({
        "name": manifest.name,
        "version": manifest.version.as_ref().map(ToString::to_string),
        "requires": names(&manifest.requires),
        "optional": names(&manifest.optional),
        "satellites": satellites,
        "permissions": manifest.permissions,
        "app": manifest.app,
    })
}

/// The name and the types of the interface that a fake exports, or the application serves.
fn types(fake: &Fake, planets: &[&Loaded], folder: Option<&mut Folder>) -> Result<(InterfaceName, Interface), String> {
    let wanted = fake.wanted();
    if let Some(service) = fake.own_service() {
        let (name, interface) = kokoro_host::rt::served(service);
        return Ok((name.clone(), interface.clone()));
    }
    if let Some(path) = fake.wit() {
        return Folder::read(&path)?.find(wanted);
    }
    if let Some(folder) = folder {
        return folder.find(wanted);
    }
    // A fake may be newer than what the Planet was built against.
    let stands_for = |import: &&InterfaceName| wit::serves(import, wanted) || wit::serves(wanted, import);
    for planet in planets {
        if let Some((import, interface)) = planet.inspection.imports.iter().find(|(import, _)| stands_for(import)) {
            let name = if wanted.version().is_some() { wanted } else { import };
            return Ok((name.clone(), interface.clone()));
        }
    }
    for planet in planets {
        let manifest = &planet.inspection.manifest;
        let mut listed = manifest.requires.iter().chain(&manifest.optional);
        if let Some(import) = listed.find(stands_for) {
            // Compilers leave out what is not called, and with it the types.
            let whole = Folder::read(Path::new("wit")).and_then(|mut folder| folder.find(import));
            return Ok(whole.unwrap_or_else(|_| (import.clone(), Interface::default())));
        }
    }
    let imports = planets.iter().flat_map(|planet| planet.inspection.imports.keys());
    let ours = imports.filter(|import| !["wasi:", "kokoro:core/"].iter().any(|own| import.path().starts_with(own)));
    let ours: Vec<String> = ours.map(|import| format!("`{import}`")).collect();
    Err(format!(
        "`{wanted}` cannot be faked: `{}` does not import it; it imports {}\n  help: take its types from a folder: `.from_wit(\"wit\")`",
        planets.first().map_or("the planet", |planet| planet.inspection.manifest.name.as_str()),
        if ours.is_empty() { "nothing that can be faked".to_owned() } else { ours.join(", ") }
    ))
}

/// A name that no Planet of the test has yet.
fn free(wanted: String, names: &mut BTreeSet<String>) -> String {
    let mut name = wanted.clone();
    let mut number = 1;
    while !names.insert(name.clone()) {
        number += 1;
        name = format!("{wanted}-{number}");
    }
    name
}

/// One for all tests of a process, with what was compiled on disk.
fn engine() -> Result<&'static Engine, String> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    let engine = ENGINE
        .get_or_init(|| Engine::builder().cache_in_user_dir("kokoro-test").build().map_err(|error| error.to_string()));
    engine.as_ref().map_err(Clone::clone)
}

fn runtime(dispatch: &tracing::Dispatch) -> Result<Runtime, String> {
    let dispatch = dispatch.clone();
    runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("kokoro-test")
        .enable_all()
        .on_thread_start(move || log::begin(&dispatch))
        .on_thread_stop(log::end)
        .build()
        .map_err(|error| format!("the system gives no threads: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_for_a_satellite_changes_nothing_else_in_the_manifest() {
        const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
        let json = |satellites: serde_json::Value| {
            serde_json::json!({
                "name": "painter",
                "version": "1.2.3",
                "requires": ["test:painter/brush@0.1.0", "test:painter/paper@0.1.0"],
                "optional": ["test:painter/frame@0.1.0"],
                "satellites": satellites,
                "permissions": {"read": ["in"], "write": ["out"], "env": ["LANG"], "http": ["example.com"], "net": true, "midi": 1},
                "app": {"a": [1]},
            })
        };
        let manifest = |json: &serde_json::Value| {
            kokoro_host::inspect("x", &forwarder::with_manifest(COMPONENT, json)).unwrap().manifest
        };
        let kept = serde_json::json!(
            {"interface": "test:painter/frame@0.1.0", "program": "framer", "start": "planet", "reload": "keep"}
        );
        let faked = serde_json::json!({"interface": "test:painter/brush@0.1.0", "program": "brush"});
        let whole = manifest(&json(serde_json::json!([kept, faked])));
        assert_eq!(whole.satellites.len(), 2);
        let brush = "test:painter/brush".parse().unwrap();
        let without = manifest(&manifest_without(&whole, &[&brush]));
        assert_eq!(without, manifest(&json(serde_json::json!([kept]))));
        assert!(!without.permissions.is_empty());
    }
}
