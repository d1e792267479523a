//! A Planet (plugin) that begins letters.

kokoro_guest::planet! {
    state: Letters,
    exports: ["notes:letters/letter@0.1.0"],
    requires: ["notes:letters/names@0.1.0"],
}

#[derive(Default)]
struct Letters;

impl letter::Guest for Letters {
    fn begin(&mut self, nick: String) -> String {
        let name = names::full(&nick).unwrap_or_else(|error| {
            kokoro_guest::log::warn!("{nick}: {error}");
            nick
        });
        format!("Dear {name},")
    }
}
