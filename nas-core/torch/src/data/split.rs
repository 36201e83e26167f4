//! Which image goes where: train, validation and holdout, class by class.

use nas_core::protocol::data::DataConfig;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::DataError;
use super::images::Source;

/// Positions among a source's training images; no position occurs twice.
///
/// Each split is ordered so that every beginning of it has the classes in nearly the same
/// proportion, so the share of a split that a cheap trial uses is simply its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// What weights are trained on.
    pub(super) train: Vec<usize>,
    /// What the search is guided by.
    pub(super) validation: Vec<usize>,
    /// What is sealed; empty where the source has a test set of its own.
    pub(super) holdout: Vec<usize>,
}

impl Plan {
    /// Splits a source by class. The same labels, seed and fractions give the same plan on every
    /// machine; no random number generator is involved, only a hash of seed and position.
    ///
    /// Each class gives each split its share, rounded up or down so that the whole is right
    /// (largest remainders), but keeps at least one image in train.
    ///
    /// # Errors
    /// `BadFraction`, `TooFewClasses`, `LimitTooSmall`, `EmptySplit`.
    pub(super) fn of(source: &Source, config: &DataConfig) -> Result<Self, DataError> {
        for (name, value) in [
            ("validation_fraction", config.validation_fraction),
            ("holdout_fraction", config.holdout_fraction),
        ] {
            if !(value > 0.0 && value < 1.0) {
                return Err(DataError::BadFraction { name, value });
            }
        }
        let mut pool = shuffled_by_class(source, config.split_seed);
        let from = || source.name.clone();
        let classes = pool.iter().filter(|class| !class.is_empty()).count();
        let why = format!("{} images in {classes} classes", source.train.len());
        if classes < 2 {
            return Err(DataError::TooFewClasses {
                from: from(),
                found: source.train.len(),
                classes,
            });
        }
        let empty =
            |split, help| DataError::EmptySplit { split, from: from(), why: why.clone(), help };

        let holdout = match &source.test {
            Some(test) if test.len() == 0 => {
                return Err(empty(
                    "holdout",
                    "the source's test set has no image; add some or remove it",
                ));
            }
            Some(_) => Vec::new(),
            None => {
                let holdout = take_share(&mut pool, config.holdout_fraction);
                if holdout.iter().all(Vec::is_empty) {
                    return Err(empty("holdout", "add images, or raise `data.holdout_fraction`"));
                }
                holdout
            }
        };
        if let Some(limit) = config.limit {
            if limit < classes {
                return Err(DataError::LimitTooSmall { limit, classes, from: from() });
            }
            truncate(&mut pool, limit);
        }
        let validation = take_share(&mut pool, config.validation_fraction);
        if validation.iter().all(Vec::is_empty) {
            return Err(empty(
                "validation",
                "add images, or raise `data.limit` or `data.validation_fraction`",
            ));
        }
        Ok(Self {
            train: interleave(pool),
            validation: interleave(validation),
            holdout: interleave(holdout),
        })
    }
}

/// The positions of each class, in an order that the seed decides.
fn shuffled_by_class(source: &Source, seed: u64) -> Vec<Vec<usize>> {
    let mut classes = vec![Vec::new(); source.classes.len()];
    for (position, label) in source.train.labels.iter().enumerate() {
        classes[*label as usize].push(position);
    }
    for class in &mut classes {
        class.sort_by_key(|position| {
            (xxh3_64_with_seed(&(*position as u64).to_le_bytes(), seed), *position)
        });
    }
    classes
}

/// Takes a share of every class, at least one image in all, and leaves every class one.
fn take_share(pool: &mut [Vec<usize>], fraction: f64) -> Vec<Vec<usize>> {
    let counts: Vec<_> = pool.iter().map(Vec::len).collect();
    let most: Vec<_> = counts.iter().map(|count| count.saturating_sub(1)).collect();
    let wanted = (counts.iter().sum::<usize>() as f64 * fraction).round() as usize;
    let shares = apportion(&counts, wanted.max(1), &most);
    pool.iter_mut().zip(shares).map(|(class, share)| class.drain(..share).collect()).collect()
}

