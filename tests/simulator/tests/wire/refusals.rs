//! The words in which providers refuse; Claude's and OpenAI's are with them.

use serde_json::json;
use simulator::Provider::{self, *};

use crate::providers::{CHAT, simple};
use crate::support::{Answer, post, start};

/// The answer to a chat request with a mark on its part or message, or with a member of that name.
fn refused(provider: Provider, member: &str) -> Answer {
    let simulator = start(&[provider]);
    let (mut body, part) = simple(CHAT, "DeepSeek-V3");
    match member {
        "mark" => body.pointer_mut(part).unwrap()["cache_control"] = json!({ "type": "ephemeral" }),
        "message" => body["messages"][0]["cache_control"] = json!({ "type": "ephemeral" }),
        name => body[name] = json!("k"),
    }
    post(&simulator, provider.name(), CHAT, &body)
}

#[test]
fn gemini_refuses_in_an_array() {
    let answer = refused(Gemini, "prompt_cache_key");
    let message =
        "Invalid JSON payload received. Unknown name \"prompt_cache_key\": Cannot find field.";
    let violation = json!({ "description": message });
    let details = json!([{ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation] }]);
    let error = json!({ "code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details });
    assert_eq!(answer.json(), json!([{ "error": error }]));
    assert!(
        refused(Gemini, "mark")
            .message()
            .contains("Unknown name \"cache_control\" at 'messages[0].content[0]'")
    );
}

#[test]
fn groq_names_the_property() {
    let answer = refused(Groq, "prompt_cache_key");
    let message = "property 'prompt_cache_key' is unsupported";
    assert_eq!(
        answer.json(),
        json!({ "error": { "message": message, "type": "invalid_request_error" } })
    );
    assert_eq!(
        refused(Groq, "message").message(),
        "'messages[0]' : property 'cache_control' is unsupported"
    );
}

#[test]
fn mistral_answers_422_with_the_place() {
    let answer = refused(Mistral, "message");
    assert_eq!(answer.status, 422);
    let detail = json!({
        "type": "extra_forbidden",
        "loc": ["body", "messages", 0, "user", "cache_control"],
        "msg": "Extra inputs are not permitted",
    });
    let expected = json!({
        "object": "error",
        "message": { "detail": [detail] },
        "type": "invalid_request_error",
        "param": null,
        "code": null,
    });
    assert_eq!(answer.json(), expected);
    let simulator = start(&[Mistral]);
    let (mut body, _) = simple(CHAT, "mistral-large");
    body["prompt_cache_key"] = json!("schlüssel");
    assert_eq!(post(&simulator, "mistral", CHAT, &body).status, 422);
}

#[test]
fn fireworks_names_both_variants_of_the_content() {
    let json = refused(Fireworks, "mark").json();
    assert_eq!(json["error"]["object"], "error");
    let message = json["error"]["message"].as_str().unwrap();
    let words = "Extra inputs are not permitted, field: 'messages[0].content.list[ChatMessageContent][0].cache_control'";
    assert!(message.ends_with(words), "{message}");
}

#[test]
fn azure_refuses_for_models_of_others_in_its_own_words() {
    let message = "Unrecognized request argument supplied: prompt_cache_key";
    let error = json!({ "code": "unrecognized_request_argument", "message": message });
    assert_eq!(refused(AzureOpenAi, "prompt_cache_key").json(), json!({ "error": error }));
}

#[test]
fn deepseek_knows_text_parts_only() {
    let simulator = start(&[DeepSeek]);
    let part = json!({ "type": "tool_reference", "tool_name": "t" });
    let body =
        json!({ "model": "deepseek-v4", "messages": [{ "role": "user", "content": [part] }] });
    let answer = post(&simulator, "deepseek", CHAT, &body);
    let words = "Failed to deserialize the JSON body into the target type: messages[0].content: unknown variant tool_reference, expected text";
    assert_eq!((answer.status, answer.message().as_str()), (400, words));
}

#[test]
fn openrouter_hands_on_what_an_old_claude_refuses() {
    let simulator = start(&[OpenRouter]);
    let tool = json!({ "type": "function", "function": { "name": "f" }, "cache_control": { "type": "ephemeral" } });
    let ask = |model: &str| {
        let messages = json!([{ "role": "user", "content": "a" }]);
        post(
            &simulator,
            "openrouter",
            CHAT,
            &json!({ "model": model, "tools": [tool], "messages": messages }),
        )
    };
    let error =
        json!({ "message": "tools.0.cache_control: Extra inputs are not permitted", "code": 400 });
    assert_eq!(ask("anthropic/claude-3-haiku").json(), json!({ "error": error }));
    assert_eq!(ask("anthropic/claude-haiku-4.5").status, 200);
}

#[test]
fn engines_want_a_salt_that_is_no_empty_string() {
    let simulator = start(&[Vllm, Sglang]);
    for account in ["vllm", "sglang"] {
        for (salt, status) in [(json!("s"), 200), (json!(""), 400), (json!(7), 400)] {
            let (mut body, _) = simple(CHAT, "Qwen3-8B");
            body["cache_salt"] = salt;
            assert_eq!(post(&simulator, account, CHAT, &body).status, status);
        }
    }
}
