//! Which variant of a campaign did better, and whether chance alone would explain it.

use serde_json::{Value, json};

use super::normal::two_sided;

/// How often chance alone may name a winner.
const ALPHA: f64 = 0.05;
/// Successes and failures the normal approximation needs of each variant, were all alike (Cochran's rule).
const LEAST_EXPECTED: f64 = 5.0;
/// Of a normal variable, so that 95 % of it lie within.
const Z_95: f64 = 1.959_963_984_540_054;

#[derive(Clone, Copy, Debug)]
struct Arm {
    variant: i64,
    delivered: f64,
    successes: f64,
}

impl Arm {
    fn rate(&self) -> f64 {
        if self.delivered > 0.0 {
            self.successes / self.delivered
        } else {
            0.0
        }
    }

    /// Wilson's interval: where the true rate lies with 95 % confidence; sensible near 0 and 1 too.
    fn interval(&self) -> (f64, f64) {
        if self.delivered == 0.0 {
            return (0.0, 1.0);
        }
        let (n, p, z2) = (self.delivered, self.rate(), Z_95 * Z_95);
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        ((centre - half).max(0.0), (centre + half).min(1.0))
    }
}

/// The answer of `compare_variants`: a two-sided z-test of two proportions between the best variant and each other,
/// its probability multiplied by the number of pairs (Bonferroni). The winner must differ from every other.
pub fn compare_variants(counts: &Value) -> Value {
    let arms: Vec<Arm> = counts.as_array().into_iter().flatten().filter_map(read).collect();
    let rates: Vec<Value> = arms.iter().map(rate_json).collect();
    let (winner, p_value, sentence) = judge(&arms);
    json!({"winner": winner, "p_value": rounded(p_value), "rates": rates, "sentence": sentence})
}

fn read(count: &Value) -> Option<Arm> {
    let number = |key: &str| count[key].as_f64().filter(|number| number.is_finite());
    let delivered = number("delivered")?.max(0.0);
    Some(Arm {
        variant: count["variant"].as_i64()?,
        delivered,
        successes: number("successes")?.clamp(0.0, delivered),
    })
}

fn rate_json(arm: &Arm) -> Value {
    let (low, high) = arm.interval();
    json!({"variant": arm.variant, "rate": rounded(arm.rate()), "low": rounded(low), "high": rounded(high)})
}

fn judge(arms: &[Arm]) -> (Option<i64>, f64, String) {
    if arms.len() < 2 {
        return (
            None,
            1.0,
            "There is only one variant, so there is nothing to compare.".into(),
        );
    }
    // The first of equals, so that the answer does not depend on the order of computation.
    let best = arms.iter().fold(
        &arms[0],
        |best, arm| if arm.rate() > best.rate() { arm } else { best },
    );
    let others: Vec<&Arm> = arms.iter().filter(|arm| !std::ptr::eq(*arm, best)).collect();
    if let Some(few) = missing_data(arms) {
        return (None, 1.0, few);
    }
    let pairs = (arms.len() * (arms.len() - 1) / 2) as f64;
    let p_value = others
        .iter()
        .map(|other| (difference(best, other) * pairs).min(1.0))
        .fold(0.0, f64::max);
    // The best of the others, which the sentence names.
    let next = others.iter().fold(
        others[0],
        |next, arm| if arm.rate() > next.rate() { arm } else { next },
    );
    let (high, low) = (percent(best.rate()), percent(next.rate()));
    let (first, second) = (best.variant, next.variant);
    let sentence = if p_value < ALPHA {
        format!(
            "Variant {first} is better: {high} against {low} of variant {second}. \
             Chance alone would show such a difference in {} of such tests.",
            share(p_value)
        )
    } else if best.rate() == next.rate() {
        format!("There is no winner: variants {first} and {second} are level at {high}.")
    } else {
        format!(
            "There is no winner: {high} of variant {first} against {low} of variant {second} may well be chance, \
             which shows such a difference in {} of such tests.",
            share(p_value)
        )
    };
    ((p_value < ALPHA).then_some(first), p_value, sentence)
}

/// The probability of a difference as large between two variants that are alike.
fn difference(one: &Arm, other: &Arm) -> f64 {
    let pooled = (one.successes + other.successes) / (one.delivered + other.delivered);
    let error = (pooled * (1.0 - pooled) * (1.0 / one.delivered + 1.0 / other.delivered)).sqrt();
    if error == 0.0 {
        return 1.0;
    }
    two_sided((one.rate() - other.rate()) / error)
}

fn missing_data(arms: &[Arm]) -> Option<String> {
    let delivered: f64 = arms.iter().map(|arm| arm.delivered).sum();
    let successes: f64 = arms.iter().map(|arm| arm.successes).sum();
    let pooled = if delivered > 0.0 {
        successes / delivered
    } else {
        0.0
    };
    let rarer = pooled.min(1.0 - pooled);
    let few = arms.iter().find(|arm| arm.delivered * rarer < LEAST_EXPECTED)?;
    Some(if few.delivered == 0.0 {
        format!(
            "It is too early to tell: variant {} has reached nobody yet.",
            few.variant
        )
    } else {
        format!(
            "It is too early to tell: {} of {} messages are too few to compare the variants by.",
            successes, delivered
        )
    })
}

fn percent(rate: f64) -> String {
    format!("{:.1} %", rate * 100.0)
}

/// A probability as people say it.
fn share(p_value: f64) -> String {
    if p_value < 0.001 {
        "fewer than 1 in 1,000".into()
    } else {
        format!("{} %", (p_value * 1000.0).round() / 10.0)
    }
}

/// Six decimals: more is noise, and a tiny number would be written with hundreds of zeros.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
