//! `config/<case>.json` is a configuration, `<case>.config.txt` what it comes down to, or
//! `<case>.error.txt` all that is wrong with it.

use crate::expectations::Expectations;
use crate::plugin::config::configure;

#[test]
fn configurations_are_read_as_expected() {
    let mut files = Expectations::of("config", &[".config.txt", ".error.txt"]);
    for path in files.inputs() {
        let text = files.read(&path).expect("it was found");
        let name = path.strip_suffix(".json").expect("configurations are JSON");
        match configure(&text) {
            Ok(config) => files.expect(&format!("{name}.config.txt"), config.as_bytes()),
            Err(problems) => files.expect(&format!("{name}.error.txt"), problems.as_bytes()),
        }
    }
    files.finish();
}
