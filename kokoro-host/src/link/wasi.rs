//! WASI 0.2 as Wasmtime serves it, with a word where a Planet tries what it was not granted.
//!
//! Sockets and HTTP have hooks for that (`planet::wasi`). Where Wasmtime has none, its function is replaced by one that calls
//! it and looks at what comes back.

#[cfg(feature = "http")]
mod http;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance, Resource};
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::filesystem::{Descriptor, FsPerms, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::cli::environment::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor as _, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::Host as _;
use wasmtime_wasi::p2::bindings::sockets::network::{self, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::p2::{FsResult, Network, SocketResult};
use wasmtime_wasi::sockets::WasiSocketsView;

use crate::planet::{State, beginning};

/// The version of WASI 0.2 that Wasmtime defines, and under whose names its functions are replaced.
const VERSION: &str = "0.2.12";

/// Defines all of WASI that every Planet is served.
pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    #[cfg(feature = "http")]
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    wasmtime_wasi_config::add_to_linker(linker, |state: &mut State| state.config())?;
    linker.allow_shadowing(true);
    watch_paths(&mut linker.instance(&format!("wasi:filesystem/types@{VERSION}"))?)?;
    watch_directories(&mut linker.instance(&format!("wasi:filesystem/preopens@{VERSION}"))?)?;
    watch_environment(&mut linker.instance(&format!("wasi:cli/environment@{VERSION}"))?)?;
    #[cfg(feature = "http")]
    http::bound_requests(&mut linker.instance(&format!("wasi:http/types@{VERSION}"))?)?;
    watch_tcp(&mut linker.instance(&format!("wasi:sockets/tcp-create-socket@{VERSION}"))?)?;
    watch_udp(&mut linker.instance(&format!("wasi:sockets/udp-create-socket@{VERSION}"))?)?;
    watch_name_lookup(&mut linker.instance(&format!("wasi:sockets/ip-name-lookup@{VERSION}"))?)?;
    linker.allow_shadowing(false);
    Ok(())
}

type Caller<'a> = StoreContextMut<'a, State>;

/// `result<T, error-code>` of `wasi:filesystem/types`.
type FileResult<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

/// Replaces a method of `descriptor`. What follows its arguments: whether it changes anything; in which directories beside its
/// own; and what a refusal names.
macro_rules! watch {
    ($linker:ident, $name:literal, $method:ident($($arg:ident: $ty:ty),*), $changes:expr, [$($other:ident)?], $tried:expr) => {
        $linker.func_wrap_async(
            concat!("[method]descriptor.", $name),
            |mut store: Caller<'_>, (descriptor, $($arg),*): (Resource<Descriptor>, $($ty),*)| {
                Box::new(async move {
                    let tried = Tried {
                        function: $name,
                        what: $tried,
                        changes_what_is_not_its_own:
                            $changes && (may_only_read(&mut store, &descriptor) $(|| may_only_read(&mut store, &$other))?),
                    };
                    let result = store.data_mut().filesystem().$method(descriptor, $($arg),*).await;
                    looked_at(&store, tried, result)
                })
            },
        )?
    };
}

#[rustfmt::skip]
fn watch_paths(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    watch!(
        linker, "open-at", open_at(path_flags: PathFlags, path: String, open: OpenFlags, flags: DescriptorFlags),
        open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
            || flags.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY),
        [], path.clone()
    );
    watch!(linker, "stat-at", stat_at(flags: PathFlags, path: String), false, [], path.clone());
    watch!(linker, "metadata-hash-at", metadata_hash_at(flags: PathFlags, path: String), false, [], path.clone());
    watch!(linker, "readlink-at", readlink_at(path: String), false, [], path.clone());
    watch!(linker, "create-directory-at", create_directory_at(path: String), true, [], path.clone());
    watch!(linker, "remove-directory-at", remove_directory_at(path: String), true, [], path.clone());
    watch!(linker, "unlink-file-at", unlink_file_at(path: String), true, [], path.clone());
    watch!(linker, "symlink-at", symlink_at(old: String, new: String), true, [], format!("{new} -> {old}"));
    watch!(
        linker, "rename-at", rename_at(old: String, to: Resource<Descriptor>, new: String),
        true, [to], format!("{old} -> {new}")
    );
    watch!(
        linker, "link-at", link_at(flags: PathFlags, old: String, to: Resource<Descriptor>, new: String),
        true, [to], format!("{new} -> {old}")
    );
    watch!(
        linker, "set-times-at",
        set_times_at(flags: PathFlags, path: String, accessed: NewTimestamp, modified: NewTimestamp),
        true, [], path.clone()
    );
    watch!(
        linker, "set-times", set_times(accessed: NewTimestamp, modified: NewTimestamp), true, [], "an open file".to_owned()
    );
    Ok(())
}

