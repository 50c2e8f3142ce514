//! Clopper-Pearson intervals: how far a counted rate may be from the true one.
//!
//! C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
//! Biometrika 26 (1934): the ends are quantiles of beta distributions. Exact, so conservative for small counts.
use super::record::Rate;

impl Rate {
    /// The rate `count / of` with its interval; absent when nothing was counted or the numbers contradict each other.
    /// `confidence` lies between 0 and 1.
    pub fn counted(count: u64, of: u64, confidence: f64) -> Option<Rate> {
        if of == 0 || count > of || !(confidence > 0.0 && confidence < 1.0) {
            return None;
        }
        let (hits, trials) = (count as f64, of as f64);
        let tail = (1.0 - confidence) / 2.0;
        let low = if count == 0 { 0.0 } else { quantile(tail, hits, trials - hits + 1.0) };
        let high = if count == of { 1.0 } else { quantile(1.0 - tail, hits + 1.0, trials - hits) };
        Some(Rate { count, of, rate: hits / trials, low, high })
    }
}

/// The value below which a beta(a, b) variable lies with probability `p`, by bisection: 1e-15 after 60 halvings.
fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if beta(middle, a, b) < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8).
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on this side of the mean; the other side follows by symmetry.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    front * fraction(x, a, b)
}

/// Evaluated from the front (modified Lentz), which never divides by nearly nothing.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut value = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function for `x >= 1` (Lanczos, g = 7, nine terms; relative error below 1e-14).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum =
        (1..).zip(TERMS).fold(0.999_999_999_999_809_9, |sum, (i, term)| sum + term / (x + f64::from(i)));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// The binomial tail, summed term by term: shares nothing with the code above.
    fn at_least(count: u64, of: u64, p: f64) -> f64 {
        if p > 0.5 {
            // The misses are the rarer ones: their terms do not vanish.
            return 1.0 - at_least(of - count + 1, of, 1.0 - p);
        }
        let mut term = (1.0 - p).powi(i32::try_from(of).unwrap());
        let mut below = 0.0;
        for k in 0..count {
            below += term;
            term *= (of - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
        }
        1.0 - below
    }

    #[test]
    fn known_intervals() {
        // Nothing in n: the upper end is 1 - (alpha / 2)^(1 / n), about 3.7 / n.
        for n in [1, 10, 500, 10_000, 1_000_000] {
            let rate = Rate::counted(0, n, 0.95).unwrap();
            assert_eq!((rate.rate, rate.low), (0.0, 0.0));
            let exact = 1.0 - 0.025_f64.powf(1.0 / n as f64);
            assert!((rate.high - exact).abs() < 1e-12, "{n}: {} {exact}", rate.high);
        }
        assert_eq!(Rate::counted(7, 7, 0.95).unwrap().high, 1.0);
        // From the binomial tails in arithmetic of 60 digits.
        let rate = Rate::counted(5, 500, 0.95).unwrap();
        assert!((rate.low - 0.003_254_721_407_02).abs() < 1e-12, "{rate:?}");
        assert!((rate.high - 0.023_181_388_069_66).abs() < 1e-12, "{rate:?}");
    }

    #[test]
    fn the_ends_have_the_promised_tails() {
        for (count, of) in [(1, 10), (3, 30), (15, 1500), (50, 500), (499, 500), (700, 1000)] {
            let rate = Rate::counted(count, of, 0.95).unwrap();
            assert!((at_least(count, of, rate.low) - 0.025).abs() < 1e-9, "{count} of {of}");
            assert!((1.0 - at_least(count + 1, of, rate.high) - 0.025).abs() < 1e-9, "{count} of {of}");
            assert!(rate.low < rate.rate && rate.rate < rate.high);
        }
    }

    #[test]
    fn nothing_counted_is_no_rate() {
        assert!(Rate::counted(0, 0, 0.95).is_none());
        assert!(Rate::counted(2, 1, 0.95).is_none());
        assert!(Rate::counted(1, 2, 1.0).is_none());
        assert!(Rate::counted(1, 2, f64::NAN).is_none());
    }
}
