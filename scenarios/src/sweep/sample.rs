//! `[sweep.sample]`: points drawn from ranges instead of a grid of all combinations.
//!
//! `method` is `"random"`, `"latin-hypercube"` (each range is divided into as many equal parts as there are
//! points, with one point in each part; McKay, Beckman and Conover 1979), or `"sobol"` (a Sobol sequence
//! with the direction numbers of Joe and Kuo 2008, shifted by the seed). With `"saltelli"`, each of the
//! `count` points of a Sobol sequence is expanded to the points that total Sobol indices need
//! ([`saltelli`]). The points depend only on the method, the count and the seed.

use sim_core::rng::mix;
use toml::{Table, Value};

use super::ranges;
use super::{MAX_VARIANTS, SweepAxis, SweepColumn, swept};
use crate::dotted_path::DottedPath;
use crate::problem::Problem;
use crate::suggest;

pub(super) mod saltelli;
mod sobol;

/// Name of the points' axis.
pub(super) const NAME: &str = "sample";

const KEYS: [&str; 4] = ["method", "count", "seed", "over"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SamplingMethod {
    Random,
    LatinHypercube,
    Sobol,
    Saltelli,
}

const METHODS: [(&str, SamplingMethod); 4] = [
    ("random", SamplingMethod::Random),
    ("latin-hypercube", SamplingMethod::LatinHypercube),
    ("sobol", SamplingMethod::Sobol),
    ("saltelli", SamplingMethod::Saltelli),
];

/// A path of a sample and the source of its values.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) path: DottedPath,
    pub(super) from: PointSource,
}

/// The source from which values are drawn.
#[derive(Clone, Debug)]
pub(super) enum PointSource {
    /// A list of values.
    List(Vec<Value>),
    /// A range.
    Range(ranges::SearchRange),
}

impl PointSource {
    /// The value at a position in [0, 1).
    fn at(&self, place: f64) -> Value {
        match self {
            PointSource::List(values) => {
                let i = (place * values.len() as f64) as usize;
                values[i.min(values.len() - 1)].clone()
            }
            PointSource::Range(ends) => ends.at(place),
        }
    }
}

/// The axis of the points of a sample.
///
/// # Errors
/// When a key is missing, unknown or out of range.
pub(super) fn axis(table: &Table, over: Vec<Dimension>) -> Result<SweepAxis, Problem> {
    let at = swept(NAME);
    let wrong = |key: &str, why: String| Problem::new(at.key(key), why);
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(wrong(key, suggest::unknown("key", key, KEYS)));
    }
    let method = table.get("method").and_then(Value::as_str).unwrap_or("");
    let found = METHODS.iter().find(|(name, _)| *name == method);
    let Some((_, method)) = found else {
        let names = METHODS.map(|(name, _)| name);
        return Err(wrong("method", suggest::unknown("method", method, names))
            .help("the methods are \"random\", \"latin-hypercube\", \"sobol\" and \"saltelli\""));
    };
    let count = table.get("count").and_then(Value::as_integer);
    let count = count.and_then(|n| usize::try_from(n).ok());
    let count = count.filter(|n| (1..=MAX_VARIANTS).contains(n));
    let count = count.ok_or_else(|| {
        let why = format!("`count` must be a whole number from 1 to {MAX_VARIANTS}");
        wrong("count", why)
    })?;
    let seed = match table.get("seed").map(Value::as_integer) {
        None => 1,
        Some(Some(seed)) => seed as u64,
        Some(None) => return Err(wrong("seed", "`seed` must be a whole number".to_owned())),
    };
    if over.is_empty() {
        return Err(wrong("over", "a sample needs at least one range".to_owned()).help(
            "write [sweep.sample.over] and below it for example \"topology.path.loss\" = { from = 1e-5, to = 0.1, scale = \"log\" }",
        ));
    }
    if *method == SamplingMethod::Saltelli {
        return saltelli::axis(&at, over, count, seed);
    }
    if *method == SamplingMethod::Sobol && over.len() > sobol::MOST_DIMENSIONS {
        let why = format!(
            "a Sobol sequence of {} dimensions; at most {} are supported",
            over.len(),
            sobol::MOST_DIMENSIONS
        );
        return Err(wrong("over", why).help("use method = \"latin-hypercube\""));
    }
    let dimensions = over.into_iter().enumerate();
    let companions = dimensions.map(|(d, of)| {
        let places = places(*method, d, count, seed);
        SweepColumn {
            name: of.name,
            path: of.path,
            values: places.map(|p| of.from.at(p)).collect(),
        }
    });
    Ok(SweepAxis {
        name: NAME.to_owned(),
        path: DottedPath::from(NAME),
        values: (1..=count).map(|i| Value::Integer(i as i64)).collect(),
        sets: vec![Vec::new(); count],
        companions: companions.collect(),
        base_points: None,
    })
}

