//! The scenarios that every way to run Envoy has to pass, told by what the client gets and by what the simulated accounts
//! really did.

use std::time::{Duration, Instant};

use e2e::client::Call;
use e2e::prompt::Dialect;
use e2e::{Answer, Client, Conversation};
use simulator::{Exchange, Fault, Simulator};

/// The accounts of the shipped files that speak Claude's dialect: any of them can serve a conversation.
pub const CLAUDES: [&str; 3] = ["anthropic-a", "anthropic-b", "bedrock-us"];

/// Starts the accounts of the shipped files.
pub async fn simulator() -> Simulator {
    Simulator::start(e2e::gateway::accounts()).await.expect("simulated providers")
}

/// A gateway, as its clients see it, and the accounts behind it.
pub struct Story<'s> {
    pub client: Client,
    pub providers: &'s Simulator,
    /// Those that speak Claude's dialect: any of them can serve a conversation.
    pub accounts: &'s [&'s str],
}

impl Story<'_> {
    /// Four conversations take turns; each stays where it began, and is read from that account's cache.
    pub async fn conversations_stay(&self) {
        let mut conversations: Vec<_> = (1..=4)
            .map(|seed| (Conversation::new(Dialect::Messages, seed), String::new()))
            .collect();
        let (mut read, mut input) = (0, 0);
        for turn in 1..=3 {
            for (conversation, home) in &mut conversations {
                let answer = self.turn(conversation).await;
                let (account, exchange) = self.exchange(&answer);
                let usage = exchange.usage.expect("usage");
                if turn == 1 {
                    *home = account;
                    continue;
                }
                assert_eq!((&account, usage.read > 0), (&*home, true), "turn {turn}: {usage:?}");
                (read, input) = (read + usage.read, input + usage.input);
            }
        }
        println!(
            "4 conversations of 3 turns stayed: {read} of {input} tokens of later turns read from the cache"
        );
    }

    /// The account that holds a conversation goes away; the client gets its answer all the same, and the next turn is warm
    /// where that came from.
    pub async fn an_upstream_dies(&self) {
        for (seed, fault) in [(11, Fault::Refused), (12, Fault::Status(529)), (13, Fault::Reset)] {
            let mut conversation = Conversation::new(Dialect::Messages, seed);
            self.turn(&mut conversation).await;
            let home = self.exchange(&self.turn(&mut conversation).await).0;
            self.providers.fail(&home, fault);
            let (refuge, _) = self.exchange(&self.turn(&mut conversation).await);
            let (after, exchange) = self.exchange(&self.turn(&mut conversation).await);
            self.providers.heal(&home);
            assert_ne!(refuge, home, "{fault}");
            assert_eq!(after, refuge, "{fault}");
            assert!(exchange.usage.is_some_and(|usage| usage.read > 0), "{fault}: {exchange:?}");
            println!(
                "{home} failed ({fault}): {refuge} served the same request, and the next one warm"
            );
        }
    }

    /// What an answer says of the cache, plain or streamed, is what the account's cache did.
    pub async fn usage_comes_back(&self) {
        let plain = Conversation::new(Dialect::Messages, 21);
        let streaming = Conversation::new(Dialect::Messages, 22).streaming();
        for mut conversation in [plain, streaming] {
            self.turn(&mut conversation).await;
            let answer = self.turn(&mut conversation).await;
            let (account, exchange) = self.exchange(&answer);
            let (told, real) = (answer.usage(), exchange.usage.expect("usage"));
            let count = |member: &str| told[member].as_u64();
            assert!(real.read > 0, "{real:?}");
            assert_eq!(count("cache_read_input_tokens"), Some(real.read), "{account}: {told}");
            assert_eq!(count("cache_creation_input_tokens"), Some(real.write), "{account}: {told}");
            println!("usage from {account}: {told}");
        }
    }

    /// A host that does not hold requests is noticed by the first of them; only that one waits.
    pub async fn a_missing_flag_hangs_nobody(&self) {
        let start = Instant::now();
        self.turn(&mut Conversation::new(Dialect::Messages, 1)).await;
        let first = start.elapsed();
        let start = Instant::now();
        self.turn(&mut Conversation::new(Dialect::Messages, 2)).await;
        let second = start.elapsed();
        println!("the first answer came after {first:?}, the second after {second:?}");
        assert!(first < Duration::from_secs(10) && second < first, "{first:?}, {second:?}");
    }

    /// Conversations with a session header stay where they began, turn after turn, whether prompts can be read or not; what
    /// their clients are told of the cache is true.
    pub async fn sessions_stay(&self) {
        for seed in 31..35 {
            // The client marks: where nothing is shaped, nobody else does.
            let mut conversation = Conversation::new(Dialect::Messages, seed).marking();
            let mut homes = Vec::new();
            for _ in 0..4 {
                conversation.ask(3_000);
                let call = self.send(&conversation).header("x-session-id", seed.to_string());
                let answer = call.await;
                conversation.hear(&answer);
                let (home, exchange) = self.exchange(&answer);
                let read = answer.usage()["cache_read_input_tokens"].as_u64();
                assert_eq!(read, exchange.usage.map(|usage| usage.read), "{}", answer.usage());
                assert!(homes.is_empty() || read > Some(0), "{homes:?}: {}", answer.usage());
                homes.push(home);
            }
            assert!(homes.iter().all(|home| *home == homes[0]), "{homes:?}");
        }
        println!("4 sessions of 4 turns stayed by their header");
    }

    /// Every provider was called by its own name, whatever the client called the gateway, and got none of our headers.
    pub fn nothing_of_ours_reaches_a_provider(&self, host: &str) {
        let received = self.accounts.iter().flat_map(|account| self.providers.received(account));
        let mut exchanges = 0;
        for exchange in received {
            assert_eq!(exchange.header("host"), Some(host.as_bytes()));
            let ours = exchange.headers.iter().find(|(name, _)| name.starts_with("x-warmpath"));
            assert_eq!(ours, None);
            exchanges += 1;
        }
        println!("{exchanges} requests went to `{host}` without headers of ours");
    }

    /// Finds the accounts and the kinds of tokens as labels in these metrics; returns the lines.
    pub fn tokens_are_labelled<'m>(&self, metrics: &'m str) -> Vec<&'m str> {
        let line = |account: &&str| {
            // In Istio the name goes on with the domain.
            let labels = [format!("upstream=\"{account}"), "kind=\"read\"".into()];
            let name = |line: &&str| line.starts_with("warmpath_tokens_total{");
            let found = |line: &&str| labels.iter().all(|label| line.contains(label));
            metrics
                .lines()
                .filter(name)
                .find(found)
                .unwrap_or_else(|| panic!("{account}: {metrics}"))
        };
        self.accounts.iter().map(line).collect()
    }

    /// Asks the next question of a conversation; any error is one too many.
    pub async fn turn(&self, conversation: &mut Conversation) -> Answer {
        conversation.ask(3_000);
        let answer = self.send(conversation).await;
        conversation.hear(&answer);
        answer
    }

    /// Returns the account that gave an answer, and what it knows of the exchange.
    ///
    /// # Panics
    ///
    /// When none did.
    pub fn exchange(&self, answer: &Answer) -> (String, Exchange) {
        let id = Some(answer.id());
        let gave = |account: &&str| {
            let received = self.providers.received(account);
            let exchange = received.into_iter().find(|exchange| exchange.response_id == id)?;
            Some(((*account).to_owned(), exchange))
        };
        self.accounts.iter().find_map(gave).unwrap_or_else(|| panic!("no account gave {id:?}"))
    }

    fn send(&self, conversation: &Conversation) -> Call {
        self.client.post(conversation.path(), &conversation.body).header("x-api-key", "k")
    }
}
