//! One test against several versions of an application.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::harness::Harness;
use crate::running::tell;

/// Runs a test of this package's own Planet (plugin) once for each of several folders with an application's WIT, relative to the
/// package. The harness that it gets has [that WIT](Harness::wit), so that fakes of what the application serves have the types of
/// that version.
///
/// ```no_run
/// use kokoro_test::{Fake, for_each_wit};
///
/// for_each_wit(["wit-1.0", "wit-1.1"], |harness| {
///     let clock = Fake::of("acme:app/clock").answers("now", || 7_u64);
///     let test = harness.application(&clock).start();
///     assert_eq!(test.call("age()"), "7");
/// });
/// ```
///
/// # Panics
///
/// If the test fails with any of them. It is run with all, and the message names those.
#[track_caller]
pub fn for_each_wit<W: Into<PathBuf>>(folders: impl IntoIterator<Item = W>, test: impl Fn(Harness)) {
    let mut failed = Vec::new();
    let mut count = 0;
    for folder in folders {
        let folder = folder.into();
        count += 1;
        let harness = Harness::built().wit(&folder);
        if catch_unwind(AssertUnwindSafe(|| test(harness))).is_err() {
            tell(&format!("the test failed with the WIT in `{}`: see above", folder.display()));
            failed.push(format!("`{}`", folder.display()));
        }
    }
    assert!(failed.is_empty(), "the test failed with the WIT in {}, of {count} versions", failed.join(" and "));
}
