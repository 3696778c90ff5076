//! Kubernetes objects as the shipped files have them, and the changes that a test makes: where its providers listen, where
//! its plugin is. A change that finds nothing stops the test.

use serde::Deserialize;
use serde_json::Value;

/// Objects, in the order of their files.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    pub objects: Vec<Value>,
}

impl Manifests {
    /// Reads files of the folder `envoy/`.
    pub fn shipped(files: &[&str]) -> Self {
        let mut all = Self::default();
        for file in files {
            let path = e2e::bootstrap::root().join("envoy").join(file);
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            all.objects.extend(read(&text));
        }
        all
    }

    /// Takes objects that the test writes, as YAML.
    pub fn with(mut self, text: &str) -> Self {
        self.objects.extend(read(text));
        self
    }

    /// Changes the only object of this kind and name.
    pub fn edit(mut self, kind: &str, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut found = self
            .objects
            .iter_mut()
            .filter(|object| object["kind"] == kind && object["metadata"]["name"] == name);
        let (Some(object), None) = (found.next(), found.next()) else {
            panic!("not exactly one {kind} `{name}`");
        };
        change(object);
        self
    }

    /// Writes the objects as JSON, which is YAML too.
    pub fn text(&self) -> String {
        let documents = self.objects.iter().map(|object| format!("---\n{object:#}\n"));
        documents.collect()
    }
}

/// Replaces every value, at any depth, that is there `times` times.
///
/// # Panics
///
/// Where it is there another number of times.
pub fn replace(object: &mut Value, from: &Value, to: &Value, times: usize) {
    let found = replace_all(object, from, to);
    assert_eq!(found, times, "{from} is {found} times in {object:#}");
}

fn replace_all(object: &mut Value, from: &Value, to: &Value) -> usize {
    if object == from {
        *object = to.clone();
        return 1;
    }
    match object {
        Value::Array(items) => items.iter_mut().map(|item| replace_all(item, from, to)).sum(),
        Value::Object(members) => {
            members.values_mut().map(|member| replace_all(member, from, to)).sum()
        }
        _ => 0,
    }
}

fn read(text: &str) -> Vec<Value> {
    serde_yaml_ng::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).expect("a document of YAML"))
        .filter(|document| !document.is_null())
        .collect()
}
