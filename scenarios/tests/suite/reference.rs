//! The reference of scenario keys and the schema are up to date and correct.

use std::path::Path;
use std::process::Command;

use crate::common;
use scenarios::file::ScenarioFile;
use scenarios::file::keys::{KeyForm, TableInfo};
use scenarios::sweep::Plan;
use scenarios::{library, reference, schema};
use serde_json::{Value, json};
use sim_core::{Bytes, SimDuration};
use tcp_model::params::{PARAMS, ParamKind, ParamType};

#[test]
fn the_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario.md");
    let made = reference::reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == made,
        "docs/scenario.md is not what the definitions say: UPDATE=1 cargo test -p synfin --test suite reference"
    );
}

/// Every table, with a path to it.
fn tables() -> Vec<(String, &'static TableInfo)> {
    let mut all = vec![(String::new(), ScenarioFile::KEYS)];
    let mut i = 0;
    while i < all.len() {
        let (path, info) = all[i].clone();
        for key in info.keys {
            if let Some(table) = (key.form)().table()
                && all.iter().all(|(_, t)| t.name != table.name)
            {
                all.push((format!("{path}.{}", key.name()), table));
            }
        }
        i += 1;
    }
    all
}

#[test]
fn every_key_has_a_doc_a_default_and_an_example() {
    for (path, table) in tables().iter().filter(|(_, t)| t.name != "RunFile") {
        for key in table.keys.iter().filter(|k| k.name() != "run") {
            let at = format!("{path}.{}", key.name());
            assert!(key.text().ends_with('.'), "{at}: {}", key.text());
            assert!(!key.info.example.is_empty(), "{at} has no example");
            let needed = key.required || key.info.needed;
            assert!(
                needed || !key.info.default.is_empty(),
                "{at} has no default"
            );
            assert!(
                !key.text().contains("unless given"),
                "{at}: the default stands apart"
            );
        }
    }
}

/// Whether a value has the form that a key requires. The contents of tables are checked by [`schema`].
fn fits(form: &KeyForm, value: &toml::Value) -> bool {
    match form {
        KeyForm::List(of) => value
            .as_array()
            .is_some_and(|list| list.iter().all(|v| fits(of, v))),
        KeyForm::Table(_) | KeyForm::Tcp => value.is_table(),
        KeyForm::Either(one, _) => value.is_table() || fits(one, value),
        KeyForm::Leaf { schema, .. } => match schema["type"].as_str() {
            Some("string") => value.is_str(),
            Some("integer") => value.is_integer(),
            Some("number") => value.is_float() || value.is_integer(),
            Some("boolean") => value.is_bool(),
            Some("array") => value.is_array(),
            Some("object") => value.is_table(),
            _ => true,
        },
    }
}

#[test]
fn every_example_is_what_its_key_takes() {
    for (path, table) in tables() {
        for key in table.keys.iter().filter(|k| !k.info.example.is_empty()) {
            let text = format!("value = {}", key.info.example);
            let read: toml::Table = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert!(
                fits(&(key.form)(), &read["value"]),
                "{path}.{}: {text}",
                key.name()
            );
            let one_of = (key.info.one_of)(&scenarios::reference::topology_kinds());
            let is_one = |v: &str| one_of.is_empty() || one_of.contains(&v);
            assert!(
                read["value"].as_str().is_none_or(is_one),
                "{path}.{}",
                key.name()
            );
        }
    }
}

/// A scenario in which values are set.
const PAIR: &str = "name = \"t\"\nduration = \"100 s\"\n[topology]\nkind = \"pair\"\npath = { delay = \
                    \"1 ms\" }\n[[workload]]\narrivals = { kind = \"burst\", count = 1 }\n";

/// A scenario with a host that can be a proxy.
const WITH_PROXY: &str = r#"
name = "t"
duration = "100 s"
[topology]
kind = "graph"
host = [{ name = "client" }, { name = "proxy" }, { name = "server" }]
link = [
    { between = ["client", "proxy"], delay = "1 ms" },
    { between = ["proxy", "server"], delay = "1 ms" },
]
[[workload]]
arrivals = { kind = "burst", count = 1 }
"#;

fn plan(text: &str, set: &str) -> Result<Plan, String> {
    common::plan(text, &[set]).map_err(|e| e.to_string())
}

