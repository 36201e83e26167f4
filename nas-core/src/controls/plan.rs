//! Which trainings are to be made.

use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::journal::{ControlKind, ControlResult};
use crate::settings::ControlSettings;

/// Random genotypes that are drawn until one is accepted.
const DRAWS: u64 = 100;

/// A training that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// What it is for.
    pub kind: ControlKind,
    /// What is trained.
    pub genotype: Genotype,
    /// Seed of everything random in it.
    pub seed: u64,
}

/// The trainings that `asked` wants and that `made` does not have, the kinds by turns, so that a
/// budget that ends early leaves some of each. `accepts` says whether a random genotype may be
/// trained.
///
/// # Errors
/// A space that no genotype can be drawn from.
pub fn planned(
    asked: &ControlSettings,
    champion: &Genotype,
    made: &[ControlResult],
    (space, seed): (&Space, u64),
    accepts: impl Fn(&Genotype) -> bool,
) -> Result<Vec<Planned>, PluginError> {
    let mut all = Vec::new();
    for kind in ControlKind::ALL {
        let is_made = |one: &&ControlResult| {
            one.control.kind == kind && one.measurements.is_some() && one.is_about(champion)
        };
        let n_made = made.iter().filter(is_made).count() as u64;
        for number in n_made..u64::from(asked.wanted(kind)) {
            let seed = xxh3_64_with_seed(kind.name().as_bytes(), seed.wrapping_add(number));
            let genotype = match kind {
                ControlKind::Random => acceptable(space, seed, &accepts)?,
                ControlKind::Seed | ControlKind::ShuffledLabels => Some(champion.clone()),
            };
            all.extend(genotype.map(|genotype| (number, Planned { kind, genotype, seed })));
        }
    }
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, planned)| planned).collect())
}

/// A random genotype that is accepted; `None` where hardly any is.
fn acceptable(
    space: &Space,
    seed: u64,
    accepts: impl Fn(&Genotype) -> bool,
) -> Result<Option<Genotype>, PluginError> {
    for draw in 0..DRAWS {
        let genotype = random_genotype(space, &mut generator(seed.wrapping_add(draw)))?;
        if accepts(&genotype) {
            return Ok(Some(genotype));
        }
    }
    Ok(None)
}
