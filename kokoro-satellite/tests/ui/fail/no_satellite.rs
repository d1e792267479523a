struct Codec;

fn main() -> std::process::ExitCode {
    kokoro_satellite::run::<Codec>()
}
