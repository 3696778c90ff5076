//! GPT models, wherever they are served: version from a name, and what depends on it.

use super::{Accepts, Marks};

/// Thirty minutes from GPT-5.6 on, five to ten before, in seconds. developers.openai.com, prompt
/// caching (read 2026-09-20).
pub(super) fn lifetime_seconds(model: &str) -> u32 {
    match version(model) {
        Some(version) if version >= (5, 6) => 1800,
        _ => 600,
    }
}

/// The version of a GPT model in any spelling: `gpt-5.6`, `gpt-6.1-sol`, `openai/gpt-4o-mini`.
pub(super) fn version(model: &str) -> Option<(u32, u32)> {
    let (before, name) = model.split_once("gpt-")?;
    if !before.is_empty() && !before.ends_with(['/', '.', ':']) {
        return None;
    }
    let digits = |text: &str| {
        let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        text.split_at_checked(end)
            .and_then(|(number, rest)| Some((number.parse().ok()?, rest.to_owned())))
    };
    let (major, rest) = digits(name)?;
    let minor = rest.strip_prefix('.').and_then(digits).map_or(0, |(minor, _)| minor);
    Some((major, minor))
}

/// Whether it is a model of OpenAI's: a GPT or one of the o series.
pub(super) fn is_openai(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let o_series =
        name.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    version(name).is_some() || o_series
}

/// What the model decides at OpenAI and Azure.
///
/// From GPT-5.6 on: breakpoints and `prompt_cache_options`, and no more `prompt_cache_retention`
/// (deprecated there, gone with GPT-6). Before: `prompt_cache_retention` on GPT-5 and GPT-4.1, a 400
/// on others. openai-python 3.51.0 types and developers.openai.com, prompt caching (read 2026-09-20).
pub(super) fn accepts(model: &str, accepts: Accepts) -> Accepts {
    match version(model) {
        Some(version) if version >= (5, 6) => Accepts {
            marks: Marks::Breakpoints,
            cache_options: true,
            cache_retention: false,
            ..accepts
        },
        Some((5, _) | (4, 1)) => Accepts { cache_retention: true, ..accepts },
        _ => accepts,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_openai, version};

    #[test]
    fn versions_are_told_by_name() {
        let cases = [
            ("gpt-5.6", Some((5, 6))),
            ("gpt-5.6-2026-08-01", Some((5, 6))),
            ("gpt-5", Some((5, 0))),
            ("gpt-5-mini", Some((5, 0))),
            ("gpt-6.1-sol", Some((6, 1))),
            ("gpt-4o", Some((4, 0))),
            ("gpt-4.1-nano", Some((4, 1))),
            ("openai/gpt-5.10", Some((5, 10))),
            ("gpt-oss-120b", None),
            ("o3", None),
            ("my-gpt-5", None),
        ];
        for (model, expected) in cases {
            assert_eq!(version(model), expected, "{model}");
        }
    }

    #[test]
    fn models_of_openai_are_told_from_others() {
        for model in ["gpt-5.6", "gpt-4o", "o3", "o4-mini", "openai/o3"] {
            assert!(is_openai(model), "{model}");
        }
        for model in ["DeepSeek-V3", "grok-4", "orca", "Llama-4", ""] {
            assert!(!is_openai(model), "{model}");
        }
    }
}
