//! Who survives: whole fronts, and of the last one those that are most needed.

use nas_plugin_api::toolkit::pareto::crowding_distance;
use nas_plugin_api::toolkit::rng::Generator;

use crate::member::{Member, fronts};
use crate::reference_points::ReferencePoints;

/// A member of the new population, as tournaments compare it.
#[derive(Clone, Debug)]
pub(crate) struct Survivor {
    pub(crate) member: Member,
    /// The number of its front, from 0.
    pub(crate) rank: usize,
    /// How much room it has on its front; all are equal where reference points decide.
    pub(crate) room: f64,
}

impl Survivor {
    /// Whether it wins a tournament: a better front, or more room on the same.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        self.rank < other.rank || (self.rank == other.rank && self.room > other.room)
    }
}

/// The best `n` members, with crowding distance deciding within a front.
pub(crate) fn by_crowding(members: &[Member], n: usize) -> Vec<Survivor> {
    let mut survivors = Vec::with_capacity(n);
    for (rank, front) in fronts(members).into_iter().enumerate() {
        let rooms = crowding_distance(members, &front);
        let mut front: Vec<(usize, f64)> = front.into_iter().zip(rooms).collect();
        // Stable: of equals the older survives.
        front.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let left = n - survivors.len();
        let kept = front.into_iter().take(left);
        survivors.extend(kept.map(|(index, room)| Survivor {
            member: members[index].clone(),
            rank,
            room,
        }));
        if survivors.len() == n {
            break;
        }
    }
    survivors
}

/// The best `n` members; of the front that fits only in part, those near the reference points that
/// have fewest.
///
/// # Source
/// Deb, Jain. An evolutionary many-objective optimization algorithm using
/// reference-point-based nondominated sorting approach, part I. IEEE Transactions on Evolutionary
/// Computation 18, 2014, algorithms 1 to 4.
pub(crate) fn by_reference_points(
    members: &[Member],
    n: usize,
    points: &ReferencePoints,
    rng: &mut Generator,
) -> Vec<Survivor> {
    let survivor =
        |index: usize, rank: usize| Survivor { member: members[index].clone(), rank, room: 0.0 };
    let mut survivors: Vec<Survivor> = Vec::with_capacity(n);
    let mut kept: Vec<usize> = Vec::with_capacity(n);
    for (rank, front) in fronts(members).into_iter().enumerate() {
        let left = n - kept.len();
        let chosen = match front.len() > left {
            true if members[front[0]].violation == 0.0 => {
                points.choose(members, &kept, &front, left, rng)
            }
            _ => front.into_iter().take(left).collect(),
        };
        survivors.extend(chosen.iter().map(|&index| survivor(index, rank)));
        kept.extend(chosen);
        if kept.len() == n {
            break;
        }
    }
    survivors
}
