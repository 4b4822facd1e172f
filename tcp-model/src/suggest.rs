//! Suggestions for mistyped words.

/// The known word nearest to `word`, if it is near enough: at most a third of its letters differ, or one is
/// a prefix of the other.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .filter_map(|k| {
            let d = distance(word, k);
            let prefix = word.len() >= 3 && (k.starts_with(word) || word.starts_with(k));
            (d <= word.chars().count().max(3) / 3 || prefix).then_some((d, k))
        })
        .min()
        .map(|(_, k)| k)
}

/// "unknown WHAT `WORD`; did you mean `KNOWN`? Known are: …"
pub fn unknown<'a>(
    what: &str,
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    let all = known.clone().into_iter().collect::<Vec<_>>().join(", ");
    match nearest(word, known) {
        Some(near) => format!("unknown {what} {word:?}; did you mean {near:?}? Known are: {all}"),
        None => format!("unknown {what} {word:?}; known are: {all}"),
    }
}

/// Edit distance with insertions, deletions, substitutions and swaps of neighbours, each 1.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_recognised() {
        let keys = ["rate", "delay", "queue", "loss"];
        for (typed, meant) in [
            ("rat", Some("rate")),
            ("ratte", Some("rate")),
            ("dealy", Some("delay")),
            ("que", Some("queue")),
            ("colour", None),
        ] {
            assert_eq!(nearest(typed, keys), meant, "{typed}");
        }
    }
}
