use super::*;

fn of(toml: &str) -> Result<Vec<String>, String> {
    let table: Table = format!("v = {toml}").parse().unwrap();
    let range = table["v"].as_table().unwrap();
    assert!(is_range(range), "{toml}");
    let values = expand("x.y", range).map_err(|p| p.message)?;
    Ok(values
        .iter()
        .map(|v| v.to_string().replace('"', ""))
        .collect())
}

#[test]
fn ranges_have_both_ends_and_the_unit_of_the_first() {
    for (toml, values) in [
        (
            r#"{ from = "100 /s", to = "400 /s", step = "100 /s" }"#,
            "100 /s, 200 /s, 300 /s, 400 /s",
        ),
        (
            r#"{ from = "1 ms", to = "1 s", count = 4, scale = "log" }"#,
            "1 ms, 10 ms, 100 ms, 1000 ms",
        ),
        (
            // Rounded to the picosecond, the resolution of the clock.
            r#"{ from = "1 ms", to = "100 ms", count = 4, scale = "log" }"#,
            "1 ms, 4.64158883 ms, 21.5443469 ms, 100 ms",
        ),
        (
            r#"{ from = 0.1, to = 0.5, step = 0.1 }"#,
            "0.1, 0.2, 0.3, 0.4, 0.5",
        ),
        ("{ from = 1, to = 10, count = 4 }", "1, 4, 7, 10"),
        (
            r#"{ from = 1, to = 4, count = 9, scale = "log" }"#,
            "1, 2, 3, 4",
        ),
        (
            r#"{ from = 1e-5, to = 1e-3, count = 3, scale = "log" }"#,
            "1e-5, 1e-4, 1e-3",
        ),
        (
            r#"{ from = "10 packets", to = "11 packets", count = 3 }"#,
            "10 packets, 11 packets",
        ),
        (
            r#"{ from = "1 Mbit/s", to = "2500 kbit/s", count = 2 }"#,
            "1 Mbit/s, 2.5 Mbit/s",
        ),
        (
            r#"{ from = "3 s", to = "1 s", count = 3 }"#,
            "3 s, 2 s, 1 s",
        ),
        (
            r#"{ from = "1 s", to = "2.5 s", step = "1 s" }"#,
            "1 s, 2 s",
        ),
    ] {
        let expected: Vec<String> = values.split(", ").map(str::to_owned).collect();
        let same = |a: &String, b: &String| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => a == b,
        };
        let made = of(toml).unwrap();
        assert_eq!(made.len(), expected.len(), "{toml}: {made:?}");
        assert!(
            made.iter().zip(&expected).all(|(a, b)| same(a, b)),
            "{toml}: {made:?}"
        );
    }
}

#[test]
fn ranges_without_end_or_of_mixed_kinds_are_refused_with_an_example() {
    for (toml, part) in [
        ("{ from = 1, count = 3 }", "no `to`"),
        ("{ from = 1, to = 3 }", "either a `step` or a `count`"),
        ("{ from = 1, to = 3, step = 0 }", "at most 50000 values"),
        ("{ from = 3, to = 1, step = 1 }", "at most 50000 values"),
        ("{ from = 0, to = 1e9, step = 1 }", "at most 50000 values"),
        ("{ from = 1, to = 3, count = 1 }", "from 2 to 50000"),
        (
            "{ from = 1, to = 3, count = 2, step = 1 }",
            "either a `step` or a `count`",
        ),
        (
            r#"{ from = "1 s", to = "3 /s", count = 2 }"#,
            "different kinds",
        ),
        (
            r#"{ from = "1 s", to = "3 s", step = 1 }"#,
            "of another kind",
        ),
        (
            r#"{ from = 0, to = 3, count = 2, scale = "log" }"#,
            "above 0",
        ),
        (
            r#"{ from = 1, to = 3, count = 2, scale = "lin" }"#,
            "neither \"linear\" nor",
        ),
        ("{ from = 1, to = 3, cuont = 2 }", "count"),
        (
            r#"{ from = "many", to = 3, count = 2 }"#,
            "that is not a number",
        ),
        ("{ from = nan, to = 3, count = 2 }", "that is not a number"),
    ] {
        let message = of(toml).unwrap_err();
        assert!(message.contains(part), "{toml}: {message}");
    }
}
