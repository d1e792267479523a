// The expansion of a small satellite. Renewed by `UPDATE_EXPECT=1 cargo test -p kokoro-macros`.

#[doc(hidden)]
type __KokoroState = Codec;
#[doc(hidden)]
#[allow(warnings, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
impl ::kokoro_satellite::Satellite for __KokoroState {
    const INTERFACES: &'static [::kokoro_satellite::rt::Interface] = &[
        ::kokoro_satellite::rt::Interface {
            name: "images:native/codec@0.1.0",
            functions: &[
                ::kokoro_satellite::rt::Function {
                    name: "shrink",
                    signature: "func(list<u8>, record{width: u32, height: u32}, flags{fast, small}) -> result<tuple<enum{jpeg, png}, list<u8>>, string>",
                },
                ::kokoro_satellite::rt::Function {
                    name: "forget",
                    signature: "func()",
                },
            ],
        },
        ::kokoro_satellite::rt::Interface {
            name: "images:native/sizes@0.1.0",
            functions: &[
                ::kokoro_satellite::rt::Function {
                    name: "of",
                    signature: "func(list<u8>) -> option<record{width: u32, height: u32}>",
                },
            ],
        },
    ];
    fn start() -> Self {
        ::kokoro_satellite::rt::start::<Codec>()
    }
    fn call(
        &mut self,
        function: u32,
        arguments: &mut ::kokoro_satellite::rt::Arguments<'_>,
        reply: &mut ::kokoro_satellite::rt::Reply<'_>,
    ) -> ::core::result::Result<(), ::kokoro_satellite::rt::Malformed> {
        match function {
            0u32..2u32 => {
                __kokoro_satellite::exports::images::native::codec::__call::<
                    Self,
                >(self, function - 0u32, arguments, reply)
            }
            2u32..3u32 => {
                __kokoro_satellite::exports::images::native::sizes::__call::<
                    Self,
                >(self, function - 2u32, arguments, reply)
            }
            _ => {
                ::core::result::Result::Err(
                    ::kokoro_satellite::rt::Malformed::Function(function),
                )
            }
        }
    }
}
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
mod __kokoro_satellite {
    #[allow(dead_code, clippy::all)]
    pub mod exports {
        pub mod images {
            pub mod native {
                #[allow(dead_code, async_fn_in_trait, unused_imports, clippy::all)]
                pub mod sizes {
                    use super::super::super::super::_rt;
                    #[repr(C)]
                    #[derive(Clone, Copy, PartialEq)]
                    #[derive(
                        ::kokoro_satellite::rt::value::Encode,
                        ::kokoro_satellite::rt::value::Decode
                    )]
                    #[value(crate = ::kokoro_satellite::rt::value)]
                    pub struct Size {
                        pub width: u32,
                        pub height: u32,
                    }
                    impl ::core::fmt::Debug for Size {
                        fn fmt(
                            &self,
                            f: &mut ::core::fmt::Formatter<'_>,
                        ) -> ::core::fmt::Result {
                            f.debug_struct("Size")
                                .field("width", &self.width)
                                .field("height", &self.height)
                                .finish()
                        }
                    }
                    ///What a satellite that exports `images:native/sizes@0.1.0` implements. Calls come one at a time.
                    #[diagnostic::on_unimplemented(
                        message = "`{Self}` does not implement `sizes::Guest`, but exports `images:native/sizes@0.1.0`",
                        label = "exported here",
                        note = "write `impl sizes::Guest for {Self} {{ .. }}` with `of`"
                    )]
                    pub trait Guest: Sized + 'static {
                        fn of(&mut self, picture: _rt::Vec<u8>) -> Option<Size>;
                    }
                    pub fn __call<P_: Guest>(
                        __satellite: &mut P_,
                        __function: u32,
                        __arguments: &mut ::kokoro_satellite::rt::Arguments<'_>,
                        __reply: &mut ::kokoro_satellite::rt::Reply<'_>,
                    ) -> ::core::result::Result<(), ::kokoro_satellite::rt::Malformed> {
                        match __function {
                            0u32 => {
                                let __0 = __arguments.value()?;
                                __arguments.end()?;
                                let __result = <P_ as Guest>::of(__satellite, __0);
                                __reply.value(&__result);
                            }
                            _ => {
                                return ::core::result::Result::Err(
                                    ::kokoro_satellite::rt::Malformed::Function(__function),
                                );
                            }
                        }
                        ::core::result::Result::Ok(())
                    }
                    #[diagnostic::do_not_recommend]
                    impl<P_: Guest + ::kokoro_satellite::Satellite> Guest
                    for ::kokoro_satellite::testing::InProcess<P_> {
                        fn of(&mut self, picture: _rt::Vec<u8>) -> Option<Size> {
                            ::kokoro_satellite::testing::InProcess::call(
                                self,
                                2u32,
                                |__to| {
                                    ::kokoro_satellite::rt::value::Encode::encode(
                                        &picture,
                                        __to,
                                    );
                                },
                            )
                        }
                    }
                }
                /// Works on pictures.
                #[allow(dead_code, async_fn_in_trait, unused_imports, clippy::all)]
                pub mod codec {
                    use super::super::super::super::_rt;
                    pub type Size = super::super::super::super::exports::images::native::sizes::Size;
                    ::kokoro_satellite::rt::bitflags::bitflags! {
                        #[derive(PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Clone,
                        Copy)] pub struct Hints : u8 { const FAST = 1 << 0; const SMALL =
                        1 << 1; }
                    }
                    #[repr(u8)]
                    #[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
                    #[derive(
                        ::kokoro_satellite::rt::value::Encode,
                        ::kokoro_satellite::rt::value::Decode
                    )]
                    #[value(crate = ::kokoro_satellite::rt::value)]
                    pub enum Form {
                        Jpeg,
                        Png,
                    }
                    impl ::core::fmt::Debug for Form {
                        fn fmt(
                            &self,
                            f: &mut ::core::fmt::Formatter<'_>,
                        ) -> ::core::fmt::Result {
                            match self {
                                Form::Jpeg => f.debug_tuple("Form::Jpeg").finish(),
                                Form::Png => f.debug_tuple("Form::Png").finish(),
                            }
                        }
                    }
                    impl ::kokoro_satellite::rt::value::Encode for Hints {
                        fn encode(
                            &self,
                            to: &mut ::kokoro_satellite::rt::value::Encoder,
                        ) {
                            to.flags(
                                &Self::bits(&Self::all().intersection(*self)).to_le_bytes(),
                                2usize,
                            );
                        }
                    }
                    impl ::kokoro_satellite::rt::value::Decode for Hints {
                        const MIN_SIZE: usize = ::kokoro_satellite::rt::value::flags_size(
                            2usize,
                        );
                        fn decode(
                            from: &mut ::kokoro_satellite::rt::value::Decoder<'_>,
                        ) -> ::core::result::Result<
                            Self,
                            ::kokoro_satellite::rt::value::DecodeError,
                        > {
                            let mut bytes = [0; ::core::mem::size_of::<u8>()];
                            let flags = from.flags(2usize)?;
                            bytes[..flags.len()].copy_from_slice(flags);
                            ::core::result::Result::Ok(
                                Self::from_bits_truncate(u8::from_le_bytes(bytes)),
                            )
                        }
                    }
                    ///What a satellite that exports `images:native/codec@0.1.0` implements. Calls come one at a time.
                    #[diagnostic::on_unimplemented(
                        message = "`{Self}` does not implement `codec::Guest`, but exports `images:native/codec@0.1.0`",
                        label = "exported here",
                        note = "write `impl codec::Guest for {Self} {{ .. }}` with `shrink`, `forget`"
                    )]
                    pub trait Guest: Sized + 'static {
                        /// Makes a picture smaller.
                        fn shrink(
                            &mut self,
                            picture: _rt::Vec<u8>,
                            to: Size,
                            hints: Hints,
                        ) -> Result<(Form, _rt::Vec<u8>), _rt::String>;
                        fn forget(&mut self) -> ();
                    }
                    pub fn __call<P_: Guest>(
                        __satellite: &mut P_,
                        __function: u32,
                        __arguments: &mut ::kokoro_satellite::rt::Arguments<'_>,
                        __reply: &mut ::kokoro_satellite::rt::Reply<'_>,
                    ) -> ::core::result::Result<(), ::kokoro_satellite::rt::Malformed> {
                        match __function {
                            0u32 => {
                                let __0 = __arguments.value()?;
                                let __1 = __arguments.value()?;
                                let __2 = __arguments.value()?;
                                __arguments.end()?;
                                let __result = <P_ as Guest>::shrink(
                                    __satellite,
                                    __0,
                                    __1,
                                    __2,
                                );
                                __reply.value(&__result);
                            }
                            1u32 => {
                                __arguments.end()?;
                                <P_ as Guest>::forget(__satellite);
                            }
                            _ => {
                                return ::core::result::Result::Err(
                                    ::kokoro_satellite::rt::Malformed::Function(__function),
                                );
                            }
                        }
                        ::core::result::Result::Ok(())
                    }
                    #[diagnostic::do_not_recommend]
                    impl<P_: Guest + ::kokoro_satellite::Satellite> Guest
                    for ::kokoro_satellite::testing::InProcess<P_> {
                        fn shrink(
                            &mut self,
                            picture: _rt::Vec<u8>,
                            to: Size,
                            hints: Hints,
                        ) -> Result<(Form, _rt::Vec<u8>), _rt::String> {
                            ::kokoro_satellite::testing::InProcess::call(
                                self,
                                0u32,
                                |__to| {
                                    ::kokoro_satellite::rt::value::Encode::encode(
                                        &picture,
                                        __to,
                                    );
                                    ::kokoro_satellite::rt::value::Encode::encode(&to, __to);
                                    ::kokoro_satellite::rt::value::Encode::encode(&hints, __to);
                                },
                            )
                        }
                        fn forget(&mut self) -> () {
                            ::kokoro_satellite::testing::InProcess::call(
                                self,
                                1u32,
                                |__to| {},
                            )
                        }
                    }
                }
            }
        }
    }
    mod _rt {
        pub use ::std::string::String;
        pub use ::std::vec::Vec;
    }
    const _: &[u8] = ::core::include_bytes!("native.wit");
}
#[allow(unused_imports)]
pub(crate) use __kokoro_satellite::exports::images::native::codec as codec;
#[allow(unused_imports)]
pub(crate) use __kokoro_satellite::exports::images::native::sizes as sizes;
