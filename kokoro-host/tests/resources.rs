//! Resources that the application owns and Planets hold.

mod support;

use std::sync::{Arc, Mutex};

use kokoro_host::{Caller, Primary, State};
use support::{guest, node, reason, wat};

kokoro_host::bindings!({
    path: "tests/guests/wit",
    interfaces: ["test:guests/keeper@0.1.0"],
    serves: ["test:guests/store@0.1.0", "test:guests/search@0.1.0"],
});

use keeper::Keeper;

/// What the application serves.
#[derive(Debug, Clone, Default)]
struct Words {
    /// The words of all cursors that there are.
    alive: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug)]
struct Cursor {
    word: String,
    rest: Mutex<Vec<char>>,
    alive: Arc<Mutex<Vec<String>>>,
}

impl Drop for Cursor {
    fn drop(&mut self) {
        let mut alive = self.alive.lock().unwrap();
        let place = alive.iter().position(|word| *word == self.word).expect("it has been alive");
        alive.remove(place);
    }
}

impl Words {
    fn cursor(&self, word: &str) -> Arc<Cursor> {
        self.alive.lock().unwrap().push(word.to_owned());
        let rest = Mutex::new(word.chars().rev().collect());
        Arc::new(Cursor { word: word.to_owned(), rest, alive: Arc::clone(&self.alive) })
    }

    fn alive(&self) -> Vec<String> {
        let mut alive = self.alive.lock().unwrap().clone();
        alive.sort();
        alive
    }
}

impl store::Host for Words {
    type Cursor = Cursor;

    async fn cursor_new(&self, _: &Caller, word: String) -> Arc<Cursor> {
        self.cursor(&word)
    }

    async fn cursor_next(&self, _: &Caller, cursor: Arc<Cursor>) -> Option<char> {
        cursor.rest.lock().unwrap().pop()
    }

    async fn cursor_same(&self, _: &Caller, cursor: Arc<Cursor>, other: Arc<Cursor>) -> bool {
        cursor.word == other.word
    }

    async fn cursor_count(&self, caller: &Caller) -> u32 {
        assert!(caller.planet() == "keeper" || caller.planet() == "second");
        self.alive.lock().unwrap().len() as u32
    }

    async fn open(&self, _: &Caller, word: String) -> Result<Arc<Cursor>, String> {
        if word.is_empty() { Err("no letters".to_owned()) } else { Ok(self.cursor(&word)) }
    }

    async fn split(&self, _: &Caller, word: Arc<Cursor>) -> Vec<(u32, Arc<Cursor>)> {
        (0..).zip(word.word.chars().map(|letter| self.cursor(&letter.to_string()))).collect()
    }

    async fn join(&self, _: &Caller, one: Arc<Cursor>, other: Option<Arc<Cursor>>) -> Arc<Cursor> {
        // Both were given away, so nobody else has them.
        assert_eq!(Arc::strong_count(&one), 1);
        let words = other.iter().map(|other| other.word.as_str());
        self.cursor(&[one.word.as_str()].into_iter().chain(words).collect::<Vec<_>>().concat())
    }
}

impl search::Host for Words {
    async fn longest(&self, _: &Caller, of: Vec<Arc<Cursor>>) -> Option<String> {
        of.iter().map(|cursor| cursor.word.clone()).max_by_key(String::len)
    }
}

/// A Primary with the guest program `keeper`, and what it serves.
async fn primary() -> (Primary, Words) {
    let words = Words::default();
    let primary =
        Primary::builder().serve(store::serve(words.clone())).serve(search::serve(words.clone())).build().unwrap();
    primary.load_bytes("keeper", guest("keeper")).await.unwrap();
    (primary, words)
}

