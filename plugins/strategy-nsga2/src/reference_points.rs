//! Reference points: directions that a population should cover evenly.

use nas_plugin_api::toolkit::rng::{Generator, RngExt};

use crate::member::Member;

/// Weight of the other objectives where the extreme member of one is looked for.
const OTHER_AXES: f64 = 1e6;

/// Points on the plane where the normalised objectives add up to 1.
///
/// # Source
/// Das, Dennis. Normal-boundary intersection. SIAM Journal on Optimization 8, 1998; Deb, Jain 2014,
/// sections IV.B to IV.E.
pub(crate) struct ReferencePoints(Vec<Vec<f64>>);

impl ReferencePoints {
    /// All points whose coordinates are multiples of 1 / `divisions`.
    pub(crate) fn new(n_objectives: usize, divisions: usize) -> Self {
        let mut points = Vec::new();
        spread(n_objectives, divisions, divisions, &mut Vec::new(), &mut points);
        Self(points)
    }

    /// `n` members of `front`, all feasible, that go best with the members `kept` already.
    pub(crate) fn choose(
        &self,
        members: &[Member],
        kept: &[usize],
        front: &[usize],
        n: usize,
        rng: &mut Generator,
    ) -> Vec<usize> {
        let all: Vec<&Member> = kept.iter().chain(front).map(|&index| &members[index]).collect();
        let nearest: Vec<(usize, f64)> =
            normalised(&all).iter().map(|costs| self.nearest(costs)).collect();
        let (of_kept, of_front) = nearest.split_at(kept.len());
        let mut counts = vec![0_usize; self.0.len()];
        of_kept.iter().for_each(|(point, _)| counts[*point] += 1);
        let mut left: Vec<usize> = (0..front.len()).collect();
        let mut chosen = Vec::with_capacity(n);
        while chosen.len() < n {
            let has_one = |point: &usize| left.iter().any(|&i| of_front[i].0 == *point);
            let open: Vec<usize> = (0..counts.len()).filter(has_one).collect();
            let Some(fewest) = open.iter().map(|&point| counts[point]).min() else { break };
            let scarce: Vec<usize> =
                open.into_iter().filter(|&point| counts[point] == fewest).collect();
            let point = scarce[rng.random_range(0..scarce.len())];
            let candidates: Vec<usize> =
                left.iter().copied().filter(|&i| of_front[i].0 == point).collect();
            let next = match fewest {
                0 => {
                    candidates.into_iter().min_by(|&a, &b| of_front[a].1.total_cmp(&of_front[b].1))
                }
                _ => Some(candidates[rng.random_range(0..candidates.len())]),
            };
            let Some(next) = next else { break };
            counts[point] += 1;
            left.retain(|&other| other != next);
            chosen.push(front[next]);
        }
        chosen
    }

    /// The point whose line through the origin is nearest, and how far it is.
    fn nearest(&self, costs: &[f64]) -> (usize, f64) {
        let distances = self.0.iter().map(|point| distance_from_line(costs, point));
        let nearest = distances.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
        nearest.unwrap_or((0, f64::INFINITY))
    }
}

fn spread(
    axes: usize,
    left: usize,
    divisions: usize,
    begun: &mut Vec<f64>,
    points: &mut Vec<Vec<f64>>,
) {
    let share = |parts: usize| parts as f64 / divisions as f64;
    if axes <= 1 {
        points.push(begun.iter().copied().chain([share(left)]).collect());
        return;
    }
    for parts in 0..=left {
        begun.push(share(parts));
        spread(axes - 1, left - parts, divisions, begun, points);
        begun.pop();
    }
}

/// What each member loses against the best of each objective, as a share of what the plane through
/// the extreme members loses there.
fn normalised(members: &[&Member]) -> Vec<Vec<f64>> {
    let n_axes = members.first().map_or(0, |member| member.gains.len());
    let best: Vec<f64> = (0..n_axes)
        .map(|axis| members.iter().map(|m| m.gains[axis]).fold(f64::NEG_INFINITY, f64::max))
        .collect();
    let mut costs: Vec<Vec<f64>> = members
        .iter()
        .map(|member| best.iter().zip(&member.gains).map(|(best, gain)| best - gain).collect())
        .collect();
    let intercepts = intercepts(&costs, n_axes);
    for cost in &mut costs {
        cost.iter_mut().zip(&intercepts).for_each(|(cost, intercept)| *cost /= intercept);
    }
    costs
}

