//! Names in WIT that generated code uses, too, or that Rust keeps for itself.

kokoro_host::bindings!({
    path: "tests/names",
    interfaces: ["acme:names/page@1.0.0"],
    serves: ["acme:names/page@1.0.0" as pages],
});
// A second call in the same module.
kokoro_host::bindings!({
    path: "tests/names",
    interfaces: ["acme:names/host@1.0.0"],
    serves: ["acme:names/host@1.0.0"],
});

use kokoro_host::{Caller, Primary};

struct Served;

impl pages::HostTrait for Served {
    async fn planet(&self, by: &Caller, self_: u32, caller: pages::Page, answer: u32) -> pages::Answer {
        let _ = by.planet();
        Ok(self_ + caller.caller + answer)
    }

    async fn with(&self, _: &Caller, _: u32) {}

    async fn within(&self, _: &Caller, _: u32, _: String, _: pages::Host) -> Result<(), String> {
        Ok(())
    }

    async fn gen_(&self, _: &Caller, self_: types::Self_, _: String) -> pages::Host {
        pages::Host { this: self_.as_ }
    }

    async fn type_(&self, _: &Caller) {}
}

impl host::HostTrait for Served {
    async fn host(&self, _: &Caller, host: u32) -> u32 {
        host
    }
}

#[tokio::test]
async fn names_that_collide_are_others() {
    let primary = Primary::builder().serve(pages::serve(Served)).serve(host::serve(Served)).build().unwrap();
    let _ = |page: pages::PageHandle, host: host::Host| async move {
        let _: Option<String> = page.planet();
        let _ = page.planet_(1, &pages::Page { caller: 1 }, 2).await;
        let _ = page.with("a value").with_(1).await;
        let _ = page.within_(1, "", &pages::Host { this: 1 }).await;
        let _ = page.gen_(&types::Self_ { as_: 1 }, "").await;
        host.host(1).await
    };
    let _ = [types::String::Self_, types::String::Ok(1)];
    assert!(primary.get::<pages::PageHandle>().is_err());
}
