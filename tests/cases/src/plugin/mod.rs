//! The plugin as the suites see it. Only the files of this folder name its types, so a change of
//! its interface is followed here and nowhere else.

pub mod answer;
pub mod config;
pub mod exchange;
pub mod facts;
pub mod prompt;
pub mod text;

pub use warmpath::dialect::Dialect;
use warmpath::provider::{PROFILES, Profile};

/// The dialects that have prompts.
pub const DIALECTS: [Dialect; 3] = [Dialect::Messages, Dialect::Chat, Dialect::Responses];

/// The dialect of this name.
pub fn dialect(name: &str) -> Dialect {
    let all = [Dialect::Messages, Dialect::Chat, Dialect::Responses, Dialect::Objects];
    let found = all.into_iter().find(|dialect| dialect.name() == name);
    found.unwrap_or_else(|| panic!("{name} is no dialect"))
}

/// A path that is recognised as this dialect.
pub fn path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Messages => "/v1/messages",
        Dialect::Chat => "/v1/chat/completions",
        Dialect::Responses => "/v1/responses",
        Dialect::Objects => "/v1/files",
    }
}

/// The names of all providers, in the order of the documentation.
pub fn providers() -> Vec<&'static str> {
    PROFILES.iter().map(|profile| profile.name).collect()
}

/// Whether a provider speaks a dialect.
pub fn speaks(provider: &str, dialect: Dialect) -> bool {
    Profile::named(provider).is_some_and(|profile| profile.accepts(dialect, "").is_some())
}
