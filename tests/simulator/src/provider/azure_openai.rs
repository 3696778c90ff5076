//! OpenAI's models at Azure, and others that its Foundry serves under the same paths.
//! MicrosoftDocs/azure-ai-docs, how-to-prompt-caching-content.md, read 2026-08-04.

use serde_json::json;

use crate::prompt::Source;
use crate::provider::{Knobs, Rules, Said, Saying, Surface, Take, openai};
use crate::refusal::{Breach, Refusal};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface { knobs, check, ..openai::CHAT },
        Surface { knobs, check, ..openai::RESPONSES },
    ],
    refuse,
    headers: |request_id| {
        vec![
            ("x-request-id", request_id.to_owned()),
            ("apim-request-id", request_id.trim_start_matches("req_").to_owned()),
        ]
    },
    request_id_prefix: "req_",
};

fn knobs(model: &str) -> Knobs {
    if is_foreign(model) {
        return Knobs::REFUSED;
    }
    let knobs = openai::knobs(model);
    // Said to be taken; that GPT-6 refuses it, as at OpenAI, is not documented here.
    let retention = if openai::breaks(model) { Take::Ignored } else { knobs.cache_retention };
    Knobs { cache_retention: retention, ..knobs }
}

fn check(source: &Source<'_>) -> Result<(), Refusal> {
    if is_foreign(&source.model) {
        return Ok(());
    }
    openai::key(source)?;
    // No 12h, in responses neither. What a deployment of the provisioned kind refuses more cannot
    // be told from a request.
    openai::options(source, &["30m"])?;
    openai::retention(source)
}

/// By its name: a deployment may have any, so what is not known to be foreign is OpenAI's.
fn is_foreign(model: &str) -> bool {
    let model = model.to_lowercase();
    ["deepseek", "grok", "llama", "mistral", "phi-", "kimi", "qwen", "cohere"]
        .iter()
        .any(|name| model.contains(name))
}

fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    if is_foreign(saying.model) && refusal.breach == Breach::Extra {
        // https://github.com/vectorize-io/hindsight/issues/3518
        let message =
            format!("Unrecognized request argument supplied: {}", refusal.path.bracketed());
        let error = json!({ "code": "unrecognized_request_argument", "message": message });
        return Said { status: 400, body: json!({ "error": error }) };
    }
    openai::refuse(refusal, saying)
}
