//! The manifest's custom section in a component's bytes: taken out, and put in.

use std::borrow::Cow;

use kokoro_wit::MANIFEST_SECTION;
use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasmparser::{BinaryReader, BinaryReaderError};

/// No toolchain nests components in components so deep.
const MAX_DEPTH: usize = 64;

/// The header that every module and component begins with: four bytes of magic, version, layer.
const HEADER: usize = 8;

const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// A component without any manifest, and the manifest that counted.
#[derive(Debug)]
pub(super) struct Bare {
    pub(super) bytes: Vec<u8>,
    /// The first of the manifests, as it stood there.
    pub(super) manifest: Option<Vec<u8>>,
}

impl Bare {
    /// Takes the manifests out of a component and the modules and components in it. All else stays as it is, but for the sizes of
    /// those.
    ///
    /// # Errors
    ///
    /// If it is no component, or its sections have no end.
    pub(super) fn of(component: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut manifest = None;
        let bytes = without(component, &mut manifest, 0)?.into_owned();
        Ok(Self { bytes, manifest })
    }

    /// The component with a manifest. It comes before all else, so that it is the one that counts.
    pub(super) fn with(&self, manifest: &[u8]) -> Vec<u8> {
        let section = CustomSection { name: MANIFEST_SECTION.into(), data: manifest.into() };
        let mut bytes = self.bytes[..HEADER].to_vec();
        bytes.push(section.id());
        section.encode(&mut bytes);
        bytes.extend_from_slice(&self.bytes[HEADER..]);
        bytes
    }
}

/// The same module or component without manifests; it is borrowed if there are none.
fn without<'b>(
    binary: &'b [u8],
    manifest: &mut Option<Vec<u8>>,
    depth: usize,
) -> Result<Cow<'b, [u8]>, BinaryReaderError> {
    let mut reader = BinaryReader::new(binary, 0);
    let header = reader.read_bytes(HEADER)?;
    let is_component = header[6..] == [1, 0];
    let mut rest = header.to_vec();
    let mut is_changed = false;
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()?;
        let content = reader.read_bytes(size as usize)?;
        let section = &binary[start..reader.original_position()];
        match id {
            CUSTOM if BinaryReader::new(content, 0).read_string()? == MANIFEST_SECTION => {
                let mut named = BinaryReader::new(content, 0);
                named.skip_string()?;
                let data = &content[named.original_position()..];
                manifest.get_or_insert_with(|| data.to_vec());
                is_changed = true;
            }
            CORE_MODULE | COMPONENT if is_component && depth < MAX_DEPTH => {
                match without(content, manifest, depth + 1)? {
                    Cow::Borrowed(_) => rest.extend_from_slice(section),
                    Cow::Owned(inner) => {
                        rest.push(id);
                        inner[..].encode(&mut rest);
                        is_changed = true;
                    }
                }
            }
            _ => rest.extend_from_slice(section),
        }
    }
    Ok(if is_changed { Cow::Owned(rest) } else { Cow::Borrowed(binary) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("well-formed text")
    }

    fn custom(name: &str, data: &str) -> String {
        format!("(@custom {name:?} {data:?})")
    }

    #[test]
    fn every_byte_but_those_of_manifests_stays() {
        let with = |manifest: &str| {
            let (own, other) = (custom("kokoro:planet", manifest), custom("other", "kept"));
            let own = if manifest.is_empty() { "" } else { &own };
            component(&format!(
                "(component {other} (core module (memory 1) {own} {other}) (component (core module {own} (func)) {other}) {own} {other})"
            ))
        };
        let bare = Bare::of(&with("{}")).expect("a component");
        assert_eq!(bare.bytes, with(""));
        assert_eq!(Bare::of(&with("")).expect("a component").bytes, with(""));
    }

    #[test]
    fn the_manifest_that_counts_is_the_first_wherever_it_is() {
        let nested = format!("(core module {})", custom("kokoro:planet", "{\"name\":\"inner\"}"));
        let outer = custom("kokoro:planet", "{\"name\":\"outer\"}");
        for (text, name) in
            [(format!("(component {nested} {outer})"), "inner"), (format!("(component {outer} {nested})"), "outer")]
        {
            let bytes = component(&text);
            let bare = Bare::of(&bytes).expect("a component");
            let counted = kokoro_host::inspect("stem", &bytes).expect("a planet").manifest.name;
            assert_eq!(
                (counted.as_str(), bare.manifest.clone()),
                (name, Some(format!("{{\"name\":{name:?}}}").into_bytes()))
            );
            let adopted = kokoro_host::inspect("stem", &bare.with(b"{\"name\":\"new\"}")).expect("a planet");
            assert_eq!((adopted.manifest.name.as_str(), adopted.notes.len()), ("new", 0));
        }
    }

    #[test]
    fn what_is_cut_off_is_no_component() {
        let bytes = component("(component (core module (memory 1)))");
        for end in [0, 4, 9, 12, bytes.len() - 1] {
            assert!(Bare::of(&bytes[..end]).is_err(), "{end}");
        }
    }
}
