//! What repeated measurements come to. Never their mean: one slice that shared its core with
//! something else would move that.

/// The middle of measurements, and the quarters around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
}

impl Spread {
    /// Returns the quartiles of some measurements; NaN of none.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let last = values.len().saturating_sub(1) as f64;
            values.get((last * part).round() as usize).copied().unwrap_or(f64::NAN)
        };
        Self { low: at(0.25), middle: at(0.5), high: at(0.75) }
    }
}

/// Returns the middle of some measurements.
pub fn median(values: Vec<f64>) -> f64 {
    Spread::of(values).middle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_the_sorted_values() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Spread { low: 2.0, middle: 3.0, high: 4.0 });
        assert_eq!(median(vec![7.0]), 7.0);
        assert!(median(Vec::new()).is_nan());
    }
}
