//! Pictures in the sizes that browsers want. The work is done by a Satellite (native program), `image-codec`, since it needs all cores.
//! Without permission to run it, this Planet (plugin) waits, and pages show the pictures as they are.

mod name;

use codec::Format;
use name::Name;
use std::collections::HashMap;

kokoro_guest::planet! {
    state: Images,
    exports: ["site:build/images@0.1.0"],
    requires: ["site:build/files@0.1.0"],
    satellites: ["images:native/codec@0.1.0" in "image-codec"],
    wit: "../../wit",
}

/// A thumbnail, and then what fills a telephone, a column of text, and that on screens with twice as many pixels.
const WIDTHS: [u32; 4] = [240, 480, 960, 1920];
/// To be counted up when versions are made in another way, so that those of before are not taken for them.
const MAKING: &str = "site-builder images 1";
/// Where the application writes what is made.
const FOLDER: &str = "site-builder-files";
/// How many bytes, about, are sent to be worked on at once. All cores should have something to do, and memory has an end.
const BATCH: usize = 32 << 20;

/// What is known of the pictures that somebody has asked for.
#[derive(Default)]
struct Images {
    versions: HashMap<String, Vec<images::Version>>,
}

/// A picture to be worked on.
struct Original {
    path: String,
    content: Vec<u8>,
    beginning: String,
}

impl images::Guest for Images {
    fn versions(&mut self, pictures: Vec<String>) -> Result<Vec<Vec<images::Version>>, String> {
        let mut batch = Vec::new();
        for path in &pictures {
            if self.versions.contains_key(path) {
                continue;
            }
            // Of what comes to nothing there are no versions, then and later: it is said once.
            self.versions.insert(path.clone(), Vec::new());
            if !may_be_picture(path) {
                continue;
            }
            let content = match files::read(path) {
                Ok(content) => content,
                Err(reason) => {
                    kokoro_guest::log::warn!("{path}: {reason}");
                    continue;
                }
            };
            let beginning = name::beginning(path, &content, MAKING);
            if let Some(made) = name::complete(&files::made(&beginning)?, &beginning) {
                self.versions.insert(path.clone(), made.iter().map(|name| version(name, &beginning)).collect());
                continue;
            }
            batch.push(Original { path: path.clone(), content, beginning });
            if batch.iter().map(|original| original.content.len()).sum::<usize>() >= BATCH {
                self.make(std::mem::take(&mut batch))?;
            }
        }
        self.make(batch)?;
        Ok(pictures.iter().map(|path| self.versions[path].clone()).collect())
    }
}

impl Images {
    fn make(&mut self, batch: Vec<Original>) -> Result<(), String> {
        kokoro_guest::give_up_if_cancelled()?;
        let (originals, contents): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|original| ((original.path, original.beginning), original.content)).unzip();
        for ((path, beginning), result) in originals.into_iter().zip(resize(&contents)) {
            match result {
                Ok(made) => {
                    let versions = write(&path, &beginning, made)?;
                    self.versions.insert(path, versions);
                }
                Err(reason) => kokoro_guest::log::warn!("{path}: shown as it is: {reason}"),
            }
        }
        Ok(())
    }
}

/// The versions of each picture, or why there are none.
fn resize(contents: &[Vec<u8>]) -> Vec<Result<Vec<codec::Version>, String>> {
    match contents {
        [] => Vec::new(),
        several => match codec::resize(several, &WIDTHS) {
            Ok(results) => results,
            Err(reason) if several.len() == 1 => vec![Err(reason)],
            // One of them may have been too much for the program. The others need not suffer for it.
            Err(_) => several.iter().flat_map(|content| resize(std::slice::from_ref(content))).collect(),
        },
    }
}

fn write(path: &str, beginning: &str, made: Vec<codec::Version>) -> Result<Vec<images::Version>, String> {
    let of = made.len();
    let mut versions = Vec::new();
    for (at, made) in made.into_iter().enumerate() {
        let extension = match made.format {
            Format::Jpeg => "jpg",
            Format::Png => "png",
            Format::Webp => "webp",
        };
        let (width, height) = (made.width, made.height);
        let name = Name { number: at + 1, of, width, height, extension: extension.to_owned() };
        files::write(path, &name.after(beginning), &made.content)?;
        versions.push(version(&name, beginning));
    }
    Ok(versions)
}

fn version(name: &Name, beginning: &str) -> images::Version {
    images::Version { target: format!("{FOLDER}/{}", name.after(beginning)), width: name.width, height: name.height }
}

/// Whether a file's name says that it is a picture of a kind that there can be versions of.
fn may_be_picture(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| matches!(&*extension, "jpg" | "jpeg" | "png" | "webp"))
}