/// What a Planet is about to do with its files.
struct Tried {
    function: &'static str,
    what: String,
    /// Whether it would change what it may only read.
    changes_what_is_not_its_own: bool,
}

fn may_only_read(store: &mut Caller<'_>, descriptor: &Resource<Descriptor>) -> bool {
    match store.data_mut().filesystem().table.get(descriptor) {
        Ok(Descriptor::Dir(directory)) => directory.perms == FsPerms::ReadOnly,
        Ok(Descriptor::File(file)) => file.perms == FsPerms::ReadOnly,
        Err(_) => false,
    }
}

fn looked_at<T>(store: &Caller<'_>, tried: Tried, result: FsResult<T>) -> FileResult<T> {
    let error = match result {
        Ok(done) => return Ok((Ok(done),)),
        Err(error) => error.downcast()?,
    };
    if matches!(error, ErrorCode::NotPermitted) {
        let Tried { function, what, .. } = tried;
        let (permission, why) = match tried.changes_what_is_not_its_own {
            true => ("write", format!("`{function}` would change what it may only read")),
            false => ("path", format!("`{function}` leads out of the directories that it was granted")),
        };
        store.data().refusals().note(&format!("{permission} {what}"), &why);
    }
    Ok((Err(error),))
}

fn watch_directories(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("get-directories", |mut store: Caller<'_>, (): ()| {
        let directories = store.data_mut().filesystem().get_directories()?;
        if directories.is_empty() {
            // Runtimes do so when a file is opened, and some when a socket is closed.
            store.data().refusals().note_lasting("read", "it asked for its directories, of which there are none");
        }
        Ok((directories,))
    })
}

/// A runtime reads the environment on its own as well, so that only what the manifest asks for is missed aloud.
fn watch_environment(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("get-environment", |mut store: Caller<'_>, (): ()| {
        let variables = store.data_mut().cli().get_environment()?;
        let state = store.data();
        for missing in
            state.asks_for_variables().iter().filter(|asked| variables.iter().all(|(name, _)| name != *asked))
        {
            state
                .refusals()
                .note_lasting(&format!("env {missing}"), "it read its environment, and asks for this variable");
        }
        if variables.is_empty() {
            state.refusals().hint("env", "it read its environment, which is empty");
        }
        Ok((variables,))
    })?;
    linker.func_wrap("get-arguments", |mut store: Caller<'_>, (): ()| {
        let arguments = store.data_mut().cli().get_arguments()?;
        if arguments.is_empty() {
            store.data().refusals().hint("args", "it read its arguments, of which there are none");
        }
        Ok((arguments,))
    })
}

/// Where no address is granted, no socket is made. What those that are made may be used for is decided by `planet::wasi`.
fn watch_tcp(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("create-tcp-socket", |mut store: Caller<'_>, (family,): (IpAddressFamily,)| {
        let made = store.data_mut().sockets().create_tcp_socket(family);
        socket(&store, "tcp", "it tried to make a TCP socket", made)
    })
}

fn watch_udp(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async("create-udp-socket", |mut store: Caller<'_>, (family,): (IpAddressFamily,)| {
        Box::new(async move {
            let made = store.data_mut().sockets().create_udp_socket(family).await;
            socket(&store, "udp", "it tried to make a UDP socket", made)
        })
    })
}

/// `result<T, error-code>` of `wasi:sockets`.
type SocketAnswer<T> = wasmtime::Result<(Result<T, network::ErrorCode>,)>;

fn socket<T>(store: &Caller<'_>, permission: &str, why: &str, result: SocketResult<T>) -> SocketAnswer<T> {
    let error = match result {
        Ok(done) => return Ok((Ok(done),)),
        Err(error) => error.downcast()?,
    };
    if matches!(error, network::ErrorCode::AccessDenied) {
        store.data().refusals().note(permission, why);
    }
    Ok((Err(error),))
}

fn watch_name_lookup(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("resolve-addresses", |mut store: Caller<'_>, (network, name): (Resource<Network>, String)| {
        if !store.data().may_look_up_names() {
            let why = format!("it tried to look up {:?}", beginning(&name));
            store.data().refusals().note("name lookup", &why);
        }
        let answer: SocketAnswer<_> = match store.data_mut().sockets().resolve_addresses(network, name) {
            Ok(stream) => Ok((Ok(stream),)),
            Err(error) => Ok((Err(error.downcast()?),)),
        };
        answer
    })
}
