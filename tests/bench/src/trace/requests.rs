//! The requests of a trace: read from a file, or made up in the same way.

use std::path::Path;

use serde::Deserialize;

/// Tokens of a block.
pub const BLOCK_TOKENS: usize = 512;

/// One request, as a line of a trace has it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Request {
    /// Milliseconds since the start of the trace.
    #[serde(rename = "timestamp")]
    pub at_ms: u64,
    #[serde(rename = "input_length")]
    pub input_tokens: usize,
    #[serde(rename = "output_length")]
    pub output_tokens: usize,
    /// One id per block of the prompt, the last of which may be shorter. Equal ids are equal text after equal text.
    #[serde(rename = "hash_ids")]
    pub blocks: Vec<u32>,
}

/// Reads a trace, in the order of its times.
///
/// # Panics
///
/// When it cannot be read, with the line.
pub fn read(path: &Path) -> Vec<Request> {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("TRACE={}: {error}", path.display()));
    let request = |(number, line): (usize, &str)| {
        let request: Request = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), number + 1));
        let blocks = request.input_tokens.div_ceil(BLOCK_TOKENS);
        assert_eq!(
            request.blocks.len(),
            blocks,
            "{}:{}: blocks of 512 tokens",
            path.display(),
            number + 1
        );
        request
    };
    let mut requests: Vec<Request> = text.lines().enumerate().map(request).collect();
    requests.sort_by_key(|request| request.at_ms);
    requests
}

/// Requests that a trace is made up of, and the time that they take.
const MADE: usize = 3_000;
const MADE_MS: u64 = 1_200_000;
/// Requests come in bursts, as in recorded traces, whose times are rounded.
const BURST_MS: u64 = 3_000;

/// Makes up a trace: conversations that grow, all with the same first block, in bursts. Lengths and times between turns
/// are as in Mooncake's conversation trace: a third are follow-ups, most within two minutes, half of the prompts have less
/// than 7,000 tokens and one in a hundred more than 80,000.
pub fn make() -> Vec<Request> {
    let mut random = Random(1);
    let mut requests = Vec::new();
    let mut next_block = 1;
    while requests.len() < MADE {
        let mut at_ms = random.below(MADE_MS);
        let mut blocks = vec![0];
        let mut tokens = 0;
        // Lengths have a long tail: the logarithm of a length is what is even.
        let mut new_tokens = (700.0 * 2f64.powf(random.unit() * random.unit() * 11.0)) as usize;
        loop {
            let whole = tokens / BLOCK_TOKENS;
            tokens += new_tokens;
            // A block that was not full is another one now.
            blocks.truncate(whole.max(1));
            while blocks.len() < tokens.div_ceil(BLOCK_TOKENS) {
                blocks.push(next_block);
                next_block += 1;
            }
            let output_tokens = 20 + random.below(600) as usize;
            let at_ms_of_burst = at_ms / BURST_MS * BURST_MS;
            requests.push(Request {
                at_ms: at_ms_of_burst,
                input_tokens: tokens,
                output_tokens,
                blocks: blocks.clone(),
            });
            at_ms += 20_000 + random.below(130_000) * random.below(3);
            if random.below(5) < 2 || at_ms > MADE_MS {
                break;
            }
            tokens += output_tokens;
            new_tokens = 8 + random.below(60) as usize * random.below(60) as usize;
        }
    }
    requests.sort_by_key(|request| request.at_ms);
    requests
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_requests_have_a_block_for_every_512_tokens() {
        let requests = make();
        assert!(requests.is_sorted_by_key(|request| request.at_ms));
        for request in &requests {
            assert_eq!(request.blocks.len(), request.input_tokens.div_ceil(BLOCK_TOKENS));
            assert_eq!(request.blocks[0], 0);
        }
    }
}
