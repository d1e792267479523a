//! The browser that a test looks at finished pages with.

use std::env;

use anyhow::{Context as _, Result};

use crate::process::{self, announce};

/// Names the environment variable that tells the test what to do: `skip` to leave it out, `require` to fail where
/// there is no browser. Absent, it skips itself then, and says so.
pub(crate) const VARIABLE: &str = "KOKORO_BROWSER";

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Finds or installs a browser and its driver. Where neither can be done, says so and returns false,
/// or fails if one is required.
pub(crate) fn prepare() -> Result<bool> {
    let wish = env::var(VARIABLE).unwrap_or_default();
    if wish == "skip" {
        announce(format_args!("test: the browser test is skipped, as {VARIABLE} says"));
        return Ok(false);
    }
    if find().is_ok() {
        return Ok(true);
    }
    let installed = process::apt_install(&["chromium", "chromium-driver", "fonts-liberation"]).and_then(|()| find());
    match installed {
        Ok(()) => Ok(true),
        Err(error) if wish == "require" => {
            Err(error.context(format!("there is no browser to test with, and {VARIABLE} requires one")))
        }
        Err(error) => {
            announce(format_args!(
                "test: the browser test is skipped: {error:#}
    help: install Chromium or Google Chrome, and the chromedriver that goes with it, so that both are on PATH"
            ));
            Ok(false)
        }
    }
}

fn find() -> Result<()> {
    process::find(&BROWSERS).context("no Chromium is on PATH")?;
    process::find(&["chromedriver"]).context("no `chromedriver` is on PATH")?;
    Ok(())
}
