//! Reads a request in the dialect of OpenAI's responses.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::prompt::piece::{Section, unmarked};
use crate::prompt::reader::{Reader, object, required};
use crate::prompt::{Piece, Prompt, Source};
use crate::provider::{Place, Surface};
use crate::refusal::{Breach, Path, Refusal};

/// `before` are the pieces of the response that this one continues, `referred` those that it names.
pub(crate) fn read(
    source: &Source<'_>,
    surface: &Surface,
    before: Vec<Piece>,
    referred: &BTreeMap<String, Piece>,
) -> Result<Prompt, Refusal> {
    let reader = Reader::new(source, surface);
    let body = &source.body;
    let effort = body.get("reasoning").and_then(|reasoning| reasoning.get("effort"));
    let mut prompt = Prompt {
        top_level: reader.top_level()?,
        most_output: body.get("max_output_tokens").and_then(Json::number),
        reasoning: effort.is_some_and(|effort| effort.raw() != "\"none\""),
        ..Prompt::default()
    };
    reader.functions(&mut prompt)?;
    if let Some(text) = body.get("instructions").and_then(Json::quoted) {
        let path = Path::new("instructions");
        prompt.pieces.push(Piece::text(Section::System, "system", text, path));
    }
    prompt.pieces.extend(before);
    let path = Path::new("input");
    match body.get("input") {
        None => return Err(Refusal::new(path, Breach::Missing)),
        Some(input) => match (input.quoted(), input.items()) {
            (Some(text), _) => {
                prompt.pieces.push(Piece::text(Section::Messages, "user", text, path));
                prompt.cue = input.text().map(|text| text.into_owned());
            }
            (_, Some(items)) => {
                for (index, item) in items.into_iter().enumerate() {
                    let id = item.get("id").and_then(Json::text);
                    match id.and_then(|id| referred.get(&*id)) {
                        Some(said) => prompt.pieces.push(said.clone()),
                        None => reader.item(&mut prompt, item, path.index(index))?,
                    }
                }
            }
            _ => {
                return Err(Refusal::new(path, Breach::Wrong("a string or a list of input items")));
            }
        },
    }
    prompt.invalidate(&surface.invalidators, body);
    Ok(prompt)
}

/// The pieces that a next response continues: the input, and the answer as a client would send it
/// back.
pub(crate) fn continued(prompt: &Prompt, answer: &str) -> Vec<Piece> {
    let input = prompt.pieces.iter().filter(|piece| piece.section == Section::Messages);
    let said = Piece::text(Section::Messages, "assistant", answer, Path::new("input"));
    input.cloned().chain([said]).map(|piece| Piece { mark: None, ..piece }).collect()
}

impl Reader<'_> {
    fn item(&self, prompt: &mut Prompt, item: Json<'_>, path: Path) -> Result<(), Refusal> {
        let item = object(item, &path)?;
        let kind = item.get("type").and_then(Json::text).unwrap_or("message".into());
        let mark = self.members(&item, self.block_names(&kind), Place::Message, &path)?;
        if kind == "message" {
            let role = required(&item, "role", &path)?;
            // What a server adds to an item is nothing that the model reads.
            let uncounted = ["role", "type", "id", "status", "phase"];
            let said = self.content(prompt, &role, &item, mark, &path, &uncounted)?;
            match &*role {
                "user" => prompt.cue = Some(said),
                "assistant" => prompt.cue = None,
                _ => {}
            }
            return Ok(());
        }
        let mut inner = None;
        for (index, part) in
            item.get("output").and_then(Json::items).unwrap_or_default().into_iter().enumerate()
        {
            let path = path.name("output").index(index);
            inner = self.members(&object(part, &path)?, None, Place::Part, &path)?.or(inner);
        }
        let mut bytes = Vec::new();
        unmarked(&item, &["id", "status"], &mut bytes);
        let (section, seal) = (Section::Messages, format!("item {kind}"));
        let mark = mark.or(inner);
        prompt.pieces.push(Piece { section, seal, bytes, mark, can_carry: true, path });
        prompt.cue = None;
        Ok(())
    }
}
