//! The providers: what each takes, refuses and caches, one file each, every file with the same
//! parts in the same order.

mod anthropic;
mod azure_openai;
mod bedrock;
mod cerebras;
mod claude;
mod concentrate;
mod deepseek;
mod engine;
mod ephone;
mod fireworks;
mod foundry;
mod gemini;
mod groq;
mod knox;
mod litellm;
mod minimax;
mod mistral;
mod moonshot;
mod openai;
mod openrouter;
mod qwen;
mod relay;
mod requesty;
mod routerhub;
mod rules;
mod together;
mod vertex;
mod xai;
mod zai;

use std::fmt;
use std::str::FromStr;

pub(crate) use rules::*;

/// A provider by the name that Warmpath's configuration has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    Anthropic,
    Bedrock,
    BedrockMantle,
    Vertex,
    Foundry,
    OpenAi,
    AzureOpenAi,
    Gemini,
    DeepSeek,
    Xai,
    Mistral,
    Groq,
    Cerebras,
    Moonshot,
    Qwen,
    Zai,
    MiniMax,
    Fireworks,
    Together,
    OpenRouter,
    Requesty,
    RouterHub,
    Concentrate,
    Knox,
    Ephone,
    LiteLlm,
    Vllm,
    Sglang,
}

impl Provider {
    pub const ALL: [Self; 28] = [
        Self::Anthropic,
        Self::Bedrock,
        Self::BedrockMantle,
        Self::Vertex,
        Self::Foundry,
        Self::OpenAi,
        Self::AzureOpenAi,
        Self::Gemini,
        Self::DeepSeek,
        Self::Xai,
        Self::Mistral,
        Self::Groq,
        Self::Cerebras,
        Self::Moonshot,
        Self::Qwen,
        Self::Zai,
        Self::MiniMax,
        Self::Fireworks,
        Self::Together,
        Self::OpenRouter,
        Self::Requesty,
        Self::RouterHub,
        Self::Concentrate,
        Self::Knox,
        Self::Ephone,
        Self::LiteLlm,
        Self::Vllm,
        Self::Sglang,
    ];

    pub fn name(self) -> &'static str {
        self.entry().0
    }

    pub(crate) fn rules(self) -> &'static Rules {
        self.entry().1
    }

    fn entry(self) -> (&'static str, &'static Rules) {
        match self {
            Self::Anthropic => ("anthropic", &anthropic::RULES),
            Self::Bedrock => ("bedrock", &bedrock::RUNTIME),
            Self::BedrockMantle => ("bedrock_mantle", &bedrock::MANTLE),
            Self::Vertex => ("vertex", &vertex::RULES),
            Self::Foundry => ("foundry", &foundry::RULES),
            Self::OpenAi => ("openai", &openai::RULES),
            Self::AzureOpenAi => ("azure_openai", &azure_openai::RULES),
            Self::Gemini => ("gemini", &gemini::RULES),
            Self::DeepSeek => ("deepseek", &deepseek::RULES),
            Self::Xai => ("xai", &xai::RULES),
            Self::Mistral => ("mistral", &mistral::RULES),
            Self::Groq => ("groq", &groq::RULES),
            Self::Cerebras => ("cerebras", &cerebras::RULES),
            Self::Moonshot => ("moonshot", &moonshot::RULES),
            Self::Qwen => ("qwen", &qwen::RULES),
            Self::Zai => ("zai", &zai::RULES),
            Self::MiniMax => ("minimax", &minimax::RULES),
            Self::Fireworks => ("fireworks", &fireworks::RULES),
            Self::Together => ("together", &together::RULES),
            Self::OpenRouter => ("openrouter", &openrouter::RULES),
            Self::Requesty => ("requesty", &requesty::RULES),
            Self::RouterHub => ("routerhub", &routerhub::RULES),
            Self::Concentrate => ("concentrate", &concentrate::RULES),
            Self::Knox => ("knox", &knox::RULES),
            Self::Ephone => ("ephone", &ephone::RULES),
            Self::LiteLlm => ("litellm", &litellm::RULES),
            Self::Vllm => ("vllm", &engine::VLLM),
            Self::Sglang => ("sglang", &engine::SGLANG),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|provider| provider.name() == name);
        found.ok_or_else(|| {
            format!(
                "unknown provider {name:?}, expected one of {}",
                Self::ALL.map(Self::name).join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_read_as_it_is_written() {
        for provider in Provider::ALL {
            assert_eq!(provider.to_string().parse(), Ok(provider));
        }
    }
}