#[tokio::test]
async fn planets_make_keep_pass_and_drop_what_the_application_owns() {
    let (primary, words) = primary().await;
    let keeper = primary.get::<Keeper>().unwrap();
    for word in ["quick", "brown", "fox", "fox"] {
        keeper.keep(word).await.unwrap().unwrap();
    }
    assert_eq!(keeper.keep("").await.unwrap().unwrap_err(), "no letters");
    assert_eq!(keeper.next().await.unwrap(), "qbff");
    assert_eq!(keeper.next().await.unwrap(), "uroo");
    assert_eq!(keeper.longest().await.unwrap().unwrap().len(), 5);
    assert_eq!(keeper.count().await.unwrap(), (1, 4));
    assert_eq!(words.alive(), ["brown", "fox", "fox", "quick"]);
    keeper.drop().await.unwrap();
    assert_eq!(words.alive(), ["brown", "fox", "quick"]);
    keeper.join().await.unwrap();
    assert_eq!(words.alive(), ["foxbrown", "quick"]);
    keeper.drop().await.unwrap();
    assert_eq!(keeper.split().await.unwrap(), 1 + 2 + 3 + 4);
    assert_eq!(words.alive(), ["c", "i", "k", "q", "u"]);
    assert_eq!(keeper.next().await.unwrap(), "quick");
    assert_eq!(keeper.next().await.unwrap(), "");
}

#[tokio::test]
async fn what_a_planet_holds_is_dropped_when_it_ends() {
    let (primary, words) = primary().await;
    let keeper = primary.get::<Keeper>().unwrap();
    keeper.keep("trap").await.unwrap().unwrap();
    assert_eq!(words.alive(), ["trap"]);
    let error = keeper.panic().await.unwrap_err();
    assert!(error.to_string().contains("with 1 cursors"), "{error}");
    assert_eq!(words.alive(), [""; 0]);

    primary.load_bytes("second", support::renamed(guest("keeper"), "keeper", "second")).await.unwrap();
    keeper.keep("shutdown").await.unwrap().unwrap();
    assert_eq!(words.alive(), ["shutdown"]);
    primary.shutdown().await;
    assert_eq!(words.alive(), [""; 0]);
}

#[tokio::test]
async fn planets_do_not_see_what_others_hold() {
    let (primary, words) = primary().await;
    primary.load_bytes("second", support::renamed(guest("keeper"), "keeper", "second")).await.unwrap();
    let [keeper, second] = primary.all::<Keeper>().try_into().unwrap();
    keeper.keep("mine").await.unwrap().unwrap();
    second.keep("yours").await.unwrap().unwrap();
    assert_eq!(keeper.next().await.unwrap(), "m");
    assert_eq!(second.next().await.unwrap(), "y");
    assert_eq!(second.count().await.unwrap(), (1, 2));
    assert_eq!(second.longest().await.unwrap().as_deref(), Some("yours"));
    keeper.panic().await.unwrap_err();
    assert_eq!(words.alive(), ["yours"]);
    assert_eq!(second.next().await.unwrap(), "o");
}

#[tokio::test]
async fn an_option_that_nobody_serves_stays_one_though_it_passes_handles() {
    let words = Words::default();
    let primary = Primary::builder().serve(search::serve(words.clone())).build().unwrap();
    primary.load_bytes("keeper", guest("keeper")).await.unwrap();
    assert!(reason(&primary, "keeper").contains("needs `test:guests/store@0.1.0`"));

    let primary = Primary::builder().serve(store::serve(words.clone())).build().unwrap();
    primary.load_bytes("keeper", guest("keeper")).await.unwrap();
    let keeper = primary.get::<Keeper>().unwrap();
    keeper.keep("word").await.unwrap().unwrap();
    assert_eq!(keeper.longest().await.unwrap(), None);
    assert_eq!(words.alive(), ["word"]);
    drop(primary);
    assert_eq!(words.alive(), [""; 0]);
}

/// Serves both interfaces like [`Words`], with another type of cursors.
struct Other;

impl store::Host for Other {
    type Cursor = ();

    async fn cursor_new(&self, _: &Caller, _: String) -> Arc<()> {
        unimplemented!()
    }

    async fn cursor_next(&self, _: &Caller, _: Arc<()>) -> Option<char> {
        unimplemented!()
    }

    async fn cursor_same(&self, _: &Caller, _: Arc<()>, _: Arc<()>) -> bool {
        unimplemented!()
    }

