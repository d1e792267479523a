//! The crates of the workspace that are published, and what each has to say of itself.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What the registry shows, and where cargo's metadata has it.
const SHOWN: [&str; 6] = ["description", "documentation", "license", "readme", "repository", "rust_version"];
/// The registry refuses more.
const MOST_KEYWORDS: usize = 5;

/// The crates that are published, those that others need first.
#[derive(Debug)]
pub(crate) struct Crates {
    /// What `cargo metadata` says of each.
    pub(crate) packages: Vec<Value>,
}

impl Crates {
    /// Those of `packages` that are published; those that could be published at the same time by name.
    pub(crate) fn in_order(packages: &[Value]) -> Result<Self> {
        let mut left: Vec<&Value> = packages.iter().filter(|package| package["publish"].is_null()).collect();
        left.sort_by_key(|package| name(package));
        let mut ordered = Vec::new();
        while !left.is_empty() {
            let waits_for = |package: &Value, other: &Value| {
                name(other) != name(package) && dependencies(package).any(|dependency| name(dependency) == name(other))
            };
            let next = left.iter().position(|package| !left.iter().any(|other| waits_for(package, other)));
            let Some(next) = next else {
                let names: Vec<_> = left.into_iter().map(name).collect();
                bail!("none of {} can be published first: they need each other", names.join(", "));
            };
            ordered.push(left.remove(next).clone());
        }
        Ok(Self { packages: ordered })
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.packages.iter().map(name).collect()
    }

    /// The features of one of them, without `default`.
    pub(crate) fn features(&self, package: &str) -> Result<impl Iterator<Item = &str>> {
        let package = self.packages.iter().find(|found| name(found) == package);
        let features = package.and_then(|package| package["features"].as_object()).context("it has no features")?;
        Ok(features.keys().map(String::as_str).filter(|feature| *feature != "default"))
    }

    /// Fails with all that is missing, of all of them.
    pub(crate) fn check(&self) -> Result<()> {
        let faults: Vec<_> = self
            .packages
            .iter()
            .flat_map(|package| {
                self.faults(package).into_iter().map(move |fault| format!("{}: {fault}", name(package)))
            })
            .collect();
        if !faults.is_empty() {
            bail!("not fit to be published\n  {}", faults.join("\n  "));
        }
        Ok(())
    }

    fn faults(&self, package: &Value) -> Vec<String> {
        let mut faults: Vec<_> = SHOWN
            .iter()
            .filter(|key| package[**key].as_str().is_none_or(|text| text.trim().is_empty()))
            .map(|key| format!("its Cargo.toml has no `{}`", key.replace('_', "-")))
            .collect();
        let count = |key: &str| package[key].as_array().map_or(0, Vec::len);
        if !(1..=MOST_KEYWORDS).contains(&count("keywords")) {
            faults.push(format!("it has {} keywords, and should have 1 to {MOST_KEYWORDS}", count("keywords")));
        }
        if count("categories") == 0 {
            faults.push("it has no categories".to_owned());
        }
        if package["metadata"]["docs"]["rs"]["targets"].as_array().is_none_or(Vec::is_empty) {
            faults.push(
                "[package.metadata.docs.rs] has no `targets`: its documentation would be built for five".to_owned(),
            );
        }
        for other in &self.packages {
            if package["version"] != other["version"] {
                faults.push(format!(
                    "its version is {}, and that of {} is {}",
                    package["version"],
                    name(other),
                    other["version"]
                ));
            }
        }
        // Exactly, since one uses what is hidden in another, which may change with any release.
        for dependency in dependencies(package).filter(|dependency| !dependency["path"].is_null()) {
            let own = self.packages.iter().find(|other| name(other) == name(dependency));
            let expected = own.and_then(|own| own["version"].as_str()).map(|version| format!("={version}"));
            match (expected, dependency["req"].as_str()) {
                (Some(expected), Some(found)) if expected == found => {}
                (Some(expected), found) => {
                    let found = found.unwrap_or_default();
                    faults.push(format!("it needs {} {found}, and not {expected}", name(dependency)));
                }
                // Of what is only for tests nothing is published.
                (None, _) if dependency["kind"] == "dev" => {}
                (None, _) => faults.push(format!("it needs {}, which is not published", name(dependency))),
            }
        }
        faults
    }
}

pub(crate) fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap_or_default()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, needs: &[&str]) -> Value {
        let needs: Vec<_> =
            needs.iter().map(|need| json!({"name": need, "req": "=1.0.0", "kind": null, "path": "/p"})).collect();
        json!({
            "name": name, "version": "1.0.0", "publish": null, "dependencies": needs, "features": {},
            "description": "d", "documentation": "d", "license": "MIT", "readme": "README.md", "repository": "r",
            "rust_version": "1.95", "keywords": ["a"], "categories": ["wasm"],
            "metadata": {"docs": {"rs": {"targets": ["x86_64-unknown-linux-gnu"]}}},
        })
    }

    #[test]
    fn who_is_needed_comes_first_and_what_is_not_published_not_at_all() {
        let mut private = package("private", &["z"]);
        private["publish"] = json!([]);
        let packages =
            [package("a", &["m", "serde"]), private, package("m", &["z"]), package("z", &[]), package("b", &[])];
        let crates = Crates::in_order(&packages).unwrap();
        assert_eq!(crates.names(), ["b", "z", "m", "a"]);
        let error = Crates::in_order(&[package("a", &["b"]), package("b", &["a"]), package("c", &[])]).unwrap_err();
        assert_eq!(error.to_string(), "none of a, b can be published first: they need each other");
    }

    #[test]
    fn everything_that_is_missing_is_told() {
        let good = package("good", &[]);
        Crates::in_order(&[good.clone(), package("other", &["good"])]).unwrap().check().unwrap();
        let mut bad = package("bad", &["good", "elsewhere"]);
        bad["readme"] = Value::Null;
        bad["keywords"] = json!([]);
        bad["metadata"] = Value::Null;
        bad["dependencies"][0]["req"] = json!("^1.0.0");
        let error = Crates::in_order(&[good, bad]).unwrap().check().unwrap_err().to_string();
        let expected = [
            "not fit to be published",
            "bad: its Cargo.toml has no `readme`",
            "bad: it has 0 keywords, and should have 1 to 5",
            "bad: [package.metadata.docs.rs] has no `targets`: its documentation would be built for five",
            "bad: it needs good ^1.0.0, and not =1.0.0",
            "bad: it needs elsewhere, which is not published",
        ];
        assert_eq!(error, expected.join("\n  "));
    }
}
