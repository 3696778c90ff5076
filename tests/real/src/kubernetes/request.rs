//! What a request asks for, and which objects that is.

use hyper::Request;
use hyper::header::ACCEPT;
use serde_json::{Value, json};

use super::kinds::{self, DEFINED, Kind};

/// The namespaces that are there.
const NAMESPACES: [&str; 3] = ["default", "istio-ingress", "istio-system"];

/// A request, taken apart.
pub(super) struct Asked {
    pub(super) place: Place,
    pub(super) watch: bool,
    pub(super) initial_events: bool,
    form: Form,
    group: String,
    version: String,
    namespace: Option<String>,
    plural: String,
    name: Option<String>,
}

/// What a path leads to.
pub(super) enum Place {
    Version,
    /// The groups of kinds.
    Groups,
    /// The versions of the core.
    Versions,
    /// The kinds of a version of a group.
    Resources {
        version: String,
    },
    Objects,
    Nowhere,
}

/// How much of an object is wanted.
enum Form {
    Whole,
    Metadata,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let asks = |key: &str| {
            query.split('&').any(|pair| pair == format!("{key}=true") || pair == format!("{key}=1"))
        };
        let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let metadata = accept.is_some_and(|accept| accept.contains("PartialObjectMetadata"));
        let mut asked = Self {
            place: Place::Nowhere,
            watch: asks("watch"),
            initial_events: asks("sendInitialEvents"),
            form: if metadata { Form::Metadata } else { Form::Whole },
            group: String::new(),
            version: String::new(),
            namespace: None,
            plural: String::new(),
            name: None,
        };
        let path: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
        asked.place = match path.as_slice() {
            ["version"] => Place::Version,
            ["api"] => Place::Versions,
            ["apis"] | ["apis", _] => Place::Groups,
            ["api", version] => Place::Resources { version: (*version).into() },
            ["apis", group, version] => Place::Resources { version: format!("{group}/{version}") },
            ["api", version, objects @ ..] => asked.objects("", version, objects),
            ["apis", group, version, objects @ ..] => asked.objects(group, version, objects),
            _ => Place::Nowhere,
        };
        asked
    }

    fn objects(&mut self, group: &str, version: &str, mut path: &[&str]) -> Place {
        if let ["namespaces", namespace, objects @ ..] = path
            && !objects.is_empty()
        {
            self.namespace = Some((*namespace).into());
            path = objects;
        }
        (self.group, self.version) = (group.into(), version.into());
        self.plural = path.first().copied().unwrap_or_default().into();
        self.name = path.get(1).map(|name| (*name).into());
        Place::Objects
    }

    /// Returns the status and the body for objects that are asked for once.
    pub(super) fn found(&self, objects: &[Value]) -> (u16, Value) {
        let mut matching = self.matching(objects);
        let Some(name) = &self.name else {
            let (kind, version) = self.typed();
            let items: Vec<Value> = matching.collect();
            let list = json!({
                "kind": format!("{kind}List"),
                "apiVersion": version,
                "metadata": {"resourceVersion": "1"},
                "items": items,
            });
            return (200, list);
        };
        match matching.find(|object| object["metadata"]["name"] == **name) {
            Some(object) => (200, object),
            None => (404, missing(name)),
        }
    }

    /// Returns the objects that are asked for, in the form that is asked for.
    pub(super) fn matching(&self, objects: &[Value]) -> impl Iterator<Item = Value> {
        let wanted = move |object: &&Value| {
            let (group, _) = version(object);
            let namespace = object["metadata"]["namespace"].as_str();
            group == self.group
                && kinds::plural(object["kind"].as_str().unwrap_or_default()) == self.plural
                && self.namespace.as_deref().is_none_or(|asked| namespace == Some(asked))
        };
        let (kind, version) = self.typed();
        objects.iter().filter(wanted).map(move |object| {
            let mut object = object.clone();
            if matches!(self.form, Form::Metadata) {
                object = json!({"metadata": object["metadata"]});
            }
            object["kind"] = kind.as_str().into();
            object["apiVersion"] = version.as_str().into();
            object
        })
    }

    /// Returns the event that says how far a watch has come.
    pub(super) fn bookmark(&self, annotations: Value) -> Value {
        let (kind, version) = self.typed();
        let metadata = json!({"resourceVersion": "1", "annotations": annotations});
        let object = json!({"kind": kind, "apiVersion": version, "metadata": metadata});
        json!({"type": "BOOKMARK", "object": object})
    }

    /// Returns the kind and version that answers are written in.
    fn typed(&self) -> (String, String) {
        match self.form {
            Form::Metadata => ("PartialObjectMetadata".into(), "meta.k8s.io/v1".into()),
            Form::Whole => {
                let kind = kinds::of_plural(&self.plural).unwrap_or(&self.plural);
                let version = match self.group.as_str() {
                    "" => self.version.clone(),
                    group => format!("{group}/{}", self.version),
                };
                (kind.into(), version)
            }
        }
    }
}

/// Returns what the API says of an object that is not there.
pub(super) fn missing(name: &str) -> Value {
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "code": 404,
        "message": format!("{name} not found"),
    })
}

/// Completes objects as the API would when they are created, and adds those that are always there.
pub(super) fn stored(objects: &[Value]) -> Vec<Value> {
    let namespaces = NAMESPACES.iter().map(|name| {
        let metadata = json!({"name": name, "labels": {"kubernetes.io/metadata.name": name}});
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    });
    let all = objects.iter().cloned().chain(namespaces).chain(DEFINED.iter().map(definition));
    let complete = all.enumerate().map(|(number, mut object)| {
        let metadata = &mut object["metadata"];
        metadata["uid"] = format!("{number}").into();
        metadata["resourceVersion"] = "1".into();
        metadata["generation"] = 1.into();
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
        object
    });
    complete.collect()
}

fn definition(kind: &Kind) -> Value {
    let Kind { name, group, version } = kind;
    let plural = kinds::plural(name);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "names": {"kind": name, "plural": plural},
            "scope": "Namespaced",
            "versions": [{"name": version, "served": true, "storage": true}],
        },
    })
}

/// Returns the group, empty for the core, and the version of an object.
fn version(object: &Value) -> (&str, &str) {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    version.split_once('/').unwrap_or(("", version))
}