/// Where the plane through the extreme members meets the axes; the largest cost of each axis where
/// there is no such plane.
fn intercepts(costs: &[Vec<f64>], n_axes: usize) -> Vec<f64> {
    let stretch = |costs: &[f64], axis: usize| {
        let along =
            |(other, cost): (usize, &f64)| cost * if other == axis { 1.0 } else { OTHER_AXES };
        costs.iter().enumerate().map(along).fold(0.0, f64::max)
    };
    let extremes = (0..n_axes).filter_map(|axis| {
        costs.iter().min_by(|a, b| stretch(a, axis).total_cmp(&stretch(b, axis))).cloned()
    });
    let plane = solve(extremes.collect(), vec![1.0; n_axes]);
    let sound = |weight: &f64| weight.is_finite() && *weight > 0.0;
    let largest =
        |axis: usize| costs.iter().map(|cost| cost[axis]).fold(f64::MIN_POSITIVE, f64::max);
    match plane.filter(|weights| weights.iter().all(sound)) {
        Some(weights) => weights.iter().map(|weight| 1.0 / weight).collect(),
        None => (0..n_axes).map(largest).collect(),
    }
}

/// Solves a linear system by elimination with pivots; absent where it has no single solution.
fn solve(mut rows: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = rows.len();
    for column in 0..n {
        let pivot =
            (column..n).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, pivot);
        right.swap(column, pivot);
        if rows[column][column].abs() < 1e-12 {
            return None;
        }
        for row in (0..n).filter(|&row| row != column) {
            let factor = rows[row][column] / rows[column][column];
            let pivot = rows[column].clone();
            rows[row].iter_mut().zip(&pivot).for_each(|(cell, above)| *cell -= factor * above);
            right[row] -= factor * right[column];
        }
    }
    Some((0..n).map(|row| right[row] / rows[row][row]).collect())
}

fn distance_from_line(costs: &[f64], direction: &[f64]) -> f64 {
    let square: f64 = direction.iter().map(|d| d * d).sum();
    let along = costs.iter().zip(direction).map(|(c, d)| c * d).sum::<f64>() / square;
    costs.iter().zip(direction).map(|(c, d)| (c - along * d).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::genotype::Genotype;
    use nas_plugin_api::toolkit::rng::generator;

    use super::*;

    fn member(gains: &[f64]) -> Member {
        Member { id: 0, genotype: Genotype(Vec::new()), gains: gains.to_vec(), violation: 0.0 }
    }

    #[test]
    fn points_cover_the_simplex_evenly() {
        let ReferencePoints(points) = ReferencePoints::new(2, 2);
        assert_eq!(points, [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]);
        // The number of ways to write 12 as a sum of three parts.
        assert_eq!(ReferencePoints::new(3, 12).0.len(), 91);
    }

    #[test]
    fn a_corner_without_a_member_gets_one() {
        let gains = [[0.0, 1.0], [0.05, 0.95], [0.1, 0.9], [0.5, 0.5], [1.0, 0.0]];
        let members: Vec<Member> = gains.iter().map(|gains| member(gains)).collect();
        let points = ReferencePoints::new(2, 2);
        let mut chosen = points.choose(&members, &[], &[0, 1, 2, 3, 4], 3, &mut generator(0));
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 3, 4]);
        // One corner is kept already.
        let mut chosen = points.choose(&members, &[0], &[1, 2, 3, 4], 2, &mut generator(0));
        chosen.sort_unstable();
        assert_eq!(chosen, [3, 4]);
    }

    #[test]
    fn members_that_are_all_alike_are_chosen_from_too() {
        let members = vec![member(&[1.0, 1.0]); 4];
        let points = ReferencePoints::new(2, 4);
        assert_eq!(points.choose(&members, &[0], &[1, 2, 3], 2, &mut generator(0)).len(), 2);
    }
}
