//! How a Planet begins.

/// Why a Planet cannot start: any error, or a sentence.
///
/// `?` works on whatever implements [`std::error::Error`], and `.into()` (or `?` on a `Result<_, &str>`) on strings:
///
/// ```
/// # use kokoro_guest::StartError;
/// fn port(text: &str) -> Result<u16, StartError> {
///     let port: u16 = text.parse()?;
///     if port < 1024 {
///         return Err(format!("port {port} is reserved").into());
///     }
///     Ok(port)
/// }
/// # assert_eq!(port("80").unwrap_err().to_string(), "port 80 is reserved");
/// ```
pub type StartError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The one value that is a running Planet (plugin).
///
/// A type that has a [`Default`] is a `Planet` already: deriving it is all there is to do. One whose start can fail does
/// not implement `Default`, but this:
///
/// ```
/// use kokoro_guest::{Planet, StartError};
///
/// struct Dictionary {
///     words: Vec<String>,
/// }
///
/// impl Planet for Dictionary {
///     fn start() -> Result<Self, StartError> {
///         let words: Vec<String> = "hello world".split(' ').map(str::to_owned).collect();
///         if words.is_empty() {
///             return Err("there are no words".into());
///         }
///         Ok(Self { words })
///     }
/// }
/// ```
///
/// Files, network, environment and arguments are there only as far as the application grants them (what a Planet would like is
/// under [`permissions`](crate::planet!#permissions)); `include_str!` puts into it what it always needs.
///
/// When the Planet stops its value is dropped; what is to be done then belongs into [`Drop`]. All required dependencies
/// can still be called there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how this planet starts",
    label = "neither `Default` nor `Planet`",
    note = "put `#[derive(Default)]` on `{Self}`, or write `impl kokoro_guest::Planet for {Self}` if its start can fail"
)]
pub trait Planet: Sized + 'static {
    /// Makes the value. Called once, before any exported function, when all required dependencies run.
    ///
    /// # Errors
    ///
    /// The reason why the Planet cannot start, for people to read. It is then not called again.
    fn start() -> Result<Self, StartError>;
}

impl<T: Default + 'static> Planet for T {
    fn start() -> Result<Self, StartError> {
        Ok(T::default())
    }
}
