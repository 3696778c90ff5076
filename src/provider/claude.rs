//! Claude models, wherever they are served: version from a name, and what depends on it.

/// Family and version of a Claude model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claude<'a> {
    pub(super) family: &'a str,
    pub(super) version: (u32, u32),
}

impl<'a> Claude<'a> {
    /// Finds it in any spelling: `claude-opus-4-8`, `claude-sonnet-4-5-20250929`,
    /// `us.anthropic.claude-opus-4-6-v1:0`, `anthropic/claude-sonnet-4.5`, `claude-3-5-haiku@2024`.
    pub(super) fn parse(model: &'a str) -> Option<Self> {
        let (_, name) = model.split_once("claude-")?;
        let mut family = None;
        let mut numbers = [None; 2];
        for word in name.split(['-', '.', '@', ':', '[', '/']) {
            match word.parse::<u32>() {
                // A date is no version.
                Ok(number) if number < 100 => {
                    if let Some(free) = numbers.iter_mut().find(|known| known.is_none()) {
                        *free = Some(number);
                    }
                }
                Ok(_) => break,
                Err(_) if FAMILIES.contains(&word) && family.is_none() => family = Some(word),
                Err(_) => break,
            }
        }
        let [major, minor] = numbers;
        Some(Self { family: family?, version: (major?, minor.unwrap_or(0)) })
    }

    /// Whether it is of this version or later.
    pub(super) fn from(self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }
}

const FAMILIES: [&str; 5] = ["opus", "sonnet", "haiku", "fable", "mythos"];

/// The shortest prefix that is cached, in tokens.
///
/// platform.claude.com, prompt caching (read 2026-08-22), the newest models after LiteLLM's price map
/// (1.109.1). Other pages say up to 4096 for some; the smaller figure is taken, for a mark on a
/// prefix that is too short costs nothing. A name that is not understood gets the figure of most.
pub(super) fn min_tokens(model: &str) -> u32 {
    if model.contains("mythos-preview") {
        return 2048;
    }
    let Some(claude) = Claude::parse(model) else { return 1024 };
    match (claude.family, claude.version) {
        ("haiku", (4, 5)) | ("opus", (4, 5 | 6)) => 4096,
        ("opus", (4, 7)) | ("haiku", (..=3, _)) => 2048,
        ("opus" | "fable" | "mythos", (5.., _)) => 512,
        ("sonnet" | "haiku", version) if version >= (5, 5) => 512,
        _ => 1024,
    }
}

#[cfg(test)]
mod tests {
    use super::{Claude, min_tokens};

    #[test]
    fn models_are_told_by_name() {
        let cases = [
            ("claude-opus-4-8", "opus", (4, 8)),
            ("claude-opus-5", "opus", (5, 0)),
            ("claude-sonnet-4-5-20250929", "sonnet", (4, 5)),
            ("claude-sonnet-4-20250514", "sonnet", (4, 0)),
            ("us.anthropic.claude-opus-4-6-v1", "opus", (4, 6)),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", "haiku", (4, 5)),
            ("anthropic/claude-sonnet-4.5", "sonnet", (4, 5)),
            ("claude-3-5-haiku@20241022", "haiku", (3, 5)),
            ("claude-3-haiku-20240307", "haiku", (3, 0)),
            ("claude-opus-4-8[1m]", "opus", (4, 8)),
            ("claude-fable-5-1", "fable", (5, 1)),
        ];
        for (model, family, version) in cases {
            assert_eq!(Claude::parse(model), Some(Claude { family, version }), "{model}");
        }
        for model in ["gpt-5", "claude", "claude-instant-1", "claude-next", ""] {
            assert_eq!(Claude::parse(model), None, "{model}");
        }
    }

    #[test]
    fn minima_follow_the_documented_table() {
        let table = [
            (
                512,
                &[
                    "opus-5",
                    "fable-5",
                    "mythos-5",
                    "sonnet-5-5",
                    "opus-5-5",
                    "haiku-5-5",
                    "fable-5-1",
                ][..],
            ),
            (
                1024,
                &[
                    "opus-4-8",
                    "sonnet-5",
                    "sonnet-4-6",
                    "sonnet-4-5",
                    "opus-4-1",
                    "opus-4",
                    "sonnet-4",
                ],
            ),
            (2048, &["opus-4-7", "3-5-haiku", "3-haiku", "mythos-preview"]),
            (4096, &["opus-4-6", "opus-4-5", "haiku-4-5"]),
        ];
        for (tokens, models) in table {
            for model in models {
                assert_eq!(min_tokens(&format!("claude-{model}")), tokens, "{model}");
            }
        }
    }
}
