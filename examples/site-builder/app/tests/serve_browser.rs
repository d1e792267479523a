//! People decide about plugins in a browser.
//!
//! Needs Chromium and `chromedriver`, as `browser.rs` does. Pictures of the pages go to `target/screenshots`.

mod common;

use common::driver::Driver;
use common::planets;
use common::server::Server;
use fantoccini::{Client, Locator};
use std::fs;
use std::path::Path;

/// What every page has to be: as wide as the window at most.
const FITS: &str = "return document.documentElement.scrollWidth <= window.innerWidth;";

async fn shoot(browser: &Client, name: &str) {
    let fits = browser.execute(FITS, Vec::new()).await.unwrap();
    assert_eq!(fits, true, "{name} is wider than the window");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().join("target").join("screenshots");
    fs::create_dir_all(&folder).unwrap();
    // The whole page, as far as it is no larger than a large screen.
    let height = browser.execute("return document.documentElement.scrollHeight;", Vec::new()).await.unwrap();
    let height = u32::try_from(height.as_u64().unwrap()).unwrap().clamp(600, 2400) + 160;
    browser.set_window_size(1400, height).await.unwrap();
    fs::write(folder.join(format!("{name}.png")), browser.screenshot().await.unwrap()).unwrap();
    browser.set_window_size(1400, 900).await.unwrap();
}

/// What an element says. It is found and read in one go, since parts of pages are exchanged while one looks at them.
async fn text(browser: &Client, css: &str) -> String {
    browser.wait().for_element(Locator::Css(css)).await.unwrap();
    let read = "return document.querySelector(arguments[0]).innerText;";
    let text = browser.execute(read, vec![css.into()]).await.unwrap();
    text.as_str().unwrap().to_owned()
}

async fn click(browser: &Client, xpath: &str) {
    browser.wait().for_element(Locator::XPath(xpath)).await.unwrap();
    let click = "document.evaluate(arguments[0], document, null, 9, null).singleNodeValue.click();";
    browser.execute(click, vec![xpath.into()]).await.unwrap();
}

fn button(text: &str) -> String {
    format!("//button[normalize-space()='{text}']")
}

async fn upload(browser: &Client, server: &Server, component: &Path) {
    browser.goto(&format!("{}/s/garden/plugins", server.address)).await.unwrap();
    let file = browser.find(Locator::Css("input[type=file]")).await.unwrap();
    file.send_keys(component.to_str().unwrap()).await.unwrap();
    click(browser, &button("Upload")).await;
}

fn sites() -> Server {
    let server = Server::start(&["garden", "manual"]);
    server.add_text("garden", "slow.md", "# Slow\n\n```forever\n```\n\n```script\n```\n");
    server
}

#[tokio::test]
async fn a_person_decides_about_a_plugin_and_stops_it() {
    let Some(driver) = Driver::start() else { return };
    let server = sites();
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(&profile, false).await;
    browser.goto(&server.address).await.unwrap();
    assert!(text(&browser, "main").await.contains("Hello"));
    shoot(&browser, "sites").await;

    // What it asks for and which commands it has is shown before anything of it is compiled.
    upload(&browser, &server, &planets("site-builder-hostile").join("hostile.wasm")).await;
    let shown = text(&browser, "main").await;
    for expected in [
        "hostile",
        "Nothing of it has been compiled or run",
        "Never come back",
        "<b>Crash</b>",
        "send HTTP requests to every server",
    ] {
        assert!(shown.contains(expected), "`{expected}` is missing in:\n{shown}");
    }
    shoot(&browser, "permission").await;
    let page = browser.current_url().await.unwrap();
    browser.goto(&format!("{}/s/garden/commands", server.address)).await.unwrap();
    assert!(text(&browser, "main").await.contains("Never come back"));
    let run = "//h2[text()='Never come back']/..//button";
    assert!(!browser.find(Locator::XPath(run)).await.unwrap().is_enabled().await.unwrap());

    browser.goto(page.as_str()).await.unwrap();
    click(&browser, "//input[@value='write:data']").await;
    click(&browser, "//input[@value='site:content/highlight@0.1.0']").await;
    click(&browser, &button("Let it in")).await;
    let line = "//a[text()='hostile']/../..//span[contains(@class, 'badge')]";
    let badge = browser.wait().for_element(Locator::XPath(line)).await.unwrap();
    assert_eq!(badge.text().await.unwrap(), "running");
    browser.goto(page.as_str()).await.unwrap();
    let ticked = "return [...document.querySelectorAll('input:checked')].map(i => i.value).join(' ');";
    let ticked = browser.execute(ticked, Vec::new()).await.unwrap();
    assert_eq!(ticked, "write:data site:build/command@0.1.0");

    // It never comes back, and is stopped; the page follows by itself.
    browser.goto(&format!("{}/s/garden/commands", server.address)).await.unwrap();
    shoot(&browser, "commands").await;
    click(&browser, run).await;
    assert_eq!(text(&browser, ".job .badge").await, "running");
    click(&browser, &button("Cancel")).await;
    browser.wait().for_element(Locator::Css(".job .badge.cancelled")).await.unwrap();
    shoot(&browser, "cancelled").await;

    // The others have not noticed; what it tried, it was denied.
    browser.goto(&format!("{}/s/garden/commands", server.address)).await.unwrap();
    click(&browser, "//h2[text()='Read your files']/..//button").await;
    browser.wait().for_element(Locator::Css(".job .badge.done")).await.unwrap();
    let answer = text(&browser, "pre.answer").await;
    assert!(answer.contains("denied /etc/passwd") && answer.contains("wrote  data/hostile"), "{answer}");
    shoot(&browser, "denied").await;
    browser.goto(&format!("{}/s/garden/pages/guide/second-part.html", server.address)).await.unwrap();
    assert_eq!(text(&browser, "h2#what-comes-then").await, "What comes then");
    browser.close().await.unwrap();
}