/// The examples of keys that suit a pair of hosts with an exchange.
#[test]
fn examples_are_accepted_where_they_belong() {
    let skip = ["name", "topology", "workload", "sweep", "figure", "tcp"];
    let of = |table: &'static TableInfo, prefix: &str, skip: &[&str]| {
        for key in table.keys.iter().filter(|k| !skip.contains(&k.name())) {
            let set = format!("{prefix}{}={}", key.name(), key.info.example);
            plan(PAIR, &set).unwrap_or_else(|e| panic!("{set}: {e}"));
        }
    };
    let find = |name: &str| {
        tables()
            .into_iter()
            .find(|(_, t)| t.name == name)
            .unwrap()
            .1
    };
    of(
        ScenarioFile::KEYS,
        "",
        &[&skip[..], &["run", "engine"]].concat(),
    );
    for (table, prefix) in [("EngineFile", "engine."), ("WorkloadFile", "workload[0].")] {
        for key in find(table).keys.iter().filter(|k| k.name() != "kind") {
            for word in (key.info.one_of)(&scenarios::reference::topology_kinds()) {
                let set = format!("{prefix}{}={word}", key.name());
                plan(PAIR, &set).unwrap_or_else(|e| panic!("{set}: {e}"));
            }
        }
    }
    of(find("RecordFile"), "record.", &[]);
    of(find("EngineFile"), "engine.", &[]);
    of(
        find("LinkFile"),
        "topology.path.",
        &["between", "reorder", "reorder_delay"],
    );
    let bulk = [
        "kind",
        "bytes",
        "flows",
        "stagger",
        "read_rate",
        "read_delay",
        "application",
        "sources",
    ];
    let apart = [
        "via",
        "proxy",
        "port",
        "ports",
        "client_addresses",
        "server_addresses",
        "fast_open",
        "respond_after",
    ];
    of(
        find("WorkloadFile"),
        "workload[0].",
        &[&bulk[..], &apart].concat(),
    );
    let proxy = find("WorkloadFile")
        .keys
        .iter()
        .find(|k| k.name() == "proxy");
    let set = format!("workload[0].proxy={}", proxy.unwrap().info.example);
    plan(WITH_PROXY, &set).unwrap_or_else(|e| panic!("{set}: {e}"));
}

#[test]
fn numbers_beyond_their_range_are_refused_with_both_ends() {
    for (set, help) in [
        ("workload[0].requests=-1", "choose 0 to 4294967295"),
        ("workload[0].requests=5000000000", "choose 0 to 4294967295"),
        ("workload[0].workers=0", "choose 1 to 4294967295"),
        ("workload[0].port=65536", "choose 1 to 65535"),
        ("workload[0].port=-1", "choose 1 to 65535"),
        ("workload[0].client_addresses=0", "choose 1 to 1000000"),
        ("topology.path.loss=1.5", "choose 0 to 1"),
        ("topology.path.reorder=-0.5", "choose 0 to 1"),
        ("replicas=100001", "choose 1 to 100000"),
        ("duration=6000 h", "choose 0 to 5124 h"),
    ] {
        let message = plan(PAIR, set).unwrap_err();
        assert!(message.contains(help), "{set}: {message}");
    }
}

/// A number or a quantity just beyond each end of a parameter's range.
fn beyond(kind: &ParamKind) -> Vec<String> {
    let time = |ps| format!("\"{}\"", SimDuration::from_ps(ps));
    match kind.shape {
        ParamType::Count => {
            let below = kind.least.checked_sub(1).map(|n| n.to_string());
            let above = (kind.most + 1).to_string();
            below.into_iter().chain([above]).collect()
        }
        ParamType::Size => [kind.least - 1, kind.most + 1]
            .map(|n| format!("\"{}\"", Bytes(n)))
            .into(),
        ParamType::Time => {
            let below = kind.least.checked_sub(1).map(time);
            below.into_iter().chain([time(kind.most + 1)]).collect()
        }
        ParamType::GiveUp => vec!["256".into(), "\"1 us\"".into()],
        ParamType::Ports => vec!["[0, 100]".into(), "[1, 65536]".into()],
        _ => Vec::new(),
    }
}