/// Keeps `limit` images, at least one of every class that has one.
fn truncate(pool: &mut [Vec<usize>], limit: usize) {
    let counts: Vec<_> = pool.iter().map(Vec::len).collect();
    if limit >= counts.iter().sum() {
        return;
    }
    let mut shares = apportion(&counts, limit, &counts);
    for class in 0..shares.len() {
        if shares[class] == 0 && counts[class] > 0 {
            let largest = (0..shares.len()).max_by_key(|class| shares[*class]).unwrap_or(class);
            shares[largest] -= 1;
            shares[class] = 1;
        }
    }
    pool.iter_mut().zip(shares).for_each(|(class, share)| class.truncate(share));
}

/// Divides `wanted` in proportion to `counts` by largest remainders. Each share is its exact quota
/// rounded up or down, and at most `most`; where that binds, the sum falls short of `wanted`.
fn apportion(counts: &[usize], wanted: usize, most: &[usize]) -> Vec<usize> {
    let total = counts.iter().sum::<usize>().max(1) as u128;
    let quotas: Vec<_> = counts.iter().map(|count| *count as u128 * wanted as u128).collect();
    let mut shares: Vec<_> = quotas.iter().map(|quota| (quota / total) as usize).collect();
    let left = wanted.saturating_sub(shares.iter().sum());
    let mut by_remainder: Vec<_> = (0..counts.len())
        .filter(|class| quotas[*class] % total > 0 && shares[*class] < most[*class])
        .collect();
    by_remainder.sort_by_key(|class| std::cmp::Reverse(quotas[*class] % total));
    for class in by_remainder.into_iter().take(left) {
        shares[class] += 1;
    }
    shares.iter().zip(most).map(|(share, most)| *share.min(most)).collect()
}

/// Merges the classes: the i-th of n images of a class comes at (i + ½) / n of the whole.
fn interleave(classes: Vec<Vec<usize>>) -> Vec<usize> {
    let mut all = Vec::new();
    for class in &classes {
        let n = class.len() as u128;
        all.extend((0..).zip(class).map(|(i, position)| (((2 * i + 1_u128) << 64) / n, *position)));
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, position)| position).collect()
}

#[cfg(test)]
mod tests {
    use nas_core::protocol::data::DataFormat;
    use proptest::prelude::*;

    use super::super::images::Images;
    use super::*;

    fn source(labels: &[u32]) -> Source {
        let pixels = vec![0; labels.len()];
        Source {
            name: "made up".to_owned(),
            classes: vec![String::new(); 6],
            train: Images { shape: [1, 1, 1], pixels, labels: labels.to_vec() },
            test: None,
        }
    }

    fn config(validation: f64, holdout: f64, limit: Option<usize>, split_seed: u64) -> DataConfig {
        DataConfig {
            format: DataFormat::Digits,
            path: None,
            validation_fraction: validation,
            holdout_fraction: holdout,
            limit,
            max_duplicates: None,
            split_seed,
        }
    }

    fn counts(labels: &[u32], positions: &[usize]) -> [usize; 6] {
        let mut counts = [0; 6];
        positions.iter().for_each(|position| counts[labels[*position] as usize] += 1);
        counts
    }

