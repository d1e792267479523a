//! Makes an album: a folder of Markdown and of pictures of the size that cameras make, for the site builder.

use anyhow::{Context as _, Result};
use clap::Parser;
use site_builder_album::{Landscape, Light, jpeg, upright_jpeg};
use std::fs;
use std::path::{Path, PathBuf};

/// Makes an album: Markdown, and pictures of the size that cameras make
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    /// The folder for the album; pictures that are there already stay as they are
    folder: PathBuf,
}

struct Picture {
    name: &'static str,
    title: &'static str,
    text: &'static str,
    width: u16,
    height: u16,
    landscape: Landscape,
}

const fn picture(
    name: &'static str,
    title: &'static str,
    text: &'static str,
    (width, height): (u16, u16),
    seed: u32,
    light: Light,
) -> Picture {
    Picture { name, title, text, width, height, landscape: Landscape { seed, light } }
}

const PICTURES: [Picture; 6] = [
    picture(
        "dawn",
        "Dawn",
        "Before the wind comes, the lake is a mirror.",
        (6000, 4000),
        11,
        Light {
            sky: [0.25, 0.33, 0.55],
            air: [0.98, 0.72, 0.58],
            ground: [0.16, 0.15, 0.22],
            sun: [1.0, 0.9, 0.74],
            sun_at: [0.3, 0.4],
            clouds: 0.45,
        },
    ),
    picture(
        "morning",
        "Morning",
        "Clouds gather over the far side.",
        (4000, 3000),
        23,
        Light {
            sky: [0.22, 0.45, 0.78],
            air: [0.78, 0.88, 0.95],
            ground: [0.18, 0.25, 0.14],
            sun: [1.0, 0.99, 0.95],
            sun_at: [0.75, 0.12],
            clouds: 0.62,
        },
    ),
    picture(
        "noon",
        "Noon",
        "The camera was held upright. The file says so, and the picture is turned accordingly.",
        (3000, 4000),
        37,
        Light {
            sky: [0.12, 0.38, 0.75],
            air: [0.7, 0.84, 0.94],
            ground: [0.22, 0.3, 0.15],
            sun: [1.0, 1.0, 0.97],
            sun_at: [0.4, 0.08],
            clouds: 0.3,
        },
    ),
    picture(
        "haze",
        "Haze",
        "Nothing is far away any more; or everything is.",
        (4000, 3000),
        41,
        Light {
            sky: [0.66, 0.7, 0.7],
            air: [0.85, 0.84, 0.78],
            ground: [0.26, 0.29, 0.25],
            sun: [0.97, 0.95, 0.86],
            sun_at: [0.6, 0.3],
            clouds: 0.2,
        },
    ),
    picture(
        "dusk",
        "Dusk",
        "The last light, on the highest ridge only.",
        (6000, 4000),
        53,
        Light {
            sky: [0.13, 0.12, 0.32],
            air: [0.9, 0.45, 0.34],
            ground: [0.09, 0.08, 0.13],
            sun: [1.0, 0.76, 0.5],
            sun_at: [0.72, 0.46],
            clouds: 0.58,
        },
    ),
    picture(
        "night",
        "Night",
        "A full moon, and an exposure of some seconds.",
        (4000, 3000),
        67,
        Light {
            sky: [0.02, 0.04, 0.1],
            air: [0.17, 0.24, 0.37],
            ground: [0.03, 0.05, 0.07],
            sun: [0.86, 0.9, 0.95],
            sun_at: [0.3, 0.17],
            clouds: 0.4,
        },
    ),
];

fn main() -> Result<()> {
    let folder = CommandLine::parse().folder;
    let mut gallery = String::from(
        "# A day at the lake\n\nSix pictures, as large as cameras make them. Each of them leads to itself, as it is; the pages on the side \
         show it in the size that fits.\n\n",
    );
    for picture in &PICTURES {
        let Picture { name, title, text, width, height, landscape } = picture;
        gallery += &format!("[![{title}](pictures/{name}.jpg)](pictures/{name}.jpg)\n");
        let page =
            format!("# {title}\n\n{text}\n\n![{title}](pictures/{name}.jpg)\n\nBack to [all pictures](README.md).\n");
        write(&folder.join(name).with_extension("md"), page.as_bytes())?;
        let file = folder.join("pictures").join(name).with_extension("jpg");
        if !file.exists() {
            let encode = if height > width { upright_jpeg } else { jpeg };
            write(&file, &encode(landscape, *width, *height)?)?;
        }
    }
    write(&folder.join("README.md"), gallery.as_bytes())
}

/// Writes a file that is there as a whole or not at all.
fn write(file: &Path, content: &[u8]) -> Result<()> {
    let partial = file.with_extension("partial");
    let write = || {
        fs::create_dir_all(file.parent().unwrap_or(file))?;
        fs::write(&partial, content)?;
        fs::rename(&partial, file)
    };
    write().with_context(|| format!("`{}` cannot be written", file.display()))
}
