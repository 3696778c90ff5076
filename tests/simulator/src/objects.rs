//! What lives at one account only: stored responses, files, batches, videos and images. Elsewhere
//! it does not exist.

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::{Value, json};

use crate::answer::{Serial, alphanumeric};
use crate::json::{Json, Members};
use crate::prompt::Piece;
use crate::refusal::{Breach, Path, Refusal};

#[derive(Debug, Default)]
pub(crate) struct Objects {
    by_id: BTreeMap<String, Object>,
    /// What stored responses said, by the ids of their items.
    items: BTreeMap<String, Piece>,
}

#[derive(Debug)]
struct Object {
    kind: String,
    json: Value,
    /// Of a response: what one that continues it starts with.
    pieces: Vec<Piece>,
}

impl Objects {
    pub(crate) fn clear(&mut self) {
        self.by_id.clear();
        self.items.clear();
    }

    pub(crate) fn store_response(&mut self, id: &str, json: Value, pieces: Vec<Piece>) {
        let items = json["output"].as_array().into_iter().flatten();
        for item in items.filter_map(|item| item["id"].as_str()) {
            self.items.extend(pieces.last().map(|said| (item.to_owned(), said.clone())));
        }
        let object = Object { kind: "responses".to_owned(), json, pieces };
        self.by_id.insert(id.to_owned(), object);
    }

    /// What the response that `body` continues was made of.
    pub(crate) fn continued(&self, body: &Members<'_>) -> Result<Vec<Piece>, Refusal> {
        let Some(id) = body.get("previous_response_id").and_then(Json::text) else {
            return Ok(Vec::new());
        };
        match self.by_id.get(&*id).filter(|object| object.kind == "responses") {
            Some(object) => Ok(object.pieces.clone()),
            None => {
                let path = Path::new("previous_response_id");
                let words = format!("Previous response with id '{id}' not found.");
                Err(Refusal::new(path, Breach::Rule(words)))
            }
        }
    }

    /// What the items are that `body` names instead of sending them, by their ids.
    pub(crate) fn referred(&self, body: &Members<'_>) -> Result<BTreeMap<String, Piece>, Refusal> {
        let items = body.get("input").and_then(Json::items).unwrap_or_default();
        let mut found = BTreeMap::new();
        for item in items {
            let is_reference = item.get("type").and_then(Json::text).as_deref() == Some(REFERENCE);
            let Some(id) = item.get("id").and_then(Json::text).filter(|_| is_reference) else {
                continue;
            };
            let Some(said) = self.items.get(&*id) else {
                return Err(Refusal::new(Path::new("input"), Breach::NotFound(id.into_owned())));
            };
            found.insert(id.into_owned(), said.clone());
        }
        Ok(found)
    }

    /// Serves a request below the path of a kind: `segments` starts with that.
    pub(crate) fn serve(
        &mut self,
        method: &Method,
        segments: &[String],
        body: &[u8],
        serial: Serial,
    ) -> Result<Value, Refusal> {
        let kind = &segments[0];
        let ids: Vec<_> =
            segments[1..].iter().filter(|segment| !ACTIONS.contains(&&***segment)).collect();
        for id in &ids {
            self.find(kind, id)?;
        }
        let action = segments.last().map(String::as_str).unwrap_or_default();
        match (method, &ids[..]) {
            (&Method::POST, []) => self.create(kind, body, serial),
            (&Method::POST, [id, ..]) if action == "cancel" => {
                let object = self.find(kind, id)?;
                object.json["status"] = json!("cancelled");
                Ok(object.json.clone())
            }
            (&Method::POST, _) => self.create(kind, body, serial),
            (&Method::DELETE, [id, ..]) => {
                let object = self.find(kind, id)?.json["object"].clone();
                self.by_id.remove(*id);
                Ok(json!({ "id": id, "object": object, "deleted": true }))
            }
            (&Method::GET, [id, ..]) => Ok(self.find(kind, id)?.json.clone()),
            (&Method::GET, []) => {
                let all = self.by_id.values().filter(|object| object.kind == *kind);
                let all: Vec<_> = all.map(|object| &object.json).collect();
                Ok(json!({ "object": "list", "data": all }))
            }
            _ => Err(Refusal::new(Path::default(), Breach::NoRoute)),
        }
    }

    fn find(&mut self, kind: &str, id: &str) -> Result<&mut Object, Refusal> {
        match self.by_id.get_mut(id).filter(|object| object.kind == kind) {
            Some(object) => Ok(object),
            None => Err(Refusal::new(Path::default(), Breach::NotFound(id.to_owned()))),
        }
    }

    fn create(&mut self, kind: &str, body: &[u8], serial: Serial) -> Result<Value, Refusal> {
        // A file comes as a form, the others as JSON.
        let asked = Json::parse(body).unwrap_or(Json::EMPTY);
        for name in ["task_id", "input_file_id", "video_id", "file_id"] {
            let id = asked.get(name).and_then(Json::text);
            if let Some(id) = id.filter(|id| !self.by_id.contains_key(&**id)) {
                return Err(Refusal::new(Path::new(name), Breach::NotFound(id.into_owned())));
            }
        }
        let (prefix, own) = match kind {
            "files" => {
                ("file-", json!({ "object": "file", "bytes": body.len(), "filename": "upload" }))
            }
            "batches" => {
                let file = asked.get("input_file_id").and_then(Json::text);
                (
                    "batch_",
                    json!({ "object": "batch", "input_file_id": file, "status": "validating" }),
                )
            }
            "images" => {
                ("image_", json!({ "object": "image", "data": [{ "b64_json": "iVBORw0KGgo=" }] }))
            }
            _ => ("video_", json!({ "object": "video", "status": "queued", "progress": 0 })),
        };
        let id = format!("{prefix}{}", alphanumeric(serial.id("object")));
        let mut json = json!({ "id": id, "created_at": serial.created });
        if matches!(kind, "images" | "video" | "videos") {
            json["task_id"] = json!(id);
        }
        for (name, value) in own.as_object().into_iter().flatten() {
            json[name] = value.clone();
        }
        let object = Object { kind: kind.to_owned(), json: json.clone(), pieces: Vec::new() };
        self.by_id.insert(id, object);
        Ok(json)
    }
}

/// The type of an item that stands for one that was said before.
pub(crate) const REFERENCE: &str = "item_reference";

/// Segments that are no ids.
const ACTIONS: [&str; 9] = [
    "generations",
    "edits",
    "variations",
    "extensions",
    "remix",
    "content",
    "cancel",
    "input_items",
    "tasks",
];
