//! Resources that a Planet (plugin) exports and the application holds.

mod support;

use std::time::Duration;

use kokoro_host::rt::kokoro_value::{from_bytes, to_bytes};
use kokoro_host::{CancellationToken, Error, Lent, Primary, Restarts, State};
use support::{guest, node};

kokoro_host::bindings!({
    path: "tests/guests/wit",
    interfaces: [
        "test:guests/shelf@0.1.0",
        "test:guests/copies@0.1.0",
        "test:guests/reader@0.1.0",
        "test:guests/shapes@0.1.0",
    ],
});

use copies::Copies;
use reader::Reader;
use shapes::{Colour, Everything, Point, Rights, Shape};
use shelf::{Book, Loan, Offering, Shelf};

async fn library() -> (Primary, Shelf) {
    let mut restarts = Restarts::default();
    restarts.pause = Duration::ZERO;
    let primary = Primary::builder().restarts(restarts).build().unwrap();
    primary.load_bytes("shelf", guest("shelf")).await.unwrap();
    let shelf = primary.get::<Shelf>().unwrap();
    (primary, shelf)
}

fn lent(books: &[Book]) -> Vec<Lent<Book>> {
    books.iter().map(Lent::from).collect()
}

fn is_stale<T: std::fmt::Debug>(answer: Result<T, Error>) -> bool {
    let error = answer.unwrap_err();
    assert!(error.is_stale());
    error.to_string().contains("it is passed a handle of an instance of planet `shelf` that has ended")
}

#[tokio::test]
async fn constructors_methods_and_statics_reach_the_owner() {
    let (_primary, shelf) = library().await;
    let (emma, dune) = (shelf.book_new("Emma").await.unwrap(), shelf.book_new("Dune").await.unwrap());
    assert_eq!(emma.title().await.unwrap(), "Emma");
    assert_eq!(emma.turn().await.unwrap(), Ok(1));
    assert_eq!(emma.turn().await.unwrap(), Ok(2));
    assert_eq!(dune.turn().await.unwrap(), Ok(1));
    assert_eq!(shelf.book_count().await.unwrap(), 2);
    assert_eq!(emma.same(&dune).await.unwrap(), Ok(false));
    assert_eq!(emma.same(&shelf.book_new("Emma").await.unwrap()).await.unwrap(), Ok(true));
    assert_eq!(emma.planet(), "shelf");
    // The same resource, and another one.
    assert_eq!(emma, emma.clone());
    assert_eq!(emma, emma.within(Duration::from_secs(5)));
    assert_ne!(emma, dune);
}

#[tokio::test]
async fn handles_cross_in_records_variants_and_lists() {
    let (primary, shelf) = library().await;
    assert_eq!(shelf.lend("").await.unwrap(), Err("it has no title".to_owned()));
    let Loan { book: emma, days } = shelf.lend("Emma").await.unwrap().unwrap();
    assert_eq!((emma.title().await.unwrap(), days), ("Emma".to_owned(), 14));
    assert_eq!(shelf.offer(&[]).await.unwrap(), Offering::Nothing);
    let Offering::One(dune) = shelf.offer(&["Dune".to_owned()]).await.unwrap() else { panic!("one is offered") };
    assert_eq!(dune.title().await.unwrap(), "Dune");
    let titles: Vec<String> = (0..100).map(|number| format!("volume {number}")).collect();
    let Offering::Many(loans) = shelf.offer(&titles).await.unwrap() else { panic!("many are offered") };
    let books: Vec<Book> = loans.into_iter().map(|loan| loan.book).collect();
    for (book, title) in books.iter().zip(&titles) {
        assert_eq!(book.title().await.unwrap(), *title);
    }
    books[7].turn().await.unwrap().unwrap();
    let pages: Vec<u32> = (0..100).map(|number| u32::from(number == 7)).collect();
    assert_eq!(shelf.pages(&lent(&books)).await.unwrap(), Ok(pages));
    // Of another interface, that takes the resource of the first.
    let copies = primary.get::<Copies>().unwrap();
    let copy = copies.copy(&books[7]).await.unwrap().unwrap();
    assert_eq!(copy.book.title().await.unwrap(), titles[7]);
    assert_eq!(shelf.book_count().await.unwrap(), 103);
}

