//! The bootstraps for real providers: each provider gets its own credential, at the place where it looks for it, over TLS that
//! it has proved its name in; and nobody gets another's, not even after a failover. The accounts are simulated ones behind
//! fronts that speak for the real names.

mod google;
mod keys;
mod names;
mod signature;
mod sigv4;

use std::net::Ipv4Addr;
use std::sync::Arc;

use e2e::client::Call;
use e2e::prompt::Dialect;
use e2e::tls::{Authority, Front};
use e2e::versions::REFRESHED_RETRIES;
use e2e::{Answer, Bootstrap, Conversation, Gateway, Names, Reply, Scripted};
use simulator::{Account, Exchange, Fault, Provider, Simulator};

/// The upstreams of the file, and the names under which real clients know them.
const UPSTREAMS: [(&str, Provider, &str); 6] = [
    ("anthropic-a", Provider::Anthropic, "api.anthropic.com"),
    ("anthropic-b", Provider::Anthropic, "api.anthropic.com"),
    ("bedrock-us", Provider::Bedrock, "bedrock-runtime.us-east-1.amazonaws.com"),
    ("openai-a", Provider::OpenAi, "api.openai.com"),
    ("azure-openai", Provider::AzureOpenAi, "RESOURCE.openai.azure.com"),
    ("vertex-gemini", Provider::Gemini, "aiplatform.googleapis.com"),
];

/// The bootstrap for new Envoys.
const NEWEST: &str = "providers.yaml";

const MESSAGES: [&str; 3] = ["anthropic-a", "anthropic-b", "bedrock-us"];
const CHAT: [&str; 2] = ["openai-a", "azure-openai"];
const KEYS: [&str; 4] = ["anthropic-a", "anthropic-b", "openai-a", "azure-openai"];

const AWS_ID: &str = "AKIDWARMPATH";
const AWS_SECRET: &str = "secret-of-bedrock-us";
const GOOGLE_TOKEN: &str = "ya29.token-of-vertex-gemini";
const CLIENTS: &str = "credential-of-the-client";

/// Where any provider looks for a credential, or for what belongs to one.
const PLACES: [&str; 12] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "proxy-authorization",
    "cookie",
    "x-goog-user-project",
    "openai-organization",
    "openai-project",
    "x-amz-security-token",
    "x-amz-date",
    "x-amz-content-sha256",
];

struct Providers {
    gateway: Gateway,
    /// Google's, as machines there see it.
    metadata: Scripted,
    _fronts: Vec<Front>,
    _names: Names,
}

impl Providers {
    /// Starts the file that is recommended for the running Envoy.
    async fn start() -> Self {
        let authority = Authority::new();
        Self::start_with(&authority, &authority, |_, host| host.into()).await
    }

    /// Has the certificates signed by one authority, and Envoy trust one. `certified` says what name the certificate of an
    /// upstream is for.
    async fn start_with(
        authority: &Authority,
        trusted: &Authority,
        certified: impl Fn(&str, &str) -> String,
    ) -> Self {
        let accounts = UPSTREAMS.map(|(name, provider, _)| Account::new(name, provider)).to_vec();
        let simulator = Simulator::start(accounts.clone()).await.expect("simulated providers");
        let token = format!(
            r#"{{"access_token":"{GOOGLE_TOKEN}","expires_in":3599,"token_type":"Bearer"}}"#
        );
        let metadata = Scripted::start(Reply::json(token)).await;
        let names = Names::start().await;
        names.set("metadata.google.internal", &[Ipv4Addr::LOCALHOST]);

        let mut bootstrap = Bootstrap::shipped_file(file())
            .configure(r#""explain": true"#)
            .resolving(&names)
            .with_file("/etc/ssl/certs/ca-certificates.crt", trusted.pem())
            .with_variable("AWS_ACCESS_KEY_ID", AWS_ID)
            .with_variable("AWS_SECRET_ACCESS_KEY", AWS_SECRET);
        for name in KEYS {
            bootstrap = bootstrap.with_file(&format!("/etc/envoy/keys/{name}.yaml"), key(name));
        }
        bootstrap = match file() {
            NEWEST => bootstrap.port("google-metadata", metadata.address().port()),
            _ => bootstrap.with_file("/etc/envoy/keys/vertex-gemini.yaml", key("vertex-gemini")),
        };
        let mut fronts = Vec::new();
        for (name, _, host) in UPSTREAMS {
            let host = host.to_lowercase();
            names.set(&host, &[Ipv4Addr::LOCALHOST]);
            let certified = certified(name, &host);
            let front = authority.front(&host, &certified, simulator.address(name)).await;
            // Some reach their provider by way of a listener inside of Envoy.
            let outside = format!("{name}-outside");
            let cluster = if bootstrap.has_cluster(&outside) { &*outside } else { name };
            bootstrap = bootstrap.port(cluster, front.address().port());
            fronts.push(front);
        }
        let gateway = Gateway::reaching(Arc::new(simulator), accounts, bootstrap).await;
        Self { gateway, metadata, _fronts: fronts, _names: names }
    }

    /// Sends a conversation as a client that has all sorts of credentials.
    fn send(&self, conversation: &Conversation) -> Call {
        let call = self.gateway.send(conversation);
        PLACES.iter().fold(call, |call, place| call.header(place, CLIENTS))
    }

    /// Takes a turn; says where it was served.
    async fn turn(&self, conversation: &mut Conversation) -> String {
        conversation.ask(2_000);
        let answer = self.send(conversation).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        conversation.hear(&answer);
        self.gateway.served(&answer)
    }

    /// A conversation of one turn at this upstream, which is one of these.
    async fn warm_at(&self, home: &str, group: &[&str], dialect: Dialect) -> Conversation {
        let others = group.iter().filter(|upstream| **upstream != home);
        others.clone().for_each(|upstream| self.gateway.providers.fail(upstream, Fault::Refused));
        let mut conversation = Conversation::new(dialect, 1);
        let served = self.turn(&mut conversation).await;
        others.for_each(|upstream| self.gateway.providers.heal(upstream));
        assert_eq!(served, home);
        conversation
    }

    fn received(&self, upstream: &str) -> Vec<Exchange> {
        self.gateway.providers.received(upstream)
    }

    /// Looks at all that has come to all accounts, failed attempts included.
    fn each_had_its_own_credential(&self) {
        for (name, ..) in UPSTREAMS {
            for exchange in self.received(name) {
                assert_eq!(credentials(&exchange), expected(name, &exchange), "at {name}");
                assert_nothing_of_others(name, &exchange);
            }
        }
    }
}

/// The one that the files themselves recommend for the running Envoy.
fn file() -> &'static str {
    if REFRESHED_RETRIES.applies() { NEWEST } else { "providers-aggregate.yaml" }
}

