//! A folder of inputs and expectations. Every file in it must have had a part in the test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Compares what came with what is written down, or writes it down.
pub(crate) struct Expectations {
    folder: PathBuf,
    /// Ends of the names of expectations.
    ends: &'static [&'static str],
    seen: BTreeSet<String>,
    troubles: Vec<String>,
    mode: Mode,
}

#[derive(PartialEq, Eq)]
enum Mode {
    Compare,
    Rewrite,
}

/// Path of the golden folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

impl Expectations {
    /// Of a folder beside this file; names of expectations have one of these `ends`.
    pub(crate) fn of(folder: &str, ends: &'static [&'static str]) -> Self {
        let rewrite = std::env::var_os("GOLDEN").is_some_and(|value| value == "rewrite");
        Self {
            folder: root().join(folder),
            ends,
            seen: BTreeSet::new(),
            troubles: Vec::new(),
            mode: if rewrite { Mode::Rewrite } else { Mode::Compare },
        }
    }

    /// Paths of all files that are no expectations, from the folder on, in order.
    pub(crate) fn inputs(&self) -> Vec<String> {
        let all = files(&self.folder);
        all.into_iter().filter(|path| !self.is_expectation(path)).collect()
    }

    fn is_expectation(&self, path: &str) -> bool {
        self.ends.iter().any(|end| path.ends_with(end))
    }

    /// The bytes of an input, if it is there.
    pub(crate) fn read(&mut self, path: &str) -> Option<Vec<u8>> {
        self.seen.insert(path.to_owned());
        fs::read(self.folder.join(path)).ok()
    }

    /// `got` is what the file at `path` should hold.
    pub(crate) fn expect(&mut self, path: &str, got: &[u8]) {
        assert!(self.is_expectation(path), "{path} would be taken for an input");
        assert!(self.seen.insert(path.to_owned()), "{path} is expected twice");
        let file = self.folder.join(path);
        match (&self.mode, fs::read(&file)) {
            (_, Ok(expected)) if expected == got => {}
            (Mode::Rewrite, _) => {
                fs::create_dir_all(file.parent().expect("it is in a folder")).unwrap();
                fs::write(file, got).unwrap();
            }
            (Mode::Compare, Ok(expected)) => {
                let difference = difference(&expected, got);
                self.trouble(format!("{path}: {difference}"));
            }
            (Mode::Compare, Err(_)) => self.trouble(format!("{path}: missing")),
        }
    }

    pub(crate) fn trouble(&mut self, trouble: String) {
        self.troubles.push(trouble);
    }

    /// Fails if anything was not as expected, or if a file had no part in it.
    pub(crate) fn finish(mut self) {
        for path in files(&self.folder) {
            if self.seen.contains(&path) {
                continue;
            }
            if self.mode == Mode::Rewrite && self.is_expectation(&path) {
                fs::remove_file(self.folder.join(path)).unwrap();
            } else {
                self.trouble(format!("{path}: belongs to nothing"));
            }
        }
        assert!(
            self.troubles.is_empty(),
            "{} of the files below {} are not as expected; if they should be, run `make golden` and read the diff:\n{}",
            self.troubles.len(),
            self.folder.display(),
            self.troubles.join("\n")
        );
    }
}

/// The first line that differs.
fn difference(expected: &[u8], got: &[u8]) -> String {
    let [expected, got] = [expected, got].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut lines = expected.split('\n').zip(got.split('\n')).enumerate();
    match lines.find(|(_, (expected, got))| expected != got) {
        Some((line, (expected, got))) => {
            format!("line {}\n  expected {expected}\n       got {got}", line + 1)
        }
        None => format!("expected {} bytes, got {}", expected.len(), got.len()),
    }
}

/// Paths of all files below a folder, from it on, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{next:?}: {error}")) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder).expect("it is below");
                found.push(path.to_str().expect("names are text").to_owned());
            }
        }
    }
    found.sort();
    found
}
