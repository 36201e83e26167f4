//! The skip rule: more skip connections in the present genotype than are allowed.
//!
//! The search goes back to the last epoch that had no more of them.
//!
//! # Source
//! Liang et al. DARTS+, 2019 (`arXiv:1909.06035`), section 4, criterion 1, which stops at two skip
//! connections in a normal cell; Chen et al. P-DARTS, ICCV 2019, which allows two.

use crate::signal::Signal;
use crate::{CollapseConfig, Finding};

/// Judges this epoch.
pub(crate) fn judge(skips: &Signal, epoch: u32, config: &CollapseConfig) -> Option<Finding> {
    let &(noted, now) = skips.values().last()?;
    if noted != epoch || epoch < config.first_epoch || now <= config.max_skips {
        return None;
    }
    let sound = skips.values().iter().rev().find(|(_, skips)| *skips <= config.max_skips);
    let reason =
        format!("{} is {now:.3}, where {} are allowed", config.skip_signal, config.max_skips);
    let evidence = vec![("skips", now), ("allowed", config.max_skips)];
    Some(Finding { epoch: sound.map(|&(epoch, _)| epoch), reason, evidence })
}
