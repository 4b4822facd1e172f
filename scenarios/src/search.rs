//! Searches for the value at which a condition starts or ceases to hold.

use reports::Verdict;
use toml::Value;

use crate::sweep::SearchRange;

/// The goal of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The largest passing value: values pass up to it and fail above.
    Largest,
    /// The smallest passing value: values pass from it on and fail below.
    Smallest,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SearchResult {
    /// No value passes, not even the one at the safe end.
    None,
    /// Every value passes, even the one at the far end.
    All,
    /// `good` passes, `bad` fails, and their difference is within the resolution.
    Between {
        /// The last value that passes.
        good: Value,
        /// The first value that fails.
        bad: Value,
    },
    /// A value between these two cannot be decided with the replicas allowed.
    Undecided {
        /// The last value that passes.
        good: Value,
        /// The undecided value.
        at: Value,
        /// The first value that fails.
        bad: Value,
    },
}

/// Halves an interval until its ends differ by at most `resolution` times the larger.
///
/// Assumes that the condition changes only once between the ends.
///
/// # Errors
/// The first error of `test`.
pub(crate) fn bisect<E>(
    ends: &SearchRange,
    goal: Goal,
    resolution: f64,
    mut test: impl FnMut(&Value) -> Result<Verdict, E>,
) -> Result<SearchResult, E> {
    let digits = (1.0 - resolution.log10()).clamp(2.0, 11.0) as usize;
    let at = |place: f64| (place, ends.near(place, digits));
    let (mut good, mut bad) = match goal {
        Goal::Largest => (at(0.0), at(1.0)),
        Goal::Smallest => (at(1.0), at(0.0)),
    };
    match test(&good.1.0)? {
        Verdict::Holds => {}
        Verdict::Fails => return Ok(SearchResult::None),
        Verdict::Undecided => {
            let at = good.1.0.clone();
            let (good, bad) = (good.1.0, bad.1.0);
            return Ok(SearchResult::Undecided { good, at, bad });
        }
    }
    match test(&bad.1.0)? {
        Verdict::Holds => return Ok(SearchResult::All),
        Verdict::Fails => {}
        Verdict::Undecided => {
            let at = bad.1.0.clone();
            let (good, bad) = (good.1.0, bad.1.0);
            return Ok(SearchResult::Undecided { good, at, bad });
        }
    }
    loop {
        let (a, b) = (good.1.1, bad.1.1);
        let middle = at((good.0 + bad.0) / 2.0);
        let is_close = (a - b).abs() <= resolution * a.abs().max(b.abs());
        // Stop at adjacent whole numbers, or values that print the same.
        let is_new = middle.1.0 != good.1.0 && middle.1.0 != bad.1.0;
        if is_close || !is_new || a.is_nan() || b.is_nan() {
            let (good, bad) = (good.1.0, bad.1.0);
            return Ok(SearchResult::Between { good, bad });
        }
        match test(&middle.1.0)? {
            Verdict::Holds => good = middle,
            Verdict::Fails => bad = middle,
            Verdict::Undecided => {
                return Ok(SearchResult::Undecided {
                    good: good.1.0,
                    at: middle.1.0,
                    bad: bad.1.0,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::label;

    fn search(from: &str, to: &str, goal: Goal, log: bool, limit: f64) -> (SearchResult, usize) {
        let value = crate::overrides::read_value;
        let ends = SearchRange::to_search(&value(from), &value(to), log).unwrap();
        let mut tests = 0;
        let found = bisect(&ends, goal, 0.005, |v| {
            tests += 1;
            let x = crate::quantity::quantity(v).unwrap().0;
            let holds = match goal {
                Goal::Largest => x <= limit,
                Goal::Smallest => x >= limit,
            };
            Ok::<_, ()>(if holds {
                Verdict::Holds
            } else {
                Verdict::Fails
            })
        });
        (found.unwrap(), tests)
    }

    fn between(found: &SearchResult) -> (String, String) {
        match found {
            SearchResult::Between { good, bad } => (label(good), label(bad)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_limit_is_enclosed_within_the_resolution() {
        let (found, tests) = search("100 /s", "1000 /s", Goal::Largest, false, 470.5);
        let (good, bad) = between(&found);
        let number = |text: &str| text.trim_end_matches(" /s").parse::<f64>().unwrap();
        let (good, bad) = (number(&good), number(&bad));
        assert!(good <= 470.5 && 470.5 < bad, "{good} {bad}");
        assert!(bad - good <= 0.005 * bad, "{good} {bad}");
        assert!(tests <= 11, "{tests}");
        let (found, tests) = search("1 ms", "100 s", Goal::Smallest, true, 0.25);
        let (good, bad) = between(&found);
        assert!(
            good.starts_with("25") && bad.starts_with("24"),
            "{good} {bad}"
        );
        assert!(tests <= 14, "{tests}");
    }

    #[test]
    fn whole_numbers_are_searched_to_the_unit() {
        for limit in 1..40 {
            let (found, _) = search("1", "64", Goal::Smallest, false, f64::from(limit));
            if limit == 1 {
                assert_eq!(found, SearchResult::All);
            } else {
                let ends = (limit.to_string(), (limit - 1).to_string());
                assert_eq!(between(&found), ends);
            }
        }
        assert_eq!(
            search("1", "64", Goal::Smallest, false, 65.0).0,
            SearchResult::None
        );
        assert_eq!(
            search("1", "64", Goal::Largest, false, 0.0).0,
            SearchResult::None
        );
        assert_eq!(
            search("1", "64", Goal::Largest, false, 64.0).0,
            SearchResult::All
        );
    }

    #[test]
    fn what_cannot_be_decided_ends_the_search_with_what_is_known() {
        let value = crate::overrides::read_value;
        let ends = SearchRange::to_search(&value("0"), &value("16"), false).unwrap();
        let found = bisect(&ends, Goal::Largest, 0.01, |v| {
            Ok::<_, ()>(match v.as_integer() {
                Some(..5) => Verdict::Holds,
                Some(7..) => Verdict::Fails,
                _ => Verdict::Undecided,
            })
        });
        let [good, at, bad] = [4, 6, 8].map(Value::Integer);
        assert_eq!(found, Ok(SearchResult::Undecided { good, at, bad }));
        assert!(SearchRange::to_search(&value("3 s"), &value("1 s"), false).is_err());
        assert!(SearchRange::to_search(&value("3 s"), &value("4 /s"), false).is_err());
    }
}
