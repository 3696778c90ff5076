//! The shipped compose file, run by a real Docker as its first lines say: one command up, a request twice, one command down.

use std::process::Command;
use std::time::Duration;

use e2e::bootstrap::root;
use real::program::Program;
use real::tool;
use serde_json::Value;

/// Longer than anything else here: images are made, containers are started and become healthy.
const LONGEST: Duration = Duration::from_secs(600);

#[test]
fn one_command_up_a_warm_second_turn_one_command_down() {
    let (program, status) = room();
    let told =
        |file: &str| std::fs::read_to_string(program.file("out").join(file)).unwrap_or_default();
    assert_eq!(status, Some(0), "{}\n{}", told("up"), told("logs"));
    let json = |file: &str| -> Value {
        serde_json::from_str(&told(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    let (first, second) = (json("first"), json("second"));
    let read =
        |answer: &Value| answer["usage"]["cache_read_input_tokens"].as_u64().expect("a count");
    assert_eq!((read(&first), read(&second) > 1000), (0, true), "{second}");
    assert_eq!(first["usage"]["cache_creation_input_tokens"], read(&second));

    let series = json("query")["data"]["result"].as_array().cloned().expect("series");
    let warm = read(&second).to_string();
    let counted = series.iter().filter(|series| series["value"][1] == warm.as_str());
    // Four upstreams, and `unknown`.
    assert_eq!((series.len(), counted.count()), (5, 1), "{series:?}");
    // Envoy and the providers; Prometheus shows by its answer that it runs.
    let healthy = told("ps").matches(r#""Health":"healthy""#).count();
    assert_eq!((healthy, told("left").as_str()), (2, ""));
    println!(
        "the containers are healthy; the second turn read {} tokens, and Prometheus knows; nothing was left",
        read(&second)
    );
}

/// The versions in the compose file are those that are tested.
#[test]
fn the_compose_file_names_the_envoy_under_test() {
    let text = std::fs::read_to_string(root().join("envoy/compose/compose.yaml")).expect("a file");
    let told = Command::new(tool("ENVOY_PATH")).arg("--version").output().expect("Envoy");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let tag = text.split("envoyproxy/envoy:v").nth(1).and_then(|rest| rest.lines().next());
    let tag = tag.expect("an image of Envoy");
    assert!(told.contains(&format!("/{tag}/")), "{tag} is not {told}");
}

/// Runs the compose file in a room of its own, to its end.
fn room() -> (Program, Option<i32>) {
    let repository = root().canonicalize().expect("the repository");
    let mut program = Program::start("compose", |folder| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "sh"]);
        command
            .arg(repository.join("tests/real/compose/room.sh"))
            .arg(tool("DOCKER_ROOM"))
            .arg(&repository);
        command.arg(folder).env("SIMULATOR", tool("WARMPATH_SIMULATOR"));
        command
    });
    let status = program.wait(LONGEST);
    (program, status)
}