/// The positions of all points in dimension `d`, in [0, 1).
fn places(
    method: SamplingMethod,
    d: usize,
    count: usize,
    seed: u64,
) -> Box<dyn Iterator<Item = f64>> {
    let mut random = Random(mix(mix(seed) ^ (d as u64 + 1)));
    match method {
        SamplingMethod::Random => Box::new((0..count).map(move |_| random.next())),
        SamplingMethod::LatinHypercube => {
            let mut parts: Vec<usize> = (0..count).collect();
            for i in (1..count).rev() {
                parts.swap(i, (random.next() * (i + 1) as f64) as usize);
            }
            let within = move |part: usize| (part as f64 + random.next()) / count as f64;
            Box::new(parts.into_iter().map(within))
        }
        SamplingMethod::Sobol | SamplingMethod::Saltelli => {
            let shift = (random.next() * 2f64.powi(32)) as u32;
            Box::new(
                sobol::points(d)
                    .take(count)
                    .map(move |x| sobol::unit(x ^ shift)),
            )
        }
    }
}

/// Random numbers in [0, 1) from a hashed counter.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mix(self.0) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_latin_hypercube_has_one_point() {
        for d in 0..3 {
            let mut parts: Vec<usize> = places(SamplingMethod::LatinHypercube, d, 40, 7)
                .map(|p| (p * 40.0) as usize)
                .collect();
            assert_ne!(parts, (0..40).collect::<Vec<_>>(), "in random order");
            parts.sort_unstable();
            assert_eq!(parts, (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_shifted_sobol_sequence_fills_every_square_of_an_elementary_interval() {
        // 64 points of the first two dimensions: one in each of 8 x 8 squares, 4 x 16, 16 x 4.
        let (x, y): (Vec<f64>, Vec<f64>) = (
            places(SamplingMethod::Sobol, 0, 64, 5).collect(),
            places(SamplingMethod::Sobol, 1, 64, 5).collect(),
        );
        for (nx, ny) in [(8, 8), (4, 16), (16, 4), (64, 1), (1, 64)] {
            let mut squares: Vec<(usize, usize)> = x
                .iter()
                .zip(&y)
                .map(|(x, y)| ((x * nx as f64) as usize, (y * ny as f64) as usize))
                .collect();
            squares.sort_unstable();
            squares.dedup();
            assert_eq!(squares.len(), 64, "{nx} x {ny}");
        }
    }

    #[test]
    fn points_depend_on_seed_and_dimension() {
        for (_, method) in METHODS {
            let all = |d, seed| places(method, d, 50, seed).collect::<Vec<f64>>();
            assert_eq!(all(0, 1), all(0, 1));
            assert_ne!(all(0, 1), all(0, 2));
            assert_ne!(all(0, 1), all(1, 1));
            assert!(all(2, 9).iter().all(|p| (0.0..1.0).contains(p)));
            let mean = all(1, 3).iter().sum::<f64>() / 50.0;
            assert!((mean - 0.5).abs() < 0.15, "{mean}");
        }
    }
}
