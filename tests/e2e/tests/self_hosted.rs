//! `envoy/self-hosted.yaml`: engines that have their cache in their own memory, behind one name.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Client, Conversation, Gateway, Names, eventually};
use simulator::{Account, Fault, Provider, Simulator};

const ENGINES: [(&str, Ipv4Addr); 3] = [
    ("engine-1", Ipv4Addr::new(127, 0, 0, 1)),
    ("engine-2", Ipv4Addr::new(127, 0, 0, 2)),
    ("engine-3", Ipv4Addr::new(127, 0, 0, 3)),
];

/// Simulated engines have no `/health`, but answer this.
const ALIVE: (&str, &str) = ("{path: /health}", r#"{path: "/", method: HEAD}"#);

struct Engines {
    gateway: Gateway,
    names: Names,
}

impl Engines {
    /// Starts them with health checks that see nothing of what a test does.
    async fn start() -> Self {
        Self::start_with(|bootstrap| checking(bootstrap, "600s")).await
    }

    /// Starts three engines that share a name and a port, as those behind a headless service do.
    async fn start_with(change: impl Fn(Bootstrap) -> Bootstrap) -> Self {
        let (providers, port) = simulate().await;
        let names = Names::start().await;
        names.set("vllm", &ENGINES.map(|(_, address)| address));
        let bootstrap = Bootstrap::shipped_file("self-hosted.yaml")
            .replace("port_value: 8000", &format!("port_value: {port}"))
            .replace(ALIVE.0, ALIVE.1)
            .resolving(&names)
            .configure(r#""explain": true"#)
            .workers(2);
        let gateway = Gateway::reaching(Arc::new(providers), accounts(), change(bootstrap)).await;
        let engines = Self { gateway, names };
        engines.until_there_are(3).await;
        engines
    }

    /// Waits until Envoy knows so many healthy engines.
    async fn until_there_are(&self, expected: u64) {
        eventually(async || {
            match self.gateway.envoy.stats().await.counter("cluster.vllm.membership_healthy") {
                count if count == expected => Ok(()),
                count => Err(format!("{count} healthy engines instead of {expected}")),
            }
        })
        .await;
    }

    /// A conversation of one turn, and the engine that holds it.
    async fn warm(&self, seed: u64) -> (Conversation, String) {
        let mut conversation = Conversation::new(Dialect::Chat, seed);
        let answer = self.gateway.turn(&mut conversation, 3_000).await;
        (conversation, self.gateway.served(&answer))
    }

    /// Takes a turn; says where it was served, and in how many attempts.
    async fn turn(&self, conversation: &mut Conversation) -> (String, String) {
        let answer = self.gateway.turn(conversation, 1_000).await;
        (self.gateway.served(&answer), answer.explanation()["attempts"].clone())
    }
}

fn checking(bootstrap: Bootstrap, interval: &str) -> Bootstrap {
    bootstrap.replace(
        "interval: 5s, no_traffic_interval: 5s",
        &format!("interval: {interval}, no_traffic_interval: {interval}"),
    )
}

fn accounts() -> Vec<Account> {
    ENGINES.map(|(name, _)| Account::new(name, Provider::Vllm)).into()
}

/// Another program may have the port at one of the addresses; then another port will do.
async fn simulate() -> (Simulator, u16) {
    let control = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    eventually(async || {
        let free = std::net::TcpListener::bind(control).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let places = ENGINES.map(|(_, address)| SocketAddr::from((address, port)));
        let engines = accounts().into_iter().zip(places).collect();
        match Simulator::start_at(engines, control).await {
            Ok(simulator) => Ok((simulator, port)),
            Err(error) => Err(format!("port {port}: {error}")),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_comes_back_to_its_engine() {
    let engines = Engines::start().await;
    let mut used = BTreeSet::new();
    for seed in 0..15 {
        let (mut conversation, home) = engines.warm(seed).await;
        for _ in 0..2 {
            let answer = engines.gateway.turn(&mut conversation, 1_000).await;
            let (engine, exchange) = engines.gateway.exchange(&answer);
            assert_eq!(engine, home);
            assert!(exchange.usage.expect("usage").read > 3_000, "its cache is warm");
            assert_eq!(answer.explanation()["upstream"], "vllm");
            let ours = exchange.headers.iter().find(|(name, _)| name.starts_with("x-warmpath"));
            assert_eq!(ours, None, "no header of ours reaches an engine");
        }
        used.insert(home);
    }
    assert!(used.len() > 1, "fifteen conversations at {used:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_fails_costs_no_request() {
    let engines = Engines::start().await;
    for (seed, fault) in
        [Fault::Status(503), Fault::Status(429), Fault::Reset].into_iter().enumerate()
    {
        let (mut conversation, home) = engines.warm(seed as u64).await;
        let before = engines.gateway.statuses()[&home].len();
        engines.gateway.providers.fail(&home, fault);
        let (refuge, attempts) = engines.turn(&mut conversation).await;
        assert_ne!(refuge, home, "{fault}");
        assert_eq!(attempts, "2", "{fault}: no engine is tried twice");
        let failed = engines.gateway.statuses()[&home].len() - before;
        assert_eq!(failed, 1, "{fault}");
        engines.gateway.providers.heal(&home);
        assert_eq!(engines.turn(&mut conversation).await, (refuge, "1".into()), "{fault}");
    }
}

/// The policy asks for an engine's presence, not for its health: a dead one costs an attempt.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_dead_costs_no_request() {
    for (interval, left) in [("600s", 3), ("0.1s", 2)] {
        let engines = Engines::start_with(|bootstrap| checking(bootstrap, interval)).await;
        let (mut conversation, home) = engines.warm(1).await;
        engines.gateway.providers.fail(&home, Fault::Refused);
        engines.until_there_are(left).await;
        let (refuge, attempts) = engines.turn(&mut conversation).await;
        assert_ne!(refuge, home);
        assert_eq!(attempts, "2");
        assert_eq!(engines.turn(&mut conversation).await, (refuge.clone(), "1".into()));
        engines.gateway.providers.heal(&home);
        assert_eq!(engines.turn(&mut conversation).await, (refuge, "1".into()), "learned anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_gone_is_not_tried() {
    let engines = Engines::start().await;
    let (mut conversation, home) = engines.warm(1).await;
    let left = ENGINES.into_iter().filter(|(name, _)| *name != home);
    engines.names.set("vllm", &left.map(|(_, address)| address).collect::<Vec<_>>());
    engines.until_there_are(2).await;
    let (refuge, attempts) = engines.turn(&mut conversation).await;
    assert_ne!(refuge, home);
    assert_eq!(attempts, "1");
    assert_eq!(engines.turn(&mut conversation).await, (refuge, "1".into()), "learned anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_cannot_choose_an_engine() {
    let engines = Engines::start().await;
    let (mut conversation, home) = engines.warm(1).await;
    conversation.ask(100);
    for (_, address) in ENGINES {
        let host = format!("{address}:8000");
        let answer = engines.gateway.send(&conversation).header("x-warmpath-host", host).await;
        assert_eq!(engines.gateway.served(&answer), home);
    }
}

/// What the file says for several Envoys.
#[tokio::test(flavor = "multi_thread")]
async fn with_maglev_several_envoys_place_a_conversation_alike() {
    let maglev = |bootstrap: Bootstrap| {
        bootstrap
            .replace(
                "envoy.load_balancing_policies.least_request",
                "envoy.load_balancing_policies.maglev",
            )
            .replace("least_request.v3.LeastRequest", "maglev.v3.Maglev")
            .replace(
                "route: {cluster: vllm,",
                "route: {hash_policy: [{header: {header_name: x-warmpath-hash}}], cluster: vllm,",
            )
    };
    let one = Engines::start_with(maglev).await;
    let port = format!("port_value: {}", one.gateway.providers.address("engine-1").port());
    let beside = maglev(Bootstrap::shipped_file("self-hosted.yaml"))
        .replace("port_value: 8000", &port)
        .replace(ALIVE.0, ALIVE.1)
        .resolving(&one.names);
    let other = Gateway::reaching(one.gateway.providers.clone(), accounts(), beside).await;
    let clients = [one.gateway.client(), other.client()];
    let mut used = BTreeSet::new();
    for seed in 0..12 {
        let mut conversation = Conversation::new(Dialect::Chat, seed);
        conversation.ask(3_000);
        let mut served = Vec::new();
        for client in &clients {
            let answer = Client::post(client, conversation.path(), &conversation.body).await;
            served.push(other.served(&answer));
        }
        assert_eq!(served[0], served[1]);
        used.insert(served.remove(0));
    }
    assert!(used.len() > 1, "twelve conversations at {used:?}");
}
