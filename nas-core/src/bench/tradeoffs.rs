//! Several objectives at once: the best trade-offs of a table, and how many of them a search has.

use nas_plugin_api::objective::{Direction, Objective, violation};
use nas_plugin_api::toolkit::pareto::{dominates, hypervolume};

/// The best trade-offs between the objectives of a table.
#[derive(Clone, Debug)]
pub struct Tradeoffs {
    objectives: Vec<Objective>,
    /// What everything is better than: 0 where more is better, the largest value of the table where
    /// less is. As gains.
    reference: Vec<f64>,
    front: Front,
    /// What the front dominates above the reference.
    hypervolume: f64,
}

/// Points that none of them dominates.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Place of the genotype, and its objectives as gains.
    points: Vec<(usize, Vec<f64>)>,
}

impl Front {
    /// Adds a point, unless one is as good everywhere; points that it dominates go.
    pub fn add(&mut self, place: usize, gains: Vec<f64>) -> bool {
        let is_as_good =
            |(_, known): &(usize, Vec<f64>)| known == &gains || dominates(known, &gains);
        if self.points.iter().any(is_as_good) {
            return false;
        }
        self.points.retain(|(_, known)| !dominates(&gains, known));
        self.points.push((place, gains));
        true
    }

    /// Places of its genotypes, the best in the first objective first.
    #[must_use]
    pub fn places(&self) -> Vec<usize> {
        let mut points: Vec<&(usize, Vec<f64>)> = self.points.iter().collect();
        points.sort_by(|(_, a), (_, b)| b[0].total_cmp(&a[0]));
        points.into_iter().map(|(place, _)| *place).collect()
    }
}

impl Tradeoffs {
    /// Of a table: `values` are the objectives of every genotype by its place, absent where the
    /// benchmark lacks one.
    #[must_use]
    pub(super) fn new(objectives: &[Objective], values: &[Option<Vec<f64>>]) -> Self {
        let worst = |index: usize, objective: &Objective| match objective.direction {
            Direction::Maximize => 0.0,
            Direction::Minimize => {
                let values = values.iter().flatten().map(|values| values[index]);
                objective.gain(values.fold(f64::NEG_INFINITY, f64::max))
            }
        };
        let reference = objectives.iter().enumerate().map(|(i, objective)| worst(i, objective));
        let mut tradeoffs = Self {
            reference: reference.collect(),
            objectives: objectives.to_vec(),
            front: Front::default(),
            hypervolume: 0.0,
        };
        for (place, values) in values.iter().enumerate() {
            if let Some(gains) = values.as_ref().and_then(|values| tradeoffs.gains(values)) {
                tradeoffs.front.add(place, gains);
            }
        }
        tradeoffs.hypervolume = tradeoffs.volume(&tradeoffs.front);
        tradeoffs
    }

    /// Objectives turned so that larger is better; absent where one is beyond its limit.
    #[must_use]
    pub fn gains(&self, values: &[f64]) -> Option<Vec<f64>> {
        let gains = self.objectives.iter().zip(values).map(|(o, &value)| o.gain(value));
        (violation(&self.objectives, values) == 0.0).then(|| gains.collect())
    }

    /// Places of the genotypes that none dominates.
    #[must_use]
    pub fn front(&self) -> Vec<usize> {
        self.front.places()
    }

    /// The share of all that can be dominated that a front dominates, 0 to 1.
    #[must_use]
    pub fn share(&self, front: &Front) -> f64 {
        self.volume(front) / self.hypervolume
    }

    fn volume(&self, front: &Front) -> f64 {
        let points: Vec<&[f64]> = front.points.iter().map(|(_, gains)| gains.as_slice()).collect();
        hypervolume(&points, &self.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_no_accuracy_and_the_worst_latency() {
        let objectives = [Objective::maximize("accuracy"), Objective::minimize("latency_ms")];
        let values = [Some(vec![0.9, 4.0]), None, Some(vec![0.5, 2.0]), Some(vec![0.4, 8.0])];
        let tradeoffs = Tradeoffs::new(&objectives, &values);
        assert_eq!(tradeoffs.front(), [0, 2]);
        // 0.9 × (8 − 4) and 0.5 × (4 − 2) beside it.
        assert!((tradeoffs.hypervolume - 4.6).abs() < 1e-12);
        let mut front = Front::default();
        assert!(front.add(2, vec![0.5, -2.0]) && !front.add(3, vec![0.5, -2.0]));
        assert!((tradeoffs.share(&front) - 3.0 / 4.6).abs() < 1e-12);
        assert!(front.add(0, vec![0.9, -2.0]));
        assert_eq!(front.places(), [0]);
    }

    #[test]
    fn what_is_beyond_a_limit_is_on_no_front() {
        let latency = Objective::minimize("latency_ms").with_limit(3.0);
        let objectives = [Objective::maximize("accuracy"), latency];
        let values = [Some(vec![0.9, 4.0]), Some(vec![0.5, 2.0])];
        assert_eq!(Tradeoffs::new(&objectives, &values).front(), [1]);
    }
}