    /// Every class with at least five images.
    fn labels() -> impl Strategy<Value = Vec<u32>> {
        let sizes = proptest::collection::vec(5..60_usize, 2..6);
        sizes
            .prop_map(|sizes| {
                (0..).zip(sizes).flat_map(|(class, size)| vec![class; size]).collect::<Vec<_>>()
            })
            .prop_shuffle()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_image_is_in_exactly_one_split_and_every_class_in_train(
            labels in labels(), validation in 0.1..0.5, holdout in 0.1..0.5, seed: u64,
        ) {
            let config = config(validation, holdout, None, seed);
            let plan = Plan::of(&source(&labels), &config).expect("enough images");
            let mut all = [&plan.train[..], &plan.validation, &plan.holdout].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            let present = counts(&labels, &(0..labels.len()).collect::<Vec<_>>());
            for (in_train, in_all) in counts(&labels, &plan.train).iter().zip(present) {
                prop_assert_eq!(*in_train > 0, in_all > 0);
            }
            prop_assert_eq!(&plan, &Plan::of(&source(&labels), &config).expect("as before"));
        }

        #[test]
        fn every_class_gives_its_share(
            labels in labels(), validation in 0.05..0.5, holdout in 0.05..0.5, seed: u64,
        ) {
            let plan = Plan::of(&source(&labels), &config(validation, holdout, None, seed))
                .expect("enough images");
            let all = counts(&labels, &(0..labels.len()).collect::<Vec<_>>());
            let held = counts(&labels, &plan.holdout);
            let validated = counts(&labels, &plan.validation);
            for class in 0..6 {
                // One for rounding the class's share, one for rounding the whole.
                let quota = all[class] as f64 * holdout;
                prop_assert!((held[class] as f64 - quota).abs() < 2.0);
                let quota = (all[class] - held[class]) as f64 * validation;
                prop_assert!((validated[class] as f64 - quota).abs() < 2.0);
            }
        }

        #[test]
        fn the_limit_is_met_exactly(labels in labels(), limit in 12..100_usize, seed: u64) {
            let source = source(&labels);
            let whole = Plan::of(&source, &config(0.3, 0.2, None, seed)).expect("enough images");
            let some = Plan::of(&source, &config(0.3, 0.2, Some(limit), seed)).expect("enough images");
            let used = some.train.len() + some.validation.len();
            prop_assert_eq!(used, limit.min(labels.len() - whole.holdout.len()));
            prop_assert_eq!(some.holdout, whole.holdout);
        }

        #[test]
        fn every_beginning_has_the_classes_in_proportion(labels in labels(), seed: u64) {
            let plan = Plan::of(&source(&labels), &config(0.2, 0.2, None, seed)).expect("enough");
            let whole = counts(&labels, &plan.train);
            for length in 0..plan.train.len() {
                let part = counts(&labels, &plan.train[..length]);
                for class in 0..6 {
                    let share = whole[class] as f64 / plan.train.len() as f64;
                    // Half an image of each of up to six classes, and half of this one.
                    let slack = 1.5 + 3.0 * share;
                    prop_assert!((part[class] as f64 - share * length as f64).abs() <= slack);
                }
            }
        }

        #[test]
        fn shares_are_quotas_rounded_up_or_down(
            counts in proptest::collection::vec(0..1000_usize, 1..20), fraction in 0.0..1.0,
        ) {
            let total: usize = counts.iter().sum();
            let wanted = (total as f64 * fraction) as usize;
            let shares = apportion(&counts, wanted, &counts);
            prop_assert_eq!(shares.iter().sum::<usize>(), wanted);
            for (share, count) in shares.iter().zip(&counts) {
                let quota = *count as f64 * wanted as f64 / total.max(1) as f64;
                prop_assert!((*share as f64 - quota).abs() < 1.0 && share <= count);
            }
        }
    }

    /// The splits of a run that is resumed by a later version must be the same.
    #[test]
    fn the_order_of_a_seed_never_changes() {
        let source = source(&[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
        let plan = Plan::of(&source, &config(0.25, 0.2, None, 7)).expect("enough images");
        assert_eq!(plan.train, [6, 9, 4, 1, 8, 7]);
        assert_eq!(plan.validation, [2, 3]);
        assert_eq!(plan.holdout, [0, 5]);
    }

    #[test]
    fn a_class_of_one_image_is_only_trained_on() {
        let source = source(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let plan = Plan::of(&source, &config(0.5, 0.5, None, 0)).expect("enough images");
        assert_eq!(counts(&source.train.labels, &plan.train)[1], 1);
    }
}
