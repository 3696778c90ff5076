//! Which endpoint a path names. Prefixes differ between providers and gateways, so the end of the
//! path decides.

use hyper::Method;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Model(Question),
    /// Something kept at this account: the segments from its kind on.
    Objects(Vec<String>),
    /// What clients ask to see whether somebody is there.
    Alive,
    Unknown,
}

/// What a path says of a question to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) dialect: Dialect,
    /// Where it is not left to the body.
    pub(crate) model: Option<String>,
    pub(crate) streaming: Option<bool>,
    /// Whether only the tokens are to be counted.
    pub(crate) counting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Messages,
    Chat,
    Responses,
}

impl Route {
    /// `path` is without the query.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return if method == Method::HEAD { Self::Alive } else { Self::Unknown };
        }
        if method == Method::POST
            && let Some(question) = question(path)
        {
            return Self::Model(question);
        }
        let segments: Vec<_> = path.split('/').map(str::to_owned).collect();
        match segments.iter().position(|segment| KINDS.contains(&&**segment)) {
            Some(kind) => Self::Objects(segments[kind..].to_vec()),
            None => Self::Unknown,
        }
    }
}

fn question(path: &str) -> Option<Question> {
    let simple = |dialect| Question { dialect, model: None, streaming: None, counting: false };
    let messages = simple(Dialect::Messages);
    if path.ends_with("/v1/messages/count_tokens") {
        return Some(Question { counting: true, ..messages });
    }
    if path.ends_with("/v1/messages") {
        return Some(messages);
    }
    if path.ends_with("/responses") {
        return Some(simple(Dialect::Responses));
    }
    if let Some(before) = path.strip_suffix("/chat/completions") {
        // Azure also has the deployment's name in the path:
        // https://learn.microsoft.com/azure/ai-foundry/openai/reference
        let deployment = before.rsplit_once("/deployments/").map(|(_, name)| name.to_owned());
        return Some(Question { model: deployment, ..simple(Dialect::Chat) });
    }
    // Claude on Vertex.
    let (_, name) = path.rsplit_once("/publishers/anthropic/models/")?;
    match name.rsplit_once(':')? {
        ("count-tokens", "rawPredict") => Some(Question { counting: true, ..messages }),
        (model, verb @ ("rawPredict" | "streamRawPredict")) => Some(Question {
            model: Some(model.to_owned()),
            streaming: Some(verb == "streamRawPredict"),
            ..messages
        }),
        _ => None,
    }
}

const KINDS: [&str; 6] = ["responses", "videos", "video", "images", "files", "batches"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_path_decides() {
        let dialect = |path: &str| match Route::of(&Method::POST, path) {
            Route::Model(question) => Some(question.dialect),
            _ => None,
        };
        assert_eq!(dialect("/anthropic/v1/messages/"), Some(Dialect::Messages));
        assert_eq!(dialect("/inference/v1/chat/completions"), Some(Dialect::Chat));
        assert_eq!(dialect("/openai/v1/responses"), Some(Dialect::Responses));
        assert_eq!(dialect("/v1/responses/resp_1/cancel"), None);
        assert_eq!(dialect("/v1/embeddings"), None);
    }

    #[test]
    fn a_path_may_name_the_model() {
        let vertex = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4-8:streamRawPredict";
        let model = |path: &str| match Route::of(&Method::POST, path) {
            Route::Model(question) => (question.model, question.streaming),
            other => panic!("{other:?}"),
        };
        assert_eq!(model(vertex), (Some("claude-opus-4-8".to_owned()), Some(true)));
        let azure = "/openai/deployments/gpt-5.6/chat/completions";
        assert_eq!(model(azure), (Some("gpt-5.6".to_owned()), None));
    }

    #[test]
    fn objects_are_known_by_their_kind() {
        let segments = ["responses", "resp_1", "cancel"].map(str::to_owned).to_vec();
        assert_eq!(
            Route::of(&Method::POST, "/v1/responses/resp_1/cancel"),
            Route::Objects(segments)
        );
    }
}
