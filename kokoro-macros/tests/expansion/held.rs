// Interfaces with resources that the application calls. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`.

/// The interface `a:a/store`.
#[allow(missing_docs, unused_imports, dead_code, unreachable_pub, clippy::all)]
pub mod store {
    use ::kokoro_host::rt::wasmtime;
    wasmtime::component::flags!(
        Mode { #[component(name = "read")] const READ; #[component(name = "write")] const
        WRITE; }
    );
    impl ::kokoro_host::rt::kokoro_value::Encode for Mode {
        fn encode(&self, to: &mut ::kokoro_host::rt::kokoro_value::Encoder) {
            let mut bits = [0u8; ::kokoro_host::rt::kokoro_value::flags_size(2usize)];
            if self.contains(Self::READ) {
                bits[0usize] |= 1u8;
            }
            if self.contains(Self::WRITE) {
                bits[0usize] |= 2u8;
            }
            to.flags(&bits, 2usize);
        }
    }
    impl ::kokoro_host::rt::kokoro_value::Decode for Mode {
        const MIN_SIZE: usize = ::kokoro_host::rt::kokoro_value::flags_size(2usize);
        fn decode(
            from: &mut ::kokoro_host::rt::kokoro_value::Decoder<'_>,
        ) -> ::core::result::Result<Self, ::kokoro_host::rt::kokoro_value::DecodeError> {
            let bits = from.flags(2usize)?;
            let mut flags = Self::empty();
            if bits[0usize] & 1u8 != 0 {
                flags |= Self::READ;
            }
            if bits[0usize] & 2u8 != 0 {
                flags |= Self::WRITE;
            }
            ::core::result::Result::Ok(flags)
        }
    }
    /// A place in the store.
    ///
    /// It belongs to one instance of a Planet (plugin), and answers with an error once that has ended. Clones are handles of the
    /// same; with the last one it is dropped at its Planet.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Cursor(::kokoro_host::rt::Held);
    impl Cursor {
        /// The name of the Planet (plugin) that it belongs to.
        pub fn planet(&self) -> ::std::string::String {
            self.0.planet()
        }
        /// The same handle, whose calls may take no longer than `time` each.
        #[must_use]
        pub fn within(&self, time: ::core::time::Duration) -> Self {
            Self(self.0.clone().within(time))
        }
        /// The same handle, to whose calls `value` is attached: functions that the application serves see it, however many
        /// Planets (plugins) lie between (`Caller::attached`).
        #[must_use]
        pub fn with<__T: ::core::any::Any + ::core::marker::Send + ::core::marker::Sync>(
            &self,
            value: __T,
        ) -> Self {
            Self(self.0.clone().with(value))
        }
        /// The same handle, whose calls end once `token` is cancelled, with a grace period for those that are executed
        /// (`Limits::grace`).
        #[must_use]
        pub fn cancelled_by(&self, token: &::kokoro_host::CancellationToken) -> Self {
            Self(self.0.clone().cancelled_by(token))
        }
        /// Calls `cursor.next`.
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn next(
            &self,
            after: &super::store::Cursor,
        ) -> ::core::result::Result<
            ::core::option::Option<::std::string::String>,
            ::kokoro_host::Error,
        > {
            let __arguments = ::kokoro_host::rt::Arguments::of(|__to| {
                ::kokoro_host::rt::lend(self, __to);
                ::kokoro_host::rt::lend(after, __to);
            });
            self.0
                .call::<
                    ::core::option::Option<::std::string::String>,
                >(
                    <Store as ::kokoro_host::Interface>::description(),
                    "[method]cursor.next",
                    __arguments,
                )
                .await
        }
        /// Calls `cursor.with`.
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn with_(&self) -> ::core::result::Result<(), ::kokoro_host::Error> {
            let __arguments = ::kokoro_host::rt::Arguments::of(|__to| {
                ::kokoro_host::rt::lend(self, __to);
            });
            self.0
                .call::<
                    (),
                >(
                    <Store as ::kokoro_host::Interface>::description(),
                    "[method]cursor.with",
                    __arguments,
                )
                .await
        }
    }
    impl ::kokoro_host::rt::IsHeld for Cursor {
        fn of(held: ::kokoro_host::rt::Held) -> Self {
            Self(held)
        }
        fn held(&self) -> &::kokoro_host::rt::Held {
            &self.0
        }
    }
    impl ::kokoro_host::rt::kokoro_value::Encode for Cursor {
        fn encode(&self, to: &mut ::kokoro_host::rt::kokoro_value::Encoder) {
            ::kokoro_host::rt::give(self, to)
        }
    }
    impl ::kokoro_host::rt::kokoro_value::Decode for Cursor {
        const MIN_SIZE: usize = 4;
        fn decode(
            from: &mut ::kokoro_host::rt::kokoro_value::Decoder<'_>,
        ) -> ::core::result::Result<Self, ::kokoro_host::rt::kokoro_value::DecodeError> {
            ::kokoro_host::rt::receive(from)
        }
    }
    /// `found`.
    #[derive(Debug, Clone, PartialEq)]
    #[derive(
        ::kokoro_host::rt::kokoro_value::Encode,
        ::kokoro_host::rt::kokoro_value::Decode
    )]
    #[value(crate = ::kokoro_host::rt::kokoro_value)]
    pub struct Found {
        /// `at`.
        pub at: super::store::Cursor,
        /// `near`.
        pub near: ::std::vec::Vec<super::store::Cursor>,
    }
    /// `order`.
    #[derive(Debug, Clone, PartialEq)]
    #[derive(::kokoro_host::rt::kokoro_value::Encode)]
    #[value(crate = ::kokoro_host::rt::kokoro_value)]
    pub enum Order {
        /// `none`.
        None,
        /// `before`.
        Before(::kokoro_host::Lent<super::store::Cursor>),
    }
    /// `cursors`.
    pub type Cursors = ::std::vec::Vec<super::store::Cursor>;
    ///A handle to whoever provides `a:a/store`.
    #[derive(Debug, Clone)]
    pub struct Store(::kokoro_host::Handle);
    impl Store {
        /// The name of the Planet (plugin) that answers at present; none if nobody does.
        pub fn planet(&self) -> ::core::option::Option<::std::string::String> {
            self.0.planet()
        }
        /// The same handle, whose calls may take no longer than `time` each.
        #[must_use]
        pub fn within(&self, time: ::core::time::Duration) -> Self {
            Self(self.0.clone().within(time))
        }
        /// The same handle, to whose calls `value` is attached: functions that the application serves see it, however many
        /// Planets (plugins) lie between (`Caller::attached`).
        #[must_use]
        pub fn with<__T: ::core::any::Any + ::core::marker::Send + ::core::marker::Sync>(
            &self,
            value: __T,
        ) -> Self {
            Self(self.0.clone().with(value))
        }
        /// The same handle, whose calls end once `token` is cancelled, with a grace period for those that are executed
        /// (`Limits::grace`).
        #[must_use]
        pub fn cancelled_by(&self, token: &::kokoro_host::CancellationToken) -> Self {
            Self(self.0.clone().cancelled_by(token))
        }
        /// Calls `cursor.constructor`.
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn cursor_new(
            &self,
            at: u32,
            mode: super::store::Mode,
        ) -> ::core::result::Result<super::store::Cursor, ::kokoro_host::Error> {
            let __arguments = ::kokoro_host::rt::Arguments::of(|__to| {
                ::kokoro_host::rt::kokoro_value::Encode::encode(&at, __to);
                ::kokoro_host::rt::kokoro_value::Encode::encode(&mode, __to);
            });
            self.0
                .call_with_handles::<
                    super::store::Cursor,
                >("[constructor]cursor", __arguments)
                .await
        }
        /// Calls `cursor.count`.
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn cursor_count(
            &self,
        ) -> ::core::result::Result<u32, ::kokoro_host::Error> {
            self.0
                .call::<_, (u32,)>("[static]cursor.count", ())
                .await
                .map(|(answer,)| answer)
        }
        /// Calls `close`.
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn close(
            &self,
            all: ::std::vec::Vec<super::store::Cursor>,
            one: super::store::Found,
            order: &super::store::Order,
            some: &[::kokoro_host::Lent<super::store::Cursor>],
        ) -> ::core::result::Result<(), ::kokoro_host::Error> {
            let __arguments = ::kokoro_host::rt::Arguments::of(|__to| {
                ::kokoro_host::rt::kokoro_value::Encode::encode(&all, __to);
                ::kokoro_host::rt::kokoro_value::Encode::encode(&one, __to);
                ::kokoro_host::rt::kokoro_value::Encode::encode(&order, __to);
                ::kokoro_host::rt::kokoro_value::Encode::encode(&some, __to);
            });
            self.0.call_with_handles::<()>("close", __arguments).await
        }
        /// Calls `size`.
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn size(
            &self,
            of: &str,
        ) -> ::core::result::Result<u32, ::kokoro_host::Error> {
            self.0
                .call::<_, (u32,)>("size", (::std::string::String::from(of),))
                .await
                .map(|(answer,)| answer)
        }
    }
    impl ::kokoro_host::Interface for Store {
        const NAME: &'static str = "a:a/store";
        fn description() -> &'static ::kokoro_host::rt::Description {
            static DESCRIPTION: ::std::sync::OnceLock<::kokoro_host::rt::Description> = ::std::sync::OnceLock::new();
            DESCRIPTION
                .get_or_init(|| ::kokoro_host::rt::Description::of(
                    "a:a/store",
                    super::__KOKORO_PACKAGE_STORE,
                ))
        }
        fn from_handle(handle: ::kokoro_host::Handle) -> Self {
            Self(handle)
        }
    }
}
/// The interface `a:a/search`.
#[allow(missing_docs, unused_imports, dead_code, unreachable_pub, clippy::all)]
pub mod search {
    use ::kokoro_host::rt::wasmtime;
    /// `place`.
    pub use super::store::Cursor as Place;
    /// `found`.
    pub use super::store::Found as Found;
    ///A handle to whoever provides `a:a/search`.
    #[derive(Debug, Clone)]
    pub struct Search(::kokoro_host::Handle);
    impl Search {
        /// The name of the Planet (plugin) that answers at present; none if nobody does.
        pub fn planet(&self) -> ::core::option::Option<::std::string::String> {
            self.0.planet()
        }
        /// The same handle, whose calls may take no longer than `time` each.
        #[must_use]
        pub fn within(&self, time: ::core::time::Duration) -> Self {
            Self(self.0.clone().within(time))
        }
        /// The same handle, to whose calls `value` is attached: functions that the application serves see it, however many
        /// Planets (plugins) lie between (`Caller::attached`).
        #[must_use]
        pub fn with<__T: ::core::any::Any + ::core::marker::Send + ::core::marker::Sync>(
            &self,
            value: __T,
        ) -> Self {
            Self(self.0.clone().with(value))
        }
        /// The same handle, whose calls end once `token` is cancelled, with a grace period for those that are executed
        /// (`Limits::grace`).
        #[must_use]
        pub fn cancelled_by(&self, token: &::kokoro_host::CancellationToken) -> Self {
            Self(self.0.clone().cancelled_by(token))
        }
        /// Calls `find`.
        ///
        /// The outer `Result` is Kokoro's: it is an `Err` if no answer came. The arguments are copied, since a call
        /// that is given up runs to its end without its caller.
        pub async fn find(
            &self,
            after: &super::store::Cursor,
            text: &str,
        ) -> ::core::result::Result<
            ::core::result::Result<super::store::Found, ()>,
            ::kokoro_host::Error,
        > {
            let __arguments = ::kokoro_host::rt::Arguments::of(|__to| {
                ::kokoro_host::rt::lend(after, __to);
                ::kokoro_host::rt::kokoro_value::Encode::encode(&text, __to);
            });
            self.0
                .call_with_handles::<
                    ::core::result::Result<super::store::Found, ()>,
                >("find", __arguments)
                .await
        }
    }
    impl ::kokoro_host::Interface for Search {
        const NAME: &'static str = "a:a/search";
        fn description() -> &'static ::kokoro_host::rt::Description {
            static DESCRIPTION: ::std::sync::OnceLock<::kokoro_host::rt::Description> = ::std::sync::OnceLock::new();
            DESCRIPTION
                .get_or_init(|| ::kokoro_host::rt::Description::of(
                    "a:a/search",
                    super::__KOKORO_PACKAGE_STORE,
                ))
        }
        fn from_handle(handle: ::kokoro_host::Handle) -> Self {
            Self(handle)
        }
    }
}