#[test]
fn every_tcp_parameter_beyond_its_range_is_refused_with_both_ends() {
    let mut tried = 0;
    for param in PARAMS {
        for value in beyond(&param.kind) {
            tried += 1;
            let set = format!("tcp.{}={value}", param.key);
            let message = plan(PAIR, &set).unwrap_err();
            let range = param.kind.range();
            assert!(message.contains(&range), "{set}: {range}: {message}");
            let ends = param.kind.shape == ParamType::GiveUp || range.contains(" to ");
            assert!(ends, "{}: {range}", param.key);
        }
    }
    assert!(tried > 70, "{tried}");
}

#[test]
fn names_are_explained() {
    for (name, part) in [
        ("record.states", "default  1000"),
        ("topology.path.rate", "unlimited"),
        (
            "workload[0].arrivals.rate",
            "workload[0].arrivals.rate: key",
        ),
        ("workload.web.arrivals", "keys"),
        ("census_interval", "record.census_interval: key"),
        ("rate", "topology.path.rate"),
    ] {
        let text = reference::explain(name).unwrap_or_default();
        assert!(text.contains(part), "{name}: {text}");
    }
    assert_eq!(reference::explain("no_such_key"), None);
    assert_eq!(reference::explain("duration.rate"), None);
}

/// Documents, and whether the schema must accept them.
fn documents() -> Vec<Value> {
    let document = |text: &str, valid: bool| {
        let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        json!({ "valid": valid, "document": table })
    };
    let mut all: Vec<Value> = library::ALL
        .iter()
        .map(|e| document(&e.source().text, true))
        .collect();
    let tcp = |more: &str| format!("{PAIR}[tcp]\n{more}\n");
    for (text, valid) in [
        (PAIR.to_owned(), true),
        (
            tcp("net.ipv4.tcp_sack = 1\ntcp_fin_timeout = 30\nmax_tw_buckets = \"unlimited\""),
            true,
        ),
        (
            tcp(
                "tw_reuse = true\necn = \"active\"\nip_local_port_range = \"1024 65535\"\n[tcp.host.client]\nsack = false",
            ),
            true,
        ),
        (PAIR.replace("duration", "duratoin"), false),
        (PAIR.replace("\"100 s\"", "100"), false),
        (PAIR.replace("\"100 s\"", "\"100\""), false),
        (PAIR.replace("\"pair\"", "\"pear\""), false),
        (PAIR.replace("\"1 ms\"", "\"1 ms\", loss = 1.5"), false),
        (PAIR.replace("count = 1", "count = \"many\""), false),
        (tcp("tcp_fin_timeuot = 30"), false),
        (tcp("keepalive_probes = 0"), false),
        (tcp("ecn = \"maybe\""), false),
        (tcp("time_wait = 60"), false),
        (tcp("host.client.sack = \"yes\""), false),
    ] {
        all.push(document(&text, valid));
    }
    all
}

/// An independent implementation: the package jsonschema from PyPI.
const CHECKER: &str = r#"
import json, sys, jsonschema
given = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(given["schema"])
validator = jsonschema.Draft202012Validator(given["schema"])
for i, case in enumerate(given["cases"]):
    error = next(validator.iter_errors(case["document"]), None)
    if (error is None) != case["valid"]:
        print(f"case {i}: {error.message if error else 'taken'}: {json.dumps(case['document'])[:400]}")
"#;

#[test]
fn the_schema_takes_all_library_scenarios_and_refuses_broken_ones() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("jsonschema");
    let python = |args: &[&str]| {
        let mut command = Command::new("python3");
        command.args(args).env("PYTHONPATH", &target);
        command
    };
    let there = |mut c: Command| c.output().is_ok_and(|o| o.status.success());
    if !there(python(&["-c", "import jsonschema"])) {
        let to = target.to_string_lossy();
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            &to,
            "jsonschema",
        ];
        if !there(python(&install)) {
            eprintln!(
                "skipped: the Python package jsonschema is not there and cannot be installed"
            );
            return;
        }
    }
    let given = json!({ "schema": schema::schema(), "cases": documents() });
    let file = target.with_extension("json");
    std::fs::write(&file, given.to_string()).unwrap();
    let mut check = python(&["-c", CHECKER]);
    let output = check
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}{failed}");
}
