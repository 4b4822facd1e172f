//! Exports of the index of a batch for other programs.

use std::process::Command;

use super::{TEXT, read};
use crate::common::{directory, said};

#[test]
fn the_index_has_a_dictionary_and_is_exported_for_other_programs() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let call = |args: &[&str]| said(dir.path(), args);
    assert_eq!(call(&["run", "grid.toml", "--out", "r", "--quiet"]).0, 0);
    let dictionary = read(dir.path(), "r/index.columns.csv");
    let index = read(dir.path(), "r/index.csv");
    let named: Vec<&str> = dictionary
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    let header: Vec<&str> = index.lines().next().unwrap().split(',').collect();
    assert_eq!(named, header, "every column is described, in its order");
    assert!(dictionary.contains("topology.path.delay_s,float,s,swept value of"));
    assert!(dictionary.contains("\nconnect_latency_p50_s,float,s,"));

    for (format, file) in [
        ("csv", "long.csv"),
        ("parquet", "long.parquet"),
        ("sqlite", "batch.sql"),
        ("omnetpp", "batch.sca"),
    ] {
        let (code, out, err) = call(&["export", "r", "--format", format]);
        assert_eq!(
            (code, out.trim()),
            (0, format!("r/export/{file}").as_str()),
            "{err}"
        );
    }
    let long = read(dir.path(), "r/export/long.csv");
    let attempted = |text: &str| {
        text.lines()
            .filter(|l| l.contains("connects_attempted"))
            .count()
    };
    assert!(long.starts_with("id,topology.path.delay,tcp.tw_reuse,replica,metric,value\n"));
    assert_eq!(attempted(&long), 8);
    let scalars = read(dir.path(), "r/export/batch.sca");
    assert!(scalars.starts_with("version 3\nrun grid-"));
    assert!(scalars.contains("itervar topology.path.delay \"10 ms\"\n"));
    assert!(scalars.contains("attr replication \"#1\"\n"));
    assert_eq!(attempted(&scalars), 8);
    let sql = read(dir.path(), "r/export/batch.sql");
    assert_eq!(sql.matches("INSERT INTO runs").count(), 8);
    // Python's SQLite reads it, if Python is installed.
    let script = "import sqlite3\ndb = sqlite3.connect(':memory:')\n\
                  db.executescript(open('r/export/batch.sql').read())\n\
                  print(db.execute('select count(*) from runs join metrics using (id) \
                  where metric = \"connects_attempted\" and value > 0').fetchone()[0])";
    if let Ok(said) = Command::new("python3")
        .current_dir(dir.path())
        .args(["-c", script])
        .output()
    {
        assert_eq!(
            String::from_utf8_lossy(&said.stdout).trim(),
            "8",
            "{said:?}"
        );
    }
    // The export does not change the batch; a damaged batch is refused.
    assert_eq!(call(&["report", "r"]).0, 0);
    std::fs::write(dir.path().join("r/index.parquet"), "PAR1").unwrap();
    let (code, _, err) = call(&["export", "r", "--format", "csv"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("r/index.parquet cannot be used"), "{err}");
    let (code, _, err) = call(&["export", "none", "--format", "csv"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("give the directory of a batch"), "{err}");
}

/// The examples of `docs/batches.md`, with those of pandas, polars, DuckDB and R that are installed.
#[test]
fn other_programs_read_the_index_as_the_documentation_says() {
    let text = TEXT.replace(
        "\"tcp.tw_reuse\" = [false, true]",
        "\"tcp.congestion\" = [\"newreno\", \"cubic\"]",
    ) + "[[workload]]\nkind = \"bulk\"\nport = 5001\nbytes = \"100 kB\"\n";
    let dir = directory(&[("grid.toml", &text)]);
    let run = ["run", "grid.toml", "--out", "results/NAME", "--quiet"];
    let (code, _, err) = said(dir.path(), &run);
    assert_eq!(code, 0, "{err}");
    let docs = include_str!("../../../docs/batches.md");
    let after = |heading: &str| {
        let (_, rest) = docs.split_once(heading).unwrap();
        rest.split("```").next().unwrap().to_owned()
    };
    let sql = after("```sql\n");
    let duckdb = format!("import duckdb\nprint(duckdb.sql('''{sql}'''))");
    let examples = [
        (
            "pandas",
            "python3",
            "-c",
            after("```python\n# pandas\n"),
            "import pandas, pyarrow",
        ),
        (
            "polars",
            "python3",
            "-c",
            after("```python\n# polars\n"),
            "import polars",
        ),
        ("DuckDB", "python3", "-c", duckdb, "import duckdb"),
        ("R", "Rscript", "-e", after("```r\n"), "1"),
    ];
    for (name, program, flag, example, probe) in examples {
        let call = |code: &str| {
            Command::new(program)
                .current_dir(dir.path())
                .args([flag, code])
                .output()
        };
        if !call(probe).is_ok_and(|said| said.status.success()) {
            eprintln!("{name} is not installed: its example is not run");
            continue;
        }
        let said = call(&example).unwrap();
        let out = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{name}: {said:?}");
        assert!(
            out.contains("cubic") && out.contains("newreno"),
            "{name}: {out}"
        );
    }
}
