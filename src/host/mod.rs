//! The only code that calls Envoy: turns its callbacks into calls of the core, and carries out the
//! effects that come back. No JSON, no prompt and no decision is in here.

mod abi;
mod exchange;
mod root;

use proxy_wasm::types::LogLevel;

// The macro exports the module's entry point.
#[allow(unsafe_code)]
mod entry {
    proxy_wasm::main! {{
        super::start();
    }}
}

fn start() {
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}
