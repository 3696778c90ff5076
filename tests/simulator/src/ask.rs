//! One question to a model: from the request to the answer, through the rules and the cache.

use hyper::HeaderMap;
use serde_json::json;

use crate::account::Running;
use crate::answer::{Answer, REASONING_TOKENS, Says, is_stored};
use crate::cache::Scope;
use crate::exchange::Usage;
use crate::json::Json;
use crate::marks;
use crate::prompt::{Prompt, Source, chat, messages, responses};
use crate::provider::{Cache, Ready, Surface, Voice};
use crate::refusal::{Breach, Path, Refusal};
use crate::reply::{Content, Reply};
use crate::route::{Dialect, Question};
use crate::serve::Arrival;

/// `body` is that of the arrival, less its encoding.
pub(crate) fn ask(
    running: &Running,
    arrival: &Arrival,
    question: Question,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let surfaces = running.rules.surfaces;
    let endpoint = surfaces.iter().position(|surface| surface.voice.dialect() == question.dialect);
    let endpoint = endpoint.ok_or(Refusal::new(Path::default(), Breach::NoRoute))?;
    let surface = &surfaces[endpoint];
    let source = source(question, &arrival.parts.headers, body)?;
    let mut prompt = prompt(running, surface, &source)?;
    let cache = (surface.cache)(&source, &prompt);
    if let Cache::Marks { excess, .. } = cache {
        marks::settle(&mut prompt, excess)?;
    }
    if source.counting {
        return Ok(Reply::json(json!({ "input_tokens": prompt.tokens() })));
    }

    let key = (surface.scope)(&source);
    let scope = Scope { endpoint, model: &source.model, key: key.as_deref() };
    let mut state = running.state();
    let look = state.store.look(cache, &scope, &prompt, arrival.at);
    drop(state);

    let says = Says::to(&prompt, &arrival.pace);
    let thinks = prompt.reasoning && says.tokens() > 0;
    let reasoning = if thinks { REASONING_TOKENS } else { 0 };
    let usage = Usage { output: says.tokens() + reasoning, reasoning, ..look.usage };
    let serial = arrival.serial;
    let answer = Answer {
        source: &source,
        prompt: &prompt,
        serial,
        says,
        usage,
        events: arrival.pace.events,
    };
    let (id, json) = surface.voice.json(&answer);
    if surface.voice.dialect() == Dialect::Responses && is_stored(&source.body) {
        let pieces = responses::continued(&prompt, answer.says.text());
        running.state().objects.store_response(&id, json.clone(), pieces);
    }
    let content = match source.streaming {
        true => Content::Events(surface.voice.events(&answer)),
        false => Content::Json(json),
    };
    let ready = match cache {
        Cache::Marks { ready, .. } => ready,
        _ => Ready::AnswerBegun,
    };
    let headers = (surface.headers)(&answer);
    let (response_id, usage) = (Some(id), Some(usage));
    Ok(Reply { status: 200, headers, content, response_id, usage, writes: look.writes, ready })
}

fn prompt(running: &Running, surface: &Surface, source: &Source<'_>) -> Result<Prompt, Refusal> {
    (surface.check)(source)?;
    match surface.voice {
        Voice::Messages(_) => messages::read(source, surface),
        Voice::Chat(_) => chat::read(source, surface),
        Voice::Responses(_) => {
            let state = running.state();
            let before = state.objects.continued(&source.body)?;
            let referred = state.objects.referred(&source.body)?;
            drop(state);
            responses::read(source, surface, before, &referred)
        }
    }
}

fn source<'a>(
    question: Question,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> Result<Source<'a>, Refusal> {
    let not_json = |error| Refusal::new(Path::default(), Breach::NotJson(error));
    let body = Json::parse(body).map_err(not_json)?.members();
    let body = body.ok_or(Refusal::new(Path::default(), Breach::Wrong("an object")))?;
    let own = match body.get("model") {
        None => None,
        Some(model) => match model.text() {
            None => return Err(Refusal::new(Path::new("model"), Breach::Wrong("a valid string"))),
            Some(model) => Some(model.into_owned()),
        },
    };
    // Azure's deployments leave the model to the path but take it in the body too; Vertex does not.
    let model_in_path = question.model.is_some() && question.dialect == Dialect::Messages;
    let model = question.model.or(own);
    let model = model.ok_or(Refusal::new(Path::new("model"), Breach::Missing))?;
    let asked = body.get("stream").is_some_and(Json::is_true);
    let streaming = question.streaming.unwrap_or(asked);
    Ok(Source { headers, body, model, model_in_path, streaming, counting: question.counting })
}
