//! What is wrong with a configuration, with the path to it.

use core::fmt;

/// One problem of a configuration: an operator must change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key; empty for the whole.
    pub path: String,
    /// What was expected there, and what came.
    pub trouble: Trouble,
}

/// What is wrong. Values are told only where they cannot be secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no configuration.
    Nothing,
    /// The bytes of a protobuf message instead of a text.
    Protobuf,
    /// No JSON: the message of the JSON parser.
    Syntax(String),
    /// A key that is not known; those that are.
    Unknown { expected: Vec<&'static str> },
    /// A key stands twice.
    Twice,
    /// A key is missing.
    Missing { expected: &'static str },
    /// A value of another type.
    Type { expected: &'static str, got: &'static str },
    /// A word that is not one of those known.
    Word { expected: Vec<&'static str>, got: String },
    /// A number out of range.
    Range { from: u32, to: u32, got: String },
    /// A text that is not what it must be.
    Text { expected: &'static str, got: String },
    /// Too short; the value is not told.
    Short { least: usize },
    /// A model is mapped to one that is mapped again.
    Chain { to: String },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "configuration" } else { &self.path };
        write!(f, "{path}: ")?;
        match &self.trouble {
            Trouble::Nothing => f.write_str("expected JSON text, got nothing"),
            Trouble::Protobuf => f.write_str(
                "expected JSON text in a google.protobuf.StringValue, got another protobuf message, \
                 such as a google.protobuf.Struct",
            ),
            Trouble::Syntax(message) => write!(f, "not JSON: {message}"),
            Trouble::Unknown { expected } => {
                write!(f, "unknown key, expected one of ")?;
                list(f, expected)
            }
            Trouble::Twice => f.write_str("stands twice"),
            Trouble::Missing { expected } => write!(f, "missing, expected {expected}"),
            Trouble::Type { expected, got } => write!(f, "expected {expected}, got {got}"),
            Trouble::Word { expected, got } => {
                f.write_str("expected one of ")?;
                list(f, expected)?;
                write!(f, ", got `{got}`")
            }
            Trouble::Range { from, to, got } => {
                write!(f, "expected an integer from {from} to {to}, got {got}")
            }
            Trouble::Text { expected, got } => write!(f, "expected {expected}, got `{got}`"),
            Trouble::Short { least } => write!(f, "expected at least {least} bytes, got fewer"),
            Trouble::Chain { to } => {
                write!(f, "expected a model that is not mapped again, got `{to}`")
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, words: &[&str]) -> fmt::Result {
    for (index, word) in words.iter().enumerate() {
        write!(f, "{}`{word}`", if index == 0 { "" } else { ", " })?;
    }
    Ok(())
}

impl core::error::Error for Problem {}
