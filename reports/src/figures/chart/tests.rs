use super::marks::thin;
use super::*;
use crate::figures::style::GREY;

#[test]
fn an_axis_too_short_for_its_name_has_the_unit() {
    let of = |text: &str, size| (text.to_owned(), size);
    let goodput = "goodput over the whole run (Mbit/s)";
    assert_eq!(fitting(goodput, 300.0), of(goodput, 15));
    assert_eq!(fitting(goodput, 250.0), of(goodput, 14));
    assert_eq!(fitting(goodput, 200.0), of("goodput (Mbit/s)", 15));
    assert_eq!(fitting(goodput, 100.0), of("goodput (Mbit/s)", 12));
    assert_eq!(fitting(goodput, 90.0), of("Mbit/s", 15));
    assert_eq!(
        fitting("a number without unit", 10.0),
        of("a number without unit", 15)
    );
}

#[test]
fn thinning_keeps_ends_and_extremes() {
    let points: Vec<_> = (0..100_000)
        .map(|i| {
            (
                f64::from(i),
                if i == 77_777 {
                    9.0
                } else {
                    (f64::from(i) / 9e3).sin()
                },
            )
        })
        .collect();
    let thinned = thin(&points);
    assert!(thinned.len() <= 2800 + 4);
    assert_eq!(
        (thinned.first(), thinned.last()),
        (points.first(), points.last())
    );
    assert!(thinned.contains(&(77_777.0, 9.0)) && thinned.is_sorted_by_key(|p| p.0 as u64));
}

#[test]
fn names_of_categories_are_broken_into_lines() {
    assert_eq!(wrap("true", 10), ["true"]);
    assert_eq!(wrap("unlimited rate", 10), ["unlimited", "rate"]);
    assert_eq!(wrap("a b c", 10), ["a b c"]);
    assert_eq!(wrap("abcdefghijkl", 5), ["abcde", "fghij", "kl"]);
    assert_eq!(wrap("one two three four five six", 5).len(), CATEGORY_LINES);
    assert!(wrap("one two three four five six", 5)[3].ends_with('…'));
    assert_eq!(wrap("", 5), [""]);
}

#[test]
fn odd_values_still_make_a_picture() {
    let line = |points: Vec<(f64, f64)>| Mark::Line {
        label: "a < b & c".into(),
        colour: GREY,
        points,
        dashed: true,
    };
    for marks in [
        vec![],
        vec![line(vec![])],
        vec![line(vec![(0.0, f64::NAN), (1.0, 0.0)])],
        vec![line(vec![(0.0, -5.0), (1.0, -4.0)])],
        vec![line(vec![(0.0, 1e300), (1.0, 0.0)])],
    ] {
        let chart = Chart {
            title: "t",
            marks,
            ..Chart::default()
        };
        let svg = chart.svg().unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(!svg.contains("a < b"), "text is escaped");
    }
}

#[test]
fn many_long_names_of_categories_are_written_upwards() {
    let names: Vec<String> = (0..18)
        .map(|i| format!("access link {i}, {}", "long ".repeat(9)))
        .collect();
    let chart = Chart {
        title: "t",
        x: (-0.5, 17.5),
        categories: &names,
        ..Chart::default()
    };
    let many = chart.svg().unwrap();
    let few = Chart {
        categories: &names[..4],
        ..chart
    };
    let few = few.svg().unwrap();
    let turned = |svg: &str| svg.matches("rotate(270").count();
    // The name of the y axis is turned in both.
    assert_eq!(turned(&many[..]), turned(&few[..]) + names.len());
    assert!(many.contains("access link 17, long lo…"));
}
