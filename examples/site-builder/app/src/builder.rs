//! From a folder of Markdown to a folder of pages.

use crate::admission::Person;
use crate::bindings::{files, page, pages};
use crate::make::{self, Step};
use crate::output::{Output, complain};
use crate::served::{Files, Pages};
use crate::site::{Site, Today};
use crate::written::{Allowance, Written};
use crate::{Build, programs, report};
use anyhow::{Context as _, Result};
use kokoro_host::{Admission, CancellationToken, EdgeKind, Limits, Primary};
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A command line that can be read and asks for what cannot be meant.
#[derive(Debug)]
pub(crate) struct Misuse(pub(crate) String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// How long one page may take. There may be many large pictures on it, of which versions are made when it is.
const MOST_TIME: Duration = Duration::from_secs(5 * 60);

/// Builds the site; `false` if something of it could not be made, which standard error then says.
pub(crate) async fn build(build: &Build) -> Result<bool> {
    let began = Instant::now();
    let output = &build.output;
    for (option, folder) in [("--planets", &build.planets), ("--input", &build.input)] {
        if !folder.is_dir() {
            return Err(Misuse(format!("{option}: `{}` is not a folder", folder.display())).into());
        }
    }
    fs::create_dir_all(output).with_context(|| format!("`{}` cannot be made", output.display()))?;
    if fs::canonicalize(&build.input)?.starts_with(fs::canonicalize(output)?) {
        return Err(Misuse(format!(
            "--output: the Markdown is in `{}`, so the pages cannot go there\n  help: name another folder, if you like one inside of --input",
            output.display()
        ))
        .into());
    }
    // Which Planets have any, the admission says.
    let mut builder = Primary::builder().allow_satellites();
    if build.ask {
        let person = Person::new(build)?;
        let mut limits = Limits::default();
        // People take their time, and a question that was given up would swallow the answer to the next.
        limits.admission = Duration::MAX;
        builder = builder.limits(limits).admit(move |planet| Admission::from(person.decide(&planet)));
    } else {
        let allowed = build.allow_satellite.clone();
        builder =
            builder.admit(move |planet| Admission::granted(programs::grants(&programs::allowed(&planet, &allowed))));
    }
    let site = Site::read(&build.input, output, build.title.clone())
        .with_context(|| format!("`{}` cannot be read", build.input.display()))?
        .keeping_dead_links();
    let today = Arc::new(Today::new(site));
    let site = today.site();

    let written = Written::open(output, None, Allowance::ALL);
    let written = Arc::new(written.with_context(|| format!("`{}` cannot be read", output.display()))?);
    let files = Files { today: Arc::clone(&today), written: Arc::clone(&written) };
    let primary = builder.serve(pages::serve(Pages { today })).serve(files::serve(files)).build()?;
    let mut said = Output::default();
    let loaded = primary.load_dir(&build.planets).await;
    let made = match loaded {
        Ok(_) => make_site(&primary, &site, output, &mut said).await,
        Err(error) => Err(error.into()),
    };
    let graph = primary.graph();
    primary.shutdown().await;

    let mut problems = site.problems().to_vec();
    match made {
        Ok(made) => {
            problems.extend(made.problems);
            said.print(format_args!(
                "{} and {} in {}, after {:.1} s\n",
                count(made.pages, "page", "pages"),
                count(made.files, "other file", "other files"),
                output.display(),
                began.elapsed().as_secs_f64()
            ));
            said.print(format_args!("{}", report::written(&written.of(), |file| size(&site, file))));
        }
        Err(error) => problems.push(format!("{error:#}")),
    }
    said.print(format_args!("\n{}", report::planets(&graph, &build.allow_satellite)));
    for name in &build.allow_satellite {
        match graph.planets.iter().find(|planet| planet.name == *name) {
            None => complain(format_args!("warning: --allow-satellite: there is no Planet (plugin) `{name}`")),
            Some(planet) if planet.imports.iter().any(|import| import.kind == EdgeKind::Satellite) => {}
            Some(_) => complain(format_args!("warning: --allow-satellite: `{name}` asks for no native program")),
        }
    }
    if build.graph {
        said.print(format_args!("\nDependency graph:\n\n{graph}"));
    }
    problems.extend(said.problem());
    for skipped in site.skipped() {
        complain(format_args!("warning: {skipped}"));
    }
    for (page, link) in site.dead_links() {
        complain(format_args!("warning: {page}: the link to `{link}` leads nowhere"));
    }
    for problem in &problems {
        complain(format_args!("error: {problem}"));
    }
    Ok(problems.is_empty())
}

async fn make_site(primary: &Primary, site: &Site, output: &Path, said: &mut Output) -> Result<make::Made> {
    let maker = primary.get::<page::Page>().context("no pages can be made")?.within(MOST_TIME);
    let mut tell = |step: &Step<'_>| said.print(format_args!("{step}\n"));
    make::make(&maker, site, output, &CancellationToken::new(), &mut tell).await
}

fn size(site: &Site, file: &str) -> u64 {
    fs::metadata(site.path(file)).map_or(0, |metadata| metadata.len())
}

pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
