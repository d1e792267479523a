//! Pictures come in the sizes that browsers want, where that is permitted; and as they are, where anything is in the way.
#![cfg(unix)]

mod common;

use common::{Outcome, Site};
use site_builder_album::{Landscape, Light, jpeg, upright_jpeg};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::SystemTime;

#[track_caller]
fn assert_contains(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "`{expected}` is missing in:\n{text}");
    }
}

fn landscape() -> Landscape {
    let light = Light {
        sky: [0.2, 0.4, 0.8],
        air: [0.8, 0.9, 1.0],
        ground: [0.2, 0.3, 0.1],
        sun: [1.0; 3],
        sun_at: [0.7, 0.2],
        clouds: 0.5,
    };
    Landscape { seed: 1, light }
}

/// A site with an album: a large picture, a small one, and one that lies on its side.
fn site() -> Site {
    // Without those who have nothing to do with pictures.
    let site = Site::without(&["backlinks", "highlight"]);
    site.add("pictures/lake.jpg", &jpeg(&landscape(), 2000, 1200).unwrap());
    site.add("pictures/small.jpg", &jpeg(&landscape(), 300, 200).unwrap());
    site.add("pictures/tall.jpg", &upright_jpeg(&landscape(), 500, 700).unwrap());
    site.add(
        "album/README.md",
        b"# Album\n\n![The <lake>](../pictures/lake.jpg \"Large\")\n![](../pictures/small.jpg) ![](../pictures/tall.jpg)\n\n\
          [![Lake](../pictures/lake.jpg)](../pictures/lake.jpg) ![dot](../pictures/dot.svg) ![far](https://example.org/a.jpg)\n",
    );
    site
}

fn allowed(site: &Site) -> Outcome {
    Outcome::of(site.command(&site.output()).args(["--allow-satellite", "images"]))
}

/// The attributes of each picture on a page.
fn pictures(page: &str) -> Vec<BTreeMap<String, String>> {
    let tags = page.split("<img ").skip(1).map(|rest| rest.split('>').next().unwrap());
    let attributes = |tag: &str| {
        let mut parts = tag.split('"');
        std::iter::from_fn(|| Some((parts.next()?.trim().strip_suffix('=')?.to_owned(), parts.next()?.to_owned())))
            .collect()
    };
    tags.map(attributes).collect()
}

/// Width and height of a JPEG file, from its frame.
fn size(jpeg: &[u8]) -> (usize, usize) {
    let frame = jpeg.windows(2).position(|two| matches!(two, [0xff, 0xc0 | 0xc2])).unwrap();
    let number = |at| usize::from(u16::from_be_bytes([jpeg[frame + at], jpeg[frame + at + 1]]));
    (number(7), number(5))
}

/// The candidates of a `srcset` on a page of the folder `album`: width, size in pixels and length in bytes.
fn candidates(site: &Site, picture: &BTreeMap<String, String>) -> Vec<(String, (usize, usize), usize)> {
    let candidate = |candidate: &str| {
        let (address, width) = candidate.split_once(' ').unwrap();
        let content = fs::read(site.output().join("album").join(address)).unwrap();
        (width.to_owned(), size(&content), content.len())
    };
    picture["srcset"].split(", ").map(candidate).collect()
}

fn made(site: &Site) -> BTreeMap<String, SystemTime> {
    let entries = fs::read_dir(site.output().join("site-builder-files")).into_iter().flatten();
    let entries = entries.map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().modified().unwrap()))
        .collect()
}

