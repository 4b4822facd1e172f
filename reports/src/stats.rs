//! Statistics over replicas: means with Student-t intervals, fairness, quantiles.

/// A mean with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Number of replicas.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Sample standard deviation; zero for a single replica.
    pub deviation: f64,
    /// Half the width of the 95 % interval; `None` for a single replica, which has none.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// Of independent values; `None` of none. Sums in the given order.
    pub fn of(values: &[f64]) -> Option<Estimate> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        if n == 1 {
            return Some(Estimate {
                n,
                mean,
                deviation: 0.0,
                half_width: None,
            });
        }
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let deviation = (squares / (n - 1) as f64).sqrt();
        let half = student_t_975(n - 1) * deviation / (n as f64).sqrt();
        Some(Estimate {
            n,
            mean,
            deviation,
            half_width: Some(half),
        })
    }
}

/// The 0.975 quantile of Student's t: half-width of the 95 % interval in standard errors.
///
/// Found by bisection on the distribution function, whose closed form for whole degrees of
/// freedom is a finite sum (Abramowitz and Stegun 26.7.3, 26.7.4). Above a thousand degrees the
/// expansion around the normal quantile (26.7.5) is exact to 1e-9.
pub fn student_t_975(degrees: usize) -> f64 {
    if degrees == 0 {
        return f64::INFINITY;
    }
    if degrees > 1000 {
        let (z, n) = (1.959_963_984_540_054_f64, degrees as f64);
        return z
            + (z.powi(3) + z) / (4.0 * n)
            + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n * n);
    }
    let (mut low, mut high) = (1.9, 13.0);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if two_sided_t(middle, degrees) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// P(|T| <= t) for Student's t with `degrees` degrees of freedom.
fn two_sided_t(t: f64, degrees: usize) -> f64 {
    let theta = (t / (degrees as f64).sqrt()).atan();
    let (sin, cos) = theta.sin_cos();
    let odd = degrees % 2 == 1;
    // Sum of the series term by term: cos^k (2 4 … / 3 5 …) for odd, cos^k (1 3 … / 2 4 …) else.
    let (mut term, mut k) = if odd { (cos, 1) } else { (1.0, 0) };
    let mut sum = 0.0;
    while k + 2 <= degrees {
        sum += term;
        term *= cos * cos * (k + 1) as f64 / (k + 2) as f64;
        k += 2;
    }
    if odd {
        (theta + sin * sum) * std::f64::consts::FRAC_2_PI
    } else {
        sin * sum
    }
}

/// Jain's fairness index, (sum x)^2 / (n sum x^2): 1 for equal shares, 1/n for one taking all.
/// Of nothing, or nothing but zeros, 1.
pub fn jain_index(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|x| x * x).sum();
    if squares == 0.0 {
        return 1.0;
    }
    sum * sum / (shares.len() as f64 * squares)
}

/// The value below which a share `q` of the sorted values lies, linear between neighbours;
/// `None` of none.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let share = place - low as f64;
    Some(sorted[low] + (sorted[high] - sorted[low]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_quantiles_agree_with_the_printed_table() {
        for (degrees, printed) in [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (9, 2.262),
            (19, 2.093),
            (29, 2.045),
            (60, 2.000),
            (100, 1.984),
            (1000, 1.962),
            (1001, 1.962),
            (1_000_000, 1.960),
        ] {
            let t = student_t_975(degrees);
            assert!((t - printed).abs() < 5.1e-4, "{degrees}: {t}");
        }
        assert!((student_t_975(1000) - student_t_975(1001)).abs() < 1e-5);
    }

    #[test]
    fn an_interval_over_five_replicas() {
        let e = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((e.n, e.mean), (5, 3.0));
        assert!((e.deviation - 2.5f64.sqrt()).abs() < 1e-12);
        assert!((e.half_width.unwrap() - 2.776_445 * (0.5f64).sqrt()).abs() < 1e-5);
        let single = Estimate::of(&[7.0]).unwrap();
        assert_eq!((single.mean, single.half_width), (7.0, None));
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn fairness_of_k_equal_shares_among_n_is_k_over_n() {
        assert_eq!(jain_index(&[1.0; 4]), 1.0);
        assert_eq!(jain_index(&[5.0, 5.0, 0.0, 0.0]), 0.5);
        assert_eq!(jain_index(&[0.0, 0.0]), 1.0);
        assert_eq!(jain_index(&[]), 1.0);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0];
        let at = |q| quantile(&sorted, q).unwrap();
        assert_eq!(
            [at(0.0), at(0.25), at(0.5), at(1.0), at(7.0)],
            [1.0, 1.5, 2.0, 4.0, 4.0]
        );
        assert_eq!(quantile(&[], 0.5), None);
    }
}
