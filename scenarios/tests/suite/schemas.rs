//! The JSON that the program prints and writes conforms to its schemas.

use serde_json::Value;

use crate::common::{directory, said};

/// Where a document violates a schema; `None` if it conforms. Supports only the keywords that these schemas
/// use, and rejects others.
fn broken(schema: &Value, document: &Value, at: &str) -> Option<String> {
    let rules = schema.as_object().expect("a schema is an object");
    rules.iter().find_map(|(keyword, rule)| {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => match rule {
                Value::Array(all) => all.iter().any(|t| is_of(t.as_str().unwrap(), document)),
                one => is_of(one.as_str().unwrap(), document),
            },
            "enum" => rule.as_array().unwrap().contains(document),
            "minimum" => document.as_f64() >= rule.as_f64(),
            "required" => {
                let names = rule.as_array().unwrap();
                let missing = |name: &&Value| document.get(name.as_str().unwrap()).is_none();
                match names.iter().find(missing).filter(|_| document.is_object()) {
                    Some(name) => return Some(format!("{at}: {name} is missing")),
                    None => true,
                }
            }
            "items" => {
                let items = document.as_array().into_iter().flatten().enumerate();
                return items
                    .filter_map(|(i, item)| broken(rule, item, &format!("{at}[{i}]")))
                    .next();
            }
            "properties" => {
                let known = rule.as_object().unwrap().iter();
                return known
                    .filter_map(|(name, rule)| {
                        broken(rule, document.get(name)?, &format!("{at}.{name}"))
                    })
                    .next();
            }
            "additionalProperties" => {
                let known = schema.get("properties");
                let is_other =
                    |name: &&String| known.is_none_or(|k| k.get(name.as_str()).is_none());
                let mut others = document.as_object().into_iter().flatten();
                return others.find_map(|(name, value)| {
                    let at = format!("{at}.{name}");
                    match rule {
                        _ if !is_other(&name) => None,
                        Value::Bool(false) => Some(format!("{at} is not in the schema")),
                        rule => broken(rule, value, &at),
                    }
                });
            }
            other => panic!("{other} is a keyword that this test does not know"),
        };
        (!holds).then(|| format!("{at}: {document} breaks {keyword} {rule}"))
    })
}

fn is_of(name: &str, document: &Value) -> bool {
    match name {
        "object" => document.is_object(),
        "array" => document.is_array(),
        "string" => document.is_string(),
        "number" => document.is_number(),
        "integer" => document.is_u64() || document.is_i64(),
        "boolean" => document.is_boolean(),
        "null" => document.is_null(),
        other => panic!("{other} is no type of JSON"),
    }
}

const TEXT: &str = r#"
name = "small"
question = "Is it \"quick\"?"
duration = "2 s"
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "poisson", rate = "20 /s" }
[sweep]
"topology.path.delay" = ["1 ms", "10 ms"]
"#;

#[test]
fn every_output_keeps_to_its_schema() {
    let dir = directory(&[("small.toml", TEXT)]);
    let script = "0.0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
    std::fs::write(dir.path().join("a.pkt"), script).unwrap();
    let schema = |name: &str| -> Value {
        let (code, out, err) = said(dir.path(), &["schema", "--of", name]);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    };
    let check = |name: &str, text: &str| {
        let document: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(broken(&schema(name), &document, name), None, "{text}");
    };
    let printed = |name: &str, args: &[&str]| {
        let (code, out, err) = said(dir.path(), args);
        assert!(
            [0, 1, 2].contains(&code) && !out.is_empty(),
            "{args:?}: {err}"
        );
        check(name, &out);
    };
    let plan = ["plan", "small.toml", "--out", "r", "--json"];
    printed("plan", &plan);
    let run = [
        "run",
        "small.toml",
        "--out",
        "r",
        "--quiet",
        "--progress",
        "p.json",
    ];
    assert_eq!(said(dir.path(), &run).0, 0);
    // Now no run is missing.
    printed("plan", &plan);
    printed("status", &["status", "r", "--json"]);
    check(
        "progress",
        &std::fs::read_to_string(dir.path().join("p.json")).unwrap(),
    );
    for run in std::fs::read_dir(dir.path().join("r/runs")).unwrap() {
        let text = std::fs::read_to_string(run.unwrap().path().join("timing.json")).unwrap();
        check("timing", &text);
    }
    // A run that fails, and one that has not been made yet.
    let bad = [
        "run",
        "small.toml",
        "--out",
        "b",
        "--run-time",
        "1 ms",
        "--set",
    ];
    said(
        dir.path(),
        &[&bad[..], &["workload[0].arrivals.rate=20000 /s"]].concat(),
    );
    printed("status", &["status", "b", "--json"]);
    let vary = [
        "find",
        "small.toml",
        "--vary",
        "workload[0].arrivals.rate",
        "--from",
        "10 /s",
    ];
    let rest = [
        "--to",
        "40 /s",
        "--resolution",
        "0.3",
        "--out",
        "f",
        "--json",
    ];
    let expect = ["--largest", "--expect", "connects_attempted < 55"];
    printed("find", &[&vary[..], &rest, &expect].concat());
    let best = [
        "find",
        "small.toml",
        "--best",
        "connect_latency_p50_s",
        "--smallest",
    ];
    printed("best", &[&best[..], &["--out", "g", "--json"]].concat());
    printed("packetdrill", &["packetdrill", "a.pkt", "--json"]);
    std::fs::write(dir.path().join("a.pkt"), "0.0 nonsense(").unwrap();
    printed("packetdrill", &["packetdrill", "a.pkt", "--json"]);
    let (code, out, err) = said(dir.path(), &["bench", "idle", "100", "--json"]);
    assert_eq!(code, 0, "{err}");
    out.lines().for_each(|line| check("bench", line));
    let (code, _, err) = said(dir.path(), &["schema", "--of", "plans"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("did you mean \"plan\"?"), "{err}");
}

#[test]
fn a_document_that_breaks_a_schema_is_noticed() {
    let status: Value = serde_json::from_str(scenarios::outputs::named("status").unwrap()).unwrap();
    let good = serde_json::json!({ "name": "x", "runs": 2, "complete": 1, "missing": 1, "failed": [],
        "command": "synfin run" });
    assert_eq!(broken(&status, &good, ""), None);
    for (key, value, said) in [
        ("runs", serde_json::json!(-1), "breaks minimum"),
        ("name", serde_json::json!(2), "breaks type"),
        ("failed", serde_json::json!([{ "id": "a" }]), "is missing"),
        ("more", serde_json::json!(1), "is not in the schema"),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        let found = broken(&status, &bad, "").unwrap_or_default();
        assert!(found.contains(said), "{found}");
    }
}