#[test]
fn with_permission_pictures_come_in_sizes() {
    let site = site();
    let outcome = allowed(&site);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stderr, "warning: README.md: the link to `gone.md` leads nowhere\n");
    assert!(!outcome.stdout.contains("images is"), "{}", outcome.stdout);
    assert_contains(&outcome.stdout, &["What Planets (plugins) made of files:", "pictures/lake.jpg ", " in 4 files"]);

    let page = site.page("album/index.html");
    let [lake, small, tall, thumbnail, dot, far] = &pictures(&page)[..] else { panic!("{page}") };
    let original = |name: &str| fs::metadata(site.input().join("pictures").join(name)).unwrap().len() as usize;
    for (picture, name, expected) in [
        (
            lake,
            "lake.jpg",
            &[("240w", (240, 144)), ("480w", (480, 288)), ("960w", (960, 576)), ("1920w", (1920, 1152))][..],
        ),
        (small, "small.jpg", &[("240w", (240, 160)), ("300w", (300, 200))]),
        (tall, "tall.jpg", &[("240w", (240, 336)), ("480w", (480, 672)), ("500w", (500, 700))]),
    ] {
        let candidates = candidates(&site, picture);
        let sizes: Vec<_> = candidates.iter().map(|(width, size, _)| (&**width, *size)).collect();
        assert_eq!(sizes, expected, "{name}");
        assert!(candidates.iter().all(|(_, _, bytes)| *bytes < original(name)), "{name}: {candidates:?}");
        let (_, (width, height), _) = candidates.last().unwrap();
        assert_eq!((&picture["width"], &picture["height"]), (&width.to_string(), &height.to_string()));
        assert!(site.output().join("album").join(&picture["src"]).is_file());
    }
    assert_eq!((&*lake["alt"], &*lake["title"]), ("The &lt;lake&gt;", "Large"));
    assert_eq!((&*thumbnail["class"], &thumbnail["srcset"]), ("thumbnail", &lake["srcset"]));
    assert!(!lake.contains_key("class") && thumbnail["sizes"] != lake["sizes"]);
    for (picture, address) in [(dot, "../pictures/dot.svg"), (far, "https://example.org/a.jpg")] {
        assert_eq!((&*picture["src"], picture.get("srcset")), (address, None));
    }
    assert_contains(&page, &["<a href=\"../pictures/lake.jpg\"><img "]);
}

#[test]
fn what_is_there_is_not_made_again_and_what_has_changed_is() {
    let site = site();
    assert_eq!(allowed(&site).code, Some(0));
    let (page, before) = (site.page("album/index.html"), made(&site));
    assert_eq!(before.len(), 4 + 2 + 3);

    let outcome = allowed(&site);
    assert_eq!((outcome.code, site.page("album/index.html") == page), (Some(0), true), "{outcome:?}");
    assert!(!outcome.stdout.contains("made of files"), "{}", outcome.stdout);
    assert!(made(&site) == before);

    // One of them is gone, and a picture is another one.
    let gone = before.keys().find(|name| name.starts_with("lake-")).unwrap();
    fs::remove_file(site.output().join("site-builder-files").join(gone)).unwrap();
    site.add("pictures/small.jpg", &jpeg(&Landscape { seed: 2, ..landscape() }, 300, 200).unwrap());
    let outcome = allowed(&site);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_contains(&outcome.stdout, &["pictures/lake.jpg ", "pictures/small.jpg "]);
    assert!(!outcome.stdout.contains("pictures/tall.jpg "), "{}", outcome.stdout);
    let after = made(&site);
    assert!(after.contains_key(gone));
    assert_eq!(after.keys().filter(|name| name.starts_with("small-")).count(), 4);
}

#[test]
fn without_permission_pictures_are_shown_as_they_are_and_the_report_says_who_refused() {
    let site = site();
    let outcome = site.build();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_as_they_are(&site);
    assert!(made(&site).is_empty());
    assert_contains(
        &outcome.stdout,
        &[
            "  images is waiting: needs `images:native/codec@0.1.0`, which its satellite `image-codec` provides, but the \
             application does not grant it\n    help: --allow-satellite images lets it run its native program\n",
            "  site:build/images@0.1.0: images, which provides it, is waiting; page went on without\n",
        ],
    );
}

#[track_caller]
fn assert_as_they_are(site: &Site) {
    let page = site.page("album/index.html");
    let pictures = pictures(&page);
    let sources: Vec<_> = pictures.iter().take(4).map(|picture| &*picture["src"]).collect();
    assert_eq!(sources, ["lake", "small", "tall", "lake"].map(|name| format!("../pictures/{name}.jpg")));
    assert!(pictures.iter().all(|picture| !picture.contains_key("srcset")), "{page}");
}