    async fn cursor_count(&self, _: &Caller) -> u32 {
        unimplemented!()
    }

    async fn open(&self, _: &Caller, _: String) -> Result<Arc<()>, String> {
        unimplemented!()
    }

    async fn split(&self, _: &Caller, _: Arc<()>) -> Vec<(u32, Arc<()>)> {
        unimplemented!()
    }

    async fn join(&self, _: &Caller, _: Arc<()>, _: Option<Arc<()>>) -> Arc<()> {
        unimplemented!()
    }
}

impl search::Host for Other {
    async fn longest(&self, _: &Caller, _: Vec<Arc<()>>) -> Option<String> {
        unimplemented!()
    }
}

#[tokio::test]
async fn interfaces_that_share_a_resource_are_served_with_one_type_of_it() {
    let builder = Primary::builder().serve(store::serve(Words::default())).serve(search::serve(Other));
    expect_test::expect![[r#"
        the resource `cursor` is served as `resources::Cursor` by `test:guests/store@0.1.0` and as `()` by `test:guests/search@0.1.0`, which pass it to each other
          help: serve both by one type of `cursor`"#]]
    .assert_eq(&builder.build().unwrap_err().to_string());
    Primary::builder().serve(store::serve(Other)).serve(search::serve(Other)).build().unwrap();
}

/// The interface `store` as a component in WAT imports it.
const STORE: &str = r#"(import "test:guests/store@0.1.0" (instance $store (export "cursor" (type (sub resource)))))
    (alias export $store "cursor" (type $cursor))"#;

#[tokio::test]
async fn other_methods_than_the_application_serves_are_a_mismatch() {
    let (primary, _) = primary().await;
    let imports = |items: &str| wat(&format!(r#"(component (import "test:guests/store@0.1.0" (instance {items})))"#));
    let cases = [
        (
            "previous",
            r#"(export "cursor" (type $c (sub resource)))
               (export "[method]cursor.previous" (func (param "self" (borrow $c)) (result char)))"#,
            "its types differ: it lacks the function `[method]cursor.previous`",
        ),
        (
            "next",
            r#"(export "cursor" (type $c (sub resource)))
               (export "[method]cursor.next" (func (param "self" (borrow $c)) (result char)))"#,
            "its types differ: the function `[method]cursor.next` differs: the result is `char` in the import and `option<char>` in the export",
        ),
        ("window", r#"(export "window" (type (sub resource)))"#, "its types differ: it lacks the resource `window`"),
    ];
    for (name, items, expected) in cases {
        primary.load_bytes(name, imports(items)).await.unwrap();
        assert_eq!(node(&primary, name).state, State::Waiting);
        let reason = reason(&primary, name);
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn handles_of_the_application_do_not_cross_between_planets_yet() {
    let (primary, _) = primary().await;
    let reader = wat(&format!(
        r#"(component {STORE}
            (core module $code (func (export "read") (param i32)))
            (core instance $code (instantiate $code))
            (func $read (param "it" (borrow $cursor)) (canon lift (core func $code "read")))
            (instance $out (export "read" (func $read)))
            (export "test:other/reader@1.0.0" (instance $out)))"#
    ));
    let user = wat(&format!(
        r#"(component {STORE}
            (import "test:other/reader@1.0.0" (instance
                (alias outer 1 $cursor (type $it))
                (export "cursor" (type $c (eq $it)))
                (export "read" (func (param "it" (borrow $c)))))))"#
    ));
    primary.load_bytes("reader", reader).await.unwrap();
    assert_eq!(node(&primary, "reader").state, State::Running);
    primary.load_bytes("user", user).await.unwrap();
    assert_eq!(node(&primary, "user").state, State::Waiting);
    let reason = reason(&primary, "user");
    assert!(
        reason.contains("`read` passes handles of `test:guests/store/cursor`, which the provider imports itself"),
        "{reason}"
    );
    let error = primary.function("test:other/reader", "read").unwrap().call(&[kokoro_host::dynamic::Val::U32(0)]).await;
    assert!(error.unwrap_err().is_mismatch());
    assert_eq!(node(&primary, "reader").state, State::Running);
}
