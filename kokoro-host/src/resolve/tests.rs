use std::collections::{BTreeMap, BTreeSet};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::manifest::{SatelliteReload, SatelliteRequest, SatelliteStart};

static NONE: BTreeSet<InterfaceName> = BTreeSet::new();

#[path = "../../tests/model/mod.rs"]
mod model;

mod change;

/// One Planet a line: `name: -required ?optional +provided`. Interfaces are short: `a@1.0.0` is `t:t/a@1.0.0`. An import that
/// a Satellite is asked for has its program behind it: `-a@1.0.0!codec`. If the Planet runs it is `name*`, and what is bound has the provider behind it: `-a@1.0.0=provider`.
fn manifests(text: &str) -> Vec<Manifest> {
    lines(text)
        .map(|(name, items)| {
            let list = |sign| items.iter().filter(|item| item.sign == sign).map(|item| item.name.clone()).collect();
            let mut manifest = manifest(name.trim_end_matches('*'), list('-'), list('?'), list('+'));
            manifest.satellites = items.iter().filter_map(|item| item.satellite.clone()).collect();
            manifest
        })
        .collect()
}

/// What is bound of those that run.
fn bound(text: &str) -> BTreeMap<String, BTreeMap<InterfaceName, Provider>> {
    let exports: Vec<(String, Item)> = lines(text)
        .flat_map(|(name, items)| items.into_iter().map(|item| (name.trim_end_matches('*').to_owned(), item)))
        .filter(|(_, item)| item.sign == '+')
        .collect();
    let provider = |item: &Item| {
        let planet = item.provider.clone()?;
        let mut exports = exports.iter().filter(|(name, export)| *name == planet && export.name.can_serve(&item.name));
        let export = exports.next().map_or(&item.name, |(_, export)| &export.name).clone();
        Some((item.name.clone(), Provider::Planet { name: planet, export }))
    };
    lines(text)
        .filter_map(|(name, items)| {
            Some((name.strip_suffix('*')?.to_owned(), items.iter().filter_map(provider).collect()))
        })
        .collect()
}

#[derive(Debug)]
struct Item {
    sign: char,
    name: InterfaceName,
    provider: Option<String>,
    satellite: Option<SatelliteRequest>,
}

fn lines(text: &str) -> impl Iterator<Item = (&str, Vec<Item>)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| {
        let (name, items) = line.split_once(':').expect("a name and a colon");
        let items = items.split_whitespace().map(|item| {
            let (sign, rest) = item.split_at(1);
            let (interface, provider) = rest.split_once('=').map_or((rest, None), |(i, p)| (i, Some(p.to_owned())));
            let (interface, program) = interface.split_once('!').map_or((interface, None), |(i, p)| (i, Some(p)));
            let name: InterfaceName = format!("t:t/{interface}").parse().expect("an interface");
            let satellite = program.map(|program| SatelliteRequest {
                interface: name.clone(),
                program: program.to_owned(),
                start: SatelliteStart::FirstCall,
                reload: SatelliteReload::Renew,
            });
            Item { sign: sign.chars().next().expect("a sign"), name, provider, satellite }
        });
        (name, items.collect())
    })
}

fn manifest(
    name: &str,
    requires: BTreeSet<InterfaceName>,
    optional: BTreeSet<InterfaceName>,
    provides: BTreeSet<InterfaceName>,
) -> Manifest {
    Manifest {
        name: name.to_owned(),
        version: None,
        requires,
        optional,
        provides,
        satellites: Vec::new(),
        permissions: Default::default(),
        app: Default::default(),
    }
}

fn problem(manifests: &[Manifest]) -> Problem<'_> {
    let members = manifests.iter().map(|manifest| {
        (manifest.name.as_str(), Member { manifest, provides: &manifest.provides, withheld: &NONE, bound: None })
    });
    static NOTHING_UNFIT: BTreeMap<Pair, String> = BTreeMap::new();
    static NO_PREFERENCE: BTreeMap<String, String> = BTreeMap::new();
    Problem {
        members: members.collect(),
        outsiders: BTreeMap::new(),
        host: BTreeSet::new(),
        unfit: &NOTHING_UNFIT,
        preferred: &NO_PREFERENCE,
    }
}

