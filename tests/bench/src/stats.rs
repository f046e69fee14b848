//! Medians and spreads of a handful of measurements.

/// A sample of one quantity; kept sorted.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// Adds a measurement.
    pub fn push(&mut self, value: f64) {
        let at = self.sorted.partition_point(|other| *other < value);
        self.sorted.insert(at, value);
    }

    /// The value at a share of the way from the least to the greatest; `None` of nothing.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place among a handful of values"
        )]
        let (place, below) = {
            let place = last as f64 * share;
            (place, place.floor() as usize)
        };
        let low = self.sorted[below];
        let high = self.sorted[(below + 1).min(last)];
        Some((high - low).mul_add(place.fract(), low))
    }

    /// The middle; `None` of nothing.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// The quartiles below and above the middle, as people write a spread.
    #[must_use]
    pub fn spread(&self) -> String {
        match (self.quantile(0.25), self.quantile(0.75)) {
            (Some(low), Some(high)) => format!("{low:.0}-{high:.0}"),
            (None, _) | (_, None) => "-".into(),
        }
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sample = Self::default();
        values.into_iter().for_each(|value| sample.push(value));
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn the_median_is_the_middle_in_any_order() {
        let sample: Sample = [5.0, 1.0, 3.0].into_iter().collect();
        assert_eq!(sample.median(), Some(3.0));
        let sample: Sample = [4.0, 1.0, 2.0, 3.0].into_iter().collect();
        assert_eq!(sample.median(), Some(2.5));
        assert_eq!(sample.spread(), "2-3");
        assert_eq!(Sample::default().median(), None);
    }
}