#[tokio::test]
async fn the_last_clone_that_is_dropped_releases_the_resource_at_its_owner() {
    let (_primary, shelf) = library().await;
    let emma = shelf.book_new("Emma").await.unwrap();
    let dune = shelf.book_new("Dune").await.unwrap();
    let clone = emma.clone();
    drop(emma);
    assert_eq!(shelf.book_count().await.unwrap(), 2);
    drop(clone);
    assert_eq!(shelf.book_count().await.unwrap(), 1);
    drop(dune);
    assert_eq!(shelf.book_count().await.unwrap(), 0);
    // Those of an answer that nobody looks at.
    drop(shelf.offer(&["Emma".to_owned(), "Dune".to_owned()]).await.unwrap());
    assert_eq!(shelf.book_count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_given_back_is_not_there_for_clones_either() {
    let (_primary, shelf) = library().await;
    let loan = shelf.lend("Emma").await.unwrap().unwrap();
    let clone = loan.clone();
    loan.book.turn().await.unwrap().unwrap();
    assert_eq!(shelf.take(loan).await.unwrap(), Ok(1));
    assert_eq!(shelf.book_count().await.unwrap(), 0);
    let error = clone.book.turn().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`test:guests/shelf@0.1.0.[method]book.turn` was not called: it is passed a handle that has been given back to planet \
         `shelf` before"
    );
    assert!(shelf.take(clone).await.unwrap_err().to_string().contains("given back to planet `shelf` before"));
    // Who was called has lost nothing by it.
    let emma = shelf.book_new("Emma").await.unwrap();
    assert!(shelf.pages(&[Lent::from(&emma)]).await.unwrap().is_ok());
    assert_eq!(emma.turn().await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_handle_of_an_instance_that_has_ended_is_an_error_and_never_another_object() {
    let (primary, shelf) = library().await;
    for change in ["restart", "reload", "crash"] {
        let emma = shelf.book_new("Emma").await.unwrap();
        match change {
            "restart" => drop(primary.restart("shelf").await.unwrap()),
            "reload" => drop(primary.reload("shelf").bytes(guest("shelf")).await.unwrap()),
            _ => assert!(shelf.crash().await.unwrap_err().is_crash()),
        }
        // In the new instance, it has the place that the old one had in the old instance.
        let dune = shelf.book_new("Dune").await.unwrap();
        assert!(is_stale(emma.turn().await), "{change}");
        assert!(is_stale(dune.same(&emma).await), "{change}");
        assert!(is_stale(shelf.pages(&lent(&[dune.clone(), emma.clone()])).await), "{change}");
        assert!(is_stale(shelf.take(Loan { book: emma, days: 0 }).await), "{change}");
        assert_eq!(dune.turn().await.unwrap(), Ok(1), "{change}");
        drop(dune);
        assert_eq!(shelf.book_count().await.unwrap(), 0, "{change}");
    }
    let emma = shelf.book_new("Emma").await.unwrap();
    primary.unload("shelf").await.unwrap();
    assert!(emma.turn().await.unwrap_err().is_unavailable());
    // Another Planet of the same name is another Planet.
    primary.load_bytes("shelf", guest("shelf")).await.unwrap();
    assert!(emma.turn().await.unwrap_err().is_unavailable());
    assert_eq!(shelf.book_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_handle_goes_to_its_owner_and_to_nobody_else() {
    let (primary, shelf) = library().await;
    let emma = shelf.book_new("Emma").await.unwrap();
    let other = support::renamed(guest("shelf"), "shelf", "other");
    primary.load_bytes("other", other).await.unwrap();
    primary.prefer("test:guests/shelf@0.1.0", Some("other")).await.unwrap();
    assert_eq!(shelf.planet().as_deref(), Some("other"));
    let dune = shelf.book_new("Dune").await.unwrap();
    assert_eq!(emma.turn().await.unwrap(), Ok(1));
    assert_eq!((emma.planet(), dune.planet()), ("shelf".to_owned(), "other".to_owned()));
    let mixed = "it is passed a handle of planet `shelf`, and planet `other` is called";
    let error = shelf.pages(&lent(&[dune.clone(), emma.clone()])).await.unwrap_err();
    assert!(error.to_string().contains(mixed), "{error}");
    let error = dune.same(&emma).await.unwrap_err();
    assert!(error.to_string().contains(mixed), "{error}");
    // Nothing has happened to either.
    assert_eq!(shelf.pages(&[Lent::from(dune)]).await.unwrap(), Ok(vec![0]));
    // A Planet of the same name, of another Primary.
    let (_elsewhere, elsewhere) = library().await;
    let error = elsewhere.take(Loan { book: emma.clone(), days: 1 }).await.unwrap_err();
    assert!(error.to_string().contains("a handle of planet `shelf`, and planet `shelf` is called"), "{error}");
    assert_eq!(emma.turn().await.unwrap(), Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_handle() {
    let (_primary, shelf) = library().await;
    let emma = shelf.book_new("Emma").await.unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (emma, shelf) = (emma.clone(), shelf.clone());
            tokio::spawn(async move {
                let own = shelf.book_new("Dune").await.unwrap();
                own.turn().await.unwrap().unwrap();
                emma.turn().await.unwrap().unwrap()
            })
        })
        .collect();
    let mut pages = Vec::new();
    for task in tasks {
        pages.push(task.await.unwrap());
    }
    pages.sort_unstable();
    assert_eq!(pages, (1..=50).collect::<Vec<u32>>());
    drop(emma);
    assert_eq!(shelf.book_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_destructor_that_panics_costs_its_own_instance_and_nobody_else() {
    let (primary, shelf) = library().await;
    primary.load_bytes("reader", guest("reader")).await.unwrap();
    let reader = primary.get::<Reader>().unwrap();
    reader.make("Emma").await.unwrap();
    drop(shelf.book_new("cursed").await.unwrap());
    // The next call meets the next instance.
    assert_eq!(shelf.book_count().await.unwrap(), 0);
    let dune = shelf.book_new("Dune").await.unwrap();
    assert_eq!(dune.turn().await.unwrap(), Ok(1));
    assert!(reader.turn().await.unwrap()[0].is_err());
    for planet in ["shelf", "reader"] {
        assert_eq!(node(&primary, planet).state, State::Running);
    }
}

#[tokio::test]
async fn handles_that_are_dropped_after_their_primary_are_no_trouble() {
    let (primary, shelf) = library().await;
    let emma = shelf.book_new("Emma").await.unwrap();
    primary.shutdown().await;
    assert!(emma.turn().await.is_err());
    drop(emma);
}

#[tokio::test]
async fn what_is_said_of_calls_holds_for_the_handles_that_they_give_out() {
    let (_primary, shelf) = library().await;
    let cancel = CancellationToken::new();
    let emma = shelf.cancelled_by(&cancel).book_new("Emma").await.unwrap();
    let dune = shelf.book_new("Dune").await.unwrap();
    cancel.cancel();
    assert!(emma.turn().await.unwrap_err().is_cancelled());
    assert!(dune.cancelled_by(&cancel).turn().await.unwrap_err().is_cancelled());
    assert!(emma.within(Duration::ZERO).cancelled_by(&CancellationToken::new()).turn().await.unwrap_err().is_timeout());
    assert_eq!(emma.cancelled_by(&CancellationToken::new()).turn().await.unwrap(), Ok(1));
    assert_eq!(dune.turn().await.unwrap(), Ok(1));
}

#[test]
fn types_of_all_kinds_can_be_passed_beside_handles() {
    let rights = Rights::READ | Rights::RUN;
    assert_eq!(to_bytes(&rights), [0b101]);
    assert!(from_bytes::<Rights>(&[0b1000]).is_err());
    let point = Point { x: 1, y: -2, label: Some("here".to_owned()) };
    let everything = Everything {
        a: true,
        b: 1,
        c: -2,
        d: 3,
        e: 4.5,
        f: 'ü',
        g: "g".to_owned(),
        h: vec![1, 2, 3],
        i: (7, "i".to_owned()),
        j: Colour::Green,
        k: rights,
        l: Shape::Polygon(vec![point.clone()]),
        m: Ok(point),
        n: Some(9),
    };
    assert_eq!(from_bytes(&to_bytes(&everything)), Ok(everything));
}

#[tokio::test]
async fn a_handle_that_is_given_twice_in_one_call_is_still_there() {
    let (_primary, shelf) = library().await;
    let (emma, dune) = (shelf.book_new("Emma").await.unwrap(), shelf.book_new("Dune").await.unwrap());
    emma.turn().await.unwrap().unwrap();
    assert!(shelf.take_both(emma.clone(), emma.clone()).await.unwrap_err().is_stale());
    assert_eq!(emma.turn().await.unwrap(), Ok(2));
    assert_eq!(shelf.take_both(emma, dune).await.unwrap(), Ok(2));
    assert_eq!(shelf.book_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_destructor_has_a_time_of_its_own() {
    let (primary, shelf) = library().await;
    let emma = shelf.book_new("Emma").await.unwrap();
    drop(shelf.book_new("heavy").await.unwrap());
    // Whoever calls now waits for it, and has nothing to do with it.
    assert!(shelf.within(Duration::from_millis(30)).book_count().await.unwrap_err().is_timeout());
    assert_eq!(shelf.book_count().await.unwrap(), 1);
    assert_eq!(emma.turn().await.unwrap(), Ok(1));
    assert_eq!(node(&primary, "shelf").state, State::Running);
}

#[tokio::test]
async fn what_others_hold_does_not_count_for_the_owner() {
    let mut limits = kokoro_host::Limits::default();
    limits.handles = 20;
    let primary = Primary::builder().limits(limits).build().unwrap();
    primary.load_bytes("shelf", guest("shelf")).await.unwrap();
    let shelf = primary.get::<Shelf>().unwrap();
    let mut books = Vec::new();
    for number in 0..50 {
        books.push(shelf.book_new(&number.to_string()).await.unwrap());
    }
    assert_eq!(shelf.book_count().await.unwrap(), 50);
    books.truncate(10);
    assert_eq!(shelf.book_count().await.unwrap(), 10);
}

#[tokio::test]
async fn functions_that_pass_handles_are_not_called_without_a_typed_handle() {
    let (primary, shelf) = library().await;
    let make = primary.function("test:guests/shelf", "[constructor]book").unwrap();
    let error = make.call(&[kokoro_host::dynamic::Val::String("Emma".to_owned())]).await.unwrap_err();
    assert!(error.is_mismatch() && error.to_string().contains("it passes handles of `book`"), "{error}");
    assert_eq!(shelf.book_count().await.unwrap(), 0);
}
