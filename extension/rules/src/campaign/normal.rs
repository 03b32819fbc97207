//! The normal distribution, to the precision of a double.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// How likely a standard normal variable is at least as far from zero as `z`.
pub fn two_sided(z: f64) -> f64 {
    complementary_error(z.abs() * FRAC_1_SQRT_2)
}

/// erfc for x ≥ 0: by the series of erf near zero, by Laplace's continued fraction where that would cancel.
fn complementary_error(x: f64) -> f64 {
    if x < 2.0 {
        // erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5⋯(2n+1)); every term is positive.
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > sum * f64::EPSILON {
            odd += 2.0;
            term *= 2.0 * x * x / odd;
            sum += term;
        }
        return 1.0 - 2.0 / PI.sqrt() * (-x * x).exp() * sum;
    }
    // erfc(x) = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), from the inside; 80 steps are exact from x = 2.
    let fraction = (1..=80)
        .rev()
        .fold(x, |inner, step| x + f64::from(step) / 2.0 / inner);
    (-x * x).exp() / PI.sqrt() / fraction
}

#[cfg(test)]
mod tests {
    use super::two_sided;

    /// `erfc(z / √2)` of the C library.
    #[test]
    fn tails_are_those_of_the_c_library() {
        for (z, expected) in [
            (0.0, 1.0),
            (0.5, 0.617_075_077_451_973_9),
            (1.0, 0.317_310_507_862_914_1),
            (1.959_963_984_540_054, 0.05),
            (2.575_829_303_548_9, 0.01),
            (2.83, 0.004_654_800_413_463_1),
            (3.290_526_731_491_8, 0.001),
            (5.0, 5.733_031_437_583_892e-7),
            (8.0, 1.244_192_114_854_363_9e-15),
        ] {
            let (found, negative): (f64, f64) = (two_sided(z), two_sided(-z));
            assert!((found - expected).abs() <= expected * 1e-12, "{z}: {found}");
            assert_eq!(found, negative);
        }
    }
}
