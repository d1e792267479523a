//! The one place where compiled code is taken for what Wasmtime has made of a component.
#![expect(unsafe_code, reason = "deserialising compiled code is `unsafe`: whoever wrote the bytes decides what runs")]

use std::borrow::Cow;

use wasmtime::component::Component;
use wasmtime::{CodeBuilder, Engine};

/// The key under which code is sealed. Only who runs as the same user can read it.
#[derive(Clone, Copy)]
pub(super) struct Key(pub(super) [u8; 32]);

/// The checksum of code under a key.
pub(super) type Checksum = [u8; 32];

/// Bytes of which it is known that Wasmtime has written them: in this process, or in one that had the key. There is no other way to
/// make this type, and it does not let its bytes be changed.
pub(super) struct Trusted<'a>(Cow<'a, [u8]>);

impl Trusted<'static> {
    /// What Wasmtime makes of the component in `bytes`.
    pub(super) fn compiled(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        Ok(Self(Cow::Owned(CodeBuilder::new(engine).wasm_binary(bytes, None)?.compile_component_serialized()?)))
    }

    /// The code of a component that is here.
    pub(super) fn serialized(component: &Component) -> wasmtime::Result<Self> {
        Ok(Self(Cow::Owned(component.serialize()?)))
    }
}

impl<'a> Trusted<'a> {
    /// The code in `code`, if `checksum` was made with the same key for the same name and the same bytes.
    pub(super) fn verified(key: &Key, name: &[u8; 32], checksum: &Checksum, code: &'a [u8]) -> Option<Self> {
        // A comparison of hashes takes the same time wherever they differ.
        let same = checksum_of(key, name, code) == blake3::Hash::from_bytes(*checksum);
        same.then_some(Self(Cow::Borrowed(code)))
    }

    /// What proves to [`verified`](Trusted::verified) that this is the code that belongs to `name`.
    pub(super) fn checksum(&self, key: &Key, name: &[u8; 32]) -> Checksum {
        checksum_of(key, name, &self.0).into()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes a component of it again.
    ///
    /// # Errors
    ///
    /// If it was made by another Wasmtime, for other settings or for another machine, which is all that Wasmtime checks.
    pub(super) fn deserialize(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes must be what Wasmtime has written as the code of a component, unchanged. There are three ways to a
        // `Trusted`. `compiled` and `serialized` have just had it written. `verified` has compared a keyed BLAKE3 over these
        // very bytes; with overwhelming probability only who has the key can make one that agrees, and who has the key makes
        // them only with `checksum`, of a `Trusted`. The bytes cannot change in between: they are owned, or borrowed from memory
        // of this process and not from a mapped file, and `deserialize` makes a copy of its own.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}

/// The name has a fixed length, so that no part of it can pass for code.
fn checksum_of(key: &Key, name: &[u8; 32], code: &[u8]) -> blake3::Hash {
    blake3::Hasher::new_keyed(&key.0).update(name).update(code).finalize()
}
