//! The pages work in a browser.
//!
//! Needs Chromium and `chromedriver` on PATH. Without them, or with `KOKORO_BROWSER=skip`, the test says that it is skipped;
//! with `KOKORO_BROWSER=require` it fails.

mod common;

use common::driver::Driver;
use common::{Outcome, Site};
use fantoccini::{Client, Locator};
use serde_json::Value;
use site_builder_album::{Landscape, Light, jpeg};
use std::collections::{BTreeMap, BTreeSet};

/// Pictures are loaded when they come into sight; here they all have to, before anything is said of them.
const LOOK: &str = "
    const done = arguments[arguments.length - 1];
    const pictures = [...document.images];
    pictures.forEach(i => i.loading = 'eager');
    Promise.all(pictures.map(i => i.decode().catch(() => {}))).then(() => done({
        links: [...document.querySelectorAll('a[href]')].map(a => a.href),
        ids: [...document.querySelectorAll('[id]')].map(e => e.id),
        heading: document.querySelector('main h1, main h2, main h3')?.textContent ?? '',
        styled: getComputedStyle(document.body).margin === '0px',
        pictures: pictures.every(i => i.complete && i.naturalWidth > 0),
        loaded: pictures.map(i => i.currentSrc.split('/').pop()),
        thumbnails: pictures.filter(i => i.className === 'thumbnail').map(i => i.clientWidth),
        width: document.documentElement.scrollWidth,
        window: window.innerWidth,
        colours: [...new Set([...document.querySelectorAll('pre span')].map(e => getComputedStyle(e).color))],
    }));
";

async fn look(browser: &Client, page: &str) -> Value {
    browser.goto(page).await.unwrap();
    browser.execute_async(LOOK, Vec::new()).await.unwrap()
}

/// The picture and its thumbnails have the sizes that a window of this width needs, and the thumbnails stand side by side.
fn assert_album(found: &Value, phone: bool) {
    let widths = if phone { ["960", "480"] } else { ["960", "240"] };
    let loaded = strings(&found["loaded"]);
    let expected = [widths[0], widths[1], widths[1], widths[1]];
    // Where there are no Satellites, pictures are as they are.
    for (file, width) in loaded.iter().zip(expected).filter(|_| cfg!(unix)) {
        assert!(file.starts_with("lake-") && file.contains(&format!("-{width}x")), "{found}");
    }
    let thumbnails: Vec<_> = found["thumbnails"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let between = if phone { 150..180 } else { 200..240 };
    assert!(thumbnails.len() == 3 && thumbnails.iter().all(|width| between.contains(width)), "{found}");
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A page with a picture, and three thumbnails of it that lead to it.
fn add_album(site: &Site) {
    let light = Light {
        sky: [0.2, 0.4, 0.8],
        air: [0.8, 0.9, 1.0],
        ground: [0.2, 0.3, 0.1],
        sun: [1.0; 3],
        sun_at: [0.7, 0.2],
        clouds: 0.5,
    };
    site.add("pictures/lake.jpg", &jpeg(&Landscape { seed: 1, light }, 2000, 1200).unwrap());
    let thumbnail = "[![Lake](pictures/lake.jpg)](pictures/lake.jpg)\n".repeat(3);
    site.add("album.md", format!("# Album\n\n![Lake](pictures/lake.jpg)\n\n{thumbnail}").as_bytes());
}

#[tokio::test]
async fn every_link_leads_somewhere_and_pages_fit_a_phone_and_a_desktop() {
    let Some(driver) = Driver::start() else { return };
    let site = Site::without(&[]);
    add_album(&site);
    let outcome = Outcome::of(site.command(&site.output()).args(["--allow-satellite", "images"]));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let root = format!("file://{}/", site.output().canonicalize().unwrap().display());
    let known_dead = format!("{root}gone.md");

    for phone in [false, true] {
        let profile = tempfile::tempdir().unwrap();
        let browser = driver.browser(&profile, phone).await;
        let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut links: BTreeSet<(String, String)> = BTreeSet::new();
        let mut next = vec![format!("{root}index.html")];
        while let Some(page) = next.pop() {
            if seen.contains_key(&page) {
                continue;
            }
            let found = look(&browser, &page).await;
            assert_ne!(found["heading"], "", "{page} has no heading");
            assert_eq!(found["styled"], true, "{page} has no stylesheet");
            assert_eq!(found["pictures"], true, "{page} has a picture that does not show");
            assert!(found["width"].as_u64() <= found["window"].as_u64(), "{page} is wider than the window: {found}");
            if page.ends_with("/album.html") {
                assert_album(&found, phone);
            }
            if page.ends_with("/index.html") && !page.contains("/guide/") && !page.contains("/code/") {
                assert!(strings(&found["colours"]).len() >= 2, "{page} has no colours: {found}");
            }
            let ids = strings(&found["ids"]);
            let unique: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(ids.len(), unique.len(), "{page} has an id twice");
            seen.insert(page.clone(), unique);
            for link in
                strings(&found["links"]).into_iter().filter(|link| link.starts_with(&root) && *link != known_dead)
            {
                let (file, part) = link.split_once('#').unwrap_or((link, ""));
                let path = percent_encoding::percent_decode_str(&file["file://".len()..]).decode_utf8().unwrap();
                assert!(std::path::Path::new(&*path).is_file(), "{page} has a link to {link}, which is no file");
                if file.ends_with(".html") {
                    next.push(file.to_owned());
                    links.insert((file.to_owned(), part.to_owned()));
                }
            }
        }
        for (page, part) in links.iter().filter(|(_, part)| !part.is_empty()) {
            let part = percent_encoding::percent_decode_str(part).decode_utf8().unwrap();
            assert!(seen[page].contains(&*part), "a link leads to {page}#{part}, and that page has no such part");
        }
        let mut pages: Vec<&str> = seen.keys().map(|page| &page[root.len()..]).collect();
        pages.sort_unstable();
        assert_eq!(
            pages,
            [
                "album.html",
                "code/index.html",
                "code/more/index.html",
                "guide/index.html",
                "guide/no_heading.html",
                "guide/second-part.html",
                "index.html"
            ]
        );

        // The way through the navigation, as a reader goes it.
        look(&browser, &format!("{root}guide/index.html")).await;
        let navigation = if phone {
            browser.find(Locator::Css(".menu > summary")).await.unwrap().click().await.unwrap();
            ".menu"
        } else {
            ".pages"
        };
        let link = format!("{navigation} a[href='second-part.html']");
        let link = browser.find(Locator::Css(&link)).await.unwrap();
        assert!(link.is_displayed().await.unwrap());
        link.click().await.unwrap();
        let heading = browser.wait().for_element(Locator::Css("h2#what-comes-then")).await.unwrap();
        assert!(heading.is_displayed().await.unwrap());
        browser.close().await.unwrap();
    }
}
