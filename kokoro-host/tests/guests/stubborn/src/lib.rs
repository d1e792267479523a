//! A Planet (plugin) that fails on demand when it is to be replaced, or to replace another.

use std::fs::File;
use std::hint::black_box;

use kokoro_guest::{Planet, Saved, StartError};
use saved_state::Snapshot;
use stubborn::Mode;
use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::udp::UdpSocket;
use wasip2::sockets::udp_create_socket::create_udp_socket;

kokoro_guest::planet! {
    state: Stubborn,
    exports: ["test:guests/stubborn@0.1.0", "kokoro:core/saved-state@0.1.0"],
    wit: "../wit",
}

struct Stubborn {
    mode: Mode,
    pings: u32,
    _keeps: Keeps,
}

/// What has to be given back when an instance goes.
struct Keeps {
    _file: Option<File>,
    _socket: Option<UdpSocket>,
    _memory: Vec<u8>,
}

impl Planet for Stubborn {
    fn start() -> Result<Self, StartError> {
        let file = File::open("/data/kept").ok();
        let socket = create_udp_socket(IpAddressFamily::Ipv4).ok();
        let keeps = Keeps { _file: file, _socket: socket, _memory: black_box(vec![1; 1 << 20]) };
        Ok(Self { mode: Mode::Fine, pings: 0, _keeps: keeps })
    }
}

impl stubborn::Guest for Stubborn {
    fn set(&mut self, mode: Mode) {
        self.mode = mode;
    }

    fn ping(&mut self) -> u32 {
        self.pings += 1;
        self.pings
    }
}

impl saved_state::Guest for Stubborn {
    fn save(&mut self) -> Result<Snapshot, String> {
        match self.mode {
            Mode::SaveErr => return Err("it does not want to be saved".to_owned()),
            Mode::SaveTrap => panic!("it panics rather than be saved"),
            Mode::SaveForever => forever(),
            _ => {}
        }
        let saved = Saved::write(1, &(self.mode as u8, self.pings))?;
        Ok(Snapshot { version: saved.version(), data: saved.into_data() })
    }

    fn restore(&mut self, snapshot: Snapshot) -> Result<(), String> {
        let (mode, pings): (u8, u32) = Saved::new(snapshot.version, snapshot.data).read()?;
        if mode == Mode::RestoreErr as u8 {
            return Err("it does not want to be restored".to_owned());
        }
        assert!(mode != Mode::RestoreTrap as u8, "it panics rather than be restored");
        if mode == Mode::RestoreForever as u8 {
            forever();
        }
        self.pings = pings;
        Ok(())
    }
}

fn forever() -> ! {
    loop {
        black_box(0);
    }
}
