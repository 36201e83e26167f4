//! Weights of a wider supernet from those of a narrower one.

use std::collections::HashMap;

use tch::{TchError, Tensor};

use crate::random::Random;
use crate::supernet::Supernet;

/// Stream of the random channels that are copied.
const CHANNELS: u64 = (1 << 40) + 1;

/// Copies all parameters, their momentum and the running statistics by name; channels that are new
/// are copies of random old ones, not rescaled.
///
/// # Errors
/// What libtorch says.
///
/// # Source
/// Chen et al., DrNAS, ICLR 2021, section 3.2; `xiangning-chen/DrNAS@f2caa4d`:
/// DARTS-space/net2wider.py.
pub(super) fn widen(narrow: &Supernet, wide: &mut Supernet, seed: u64) -> Result<(), TchError> {
    let _no_grad = tch::no_grad_guard();
    let mut random = Random::new(seed, CHANNELS);
    let (old, new) = (narrow.network().parameters(), wide.network().parameters());
    let places: HashMap<&str, usize> = old
        .learnt()
        .iter()
        .enumerate()
        .map(|(index, learnt)| (learnt.name.as_str(), index))
        .collect();
    for (index, learnt) in new.learnt().iter().enumerate() {
        let Some(&from) = places.get(learnt.name.as_str()) else { continue };
        let size = learnt.tensor.size();
        let chosen = channels(&old.learnt()[from].tensor.size(), &size, &mut random);
        let value = pick(&old.learnt()[from].tensor, &chosen)?;
        learnt.tensor.shallow_clone().f_copy_(&value)?;
        let momentum = pick(&old.part_of(narrow.optimizer().velocity(), from)?, &chosen)?;
        new.part_of(wide.optimizer().velocity(), index)?.f_copy_(&momentum)?;
    }
    let statistics: HashMap<&str, &Tensor> =
        old.statistics().iter().map(|kept| (kept.name.as_str(), &kept.tensor)).collect();
    for kept in new.statistics() {
        if let Some(&from) = statistics.get(kept.name.as_str()) {
            let chosen = channels(&from.size(), &kept.tensor.size(), &mut random);
            kept.tensor.shallow_clone().f_copy_(&pick(from, &chosen)?)?;
        }
    }
    Ok(())
}

/// For every axis, which old index each new one copies.
fn channels(old: &[i64], new: &[i64], random: &mut Random) -> Vec<Vec<i64>> {
    old.iter()
        .zip(new)
        .map(|(&old, &new)| {
            let copied = |at: i64| match at < old {
                true => at,
                false => random.below(old.max(1) as usize) as i64,
            };
            (0..new).map(copied).collect()
        })
        .collect()
}

fn pick(from: &Tensor, chosen: &[Vec<i64>]) -> Result<Tensor, TchError> {
    let mut picked = from.shallow_clone();
    for (axis, indices) in chosen.iter().enumerate() {
        picked = picked.f_index_select(axis as i64, &Tensor::f_from_slice(indices)?)?;
    }
    Ok(picked)
}