#[tokio::test]
async fn the_page_why_shows_who_waits_for_whom_and_leads_to_what_can_be_done() {
    let Some(driver) = Driver::start() else { return };
    let server = sites();
    for phone in [false, true] {
        let profile = tempfile::tempdir().unwrap();
        let browser = driver.browser(&profile, phone).await;
        let why = format!("{}/s/garden/why", server.address);
        if !phone {
            browser.goto(&why).await.unwrap();
            browser.execute("window.stays = true;", Vec::new()).await.unwrap();
            // Meanwhile somebody else refuses what all others need.
            let client = server.client();
            let shelf = client.page("/s/garden/plugins").await;
            let markdown = shelf.split("\">markdown</a>").next().unwrap().rsplit("href=\"").next().unwrap();
            client.done(&format!("{markdown}/refuse"), "").await;
        } else {
            browser.goto(&why).await.unwrap();
        }
        let look = "//article[contains(@class, 'reason')]//strong[text()='markdown']";
        browser.wait().for_element(Locator::XPath(look)).await.unwrap();
        let waits = "//article[contains(@class, 'reason')]//strong[text()='page']";
        browser.wait().for_element(Locator::XPath(waits)).await.unwrap();
        let shown = text(&browser, "main").await;
        for expected in ["you did not want it", "site:content/markdown@0.1.0", "Look at markdown", "Think again"] {
            assert!(shown.contains(expected), "`{expected}` is missing in:\n{shown}");
        }
        assert!(browser.find(Locator::Css("figure.graph svg")).await.unwrap().is_displayed().await.unwrap());
        if !phone {
            let stays = browser.execute("return window.stays === true;", Vec::new()).await.unwrap();
            assert_eq!(stays, true, "the page followed without being loaded again");
        }
        shoot(&browser, if phone { "why-phone" } else { "why" }).await;
        browser.close().await.unwrap();
    }

    // The way out, as the page shows it.
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(&profile, false).await;
    browser.goto(&format!("{}/s/garden/why", server.address)).await.unwrap();
    click(&browser, "//a[text()='Think again']").await;
    click(&browser, &button("Let it in")).await;
    browser.wait().for_element(Locator::XPath("//h1[text()='Plugins']")).await.unwrap();
    browser.goto(&format!("{}/s/garden/", server.address)).await.unwrap();
    browser.wait().for_element(Locator::Css("iframe.preview")).await.unwrap();
    shoot(&browser, "overview").await;
    browser.goto(&format!("{}/s/garden/plugins", server.address)).await.unwrap();
    shoot(&browser, "plugins").await;
    browser.close().await.unwrap();
}

#[tokio::test]
async fn what_a_plugin_writes_into_a_page_runs_no_script_and_has_its_style() {
    let Some(driver) = Driver::start() else { return };
    let server = sites();
    let client = server.client();
    let shelf = client.page("/s/garden/plugins").await;
    let highlight = shelf.split("\">highlight</a>").next().unwrap().rsplit("href=\"").next().unwrap();
    client.done(&format!("{highlight}/refuse"), "").await;
    let hostile = fs::read(planets("site-builder-hostile").join("hostile.wasm")).unwrap();
    let page = client.uploaded("garden", "hostile.wasm", &hostile).await;
    client.done(&format!("{page}/admit"), "export=site:content/highlight@0.1.0").await;
    server.add_text("garden", "script.md", "# Script\n\n```script\n```\n");
    client.done("/s/garden/read-again", "").await;
    assert!(client.page("/s/garden/pages/script.html").await.contains("<script>document.title"));

    let profile = tempfile::tempdir().unwrap();
    let browser = driver.browser(&profile, false).await;
    browser.goto(&format!("{}/s/garden/pages/script.html", server.address)).await.unwrap();
    let look = "return [document.title, getComputedStyle(document.body).margin, self.origin].join(' | ');";
    let found = browser.execute(look, Vec::new()).await.unwrap();
    assert!(found.as_str().unwrap().starts_with("Script"), "{found}");
    assert!(found.as_str().unwrap().ends_with("| 0px | null"), "{found}");
    browser.close().await.unwrap();
}
