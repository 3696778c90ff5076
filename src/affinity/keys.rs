//! The digests by which requests, prompts and their holders are known: most of them mean nothing
//! outside of this process, a few are the same in all.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128, xxh3_128_with_seed};

use super::caller::spelled;
use super::issued::Secret;
use super::memo::Memo;
use super::{Caller, Issued};
use crate::prompt::{Cut, Prefix};

/// The keys of this process, and what was made with them of late: SHA-256 costs more than all other
/// digests of a short request together.
#[derive(Debug)]
pub struct Keys {
    /// Seeds the digests in the table.
    table: u64,
    /// Sign and verify issued ids; the first signs.
    secrets: Vec<Secret>,
    /// Callers by the digest of their credentials.
    callers: Memo<u128, Caller>,
    /// What is issued within one second is the same.
    issued: Memo<(Issued, Caller), String>,
}

/// Bytes of a key for [`Keys::new`].
pub const KEY_BYTES: usize = 32;

impl Keys {
    /// `random` is the same in all workers of this process and nowhere else; without secrets in
    /// the configuration it signs issued ids as well.
    pub fn new(random: &[u8; KEY_BYTES], secrets: &[Vec<u8>]) -> Self {
        let secrets = match secrets {
            [] => Secret::new(random).into_iter().collect(),
            some => some.iter().filter_map(|secret| Secret::new(secret)).collect(),
        };
        Self { table: xxh3_64(random), secrets, callers: Memo::default(), issued: Memo::default() }
    }

    /// [`Caller::new`], without making it anew for every request.
    pub fn caller<'h>(&self, credentials: impl Iterator<Item = (&'h str, &'h [u8])>) -> Caller {
        let spelled = spelled(credentials);
        let digest = xxh3_128_with_seed(&spelled, self.table);
        self.callers.get(digest, digest as u64, || Caller::of(&spelled))
    }

    fn digest(&self, domain: Domain, caller: &Caller, pieces: &[&[u8]]) -> u128 {
        // At once, not piece by piece: a hasher's state is far larger than what is hashed here.
        let mut bytes = Vec::with_capacity(128);
        bytes.push(domain as u8);
        bytes.extend_from_slice(caller.bytes());
        for piece in pieces {
            bytes.extend_from_slice(&(piece.len() as u64).to_le_bytes());
            bytes.extend_from_slice(piece);
        }
        xxh3_128_with_seed(&bytes, self.table)
    }

    /// The digest of an id that an answer made.
    pub(super) fn made(&self, caller: &Caller, id: &[u8]) -> u128 {
        self.digest(Domain::Made, caller, &[id])
    }

    /// The digest of an id that requests carry, together with the model that it holds for.
    pub(super) fn carried(&self, caller: &Caller, id: &[u8], model: u32) -> u128 {
        self.digest(Domain::Carried, caller, &[id, &model.to_le_bytes()])
    }

    /// The digests of a prompt's cuts, longest first.
    pub(super) fn cuts<'p>(
        &self,
        caller: &Caller,
        model: &str,
        prefix: &'p Prefix,
    ) -> impl Iterator<Item = (u128, &'p Cut)> {
        let head = self.digest(
            Domain::Prefix,
            caller,
            &[model.as_bytes(), &prefix.tools.to_le_bytes(), &prefix.system.to_le_bytes()],
        );
        let seed = self.table;
        prefix.cuts.iter().map(move |cut| {
            let mut both = [0; 32];
            let (left, right) = both.split_at_mut(16);
            left.copy_from_slice(&head.to_le_bytes());
            right.copy_from_slice(&cut.chain.to_le_bytes());
            (xxh3_128_with_seed(&both, seed), cut)
        })
    }

    pub(super) fn issue(&self, issued: &Issued, caller: &Caller) -> Option<String> {
        let secret = self.secrets.first()?;
        let place = xxh3_64(caller.bytes()) ^ issued.upstream ^ u64::from(issued.model);
        Some(self.issued.get((*issued, *caller), place, || issued.write(caller, secret)))
    }

    pub(super) fn read_issued(&self, id: &[u8], caller: &Caller) -> Option<Issued> {
        Issued::read(id, caller, &self.secrets)
    }
}

/// What a digest in the table stands for.
#[derive(Clone, Copy)]
enum Domain {
    Made = 1,
    Carried = 2,
    Prefix = 3,
}

/// The digest of an upstream's name, the same in every process.
pub fn upstream_digest(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// The digest of a model's name; never 0, which stands for any.
pub(super) fn model_digest(model: &str) -> u32 {
    (xxh3_64(model.as_bytes()) as u32).max(1)
}

/// Stands for any model.
pub(super) const ANY_MODEL: u32 = 0;

/// The digest that places a conversation that nothing pins, the same in every process: of the
/// caller, the model, tools, system and the beginning of the first user message.
pub fn opener(caller: &Caller, model: &str, prefix: &Prefix) -> u128 {
    let [tools, system, opener] =
        [prefix.tools, prefix.system, prefix.opener].map(u128::to_le_bytes);
    xxh3_128(&[caller.bytes().as_slice(), model.as_bytes(), &tools, &system, &opener].concat())
}

/// The digest of a session, the same in every process.
pub fn session(caller: &Caller, id: &[u8]) -> u128 {
    xxh3_128(&[caller.bytes().as_slice(), id].concat())
}
