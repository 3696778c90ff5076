//! `make run`: Envoy with Warmpath in front of the simulated providers, until Ctrl-C.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use e2e::prompt::{Dialect, text};
use e2e::{Bootstrap, Conversation, Gateway};
use serde_json::json;

/// The port that `envoy/envoy.yaml` names.
const PORT: u16 = 10000;

/// Where the two turns of a conversation are put for curl; below the top folder, from where `make run` is called.
const FOLDER: &str = "target/run";

#[tokio::main]
async fn main() {
    tokio::select! {
        () = run() => {}
        () = demo::interrupted() => println!("\nStopped."),
    }
}

async fn run() {
    println!("\nStarting Envoy with Warmpath ...");
    // Envoy itself would share a port with another Envoy.
    let port = TcpListener::bind(("127.0.0.1", PORT)).map_or(0, |_| PORT);
    let gateway = Gateway::start(Bootstrap::shipped_at(port).configure(r#""explain": true"#)).await;
    let folder = e2e::bootstrap::root().join(FOLDER);
    write_turns(&folder);
    let (address, admin) = (gateway.envoy.address("gateway"), gateway.envoy.admin());
    let control = gateway.providers.control();
    println!(
        "\nEnvoy:               http://{address}\nits admin interface: http://{admin}\nsimulated providers:"
    );
    for account in e2e::gateway::accounts() {
        println!("  {:<12} http://{}", account.name, gateway.providers.address(&account.name));
    }
    println!("  {:<12} http://{control}", "control");
    let post = format!("curl -si http://{address}/v1/messages -H 'content-type: application/json'");
    println!(
        "\nTwo turns of a conversation: the second goes where the first went and reads it from the cache there.\n"
    );
    println!("{post} -d @{FOLDER}/turn-1.json\n{post} -d @{FOLDER}/turn-2.json");
    println!(
        "\nWhat Warmpath has counted:\n\ncurl -s http://{admin}/stats/prometheus | grep ^warmpath_"
    );
    println!("\nCtrl-C stops it all.");
    std::future::pending().await
}

/// Writes a request and the one that follows it.
fn write_turns(folder: &Path) {
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    fs::create_dir_all(folder).expect("a folder for two requests");
    let write = |file: &str, conversation: &Conversation| {
        fs::write(folder.join(file), conversation.body.to_string()).expect("a written request");
    };
    conversation.ask(4_000);
    write("turn-1.json", &conversation);
    let answer = json!({"role": "assistant", "content": [{"type": "text", "text": text(2, 400)}]});
    conversation.body["messages"].as_array_mut().expect("turns").push(answer);
    conversation.ask(1_000);
    write("turn-2.json", &conversation);
}
