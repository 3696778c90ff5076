//! Engines that one runs oneself: vLLM, with `--enable-prompt-tokens-details`, and SGLang, with
//! `--enable-cache-report`. They ignore what they do not know. vLLM's entrypoints at 040a2cc;
//! SGLang 0.5.23.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, ChatVoice, Extras, MessagesVoice, ResponsesVoice, UsageAt, hex};
use crate::prompt::Source;
use crate::provider::{Cache, Rules, Said, Saying, Surface, Take, Texts, Voice, Writes, openai};
use crate::refusal::{Breach, Path, Refusal};

pub(super) const VLLM: Rules = Rules {
    surfaces: &[
        CHAT,
        RESPONSES,
        Surface {
            // It strips the block by itself.
            billing_block: Take::Ignored,
            ..messages(MessagesVoice {
                id: |seed| format!("chatcmpl-{}", hex(seed)),
                usage: |answer| {
                    let mut usage = anthropic_usage(answer);
                    usage["cache_creation_input_tokens"] = json!(0);
                    usage
                },
                usage_at: UsageAt::Delta,
                extras: Extras::Nothing,
            })
        },
    ],
    refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};

pub(super) const SGLANG: Rules = Rules {
    surfaces: &[
        CHAT,
        RESPONSES,
        messages(MessagesVoice {
            id: |seed| format!("msg_{}", hex(seed)),
            usage: anthropic_usage,
            usage_at: UsageAt::Delta,
            extras: Extras::Nothing,
        }),
    ],
    ..VLLM
};

const CHAT: Surface = Surface {
    check: salt,
    texts: Texts::Distinct,
    scope,
    cache: |_, _| CACHE,
    ..Surface::new(Voice::Chat(ChatVoice {
        id: |seed, _| format!("chatcmpl-{}", hex(seed)),
        ..ChatVoice::PLAIN
    }))
};

const RESPONSES: Surface = Surface {
    check: salt,
    texts: Texts::Distinct,
    scope,
    cache: |_, _| CACHE,
    ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
};

const fn messages(voice: MessagesVoice) -> Surface {
    Surface { check: salt, scope, cache: |_, _| CACHE, ..Surface::new(Voice::Messages(voice)) }
}

/// Blocks of 16 tokens are vLLM's default; SGLang's tree has single tokens. Entries stay until
/// others need their place.
const CACHE: Cache = Cache::Steps {
    minimum: 16,
    step: 16,
    life: Duration::from_secs(24 * 3600),
    writes: Writes::Free,
};

/// The second is SGLang's.
fn scope(source: &Source<'_>) -> Option<String> {
    let salts = [source.string(&["cache_salt"]), source.string(&["extra_key"])];
    salts.iter().any(Option::is_some).then(|| format!("{salts:?}"))
}

fn salt(source: &Source<'_>) -> Result<(), Refusal> {
    match source.body.get("cache_salt") {
        Some(salt) if salt.quoted().is_none_or(str::is_empty) => {
            let words = "Parameter 'cache_salt' must be a non-empty string if provided.".to_owned();
            Err(Refusal::new(Path::new("cache_salt"), Breach::Rule(words)))
        }
        _ => Ok(()),
    }
}

fn anthropic_usage(answer: &Answer<'_>) -> Value {
    json!({
        "input_tokens": answer.usage.uncached,
        "output_tokens": answer.usage.output,
        "cache_read_input_tokens": answer.usage.read,
    })
}

fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    let said = openai::refuse(refusal, saying);
    let message = &said.body["error"]["message"];
    let kind = if said.status == 404 { "NotFoundError" } else { "BadRequestError" };
    let kind = if said.status >= 500 { "InternalServerError" } else { kind };
    let error = json!({ "message": message, "type": kind, "param": null, "code": said.status });
    Said { status: said.status, body: json!({ "error": error }) }
}
