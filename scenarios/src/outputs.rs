//! JSON schemas of the JSON that the program prints and writes, for other programs.

/// The schemas by name.
const ALL: [(&str, &str); 8] = [
    ("plan", include_str!("outputs/plan.json")),
    ("status", include_str!("outputs/status.json")),
    ("find", include_str!("outputs/find.json")),
    ("best", include_str!("outputs/best.json")),
    ("progress", include_str!("outputs/progress.json")),
    ("timing", include_str!("outputs/timing.json")),
    ("bench", include_str!("outputs/bench.json")),
    ("packetdrill", include_str!("outputs/packetdrill.json")),
];

/// Names of the schemas.
pub fn names() -> [&'static str; ALL.len()] {
    ALL.map(|(name, _)| name)
}

/// Returns the schema with this name, a JSON document.
pub fn named(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}
