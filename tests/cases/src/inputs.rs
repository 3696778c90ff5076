//! The golden inputs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::plugin::{Dialect, dialect};

/// A body that a client sends.
pub struct Request {
    pub name: String,
    pub dialect: Dialect,
    pub body: Vec<u8>,
}

/// An answer that a provider sends.
pub struct Answer {
    pub name: String,
    pub provider: String,
    pub dialect: Dialect,
    pub form: Form,
    pub body: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Stream,
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

pub fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for folder in files(&golden().join("requests/inputs")) {
        if !folder.is_dir() {
            continue;
        }
        let dialect = dialect(folder.file_name().and_then(|name| name.to_str()).unwrap());
        for path in files(&folder) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap().to_owned();
            if name.matches('.').count() == 1 {
                requests.push(Request { name, dialect, body: fs::read(path).unwrap() });
            }
        }
    }
    assert!(requests.len() > 50, "the golden inputs are found");
    requests
}

pub fn answers() -> Vec<Answer> {
    let mut answers = Vec::new();
    for folder in files(&golden().join("responses")) {
        let provider = folder.file_name().and_then(|name| name.to_str()).unwrap().to_owned();
        for path in files(&folder) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            let parts: Vec<&str> = name.split('.').collect();
            let [spoken, _, end] = parts[..] else { continue };
            answers.push(Answer {
                name: format!("{provider}/{name}"),
                provider: provider.clone(),
                dialect: dialect(spoken),
                form: if end == "json" { Form::Json } else { Form::Stream },
                body: fs::read(&path).unwrap(),
            });
        }
    }
    assert!(answers.len() > 50, "the golden answers are found");
    answers
}
