//! `synfin fuzz`.

use std::process::Command;

fn fuzz(args: &[&str]) -> (Option<i32>, String) {
    let synfin = env!("CARGO_BIN_EXE_synfin");
    let output = Command::new(synfin)
        .arg("fuzz")
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text)
}

#[test]
fn the_built_in_tcp_keeps_the_rules_for_any_number_of_threads() {
    let expected = "40 worlds of seed 3: all rules hold\n\
                40 worlds of seed 3 with the TCP `lifecycle`: all rules hold\n";
    for threads in ["1", "3"] {
        let args = ["--worlds", "40", "--seed", "3", "--threads", threads];
        assert_eq!(fuzz(&args), (Some(0), expected.to_string()));
    }
    let one = fuzz(&["--worlds", "1", "--first", "7"]);
    assert_eq!(
        one,
        (
            Some(0),
            "1 worlds of seed 1: all rules hold\n\
             1 worlds of seed 1 with the TCP `lifecycle`: all rules hold\n"
                .into()
        )
    );
}
