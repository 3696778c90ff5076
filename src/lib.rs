//! Warmpath keeps the prompt caches of LLM providers warm and used: a Proxy-Wasm filter that sends
//! each request of a conversation to the account that holds its prefix, gives every provider the
//! marks that it accepts, and shows in every answer what was read from the cache and written to it.
//!
//! ```text
//! client ──► route stage ──────► Envoy's router ──────────► shape stage ─────────► provider
//!            reads the prompt,   weights, retries,          once per attempt:
//!            pins, leaves facts  health, TLS, credentials   edits for the upstream really chosen
//! client ◄── route stage ◄──────────────────────────────────────────────────────── provider
//!            rewrites usage, counts, learns who holds what
//! ```
//!
//! | Envoy's callback | route stage | shape stage |
//! | --- | --- | --- |
//! | request headers | removes headers of ours; recognises; holds, or leaves alone | takes the facts, computes the edits, sets the length, goes on |
//! | request body | reads the new window | splices up to the last edit |
//! | its end | chooses, sets the routing headers, leaves the facts | – |
//! | response headers | notes who served; holds only JSON that may change | – |
//! | response body | streams: reads and rewrites as they pass; JSON: at its end | – |
//! | end of the exchange | counts and learns, once | – |
//!
//! From the wire inwards:
//!
//! - `host` (WebAssembly only): the only code that calls Envoy; callbacks in, effects out
//! - [`stage`]: the two stages as state machines, without Envoy
//! - [`config`]: every option, checked once, at start
//! - [`dialect`]: the APIs that clients speak, and what the members of a request mean
//! - [`prompt`]: the facts of a body, read window by window, and the digests of its prefix
//! - [`provider`]: what each provider accepts, how long it caches, how it counts
//! - [`shape`]: from facts and profile to the edits of a body
//! - [`splice`]: edits, applied to a body that comes in pieces
//! - [`affinity`]: who holds what: ids, sessions, prefixes; the choice, and what is learned
//! - [`usage`]: token counts, read from answers and written back
//! - [`metrics`]: every counter, and what one increment means
//! - [`json`]: the push reader of JSON that `prompt` and `usage` build on
//!
//! All but `host` is pure: bytes, configuration, table and clock in, decisions and edits out. The
//! SDK is a dependency on WebAssembly alone, so nothing else can call Envoy.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

pub mod affinity;
pub mod config;
pub mod dialect;
#[cfg(target_arch = "wasm32")]
mod host;
pub mod json;
pub mod metrics;
pub mod prompt;
pub mod provider;
pub mod shape;
pub mod splice;
pub mod stage;
pub mod usage;
