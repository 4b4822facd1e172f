//! The scripts of this project, one directory per subject, and variants of each script with one
//! number changed, which must be detected.

mod packetdrill {
    mod arguments;
    mod fuzz;
    mod grammar;
    mod matrix;
    mod mutations;
    mod running;
    mod scripts;
    mod supported;

    use std::path::{Path, PathBuf};

    use tcp_model::Connection;
    use tcp_model::packetdrill::{Report, RunOptions, Script, parse, run};

    /// Every script and its path, sorted by path.
    fn all_scripts() -> Vec<(PathBuf, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packetdrill");
        let mut found = Vec::new();
        for group in std::fs::read_dir(root).unwrap() {
            let group = group.unwrap().path();
            if !group.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(group).unwrap() {
                let file = file.unwrap().path();
                if file.extension().is_some_and(|e| e == "pkt") {
                    let text = std::fs::read_to_string(&file).unwrap();
                    found.push((file, text));
                }
            }
        }
        found.sort();
        found
    }

    fn play(script: &Script) -> Report {
        run(
            script,
            &mut |ctx| Box::new(Connection::new(ctx)),
            &RunOptions::for_script(script),
        )
    }

    fn play_text(text: &str) -> Report {
        play(&parse(text).unwrap())
    }
}
