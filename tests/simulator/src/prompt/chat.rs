//! Reads a request in the dialect of OpenAI's chat completions.

use crate::json::{Json, Members};
use crate::prompt::piece::{Section, unmarked};
use crate::prompt::reader::{Reader, object, required};
use crate::prompt::{Piece, Prompt, Source, Ttl};
use crate::provider::{Place, Surface, Texts};
use crate::refusal::{Breach, Path, Refusal};

pub(crate) fn read(source: &Source<'_>, surface: &Surface) -> Result<Prompt, Refusal> {
    let reader = Reader::new(source, surface);
    let body = &source.body;
    let limit = body.get("max_completion_tokens").or(body.get("max_tokens"));
    let mut prompt = Prompt {
        top_level: reader.top_level()?,
        most_output: limit.and_then(Json::number),
        reasoning: body.get("reasoning_effort").is_some_and(|effort| effort.raw() != "\"none\""),
        ..Prompt::default()
    };
    reader.functions(&mut prompt)?;
    let Some(messages) = reader.list("messages")? else {
        return Err(Refusal::new(Path::new("messages"), Breach::Missing));
    };
    if messages.is_empty() {
        return Err(Refusal::new(
            Path::new("messages"),
            Breach::Wrong("a list with at least one item"),
        ));
    }
    for (index, message) in messages.into_iter().enumerate() {
        reader.turn(&mut prompt, message, Path::new("messages").index(index))?;
    }
    prompt.invalidate(&surface.invalidators, body);
    Ok(prompt)
}

impl Reader<'_> {
    /// Tools in the form that chat and responses have.
    pub(super) fn functions(&self, prompt: &mut Prompt) -> Result<(), Refusal> {
        for (index, tool) in self.list("tools")?.unwrap_or_default().into_iter().enumerate() {
            let path = Path::new("tools").index(index);
            let tool = object(tool, &path)?;
            required(&tool, "type", &path)?;
            let outer = self.members(&tool, self.tool_names(), Place::Tool, &path)?;
            let inner = match tool.get("function") {
                Some(function) => {
                    let path = path.name("function");
                    self.members(&object(function, &path)?, None, Place::Function, &path)?
                }
                None => None,
            };
            let mut bytes = Vec::new();
            unmarked(&tool, &[], &mut bytes);
            let (section, mark) = (Section::Tools, outer.or(inner));
            prompt.pieces.push(Piece {
                section,
                seal: "tool".into(),
                bytes,
                mark,
                can_carry: true,
                path,
            });
        }
        Ok(())
    }

    fn turn(&self, prompt: &mut Prompt, message: Json<'_>, path: Path) -> Result<(), Refusal> {
        let message = object(message, &path)?;
        let role = required(&message, "role", &path)?;
        let roles = ["system", "developer", "user", "assistant", "tool", "function"];
        if !roles.contains(&&*role) {
            return Err(Refusal::new(path.name("role"), Breach::Wrong("a supported role")));
        }
        let mark =
            self.members(&message, self.message_names(), Place::Message, &path.tag(&role))?;
        let cue = self.content(prompt, &role, &message, mark, &path, &["role"])?;
        match &*role {
            "user" => prompt.cue = Some(cue),
            "assistant" | "tool" | "function" => prompt.cue = None,
            _ => {}
        }
        Ok(())
    }

    /// Adds the pieces of a message, whose members other than `uncounted` belong to the first of
    /// them; returns its text.
    pub(super) fn content(
        &self,
        prompt: &mut Prompt,
        role: &str,
        message: &Members<'_>,
        mark: Option<Ttl>,
        path: &Path,
        uncounted: &[&str],
    ) -> Result<String, Refusal> {
        let first = prompt.pieces.len();
        let mut said = String::new();
        let own = path.name("content");
        let content = message.get("content");
        if let Some(parts) = content.and_then(Json::items) {
            for (index, part) in parts.into_iter().enumerate() {
                self.part(prompt, role, part, own.index(index), &mut said)?;
            }
        } else {
            let text = content.map_or(Some(""), Json::quoted);
            let wrong = || Refusal::new(own.clone(), Breach::Wrong("a string or a list of parts"));
            let text = text.ok_or_else(wrong)?;
            said.extend(content.and_then(Json::text));
            let mut piece = Piece::text(Section::Messages, role, text, own);
            if self.surface.texts == Texts::Distinct {
                piece.seal.push_str(" string");
            }
            prompt.pieces.push(piece);
        }
        // Beside the content, such as tool calls.
        let mut beside = Vec::new();
        for (name, value) in message.iter() {
            let known = ["content", "cache_control", "prompt_cache_breakpoint"].contains(&name);
            if !known && !uncounted.contains(&name) && !value.is_empty() {
                beside.extend(format!("{name}:{}", value.raw()).bytes());
            }
        }
        if let Some(piece) = prompt.pieces.get_mut(first) {
            piece.bytes.splice(0..0, beside);
        }
        if let Some(piece) = prompt.pieces[first..].last_mut() {
            piece.mark = piece.mark.or(mark);
        }
        Ok(said)
    }

    fn part(
        &self,
        prompt: &mut Prompt,
        role: &str,
        part: Json<'_>,
        path: Path,
        said: &mut String,
    ) -> Result<(), Refusal> {
        let part = object(part, &path)?;
        let kind = required(&part, "type", &path)?;
        let text = part.get("text").and_then(Json::text);
        let place = match &text {
            _ if role == "assistant" => Place::Said,
            Some(text) if text.trim().is_empty() => Place::EmptyText,
            Some(_) => Place::Text,
            None => Place::Part,
        };
        let mark = self.members(&part, self.block_names(&kind), place, &path)?;
        said.extend(text);
        let piece = Piece::block(Section::Messages, role, &part, mark, path);
        let can_carry = place != Place::EmptyText;
        prompt.pieces.push(Piece { can_carry, ..piece });
        Ok(())
    }
}
