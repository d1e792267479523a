//! `kokoro:core/saved-state` for Planets that leave it to `planet!`.

use std::cmp::Ordering;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::{self, Singleton, with_causes};
use crate::{Planet, Saved, StartError};

/// Makes the state of what an older release saved.
pub type Migrate<P> = fn(&Saved) -> Result<P, StartError>;

/// A state that is saved, by what its declaration says.
pub trait Saves: Sized {
    /// The version of the form that it has.
    const VERSION: u32;
    /// What to do with older versions.
    const MIGRATE: Option<Migrate<Self>>;
}

/// Whatever serde can write and read. There for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved",
    label = "`Serialize` or `Deserialize` is missing",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, and \
            `serde = {{ version = \"1\", features = [\"derive\"] }}` into Cargo.toml, or remove `saved`"
)]
pub trait Serde: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Serde for T {}

/// `saved-state.save`.
///
/// # Errors
///
/// The reason why there is nothing to hand over.
pub fn save<P: Planet + Singleton + Saves + Serde>() -> Result<Saved, String> {
    state::with(|planet: &mut P| Ok(Saved::write(P::VERSION, planet)?))
}

/// `saved-state.restore`. If it fails, the value is what it was.
///
/// # Errors
///
/// The reason why what was saved cannot be used.
pub fn restore<P: Planet + Singleton + Saves + Serde>(saved: &Saved) -> Result<(), String> {
    let replaced = state::with(|planet: &mut P| Ok(std::mem::replace(planet, read(saved)?)))?;
    // Only now: what is dropped may want to say something to others.
    drop(replaced);
    Ok(())
}

fn read<P: Saves + Serde>(saved: &Saved) -> Result<P, String> {
    let (theirs, ours) = (saved.version(), P::VERSION);
    match (theirs.cmp(&ours), P::MIGRATE) {
        (Ordering::Equal, _) => saved.read().map_err(|error| {
            let reason = error.into_reason();
            format!("the saved state of version {theirs} cannot be read as version {ours} of this release: {reason}")
        }),
        (Ordering::Less, Some(migrate)) => migrate(saved).map_err(|error| {
            let reason = with_causes(&error);
            format!("the saved state of version {theirs} cannot be migrated to version {ours}: {reason}")
        }),
        (Ordering::Less, None) => Err(format!(
            "the saved state has version {theirs}, and this release reads version {ours} alone (it has no `migrate`)"
        )),
        (Ordering::Greater, _) => {
            Err(format!("the saved state has version {theirs}, and this release reads none after version {ours}"))
        }
    }
}