/// The problem of those of whom some run.
fn running<'a>(manifests: &'a [Manifest], input: &str) -> Problem<'a> {
    let mut problem = problem(manifests);
    for (name, bound) in bound(input) {
        problem.members.get_mut(name.as_str()).expect("a member").bound = Some(bound);
    }
    problem
}

/// The plan in words: who stops, who starts, who serves whom, who waits and why.
fn show(plan: &Plan) -> String {
    let mut text = format!("start {}", plan.order.join(" ")).trim_end().to_owned() + "\n";
    if !plan.stops.is_empty() {
        text = format!("stop {}\n{text}", plan.stops.join(" "));
    }
    for (consumer, bindings) in &plan.bindings {
        for (import, provider) in bindings {
            let short = import.to_string().replace("t:t/", "");
            match provider {
                Provider::Host => text += &format!("{consumer} -{short}-> the application\n"),
                Provider::Satellite(program) => text += &format!("{consumer} -{short}-> its satellite {program}\n"),
                Provider::Planet { name, export } => {
                    let version = export.version().map(|v| v.to_string()).unwrap_or_default();
                    text += &format!("{consumer} -{short}-> {name} {version}\n");
                }
            }
        }
    }
    for (name, waiting) in &plan.waiting {
        text += &format!("{name} waits: {waiting}\n");
    }
    text
}

