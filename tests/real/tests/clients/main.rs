//! Clients as they are, in front of real Envoy with the plugin: what they are told is a base URL and a key, as for any gateway.
//! Each conversation stays where it is warm, which the accounts' own caches prove, and a dead account goes unnoticed.

mod accounts;
mod claude_code;
mod codex;
mod sdks;

/// Says on the standard output what a scenario saw.
fn report(client: &str, seen: &str) {
    println!("{client}: {seen}");
}
