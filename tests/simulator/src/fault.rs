//! The ways in which an account can fail.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this status, in the provider's own error body.
    Status(u16),
    /// Takes the request, then sends a TCP RST.
    Reset,
    /// Listens no more and drops the open connections: connecting is refused. It cannot be counted
    /// in requests, so it lasts until healed whatever `times` says.
    Refused,
    /// Takes the request and never answers.
    Stall,
    /// Ends a stream in its middle; other answers are not touched.
    CutStream,
    /// Ends an answer that is no stream in the middle of its body; streams are not touched.
    CutBody,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "{status}"),
            Self::Reset => formatter.write_str("reset"),
            Self::Refused => formatter.write_str("refused"),
            Self::Stall => formatter.write_str("stall"),
            Self::CutStream => formatter.write_str("cut_stream"),
            Self::CutBody => formatter.write_str("cut_body"),
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "reset" => Ok(Self::Reset),
            "refused" => Ok(Self::Refused),
            "stall" => Ok(Self::Stall),
            "cut_stream" => Ok(Self::CutStream),
            "cut_body" => Ok(Self::CutBody),
            _ => match text.parse() {
                Ok(status @ 400..=599) => Ok(Self::Status(status)),
                _ => Err(format!(
                    "unknown fault {text:?}, expected a status from 400 to 599, reset, refused, stall, cut_stream or cut_body"
                )),
            },
        }
    }
}

/// The fault that an account has now.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    fault: Option<Fault>,
    /// How many exchanges it still hits; `None` is until healed.
    left: Option<u32>,
}

impl Faults {
    pub(crate) fn set(&mut self, fault: Fault, times: Option<u32>) {
        *self = Self { fault: Some(fault), left: times };
    }

    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }

    /// The fault of the exchange that has just arrived, if it is one that `hits` it.
    pub(crate) fn take(&mut self, hits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let fault = self.fault.filter(|fault| hits(*fault) && self.left != Some(0))?;
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        let faults =
            [Fault::Status(529), Fault::Reset, Fault::Refused, Fault::Stall, Fault::CutStream];
        for fault in faults.into_iter().chain([Fault::CutBody]) {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert!("200".parse::<Fault>().is_err());
    }

    #[test]
    fn a_counted_fault_ends_by_itself_and_counts_only_what_it_hits() {
        let mut faults = Faults::default();
        faults.set(Fault::CutStream, Some(1));
        assert_eq!(faults.take(|fault| fault != Fault::CutStream), None);
        assert_eq!(faults.take(|_| true), Some(Fault::CutStream));
        assert_eq!(faults.take(|_| true), None);
    }
}
