// The expansion of a small planet. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`. Where wit-bindgen's
// part is long and unchanged it says `elided!()`.

#[doc(hidden)]
type __KokoroState = Page;
const _: fn() = ::kokoro_guest::rt::state_must_derive_default_or_implement_planet::<
    Page,
>;
#[doc(hidden)]
#[allow(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
mod __kokoro_planet {
    use super::__KokoroState;
    #[allow(dead_code, clippy::all)]
    pub mod demo {
        pub mod page {
            /// What it requires.
            #[allow(dead_code, async_fn_in_trait, unused_imports, clippy::all)]
            pub mod markdown {
                #[used]
                #[doc(hidden)]
                static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
                use super::super::super::_rt;
                #[allow(unused_unsafe, clippy::all)]
                #[allow(async_fn_in_trait)]
                pub fn to_html(source: &str) -> _rt::String {
                    elided!()
                }
            }
            /// What it can do without.
            #[allow(dead_code, async_fn_in_trait, unused_imports, clippy::all)]
            pub mod glossary {
                #[used]
                #[doc(hidden)]
                static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
                use super::super::super::_rt;
                #[derive(Debug)]
                #[repr(transparent)]
                pub struct Entry {
                    handle: _rt::Resource<Entry>,
                }
                impl Entry {
                    #[doc(hidden)]
                    pub unsafe fn from_handle(handle: u32) -> Self {
                        elided!()
                    }
                    #[doc(hidden)]
                    pub fn take_handle(&self) -> u32 {
                        _rt::Resource::take_handle(&self.handle)
                    }
                    #[doc(hidden)]
                    pub fn handle(&self) -> u32 {
                        _rt::Resource::handle(&self.handle)
                    }
                }
                unsafe impl _rt::WasmResource for Entry {
                    #[inline]
                    unsafe fn drop(_handle: u32) {
                        elided!()
                    }
                }
                impl Entry {
                    #[allow(unused_unsafe, clippy::all)]
                    #[allow(async_fn_in_trait)]
                    fn new(word: &str) -> Self {
                        elided!()
                    }
                }
                impl Entry {
                    #[allow(unused_unsafe, clippy::all)]
                    #[allow(async_fn_in_trait)]
                    pub fn text(&self) -> _rt::String {
                        elided!()
                    }
                }
                #[allow(unused_unsafe, clippy::all)]
                #[allow(async_fn_in_trait)]
                fn link(text: &str) -> _rt::String {
                    elided!()
                }
                ///Proof that `demo:page/glossary@0.1.0` has a provider, and the way to it. Made by [`if_bound`].
                ///
                /// It holds until the exported call that asked has ended: ask again in each call, do not keep it.
                #[derive(Debug)]
                pub struct Bound {
                    not_send: ::core::marker::PhantomData<*const ()>,
                }
                /// The interface, if it has a provider now.
                #[must_use]
                pub fn if_bound() -> ::core::option::Option<Bound> {
                    ::kokoro_guest::rt::is_bound("demo:page/glossary@0.1.0")
                        .then_some(Bound {
                            not_send: ::core::marker::PhantomData,
                        })
                }
                impl Bound {
                    pub fn new_entry(&self, word: &str) -> Entry {
                        Entry::new(word)
                    }
                    pub fn link(&self, text: &str) -> _rt::String {
                        self::link(text)
                    }
                }
            }
        }
    }
    #[allow(dead_code, clippy::all)]
    pub mod exports {
        pub mod demo {
            pub mod page {
                /// What the planet exports.
                #[allow(dead_code, async_fn_in_trait, unused_imports, clippy::all)]
                pub mod __raw_outline {
                    #[used]
                    #[doc(hidden)]
                    static __FORCE_SECTION_REF: fn() = super::super::super::super::__link_custom_section_describing_imports;
                    use super::super::super::super::_rt;
                    #[derive(Clone, PartialEq)]
                    pub struct Heading {
                        pub level: u8,
                        pub text: _rt::String,
                    }
                    impl ::core::fmt::Debug for Heading {
                        fn fmt(
                            &self,
                            f: &mut ::core::fmt::Formatter<'_>,
                        ) -> ::core::fmt::Result {
                            f.debug_struct("Heading")
                                .field("level", &self.level)
                                .field("text", &self.text)
                                .finish()
                        }
                    }
                    #[derive(Debug)]
                    #[repr(transparent)]
                    pub struct Cursor {
                        handle: _rt::Resource<Cursor>,
                    }
                    impl Cursor {
                        #[doc(hidden)]
                        pub fn __new<T: GuestCursor>(val: T) -> Self {
                            elided!()
                        }
                        #[doc(hidden)]
                        pub fn __get<T: GuestCursor>(&self) -> &T {
                            elided!()
                        }
                        #[doc(hidden)]
                        pub fn __get_mut<T: GuestCursor>(&mut self) -> &mut T {
                            elided!()
                        }
                        #[doc(hidden)]
                        pub fn __into_inner<T: GuestCursor>(self) -> T {
                            elided!()
                        }
                        #[doc(hidden)]
                        pub unsafe fn from_handle(handle: u32) -> Self {
                            elided!()
                        }
                        #[doc(hidden)]
                        pub fn take_handle(&self) -> u32 {
                            _rt::Resource::take_handle(&self.handle)
                        }
                        #[doc(hidden)]
                        pub fn handle(&self) -> u32 {
                            _rt::Resource::handle(&self.handle)
                        }
                        #[doc(hidden)]
                        fn type_guard<T: ::kokoro_guest::rt::wit_bindgen::rt::Resource>() {
                            elided!()
                        }
                        #[doc(hidden)]
                        pub unsafe fn dtor<T: GuestCursor>(handle: *mut u8) {
                            elided!()
                        }
                        fn as_ptr<T: GuestCursor>(&self) -> *mut T::Rep {
                            Cursor::type_guard::<T>();
                            T::_resource_rep(self.handle()).cast()
                        }
                    }
                    /// A borrowed version of [`Cursor`] which represents a borrowed value
                    /// with the lifetime `'a`.
                    #[derive(Debug)]
                    #[repr(transparent)]
                    pub struct CursorBorrow<'a> {
                        rep: *const u8,
                        _marker: core::marker::PhantomData<&'a Cursor>,
                    }
                    impl<'a> CursorBorrow<'a> {
                        #[doc(hidden)]
                        pub unsafe fn lift(rep: *const u8) -> Self {
                            Self {
                                rep,
                                _marker: core::marker::PhantomData,
                            }
                        }
                        #[doc(hidden)]
                        pub fn __get<T: GuestCursor>(&self) -> &'a T {
                            elided!()
                        }
                        fn as_ptr<T: GuestCursor>(&self) -> *const T::Rep {
                            Cursor::type_guard::<T>();
                            self.rep.cast()
                        }
                    }
                    unsafe impl _rt::WasmResource for Cursor {
                        #[inline]
                        unsafe fn drop(_handle: u32) {
                            elided!()
                        }
                    }
                    #[doc(hidden)]
                    #[allow(non_snake_case, unused_unsafe)]
                    pub unsafe fn _export_headings_cabi<T_: Guest>(
                        arg0: *mut u8,
                        arg1: usize,
                    ) -> *mut u8 {
                        elided!()
                    }
                    #[doc(hidden)]
                    #[allow(non_snake_case)]
                    pub unsafe fn __post_return_headings<T_: Guest>(arg0: *mut u8) {
                        elided!()
                    }
                    #[doc(hidden)]
                    #[allow(non_snake_case, unused_unsafe)]
                    pub unsafe fn _export_constructor_cursor_cabi<T_: GuestCursor>(
                        arg0: i32,
                    ) -> i32 {
                        elided!()
                    }
                    #[doc(hidden)]
                    #[allow(non_snake_case, unused_unsafe)]
                    pub unsafe fn _export_method_cursor_next_cabi<T_: GuestCursor>(
                        arg0: *mut u8,
                    ) -> *mut u8 {
                        elided!()
                    }
                    #[doc(hidden)]
                    #[allow(non_snake_case)]
                    pub unsafe fn __post_return_method_cursor_next<T_: GuestCursor>(
                        arg0: *mut u8,
                    ) {
                        elided!()
                    }
                    pub trait Guest {
                        type Cursor: GuestCursor;
                        /// Lists the headings of a source.
                        #[allow(async_fn_in_trait)]
                        fn headings(source: _rt::String) -> _rt::Vec<Heading>;
                    }
                    pub trait GuestCursor: ::kokoro_guest::rt::wit_bindgen::rt::Resource {
                        #[doc(hidden)]
                        unsafe fn _resource_new(val: *mut u8) -> u32
                        where
                            Self: Sized,
                        {
                            elided!()
                        }
                        #[doc(hidden)]
                        fn _resource_rep(handle: u32) -> *mut u8
                        where
                            Self: Sized,
                        {
                            elided!()
                        }
                        /// Place this resource's representation into a location with a stable pointer,
                        /// returning a pointer to that location.
                        ///
                        /// This method is used to place `val` on the heap, for example, or possibly in
                        /// an arena. The returned pointer must remain valid for the lifetime of this
                        /// resource. The default implementation of this metho will place `val` onto the
                        /// heap with `Box`. The returned pointer will be deallocated by the sibling
                        /// `resource_from_raw_` function.
                        ///
                        /// # Safety
                        ///
                        /// Note that this method is not `unsafe` to call, but it is `unsafe` to
                        /// define. When overriding this method you must additionally override the
                        /// `resource_from_raw_` to insert an appropriate deallocation for the returned
                        /// pointer. In the future this might become a default associated trait bound,
                        /// but that's not stable in Rust right now.
                        #[doc(hidden)]
                        unsafe fn resource_into_raw_(val: Self::Rep) -> *mut Self::Rep {
                            _rt::Box::into_raw(_rt::Box::new(val))
                        }
                        /// Consumes and deallocates a pointer previously returned by
                        /// `resource_into_raw_`.
                        ///
                        /// This function is used to deallocate resources and allocations associated
                        /// with the allocation routine when creating a resource. The default
                        /// implementation of this method will read `handle`'s value and deallocate it
                        /// as a `Box`.
                        ///
                        /// Note that when overriding this method you'll almost surely want to override
                        /// `resource_into_raw_` as well.
                        ///
                        /// # Safety
                        ///
                        /// This method is only safe to call with pointers previously created by
                        /// `resource_into_raw_`. For more information see `Box::from_raw` for examples.
                        #[doc(hidden)]
                        unsafe fn resource_from_raw_(
                            handle: *mut Self::Rep,
                        ) -> Self::Rep {
                            elided!()
                        }
                        #[allow(async_fn_in_trait)]
                        fn new(start: u32) -> Self;
                        #[allow(async_fn_in_trait)]
                        fn next(&self) -> Option<Heading>;
                    }
                    #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
                    #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
                    struct _RetArea([::core::mem::MaybeUninit<u8>; _]);
                    static mut _RET_AREA: _RetArea = _RetArea(
                        [::core::mem::MaybeUninit::uninit(); 4
                            * ::core::mem::size_of::<*const u8>()],
                    );
                }
                pub mod outline {
                    pub use super::__raw_outline::*;
                    use super::super::super::super::_rt;
                    ///What a planet that exports `demo:page/outline@0.1.0` implements. Calls come one at a time.
                    #[diagnostic::on_unimplemented(
                        message = "`{Self}` does not implement `outline::Guest`, but exports `demo:page/outline@0.1.0`",
                        label = "exported here",
                        note = "write `impl outline::Guest for {Self} {{ .. }}` with `Cursor`, `headings`"
                    )]
                    pub trait Guest: Sized + 'static {
                        ///What a [`Cursor`] refers to.
                        type Cursor: GuestCursor<Self>;
                        /// Lists the headings of a source.
                        fn headings(&mut self, source: _rt::String) -> _rt::Vec<Heading>;
                    }
                    impl<
                        P_: Guest + ::kokoro_guest::Planet
                            + ::kokoro_guest::rt::Singleton,
                    > super::__raw_outline::Guest
                    for super::super::super::super::Glue<P_> {
                        type Cursor = ::kokoro_guest::rt::Shared<
                            P_,
                            <P_ as Guest>::Cursor,
                        >;
                        fn headings(source: _rt::String) -> _rt::Vec<Heading> {
                            ::kokoro_guest::rt::call::<
                                P_,
                                _,
                            >(move |__planet| <P_ as Guest>::headings(__planet, source))
                        }
                    }
                    ///What a [`Cursor`] refers to, for the planet `P_`.
                    #[diagnostic::on_unimplemented(
                        message = "`{Self}` does not implement `outline::GuestCursor`, but is `Cursor` of `demo:page/outline@0.1.0`",
                        note = "write `impl outline::GuestCursor<{P_}> for {Self} {{ .. }}`"
                    )]
                    pub trait GuestCursor<P_>: Sized + 'static {
                        fn new(planet: &mut P_, start: u32) -> Self;
                        fn next(&mut self, planet: &mut P_) -> Option<Heading>;
                    }
                    impl<P_, T_> super::__raw_outline::GuestCursor
                    for ::kokoro_guest::rt::Shared<P_, T_>
                    where
                        P_: ::kokoro_guest::Planet + ::kokoro_guest::rt::Singleton,
                        T_: GuestCursor<P_>,
                    {
                        fn new(start: u32) -> Self {
                            ::kokoro_guest::rt::call::<
                                P_,
                                _,
                            >(move |__planet| Self::new(
                                <T_ as GuestCursor<P_>>::new(__planet, start),
                            ))
                        }
                        fn next(&self) -> Option<Heading> {
                            ::kokoro_guest::rt::call::<
                                P_,
                                _,
                            >(move |__planet| <T_ as GuestCursor<
                                P_,
                            >>::next(&mut *self.get_mut(), __planet))
                        }
                    }
                    type __CursorValue = <super::super::super::super::__KokoroState as Guest>::Cursor;
                    impl Cursor {
                        /// Makes `value` a resource of this planet, and gives the handle to it.
                        pub fn new(value: __CursorValue) -> Self {
                            Self::__new(
                                <::kokoro_guest::rt::Shared<
                                    super::super::super::super::__KokoroState,
                                    __CursorValue,
                                >>::new(value),
                            )
                        }
                        /**The value behind the handle.

# Panics

If it is borrowed mutably at the moment.*/
                        #[track_caller]
                        pub fn get(&self) -> ::std::cell::Ref<'_, __CursorValue> {
                            self.__get::<
                                    ::kokoro_guest::rt::Shared<
                                        super::super::super::super::__KokoroState,
                                        __CursorValue,
                                    >,
                                >()
                                .get()
                        }
                        /**The value behind the handle, to change it.

# Panics

If it is borrowed at the moment.*/
                        #[track_caller]
                        pub fn get_mut(
                            &mut self,
                        ) -> ::std::cell::RefMut<'_, __CursorValue> {
                            self.__get::<
                                    ::kokoro_guest::rt::Shared<
                                        super::super::super::super::__KokoroState,
                                        __CursorValue,
                                    >,
                                >()
                                .get_mut()
                        }
                        /// Ends the resource and gives its value back.
                        pub fn into_inner(self) -> __CursorValue {
                            self.__into_inner::<
                                    ::kokoro_guest::rt::Shared<
                                        super::super::super::super::__KokoroState,
                                        __CursorValue,
                                    >,
                                >()
                                .into_inner()
                        }
                    }
                    impl<'a> CursorBorrow<'a> {
                        /**The value behind the handle.

# Panics

If it is borrowed mutably at the moment.*/
                        #[track_caller]
                        pub fn get(&self) -> ::std::cell::Ref<'a, __CursorValue> {
                            self.__get::<
                                    ::kokoro_guest::rt::Shared<
                                        super::super::super::super::__KokoroState,
                                        __CursorValue,
                                    >,
                                >()
                                .get()
                        }
                        /**The value behind the handle, to change it.

# Panics

If it is borrowed at the moment.*/
                        #[track_caller]
                        pub fn get_mut(&self) -> ::std::cell::RefMut<'a, __CursorValue> {
                            self.__get::<
                                    ::kokoro_guest::rt::Shared<
                                        super::super::super::super::__KokoroState,
                                        __CursorValue,
                                    >,
                                >()
                                .get_mut()
                        }
                    }
                    /// Leads to `Glue` by way of `Guest`: if that is not implemented, all exported functions fail alike, and the
                    /// compiler says it once.
                    pub trait __Exported {
                        type Glue;
                    }
                    impl<P_: Guest> __Exported for P_ {
                        type Glue = super::super::super::super::Glue<P_>;
                    }
                }
            }
        }
        pub mod kokoro {
            pub mod core {
                /// A Planet's beginning and end. Exported by Planets that want to be told.
                #[allow(dead_code, async_fn_in_trait, unused_imports, clippy::all)]
                pub mod lifecycle {
                    #[used]
                    #[doc(hidden)]
                    static __FORCE_SECTION_REF: fn() = super::super::super::super::__link_custom_section_describing_imports;
                    use super::super::super::super::_rt;
                    #[doc(hidden)]
                    #[allow(non_snake_case, unused_unsafe)]
                    pub unsafe fn _export_start_cabi<T_: Guest>() -> *mut u8 {
                        elided!()
                    }
                    #[doc(hidden)]
                    #[allow(non_snake_case)]
                    pub unsafe fn __post_return_start<T_: Guest>(arg0: *mut u8) {
                        elided!()
                    }
                    #[doc(hidden)]
                    #[allow(non_snake_case, unused_unsafe)]
                    pub unsafe fn _export_stop_cabi<T_: Guest>() {
                        elided!()
                    }
                    pub trait Guest {
                        /// Called once, before any other export and after all required dependencies have started.
                        ///
                        /// An `err` holds the reason why the Planet cannot start; it is shown to people, and the Planet is not called again.
                        #[allow(async_fn_in_trait)]
                        fn start() -> Result<(), _rt::String>;
                        /// Called once, after the last call of any other export, while all required dependencies still run.
                        #[allow(async_fn_in_trait)]
                        fn stop() -> ();
                    }
                    #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
                    #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
                    struct _RetArea([::core::mem::MaybeUninit<u8>; _]);
                    static mut _RET_AREA: _RetArea = _RetArea(
                        [::core::mem::MaybeUninit::uninit(); 3
                            * ::core::mem::size_of::<*const u8>()],
                    );
                }
            }
        }
    }
    mod _rt {
        #![allow(dead_code, unused_imports, clippy::all)]
        elided!();
    }
    #[cfg(target_arch = "wasm32")]
    #[unsafe(
        link_section = "component-type:wit-bindgen:0.60.0:kokoro-synthesised:planet:planet:encoded world"
    )]
    #[doc(hidden)]
    #[allow(clippy::octal_escapes)]
    pub static __WIT_BINDGEN_COMPONENT_TYPE: [u8; _] = *b"elided";
    #[inline(never)]
    #[doc(hidden)]
    pub fn __link_custom_section_describing_imports() {
        ::kokoro_guest::rt::wit_bindgen::rt::maybe_link_cabi_realloc();
    }
    /// Stands between wit-bindgen's traits and the author's.
    pub struct Glue<P_>(::core::marker::PhantomData<P_>);
    impl ::kokoro_guest::rt::Singleton for __KokoroState {
        fn cell<R>(use_cell: impl FnOnce(&::kokoro_guest::rt::Cell<Self>) -> R) -> R {
            ::std::thread_local! {
                static CELL : ::kokoro_guest::rt::Cell < __KokoroState > = const {
                ::kokoro_guest::rt::Cell::new() };
            }
            CELL.with(use_cell)
        }
    }
    impl<P_> exports::kokoro::core::lifecycle::Guest for Glue<P_>
    where
        P_: ::kokoro_guest::Planet + ::kokoro_guest::rt::Singleton,
    {
        fn start() -> ::core::result::Result<(), ::std::string::String> {
            ::kokoro_guest::rt::start::<P_>()
        }
        fn stop() {
            ::kokoro_guest::rt::stop::<P_>();
        }
    }
    #[cfg(target_arch = "wasm32")]
    mod exported {
        use super::exports;
        const _: () = { elided!() };
        const _: () = { elided!() };
    }
    #[cfg(target_arch = "wasm32")]
    #[used]
    #[unsafe(link_section = "kokoro:planet")]
    static MANIFEST: [u8; _] = *b"{\"app\":{\"title\":\"Pages\"},\"name\":\"page\",\"optional\":[\"demo:page/glossary@0.1.0\"],\"requires\":[\"demo:page/markdown@0.1.0\"],\"version\":\"0.3.1\"}";
    const _: &[u8] = ::core::include_bytes!("page.wit");
    const _: &[u8] = ::core::include_bytes!("app.json");
}
#[allow(unused_imports)]
pub(crate) use __kokoro_planet::exports::demo::page::outline as outline;
#[allow(unused_imports)]
pub(crate) use __kokoro_planet::demo::page::markdown as markdown;
#[allow(unused_imports)]
pub(crate) use __kokoro_planet::demo::page::glossary as words;