/// The file that Envoy reads a key from, as each bootstrap asks for it.
fn key(upstream: &str) -> String {
    let key = match (upstream, file()) {
        ("vertex-gemini", _) => format!("Bearer {GOOGLE_TOKEN}"),
        ("openai-a", file) if file != NEWEST => "Bearer key-of-openai-a".to_owned(),
        _ => format!("key-of-{upstream}"),
    };
    format!(
        r#"resources:
- "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
  name: key
  generic_secret: {{secret: {{inline_string: "{key}"}}}}
"#
    )
}

fn gemini(seed: u64) -> Conversation {
    let mut conversation = Conversation::new(Dialect::Chat, seed);
    conversation.body["model"] = "google/gemini-2.5-flash".into();
    conversation
}

fn text(exchange: &Exchange, header: &str) -> String {
    String::from_utf8_lossy(exchange.header(header).unwrap_or_default()).into_owned()
}

/// What stands in the places for credentials.
fn credentials(exchange: &Exchange) -> Vec<(&str, String)> {
    let headers = exchange.headers.iter().filter(|(name, _)| PLACES.contains(&&**name));
    let mut found: Vec<_> = headers
        .map(|(name, value)| (&**name, String::from_utf8_lossy(value).into_owned()))
        .collect();
    found.sort();
    found
}

fn expected<'a>(upstream: &str, exchange: &'a Exchange) -> Vec<(&'a str, String)> {
    match upstream {
        "anthropic-a" | "anthropic-b" => vec![("x-api-key", format!("key-of-{upstream}"))],
        "openai-a" => vec![("authorization", format!("Bearer key-of-{upstream}"))],
        "azure-openai" => vec![("api-key", format!("key-of-{upstream}"))],
        "vertex-gemini" => vec![("authorization", format!("Bearer {GOOGLE_TOKEN}"))],
        _ => {
            sigv4::verify(exchange, AWS_ID, AWS_SECRET).unwrap_or_else(|error| panic!("{error}"));
            let headers = ["authorization", "x-amz-content-sha256", "x-amz-date"];
            headers.map(|name| (name, text(exchange, name))).into()
        }
    }
}

fn assert_nothing_of_others(upstream: &str, exchange: &Exchange) {
    let keys = KEYS.map(|name| format!("key-of-{name}"));
    let secrets =
        keys.iter().map(String::as_str).chain([AWS_ID, AWS_SECRET, GOOGLE_TOKEN, CLIENTS]);
    let own =
        |secret: &str| secret.ends_with(upstream) || (secret, upstream) == (AWS_ID, "bedrock-us");
    let whole = format!("{exchange:?}{}", String::from_utf8_lossy(&exchange.body));
    let headers: String = exchange
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)))
        .collect();
    for secret in secrets.filter(|secret| !own(secret)) {
        assert!(
            !whole.contains(secret) && !headers.contains(secret),
            "{upstream} got {secret}: {headers}"
        );
    }
}

fn attempts(answer: &Answer) -> String {
    answer.explanation()["attempts"].clone()
}