fn check(input: &str, expected: &str) {
    let manifests = manifests(input);
    let plan = show(&resolve(&running(&manifests, input)));
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(plan.trim().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn providers_start_first_and_ties_go_by_name() {
    check(
        "z: +a@1.0.0
         b: -a@1.0.0
         c:
         a: -a@1.0.0",
        "start c z a b
         a -a@1.0.0-> z 1.0.0
         b -a@1.0.0-> z 1.0.0",
    );
}

#[test]
fn the_newest_of_the_track_serves_and_else_the_first_by_name() {
    check(
        "user: -a@1.1.0
         old: +a@1.0.0
         new-b: +a@1.2.0
         new-a: +a@1.2.0
         other: +a@2.0.0",
        "start new-a new-b old other user
         user -a@1.1.0-> new-a 1.2.0",
    );
}

#[test]
fn what_is_preferred_comes_before_what_is_newest() {
    let manifests = manifests("user: -a@1.0.0\nold: +a@1.0.0\nnew: +a@1.2.0");
    let mut problem = problem(&manifests);
    let preferred = BTreeMap::from([("t:t/a".to_owned(), "old".to_owned())]);
    problem.preferred = &preferred;
    assert!(show(&resolve(&problem)).contains("user -a@1.0.0-> old 1.0.0"));
}

#[test]
fn a_satellite_serves_its_own_planet_and_no_planet_takes_its_place() {
    check(
        "user: -a@1.0.0!codec
         rival: +a@1.5.0
         other: -a@1.0.0",
        "start rival other user
         other -a@1.0.0-> rival 1.5.0
         user -a@1.0.0-> its satellite codec",
    );
}

#[test]
fn without_its_satellite_a_planet_waits_unless_that_is_optional() {
    let manifests = manifests("user: -a@1.0.0!codec\neasy: ?a@1.0.0!codec\nrival: +a@1.0.0");
    let mut problem = problem(&manifests);
    let pair =
        |planet: &str| (planet.to_owned(), "t:t/a@1.0.0".parse().unwrap(), Provider::Satellite("codec".to_owned()));
    let reason = "the application does not grant it\n  help: ask for it";
    let unfit = BTreeMap::from([(pair("user"), reason.to_owned()), (pair("easy"), reason.to_owned())]);
    problem.unfit = &unfit;
    let plan = resolve(&problem);
    assert_eq!(plan.order, ["easy", "rival"]);
    assert_eq!(plan.bindings["easy"], BTreeMap::new());
    expect![[r#"
        needs `t:t/a@1.0.0`, which its satellite `codec` provides, but the application does not grant it
          help: ask for it"#]]
    .assert_eq(&format!("{:#}", plan.waiting["user"]));
    let text = |planet| {
        explain(&problem, &plan, planet, manifests.iter().find(|m| m.name == planet).unwrap())
            .iter()
            .map(|dependency| dependency.to_string())
            .collect::<String>()
    };
    expect![[r#"
        optional  t:t/a@1.0.0 <- nobody
          its satellite codec (1.0.0): the application does not grant it
            help: ask for it"#]]
    .assert_eq(&text("easy"));
}

#[test]
fn the_application_takes_the_place_of_a_satellite() {
    let manifests = manifests("user: -a@1.0.0!codec");
    let mut problem = problem(&manifests);
    problem.host = BTreeSet::from(["t:t/a@1.0.0".parse().unwrap()]);
    assert!(show(&resolve(&problem)).contains("user -a@1.0.0-> the application"));
}

#[test]
fn nobody_takes_the_place_of_the_application() {
    let manifests = manifests("user: -a@1.0.0\nrival: +a@1.5.0");
    let mut problem = problem(&manifests);
    problem.host = BTreeSet::from(["t:t/a@1.0.0".parse().unwrap()]);
    assert!(show(&resolve(&problem)).contains("user -a@1.0.0-> the application"));
}

#[test]
fn who_imports_what_it_exports_decorates_another() {
    check(
        "base: +a@1.0.0
         decorator: +a@1.1.0 -a@1.0.0
         user: -a@1.0.0",
        "start base decorator user
         decorator -a@1.0.0-> base 1.0.0
         user -a@1.0.0-> decorator 1.1.0",
    );
}

#[test]
fn a_cycle_is_named_by_its_path_and_the_others_run() {
    check(
        "a: +a@1.0.0 -b@1.0.0
         b: +b@1.0.0 -c@1.0.0
         c: +c@1.0.0 -a@1.0.0
         d: -a@1.0.0
         e:",
        "start e
         a waits: it waits for itself, along required imports: `a` -> `b` -> `c` -> `a`
         b waits: it waits for itself, along required imports: `b` -> `c` -> `a` -> `b`
         c waits: it waits for itself, along required imports: `c` -> `a` -> `b` -> `c`
         d waits: needs `t:t/a@1.0.0`, which `a` provides, but it waits itself",
    );
}

#[test]
fn another_provider_breaks_a_cycle_though_it_is_older() {
    check(
        "a: +a@1.1.0 -b@1.0.0
         b: +b@1.0.0 -a@1.0.0
         old: +a@1.0.0",
        "start old b a
         a -b@1.0.0-> b 1.0.0
         b -a@1.0.0-> old 1.0.0",
    );
}

#[test]
fn an_optional_edge_breaks_a_cycle() {
    check(
        "a: +a@1.0.0 -b@1.0.0
         b: +b@1.0.0 ?a@1.0.0",
        "start b a
         a -b@1.0.0-> b 1.0.0
         b -a@1.0.0-> a 1.0.0",
    );
}

#[test]
fn a_circle_of_options_elsewhere_does_not_hurry_those_who_wait_for_it() {
    check(
        "a-late: ?x@1.0.0
         x: +x@1.0.0 ?y@1.0.0
         y: +y@1.0.0 ?x@1.0.0",
        "start x a-late y
         a-late -x@1.0.0-> x 1.0.0
         x -y@1.0.0-> y 1.0.0
         y -x@1.0.0-> x 1.0.0",
    );
}

#[test]
fn optional_imports_that_nobody_serves_stop_nobody() {
    check("a: ?x@1.0.0", "start a");
}

#[test]
fn who_waits_says_what_for_and_what_is_closest() {
    check(
        "chat: -sink@1.2.0
         logger: +sink@2.0.0
         reader: -sinc@2.0.0",
        "start logger
         chat waits: needs `t:t/sink@1.2.0`, and no loaded planet provides it
         reader waits: needs `t:t/sinc@2.0.0`, and no loaded planet provides it",
    );
    let manifests = manifests("chat: -sink@1.2.0\nlogger: +sink@2.0.0");
    let plan = resolve(&problem(&manifests));
    assert_eq!(
        format!("{:#}", plan.waiting["chat"]),
        "needs `t:t/sink@1.2.0`, and no loaded planet provides it\n  \
         closest: `t:t/sink@2.0.0` from `logger`\n  \
         help: load a provider of 1.x, or declare the dependency optional"
    );
}

#[test]
fn what_is_bound_stays_when_a_better_provider_comes() {
    check(
        "user*: -a@1.0.0=old ?b@1.0.0 ?c@1.0.0=old
         old*: +a@1.0.0 +c@1.0.0
         new: +a@1.9.0 +b@1.0.0 +c@1.9.0",
        "start new
         user -a@1.0.0-> old 1.0.0
         user -b@1.0.0-> new 1.0.0
         user -c@1.0.0-> old 1.0.0",
    );
}

#[test]
fn who_lost_its_provider_gets_another() {
    check(
        "user*: -a@1.0.0 ?a@1.1.0=gone
         other*: +a@1.0.0
         closing*: +a@1.9.0 -b@1.0.0=user
         b: +b@1.0.0",
        "start b
         closing -b@1.0.0-> b 1.0.0
         user -a@1.0.0-> closing 1.9.0
         user -a@1.1.0-> closing 1.9.0",
    );
}

#[test]
fn another_provider_must_not_close_a_cycle_with_what_is_bound() {
    check(
        "user*: -a@1.0.0=gone +u@1.0.0
         other*: +a@1.0.0
         closing*: +a@1.9.0 -u@1.0.0=user",
        "start
         closing -u@1.0.0-> user 1.0.0
         user -a@1.0.0-> other 1.0.0",
    );
}

#[test]
fn who_is_yet_to_start_can_stand_in_and_starts_before_those_who_depend_on_it() {
    check(
        "user*: -a@1.0.0=gone +u@1.0.0
         early: -u@1.0.0
         spare: +a@1.0.0",
        "start spare early
         early -u@1.0.0-> user 1.0.0
         user -a@1.0.0-> spare 1.0.0",
    );
}

#[test]
fn a_new_release_keeps_whom_it_serves() {
    check(
        "user*: -a@1.0.0=reloaded ?b@1.0.0=reloaded
         reloaded: +a@1.1.0 +b@1.0.1
         newer: +a@1.2.0 +b@1.2.0",
        "start newer reloaded
         user -a@1.0.0-> reloaded 1.1.0
         user -b@1.0.0-> reloaded 1.0.1",
    );
}

#[test]
fn who_lost_what_it_requires_stops_and_so_do_those_who_require_it() {
    check(
        "top*: -b@1.0.0=b
         a*: -root@1.0.0=gone +a@1.0.0
         b*: -a@1.0.0=a +b@1.0.0
         side*: ?b@1.0.0=b",
        "stop top b a
         start
         a waits: needs `t:t/root@1.0.0`, and no loaded planet provides it
         b waits: needs `t:t/a@1.0.0`, which `a` provides, but it waits itself
         top waits: needs `t:t/b@1.0.0`, which `b` provides, but it waits itself",
    );
}

#[test]
fn who_is_served_stops_first_also_by_an_option_unless_that_is_a_circle() {
    check(
        "a*: -root@1.0.0=gone +a@1.0.0 ?z@1.0.0=z
         m*: -root@1.0.0=gone ?a@1.0.0=a
         y*: -a@1.0.0=a +y@1.0.0
         z*: -root@1.0.0=gone ?y@1.0.0=y +z@1.0.0",
        "stop m z y a
         start
         a waits: needs `t:t/root@1.0.0`, and no loaded planet provides it
         m waits: needs `t:t/root@1.0.0`, and no loaded planet provides it
         y waits: needs `t:t/a@1.0.0`, which `a` provides, but it waits itself
         z waits: needs `t:t/root@1.0.0`, and no loaded planet provides it",
    );
}

#[test]
fn those_who_can_get_another_provider_do_not_stop_with_theirs() {
    check(
        "user*: -a@1.0.0=lost
         lost*: -root@1.0.0=gone +a@1.5.0
         spare*: +a@1.0.0",
        "stop lost
         start
         user -a@1.0.0-> spare 1.0.0
         lost waits: needs `t:t/root@1.0.0`, and no loaded planet provides it",
    );
}

#[test]
fn only_who_has_to_gets_another_provider_so_that_somebody_can_run() {
    // `a` lost `root`, which only `w` provides. `w` requires `u`; so `u` has to do without `a`, and `v` has not.
    check(
        "a*: -root@1.0.0=gone +a@1.5.0
         spare*: +a@1.0.0
         u*: -a@1.0.0=a +u@1.0.0
         v*: -a@1.0.0=a
         w: -u@1.0.0 +root@1.0.0",
        "start w
         a -root@1.0.0-> w 1.0.0
         u -a@1.0.0-> spare 1.0.0
         v -a@1.0.0-> a 1.5.0
         w -u@1.0.0-> u 1.0.0",
    );
}

#[test]
fn a_cycle_hides_nothing_else() {
    check(
        "a: +a@1.0.0 -b@1.0.0 -x@1.0.0
         b: +b@1.0.0 -a@1.0.0",
        "start
         a waits: it waits for itself, along required imports: `a` -> `b` -> `a`; needs `t:t/x@1.0.0`, and no loaded planet provides it
         b waits: it waits for itself, along required imports: `b` -> `a` -> `b`",
    );
}

/// What is explained of one Planet's imports.
fn check_explained(problem: &Problem<'_>, manifests: &[Manifest], name: &str, expected: Expect) {
    let manifest = manifests.iter().find(|manifest| manifest.name == name).expect("a Planet of this name");
    let dependencies = explain(problem, &resolve(problem), name, manifest);
    let text: Vec<String> = dependencies.iter().map(|dependency| format!("{dependency}\n")).collect();
    expected.assert_eq(&text.concat().replace("t:t/", ""));
}

#[test]
fn it_is_explained_why_one_serves_and_others_do_not() {
    let input = "user*: -a@1.0.0=old ?b@1.0.0
                 old*: +a@1.0.0 +a@1.0.1
                 new: +a@1.9.0 +b@1.0.0
                 older: +a@0.9.0
                 twin: +b@1.0.0
                 late: +a@1.5.0 -x@1.0.0
                 next: +a@2.0.0";
    let manifests = manifests(input);
    check_explained(
        &running(&manifests, input),
        &manifests,
        "user",
        expect![[r#"
            requires  a@1.0.0 <- old
              new (1.9.0): it runs, but `old` was there first, and what is bound stays
              late (1.5.0): it waits itself: needs `x@1.0.0`, and no loaded planet provides it
              old (1.0.1): it serves it by another version
              old (1.0.0): it serves it
              next (2.0.0): it is not of the track 1.x, so it cannot stand in
              older (0.9.0): it is not of the track 1.x, so it cannot stand in
            optional  b@1.0.0 <- new
              new (1.0.0): it serves it
              twin (1.0.0): it runs, but `new` comes first by name
        "#]],
    );
}

#[test]
fn who_is_passed_over_is_told_the_cycle() {
    let input = "a: +a@1.1.0 -b@1.0.0
                 b: +b@1.0.0 -c@1.0.0
                 c: +c@1.0.0 -a@1.0.0
                 old: +a@1.0.0
                 older: +a@1.0.0";
    let manifests = manifests(input);
    check_explained(
        &problem(&manifests),
        &manifests,
        "c",
        expect![[r#"
            requires  a@1.0.0 <- old
              a (1.1.0): it would close the cycle `c` -> `a` -> `b` -> `c`
              old (1.0.0): it serves it
              older (1.0.0): it runs, but `old` comes first by name
        "#]],
    );
}

#[test]
fn who_waits_is_explained_import_by_import() {
    let input = "user: -sinc@1.0.0 -a@1.0.0 -b@1.0.0 -c@1.0.0 +c@1.0.0 -s@1.0.0 -w@1.0.0 ?d@1.0.0
                 lost: +a@1.0.0
                 odd: +a@1.0.1
                 back: +b@1.0.0 -c@1.0.0
                 one: +d@1.0.0
                 two: +d@1.2.0
                 log: +sink@1.0.0 +s@1.1.0
                 shy:";
    let manifests = manifests(input);
    let mut problem = problem(&manifests);
    let name = |text: &str| -> InterfaceName { format!("t:t/{text}").parse().unwrap() };
    let Member { manifest, provides, .. } = problem.members.remove("lost").unwrap();
    let reason = "it is failed: its `start` panicked".to_owned();
    problem.outsiders.insert("lost", Outsider { manifest, provides, reason });
    let pair =
        ("user".to_owned(), name("a@1.0.0"), Provider::Planet { name: "odd".to_owned(), export: name("a@1.0.1") });
    let unfit =
        BTreeMap::from([(pair, "`f` returns other things\n  help: build both against the same WIT".to_owned())]);
    problem.unfit = &unfit;
    problem.host = BTreeSet::from([name("s@1.0.0")]);
    let withheld = BTreeSet::from([name("w@1.0.0")]);
    problem.members.get_mut("shy").unwrap().withheld = &withheld;
    check_explained(
        &problem,
        &manifests,
        "user",
        expect![[r#"
            requires  a@1.0.0 <- nobody
              odd (1.0.1): `f` returns other things
                help: build both against the same WIT
              lost (1.0.0): it is failed: its `start` panicked
            requires  b@1.0.0 <- nobody
              back (1.0.0): it waits itself: it waits for itself, along required imports: `back` -> `user` -> `back`
            requires  c@1.0.0 <- nobody
              user (1.0.0): no planet is its own provider
            requires  s@1.0.0 <- the application
              the application (1.0.0): it serves it
              log (1.1.0): the application serves that interface, and no planet takes its place
            requires  sinc@1.0.0 <- nobody
              no loaded planet provides it
              closest: sink@1.0.0 from log
            requires  w@1.0.0 <- nobody
              shy (1.0.0): the application does not let that export of it count
            optional  d@1.0.0 <- nobody
              two (1.2.0): it runs, and could serve it
              one (1.0.0): it runs, but `two` is newer
        "#]],
    );
    check_explained(&problem, &manifests, "lost", expect![""]);
}

#[test]
fn who_is_preferred_is_said() {
    let input = "user: -a@1.0.0\nold: +a@1.0.0\nnew: +a@1.2.0";
    let manifests = manifests(input);
    let mut problem = problem(&manifests);
    let preferred = BTreeMap::from([("t:t/a".to_owned(), "old".to_owned())]);
    problem.preferred = &preferred;
    check_explained(
        &problem,
        &manifests,
        "user",
        expect![[r#"
            requires  a@1.0.0 <- old
              old (1.0.0): it serves it: the application prefers it
              new (1.2.0): it runs, but the application prefers `old`
        "#]],
    );
}

/// The plan for a set of which some run already, and what is explained of each Planet's imports.
fn plan(set: &model::Set, bound: &change::Bound) -> (Plan, BTreeMap<String, Vec<Dependency>>) {
    let list = |list: &[model::Interface]| list.iter().map(|i| i.full().parse().unwrap()).collect();
    let manifests: Vec<Manifest> =
        set.iter().map(|(name, p)| manifest(name, list(&p.requires), list(&p.optional), list(&p.provides))).collect();
    let mut unfit = BTreeMap::new();
    for (consumer, importing) in set {
        for import in importing.requires.iter().chain(&importing.optional) {
            for (provider, exporting) in set {
                for export in exporting.provides.iter().filter(|export| export.ty != import.ty) {
                    let provider = Provider::Planet { name: provider.clone(), export: export.full().parse().unwrap() };
                    let pair = (consumer.clone(), import.full().parse().unwrap(), provider);
                    unfit.insert(pair, "its types differ".to_owned());
                }
            }
        }
    }
    let mut problem = Problem { unfit: &unfit, ..problem(&manifests) };
    for (name, bound) in bound {
        let bound = bound.iter().map(|(import, (provider, export))| {
            let export = export.full().parse().unwrap();
            (import.full().parse().unwrap(), Provider::Planet { name: provider.clone(), export })
        });
        problem.members.get_mut(name.as_str()).unwrap().bound = Some(bound.collect());
    }
    let plan = resolve(&problem);
    let explained = manifests.iter().map(|m| (m.name.clone(), explain(&problem, &plan, &m.name, m)));
    let explained = explained.collect();
    (plan, explained)
}

fn outcome(plan: Plan) -> model::Outcome {
    let mut outcome = model::Outcome { order: plan.order, ..model::Outcome::default() };
    for (consumer, bindings) in plan.bindings {
        for (import, provider) in bindings {
            let Provider::Planet { name, .. } = provider else { continue };
            outcome.bound.insert((consumer.clone(), import.to_string()), name);
        }
        outcome.running.insert(consumer);
    }
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_satisfies_the_model(set in model::sets(7)) {
        prop_assert_eq!(model::check(&set, &outcome(plan(&set, &change::Bound::new()).0)), Ok(()));
    }

    #[test]
    fn every_plan_for_a_change_satisfies_the_model((set, bound) in change::changes(7)) {
        let (plan, _) = plan(&set, &bound);
        let stops = plan.stops.clone();
        prop_assert_eq!(change::check(&set, &bound, &outcome(plan), &stops), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn every_import_is_explained((set, bound) in change::changes(7)) {
        let (plan, explained) = plan(&set, &bound);
        for (name, planet) in &set {
            prop_assert_eq!(explained[name].len(), planet.requires.len() + planet.optional.len());
            for Dependency { interface, required, contenders, .. } in &explained[name] {
                let by = plan.bindings.get(name).and_then(|bound| bound.get(interface));
                let serving = contenders.iter().filter(|contender| contender.serves);
                let serving: Vec<Provider> = serving
                    .map(|c| Provider::Planet { name: c.planet.clone().unwrap(), export: c.interface.clone() })
                    .collect();
                prop_assert_eq!(serving.iter().collect::<Vec<_>>(), by.into_iter().collect::<Vec<_>>());
                let who_can = contenders.iter().filter(|contender| contender.reason.starts_with("it runs, and could"));
                prop_assert!(by.is_none() || who_can.count() == 0);
                // Who runs and is not taken is outdone by who is.
                if let Some(Provider::Planet { name, .. }) = by {
                    let mut outdone = contenders.iter().filter(|contender| contender.reason.starts_with("it runs"));
                    let by = format!("`{name}`");
                    prop_assert!(outdone.all(|contender| contender.reason.contains(&by)));
                }
                prop_assert!(contenders.iter().all(|contender| contender.reason != "it does not run"));
                prop_assert!(*required || contenders.iter().all(|c| !c.reason.contains("close the cycle")));
            }
        }
    }
}
