//! What each method asks for, in which order, with its published constants.

use nas_plugin_api::component::{
    ArchOrder, Command, Component, Edit, Mixture, Need, OneShotStrategy, Report, TrainingSettings,
};
use nas_plugin_api::template::Space;
use space_darts::DartsConfig as SpaceConfig;
use strategy_darts::method::Method;
use strategy_darts::one_shot::OneShot;
use strategy_darts::{
    Darts, DartsConfig, DartsPt, DartsPtConfig, DrNas, DrNasConfig, FairDarts, FairDartsConfig,
    Gdas, GdasConfig, PDarts, PDartsConfig, PcDarts, PcDartsConfig, Snas, SnasConfig,
};

use crate::spaces::{context, darts, nb201};
use crate::toy::{Driven, Toy};

fn create<M: Method>(config: M::Config, space: &Space) -> OneShot<M> {
    OneShot::create(config, context(space, 0)).unwrap()
}

fn drive<M: Method>(config: M::Config, space: &Space, steps: u32) -> Driven {
    Toy::new(space, steps, 0.3, 0).drive(&mut create::<M>(config, space)).unwrap()
}

/// One letter a command: Edit, Architecture, Second order, Weights, Both, eValuate, end of epoch
/// (`|`), Derive.
fn letters(commands: &[Command]) -> String {
    let letter = |command: &Command| match command {
        Command::Edit(_) => 'E',
        Command::ArchStep { order: ArchOrder::Second, .. } => 'S',
        Command::ArchStep { .. } => 'A',
        Command::TrainWeights { .. } => 'W',
        Command::SingleLevel { .. } => 'B',
        Command::Evaluate { .. } => 'V',
        Command::EndEpoch { .. } => '|',
        Command::Derive { .. } => 'D',
        other => panic!("unexpected {other:?}"),
    };
    commands.iter().map(letter).collect()
}

fn edits(driven: &Driven) -> Vec<&Edit> {
    let commands = driven.commands.iter().filter_map(|command| match command {
        Command::Edit(edits) => Some(edits),
        _ => None,
    });
    commands.flatten().collect()
}

fn training(driven: &Driven) -> Vec<TrainingSettings> {
    let of = |edit: &&Edit| match edit {
        Edit::Training(settings) => Some(*settings),
        _ => None,
    };
    edits(driven).iter().filter_map(of).collect()
}

fn mixtures(driven: &Driven, architecture: bool) -> Vec<&Mixture> {
    let mixtures = driven.commands.iter().filter_map(|command| match command {
        Command::ArchStep { mixture, .. } if architecture => Some(mixture),
        Command::TrainWeights { mixture } if !architecture => Some(mixture),
        _ => None,
    });
    mixtures.collect()
}

#[test]
fn darts_steps_the_architecture_first_and_its_learning_rate_falls() {
    let space = nb201();
    let driven = drive::<Darts>(DartsConfig { epochs: 2, ..DartsConfig::default() }, &space, 2);
    assert_eq!(letters(&driven.commands), "EAWAW|EAWAW|D");
    let settings = TrainingSettings {
        learning_rate: Some(0.025),
        momentum: Some(0.9),
        nesterov: Some(false),
        weight_decay: Some(3e-4),
        gradient_clip: Some(5.0),
        label_smoothing: None,
    };
    let found = training(&driven);
    assert_eq!(found[0], settings);
    assert!((found[1].learning_rate.unwrap() - 0.013).abs() < 1e-12);
}

#[test]
fn darts_has_a_second_order_and_the_order_of_nas_bench_201() {
    let space = nb201();
    let config = DartsConfig { epochs: 1, order: 2, ..DartsConfig::default() };
    assert!(create::<Darts>(config.clone(), &space).plan().unwrap().second_order);
    assert_eq!(letters(&drive::<Darts>(config, &space, 2).commands), "ESWSW|D");
    let config =
        DartsConfig { epochs: 2, weights_first: true, frozen_epochs: 1, ..DartsConfig::default() };
    assert_eq!(letters(&drive::<Darts>(config, &space, 2).commands), "EWW|EWAWA|D");
}

