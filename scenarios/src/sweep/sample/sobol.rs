//! Sobol sequences (I. M. Sobol', "On the distribution of points in a cube", 1967), with the direction
//! numbers of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional
//! projections", SIAM J. Sci. Comput. 30 (2008), set D(6).

/// For the second dimension and the following ones: the degree of the primitive polynomial, its inner
/// coefficients, and the first direction numbers.
const DIRECTIONS: [(u32, u32, &[u32]); 20] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
    (6, 19, &[1, 1, 1, 15, 7, 5]),
    (6, 22, &[1, 3, 1, 15, 13, 25]),
    (6, 25, &[1, 1, 5, 5, 19, 61]),
    (7, 1, &[1, 3, 7, 11, 23, 15, 103]),
    (7, 4, &[1, 3, 7, 13, 13, 15, 69]),
];

/// Number of dimensions for which there are direction numbers.
pub(super) const MOST_DIMENSIONS: usize = DIRECTIONS.len() + 1;

const BITS: usize = 32;

/// Returns the points of a dimension in order, as fractions of 2^32.
pub(super) fn points(dimension: usize) -> impl Iterator<Item = u32> {
    let directions = directions(dimension);
    let mut x = 0;
    (0u64..).map(move |i| {
        let point = x;
        x ^= directions[(i.trailing_ones() as usize).min(BITS - 1)];
        point
    })
}

/// Converts a fraction of 2^32 to a number in [0, 1).
pub(super) fn unit(x: u32) -> f64 {
    f64::from(x) / 2f64.powi(32)
}

fn directions(dimension: usize) -> [u32; BITS] {
    let mut v: [u32; BITS] = std::array::from_fn(|i| 1 << (BITS - 1 - i));
    let Some((degree, inner, first)) = dimension.checked_sub(1).map(|d| DIRECTIONS[d]) else {
        return v;
    };
    let s = degree as usize;
    for (i, m) in first.iter().enumerate() {
        v[i] = m << (BITS - 1 - i);
    }
    for i in s..BITS {
        v[i] = v[i - s] ^ (v[i - s] >> s);
        for k in 1..s {
            if (inner >> (s - 1 - k)) & 1 == 1 {
                v[i] ^= v[i - k];
            }
        }
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_points_are_those_of_the_published_sequence() {
        let first = |d: usize, n| points(d).take(n).map(unit).collect::<Vec<_>>();
        assert_eq!(
            first(0, 8),
            [0.0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125]
        );
        assert_eq!(
            first(1, 8),
            [0.0, 0.5, 0.25, 0.75, 0.375, 0.875, 0.125, 0.625]
        );
        // From SciPy 1.x (scipy.stats.qmc.Sobol, not scrambled).
        assert_eq!(
            first(20, 8),
            [0.0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875]
        );
    }

    #[test]
    fn every_dimension_is_balanced() {
        for d in 0..MOST_DIMENSIONS {
            let mut parts: Vec<u32> = points(d).take(256).map(|x| x >> 24).collect();
            parts.sort_unstable();
            assert_eq!(parts, (0..256).collect::<Vec<_>>(), "dimension {d}");
        }
    }
}
