//! Members beside the prompt.

use super::*;

#[test]
fn fields_go_where_they_are_rejected() {
    let fields = r#""prompt_cache_key":"k","prompt_cache_retention":"24h","prompt_cache_options":{"mode":"implicit"}"#;
    let body = |model: &str| format!(r#"{{{fields},"model":"{model}","messages":[]}}"#);
    let names = |provider: &str, dialect, model: &str| {
        let (out, _) = shaped(provider, dialect, &body(model));
        ["key", "retention", "options"].map(|name| out.contains(&format!("prompt_cache_{name}")))
    };
    use Dialect::{Chat, Messages};
    assert_eq!(names("openai", Chat, "gpt-5.6"), [true, false, true]);
    assert_eq!(names("openai", Chat, "gpt-5.1"), [true, true, false]);
    assert_eq!(names("openai", Chat, "gpt-4o"), [true, false, false]);
    assert_eq!(names("groq", Chat, "gpt-oss-120b"), [false; 3]);
    assert_eq!(names("anthropic", Messages, "claude-opus-5"), [false; 3]);
    assert_eq!(names("vllm", Chat, "x"), [true; 3]);
}

#[test]
fn keys_models_and_the_usage_option_are_set() {
    let set = |body: &str| {
        shaped_with("openai", Dialect::Chat, body, |target| {
            target.cache_key = Some("k\"1");
            target.model = Some("gpt-5.6-2026");
            target.ask_usage = true;
        })
    };
    let (out, rules) = set(r#"{"model":"gpt-5.6","stream":true,"messages":[]}"#);
    assert_eq!(
        out,
        r#"{"prompt_cache_key":"k\"1","stream_options":{"include_usage":true},"model":"gpt-5.6-2026","stream":true,"messages":[]}"#
    );
    assert_eq!(rules, "cache_key model usage");
    for (option, expected) in [
        ("null", r#"{"include_usage":true}"#),
        ("{}", r#"{"include_usage":true}"#),
        (r#"{ "x":1}"#, r#"{"include_usage":true, "x":1}"#),
        (r#"{"include_usage":false}"#, r#"{"include_usage":false}"#),
    ] {
        let body = |option: &str| {
            format!(
                r#"{{"model":"gpt-5.6-2026","stream":true,"stream_options":{option},"messages":[],"prompt_cache_key":"own"}}"#
            )
        };
        assert_eq!(set(&body(option)).0, body(expected));
    }
    let (_, rules) =
        set(r#"{"model":"gpt-5.6-2026","stream":false,"prompt_cache_key":null,"messages":[]}"#);
    assert_eq!(rules, "");
}