#[test]
fn a_permission_that_nobody_uses_is_nothing_and_the_person_is_told() {
    let site = site();
    let options = ["--allow-satellite", "imagse", "--allow-satellite", "page"];
    let outcome = Outcome::of(site.command(&site.output()).args(options));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_contains(
        &outcome.stderr,
        &[
            "warning: --allow-satellite: there is no Planet (plugin) `imagse`\n",
            "warning: --allow-satellite: `page` asks for no native program\n",
        ],
    );
    assert_as_they_are(&site);
}

/// A PNG file that is nothing but a header, which claims so many pixels.
fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [b"IHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let checksum = !header
        .iter()
        .fold(!0_u32, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1))));
    [b"\x89PNG\r\n\x1a\n", &13_u32.to_be_bytes()[..], &header, &checksum.to_be_bytes()].concat()
}

#[test]
fn pictures_that_are_none_are_shown_as_they_are_and_cost_nobody_else() {
    let site = site();
    let good = jpeg(&landscape(), 600, 400).unwrap();
    let bad = [
        ("cut.jpg", &good[..good.len() / 2], "the file ends before the picture does"),
        ("huge.png", &png(60_000, 60_000), "60000 x 60000 pixels are too many: 120 million are the most"),
        ("text.jpg", b"# No picture\n", "it is neither JPEG nor PNG nor WebP"),
        ("empty.webp", b"", "it is neither JPEG nor PNG nor WebP"),
    ];
    let mut text = String::from("# Bad pictures\n\n![](pictures/lake.jpg)\n");
    for (name, content, _) in bad {
        site.add(&format!("pictures/{name}"), content);
        text += &format!("![](pictures/{name})\n");
    }
    site.add("bad.md", text.as_bytes());
    let outcome = allowed(&site);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let pictures = pictures(&site.page("bad.html"));
    assert!(pictures[0]["srcset"].contains(" 1920w"), "{pictures:?}");
    for ((name, _, reason), picture) in bad.iter().zip(&pictures[1..]) {
        assert_eq!((&*picture["src"], picture.get("srcset")), (&*format!("pictures/{name}"), None));
        assert_contains(&outcome.stderr, &[&format!("pictures/{name}: shown as it is: {reason}")]);
    }
}

fn replace_codec(site: &Site, content: &[u8], mode: u32) {
    let codec = site.codec();
    fs::remove_file(&codec).unwrap();
    fs::write(&codec, content).unwrap();
    fs::set_permissions(&codec, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn whatever_the_program_does_there_are_pages_and_somebody_says_why() {
    for (content, mode, reason) in [
        (&b"#!/bin/sh\necho out of paint >&2\nexit 3\n"[..], 0o755, "out of paint"),
        (b"#!/bin/sh\nkill -KILL $$\n", 0o755, "SIGKILL"),
        (b"#!/bin/sh\nexit 3\n", 0o644, "image-codec"),
        (b"MZ\x90\0", 0o755, "image-codec"),
    ] {
        let site = site();
        replace_codec(&site, content, mode);
        let outcome = allowed(&site);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_as_they_are(&site);
        assert_contains(&format!("{}{}", outcome.stdout, outcome.stderr), &[reason]);
        assert!(made(&site).is_empty());
    }
    let site = site();
    fs::remove_dir_all(site.planets().join("images.satellites")).unwrap();
    let outcome = allowed(&site);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_as_they_are(&site);
    assert_contains(&outcome.stdout, &["images is waiting: ", "image-codec"]);
}

#[test]
fn a_file_of_the_site_is_not_overwritten() {
    let site = site();
    assert_eq!(allowed(&site).code, Some(0));
    let taken = made(&site).into_keys().find(|name| name.starts_with("lake-")).unwrap();
    fs::remove_dir_all(site.output()).unwrap();
    site.add(&Path::new("site-builder-files").join(&taken).display().to_string(), b"mine");
    let outcome = allowed(&site);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_contains(&outcome.stderr, &[&format!("`site-builder-files/{taken}` is a file of the site itself")]);
    assert_eq!(fs::read(site.output().join("site-builder-files").join(taken)).unwrap(), b"mine");
}