#[test]
fn plans_have_the_published_epochs_and_batches() {
    let space = darts(SpaceConfig::default());
    let plan = |mut strategy: Box<dyn OneShotStrategy>| {
        let plan = strategy.plan().unwrap();
        assert!(plan.needs_gradients);
        (plan.epochs, plan.batch_size)
    };
    let plans = [
        plan(Box::new(create::<Darts>(DartsConfig::default(), &space))),
        plan(Box::new(create::<Gdas>(GdasConfig::default(), &space))),
        plan(Box::new(create::<Snas>(SnasConfig::default(), &space))),
        plan(Box::new(create::<PcDarts>(PcDartsConfig::default(), &space))),
        plan(Box::new(create::<DrNas>(DrNasConfig::default(), &space))),
        plan(Box::new(create::<PDarts>(PDartsConfig::default(), &space))),
        plan(Box::new(create::<FairDarts>(FairDartsConfig::default(), &space))),
        // 14 edges and three nodes of more than two inputs: 16 intervals of tuning.
        plan(Box::new(create::<DartsPt>(DartsPtConfig::default(), &space))),
    ];
    let expected =
        [(50, 64), (250, 64), (150, 64), (50, 256), (50, 64), (75, 96), (50, 128), (210, 64)];
    assert_eq!(plans, expected.map(|(epochs, batch)| (epochs, Some(batch))));
}

#[test]
fn gdas_computes_one_operation_per_edge_and_draws_anew() {
    let space = darts(SpaceConfig::default());
    let driven = drive::<Gdas>(GdasConfig { epochs: 1, ..GdasConfig::default() }, &space, 3);
    assert_eq!(letters(&driven.commands), "EWAWAWA|D");
    assert_eq!(training(&driven)[0].nesterov, Some(true));
    let all = [mixtures(&driven, true), mixtures(&driven, false)].concat();
    for mixture in &all {
        let n_open = mixture.weights.iter().filter(|&&weight| weight == 1.0).count();
        let n_skipped = mixture.needs.iter().filter(|&&need| need == Need::Skip).count();
        // 28 edges, and the 28 inputs of 8 nodes.
        assert_eq!((n_open, n_skipped), (28 + 28, 28 * 7));
    }
    assert!(all.windows(2).all(|pair| pair[0].weights != pair[1].weights));
}

#[test]
fn snas_is_single_level_and_drops_paths() {
    let space = nb201();
    let driven = drive::<Snas>(SnasConfig { epochs: 2, ..SnasConfig::default() }, &space, 2);
    assert_eq!(letters(&driven.commands), "EBB|EBB|D");
    assert!(edits(&driven).contains(&&Edit::DropPath { probability: 0.3 }));
    let config = SnasConfig { epochs: 1, bilevel: true, ..SnasConfig::default() };
    assert_eq!(letters(&drive::<Snas>(config, &space, 2).commands), "EAWAW|D");
}

#[test]
fn the_cost_term_of_snas_favours_cheap_operations() {
    let space = nb201();
    let config = SnasConfig { cost_weight: 1.0, ..SnasConfig::default() };
    let mut strategy = create::<Snas>(config, &space);
    let mut report = Report {
        steps_per_epoch: 100,
        path_costs: [5.0, 4.0, 3.0, 2.0, 1.0].repeat(6),
        fixed_cost: 1.0,
        ..Report::default()
    };
    strategy.next(&report).unwrap();
    strategy.next(&report).unwrap();
    let before = strategy.alpha();
    report.gradient = vec![0.0; 30];
    strategy.next(&report).unwrap();
    let moved: Vec<f64> = strategy.alpha().iter().zip(before).map(|(a, b)| a - b).collect();
    for edge in moved.chunks(5) {
        assert!(edge[0] < 0.0 && edge[4] > 0.0, "{edge:?}");
    }
}

