use super::{Marks, PROFILES, Profile};
use crate::dialect::Dialect;

#[test]
fn names_are_found_and_unique() {
    for profile in PROFILES {
        assert!(core::ptr::eq(Profile::named(profile.name).unwrap(), profile));
    }
    assert!(Profile::named("opnai").is_none());
}

/// Marks, and whether ttl "1h", a top-level mark and each field are taken.
fn row(provider: &str, dialect: Dialect, model: &str) -> (Marks, String) {
    let accepts = Profile::named(provider).unwrap().accepts(dialect, model).unwrap();
    let flags = [
        ("top", accepts.top_level_mark),
        ("1h", accepts.ttl_1h),
        ("scope", accepts.scope),
        ("key", accepts.cache_key),
        ("retention", accepts.cache_retention),
        ("options", accepts.cache_options),
    ];
    let taken: Vec<&str> =
        flags.iter().filter(|(_, taken)| *taken).map(|(name, _)| *name).collect();
    (accepts.marks, taken.join(" "))
}

#[test]
fn models_decide_where_providers_do_not() {
    use Dialect::{Chat, Messages, Responses};
    let cases = [
        ("anthropic", Messages, "any", Marks::Blocks, "top 1h scope"),
        ("bedrock", Messages, "us.anthropic.claude-sonnet-4-5-v1:0", Marks::Blocks, "1h"),
        ("bedrock", Messages, "anthropic.claude-3-5-haiku-20241022-v1:0", Marks::Blocks, ""),
        ("bedrock", Messages, "us.anthropic.claude-opus-4-6-v1", Marks::Blocks, ""),
        ("bedrock", Messages, "an-arn", Marks::Blocks, ""),
        ("vertex", Messages, "claude-opus-4-8", Marks::Blocks, "1h"),
        ("vertex", Messages, "claude-opus-4-1", Marks::Blocks, ""),
        ("openai", Chat, "gpt-5.6", Marks::Breakpoints, "key options"),
        ("openai", Responses, "gpt-6.1-sol", Marks::Breakpoints, "key options"),
        ("openai", Chat, "gpt-5.5", Marks::Rejected, "key retention"),
        ("openai", Chat, "gpt-4.1", Marks::Rejected, "key retention"),
        ("openai", Chat, "gpt-4o", Marks::Rejected, "key"),
        ("azure_openai", Chat, "gpt-5.6", Marks::Breakpoints, "key options"),
        ("azure_openai", Chat, "DeepSeek-V3", Marks::Rejected, ""),
        ("moonshot", Messages, "kimi-k3", Marks::Top, "top 1h"),
        ("groq", Chat, "gpt-oss-120b", Marks::Rejected, ""),
    ];
    for (provider, dialect, model, marks, taken) in cases {
        assert_eq!(row(provider, dialect, model), (marks, taken.into()), "{provider} {model}");
    }
}

#[test]
fn a_dialect_that_is_not_spoken_has_no_rules() {
    assert!(Profile::named("openai").unwrap().accepts(Dialect::Messages, "gpt-5.6").is_none());
    assert!(Profile::named("anthropic").unwrap().accepts(Dialect::Chat, "claude-opus-5").is_none());
}
