//! What calls have to keep to, and whether they do.

use std::fmt::Write as _;

use kokoro_bench_measure::{Results, factor};

use crate::peak::Peak;
use crate::{FUSED, HOST, NATIVE, PLANET, RAW, VAL};

/// One way of doing a case is compared with another.
struct Bar {
    what: &'static str,
    /// The case and the way that is looked at.
    of: (&'static str, &'static str),
    /// The case and the way that it is compared with.
    with: (&'static str, &'static str),
    limit: Limit,
}

enum Limit {
    /// It may take so many times as long.
    AtMost(f64),
    /// It has to be so many times faster.
    Faster(f64),
}

const fn bar(
    what: &'static str,
    of: (&'static str, &'static str),
    with: (&'static str, &'static str),
    limit: Limit,
) -> Bar {
    Bar { what, of, with, limit }
}

const BARS: [Bar; 10] = [
    bar("Planet -> Planet, two `u32`: of a raw typed call", ("add", PLANET), ("add", RAW), Limit::AtMost(2.5)),
    bar("host -> Planet, two `u32`: of a raw typed call", ("add", HOST), ("add", RAW), Limit::AtMost(1.5)),
    bar("1 MiB of bytes: than `Val` links", ("bytes-1m", PLANET), ("bytes-1m", VAL), Limit::Faster(800.0)),
    bar("1 MiB of bytes: of one native copy", ("bytes-1m", PLANET), ("bytes-1m", NATIVE), Limit::AtMost(8.0)),
    bar("1 MiB of bytes: than fused", ("bytes-1m", PLANET), ("bytes-1m", FUSED), Limit::Faster(1.0)),
    bar("4 KiB of bytes: than `Val` links", ("bytes-4k", PLANET), ("bytes-4k", VAL), Limit::Faster(100.0)),
    bar("1 MiB of `f64`: of bytes", ("floats-1m", PLANET), ("bytes-1m", PLANET), Limit::AtMost(1.3)),
    bar("1 MiB of `u32`: of bytes", ("numbers-1m", PLANET), ("bytes-1m", PLANET), Limit::AtMost(1.3)),
    bar("1 MiB of records of two `f64`: of bytes", ("points-1m", PLANET), ("bytes-1m", PLANET), Limit::AtMost(1.3)),
    bar(
        "1,000 records with a string: than `Val` links",
        ("places-1000", PLANET),
        ("places-1000", VAL),
        Limit::Faster(2.5),
    ),
];

/// The most memory, over the Planets' own, as a multiple of a value of 64 MiB.
const PEAK: f64 = 4.0;

/// A table of all bars.
pub(crate) fn report(results: &Results, peak: &Peak) -> String {
    let mut text = "| what | bar | here | |\n|---|--:|--:|---|\n".to_owned();
    for bar in &BARS {
        let get = |(case, way)| results.get(case, way);
        let here = get(bar.of).zip(get(bar.with)).map(|(of, with)| match bar.limit {
            Limit::AtMost(limit) => (of / with, of / with <= limit),
            Limit::Faster(limit) => (with / of, with / of >= limit),
        });
        let limit = match bar.limit {
            Limit::AtMost(limit) => format!("at most {limit} x"),
            Limit::Faster(limit) => format!("at least {limit} x faster"),
        };
        line(&mut text, bar.what, &limit, here);
    }
    let limit = format!("at most {PEAK} x");
    let what = "64 MiB of bytes: memory at the peak over the Planets' own, of the value";
    line(&mut text, what, &limit, peak.as_ref().ok().map(|here| (*here, *here <= PEAK)));
    if let Err(reason) = peak {
        let _ = write!(text, "\nThe memory could not be measured: {reason}\n");
    }
    text
}

fn line(text: &mut String, what: &str, limit: &str, here: Option<(f64, bool)>) {
    let (here, verdict) = match here {
        Some((here, true)) => (format!("{} x", factor(here)), "kept"),
        Some((here, false)) => (format!("{} x", factor(here)), "**not kept**"),
        None => ("-".to_owned(), "not measured"),
    };
    // Writing into a string cannot fail.
    let _ = writeln!(text, "| {what} | {limit} | {here} | {verdict} |");
}