#[test]
fn pc_darts_weights_edges_and_waits_fifteen_epochs() {
    let space = darts(SpaceConfig::default());
    let driven =
        drive::<PcDarts>(PcDartsConfig { epochs: 16, ..PcDartsConfig::default() }, &space, 1);
    assert_eq!(letters(&driven.commands), format!("{}EAW|D", "EW|".repeat(15)));
    assert_eq!(*edits(&driven)[0], Edit::ChannelFraction { one_in: 4 });
    assert_eq!(edits(&driven).len(), 17);
    let mixture = mixtures(&driven, true)[0];
    let layout = nas_plugin_api::toolkit::mixture_layout::MixtureLayout::new(&space);
    let node = layout.paths(space.choice("normal/node_5").unwrap());
    assert!((mixture.weights[node.clone()].iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(mixture.needs[node].iter().all(|&need| need == Need::ForwardGrad));
}

#[test]
fn drnas_keeps_its_architecture_weights_from_stage_to_stage() {
    let space = darts(SpaceConfig::default());
    let config =
        DrNasConfig { stage_epochs: vec![2, 2], frozen_epochs: 1, ..DrNasConfig::default() };
    let driven = drive::<DrNas>(config, &space, 1);
    assert_eq!(letters(&driven.commands), "EW|EAW|EW|EAW|D");
    let fractions: Vec<&Edit> = edits(&driven)
        .into_iter()
        .filter(|edit| matches!(edit, Edit::ChannelFraction { .. }))
        .collect();
    let one_in = |one_in| Edit::ChannelFraction { one_in };
    assert_eq!(fractions, [&one_in(6), &one_in(4)]);
    let n_dropped: Vec<usize> = edits(&driven)
        .into_iter()
        .filter_map(|edit| match edit {
            Edit::DropPaths { paths, .. } => Some(paths.len()),
            _ => None,
        })
        .collect();
    assert_eq!(n_dropped, [4; 28]);
    let weights = &mixtures(&driven, false)[3].weights;
    assert!((weights[..8].iter().sum::<f64>() - 1.0).abs() < 1e-12, "over what is left");
    // One cosine over both stages.
    assert!((training(&driven)[2].learning_rate.unwrap() - 0.05).abs() < 1e-12);
}

#[test]
fn p_darts_starts_anew_in_each_stage_with_fewer_operations() {
    let space = darts(SpaceConfig::default());
    let config = PDartsConfig { stage_epochs: 2, frozen_epochs: 1, ..PDartsConfig::default() };
    let driven = drive::<PDarts>(config, &space, 1);
    assert_eq!(letters(&driven.commands), "EW|EAW|".repeat(3) + "D");
    let cells: Vec<u32> = edits(&driven)
        .into_iter()
        .filter_map(|edit| match edit {
            Edit::Rescale { cells: Some(cells), channels: None } => Some(*cells),
            _ => None,
        })
        .collect();
    assert_eq!(cells, [5, 11, 17]);
    let n_present: Vec<usize> = mixtures(&driven, true)
        .iter()
        .map(|mixture| mixture.needs[..8].iter().filter(|&&need| need != Need::Skip).count())
        .collect();
    assert_eq!(n_present, [8, 5, 3]);
    let rates: Vec<f64> = edits(&driven)
        .into_iter()
        .filter_map(|edit| match edit {
            Edit::SkipDropout { probability } => Some(*probability),
            _ => None,
        })
        .collect();
    assert_eq!(rates, [0.05, 0.1, 0.2, 0.4, 0.35, 0.7]);
    // The architecture weights of a stage are new, and so is its cosine.
    let learning_rates: Vec<Option<f64>> =
        training(&driven).iter().map(|settings| settings.learning_rate).collect();
    assert_eq!(learning_rates, [Some(0.025), Some(0.0125)].repeat(3));
}

#[test]
fn p_darts_without_cells_keeps_the_depth() {
    let config = PDartsConfig {
        stage_epochs: 1,
        frozen_epochs: 0,
        cells: Vec::new(),
        ..PDartsConfig::default()
    };
    let driven = drive::<PDarts>(config, &nb201(), 1);
    let n_anew = edits(&driven).iter().filter(|edit| ***edit == Edit::Reinitialize).count();
    assert_eq!(n_anew, 2);
}

#[test]
fn fair_darts_weights_operations_for_themselves() {
    let space = darts(SpaceConfig::default());
    let config = FairDartsConfig { epochs: 1, ..FairDartsConfig::default() };
    let driven = drive::<FairDarts>(config, &space, 1);
    assert_eq!(letters(&driven.commands), "EAW|D");
    assert_eq!(mixtures(&driven, true)[0].weights[..16], [0.5; 16]);
}

#[test]
fn darts_pt_decides_edges_of_both_cells_and_then_nodes() {
    let space = darts(SpaceConfig { nodes: 2, ..SpaceConfig::default() });
    let config = DartsPtConfig { epochs: 1, interval: 1, ..DartsPtConfig::default() };
    let driven = drive::<DartsPt>(config, &space, 1);
    // Five edges and one node that has a choice among three, each in two cells. With every
    // operation decided, only network weights are tuned.
    let expected = ["EAW|", &"VEVEEAW|".repeat(4), "VEVE", "EW|", "VEVE", "D"].concat();
    assert_eq!(letters(&driven.commands), expected);
    let n_evaluated: Vec<usize> = driven
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Evaluate { mixtures, .. } => Some(mixtures.len()),
            _ => None,
        })
        .collect();
    // Seven operations that a genotype may hold; three inputs.
    assert_eq!(n_evaluated, [[7; 10].as_slice(), &[3, 3]].concat());
    assert!((training(&driven)[1].learning_rate.unwrap() - 0.0025).abs() < 1e-12);
}

#[test]
fn darts_pt_decides_at_once_without_an_interval() {
    let config = DartsPtConfig { epochs: 1, interval: 0, ..DartsPtConfig::default() };
    let driven = drive::<DartsPt>(config, &nb201(), 1);
    assert_eq!(letters(&driven.commands), format!("EAW|{}D", "VE".repeat(6)));
}
