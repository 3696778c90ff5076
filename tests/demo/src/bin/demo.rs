//! `make demo`: the same conversations through plain Envoy, then through Envoy with Warmpath. Ends with an error where
//! Warmpath was not clearly better or a request failed.

use std::process::ExitCode;

use demo::page::page;
use demo::played::Played;
use demo::totals::{compare, shortfalls};
use e2e::{Bootstrap, Gateway};

const INTRODUCTION: &str = "\
Twelve conversations of four turns each take turns through one Envoy. Ten speak Claude's messages
API to three accounts, two speak chat to a fourth. Their clients set nothing but the base URL
(ivo's also a session header, june's the id of the last answer); half of those that speak to Claude
mark their prompts for caching. The providers are simulated, each account with a prefix cache of its
own. In the third round one account is switched off for a while. Numbers are tokens.
";

/// Where the page is put; below the top folder, from where `make demo` is called.
const PAGE: &str = "target/demo.html";

const NEXT: &str = "\
target/demo.html    the turns above as a picture: open it in a browser
make run            Envoy with Warmpath and the same providers, to try by hand
envoy/envoy.yaml    the Envoy that has just run, each choice explained
README.md           what Warmpath does, and its configuration
";

#[tokio::main]
async fn main() -> ExitCode {
    tokio::select! {
        code = demo() => code,
        () = demo::interrupted() => ExitCode::FAILURE,
    }
}

async fn demo() -> ExitCode {
    println!("\n{INTRODUCTION}\nStarting plain Envoy ...\n");
    let plain = play(Bootstrap::shipped().without_plugin()).await;
    println!("\nStarting Envoy with Warmpath ...\n");
    let warm = play(Bootstrap::shipped().configure(r#""explain": true"#)).await;
    std::fs::write(e2e::bootstrap::root().join(PAGE), page(&plain, &warm)).expect("a written page");
    let (plain, warm) = (plain.totals(), warm.totals());
    println!("\n{}\nWhere to look next:\n{NEXT}", compare(&plain, &warm));
    let shortfalls = shortfalls(&plain, &warm);
    if shortfalls.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("This is not as it should be: {}.", shortfalls.join("; "));
    ExitCode::FAILURE
}

async fn play(bootstrap: Bootstrap) -> Played {
    let gateway = Gateway::start(bootstrap).await;
    demo::play::play(&gateway).await
}
