//! Sums of weighted terms, some of them batch-normalised: the mixtures of a supernet.

use tch::{Kind, TchError, Tensor};

use super::dropout::drop_examples;
use super::{Call, Module, Pass, with_batch};
use crate::kernels;
use crate::network::Norms;
use crate::parameters::{Declarations, Initial, LearntIndex, StatisticIndex};
use crate::program::{Norm, Term};
use nas_plugin_api::graph::{Shape, Statistics};

/// The sum of all inputs, each times its weight.
#[derive(Debug)]
pub(super) struct Sum {
    terms: Vec<Term>,
    shape: Shape,
}

impl Sum {
    pub(super) fn new(terms: &[Term], shape: &Shape) -> Self {
        Self { terms: terms.to_vec(), shape: shape.clone() }
    }
}

impl Module for Sum {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        if call.inputs.is_empty() {
            return zeros(&self.shape, call.pass);
        }
        let has_weights = call.active.iter().any(|&at| !self.terms[at].paths.is_empty());
        if !has_weights && !drops(call.pass) {
            return plain_sum(call);
        }
        let dropped = dropped_terms(&self.terms, call)?;
        let terms: Vec<&Tensor> = dropped.iter().collect();
        let weights = weights(&self.terms, call)?;
        kernels::NormalizedSum {
            terms: &terms,
            n_normalized: 0,
            scales: &[],
            shifts: &[],
            running: &[],
            weights: &weights,
            eps: 0.0,
            momentum: 0.0,
            relu: false,
            training: true,
        }
        .compute()
    }
}

/// The sum of all inputs, from the first to the last.
fn plain_sum(call: Call<'_>) -> Result<Tensor, TchError> {
    let [first, second] = match call.inputs {
        [only] => return Ok(only.shallow_clone()),
        _ => call.two()?,
    };
    let mut sum = match call.overwrite {
        Some(0) => first.shallow_clone().f_add_(second)?,
        Some(_) => second.shallow_clone().f_add_(first)?,
        None => first.f_add(second)?,
    };
    for term in &call.inputs[2..] {
        sum = sum.f_add_(term)?;
    }
    Ok(sum)
}

/// A sum whose first inputs are batch-normalised, then perhaps a ReLU.
#[derive(Debug)]
pub(super) struct NormalizedSum {
    norms: Vec<BuiltNorm>,
    terms: Vec<Term>,
    relu: bool,
    shape: Shape,
    eps: f64,
    momentum: f64,
}

#[derive(Debug)]
struct BuiltNorm {
    scale_and_shift: Option<[LearntIndex; 2]>,
    /// Running mean and variance; absent where the batch's own are always used.
    running: Option<[StatisticIndex; 2]>,
    /// Whether they count in training, too.
    keeps_running: bool,
}

/// What the norms of one pass use.
struct Use {
    /// Whether running statistics are read or moved at all.
    running: bool,
    /// Whether the batch's own normalise.
    batch: bool,
    momentum: f64,
}

impl Use {
    fn of(norms: Norms, keeps_running: bool, momentum: f64) -> Self {
        let (running, batch, momentum) = match norms {
            Norms::Training => (keeps_running, true, momentum),
            Norms::Evaluation => (keeps_running, !keeps_running, momentum),
            Norms::Batch => (false, true, momentum),
            Norms::Average { before } => (true, true, 1.0 / (f64::from(before) + 1.0)),
            Norms::Averaged => (true, false, momentum),
        };
        Self { running, batch, momentum }
    }
}

impl NormalizedSum {
    pub(super) fn new(
        norms: &[Norm],
        terms: &[Term],
        relu: bool,
        shape: &Shape,
        declare: &mut Declarations,
    ) -> Self {
        let channels = shape.channels() as i64;
        let mut build = |Norm { name, layer }: &Norm| BuiltNorm {
            scale_and_shift: layer.affine.then(|| declare.scale_and_shift(name, channels)),
            running: (layer.statistics == Statistics::Running || declare.recalibrates()).then(
                || {
                    [
                        declare.statistic(format!("{name}.running_mean"), channels, Initial::Zeros),
                        declare.statistic(format!("{name}.running_var"), channels, Initial::Ones),
                    ]
                },
            ),
            keeps_running: layer.statistics == Statistics::Running,
        };
        Self {
            norms: norms.iter().map(&mut build).collect(),
            terms: terms.to_vec(),
            relu,
            shape: shape.clone(),
            eps: norms.first().map_or(1e-5, |norm| norm.layer.eps),
            momentum: norms.first().map_or(0.1, |norm| norm.layer.momentum),
        }
    }
}

impl Module for NormalizedSum {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        if call.inputs.is_empty() {
            return zeros(&self.shape, call.pass);
        }
        let norms: Vec<&BuiltNorm> =
            call.active.iter().filter_map(|&at| self.norms.get(at)).collect();
        // Norms of one sum are alike.
        let keeps_running = norms.iter().any(|norm| norm.keeps_running);
        let used = Use::of(call.pass.norms, keeps_running, self.momentum);
        let (mut scales, mut shifts, mut running) = (Vec::new(), Vec::new(), Vec::new());
        for norm in &norms {
            if let Some([scale, shift]) = norm.scale_and_shift {
                scales.push(&call.pass.learnt[scale].tensor);
                shifts.push(&call.pass.learnt[shift].tensor);
            }
            for statistic in norm.running.into_iter().flatten().filter(|_| used.running) {
                running.push(&call.pass.statistics[statistic].tensor);
            }
        }
        let sum = |inputs: &[&Tensor], n_normalized, weights: &Tensor| {
            kernels::NormalizedSum {
                terms: inputs,
                n_normalized,
                scales: &scales,
                shifts: &shifts,
                running: &running,
                weights,
                eps: self.eps,
                momentum: used.momentum,
                relu: self.relu,
                training: used.batch,
            }
            .compute()
        };
        if drops(call.pass) && self.terms.len() > 1 {
            return self.with_dropout(call, &norms);
        }
        sum(call.inputs, norms.len(), &weights(&self.terms, call)?)
    }
}

impl NormalizedSum {
    /// Term by term, since whole examples of a normalised term may be dropped.
    fn with_dropout(&self, call: Call<'_>, norms: &[&BuiltNorm]) -> Result<Tensor, TchError> {
        let mut values = Vec::with_capacity(call.inputs.len());
        for (position, &input) in call.inputs.iter().enumerate() {
            let value = match norms.get(position) {
                Some(norm) => {
                    let learnt = |which: usize| {
                        norm.scale_and_shift.map(|at| &call.pass.learnt[at[which]].tensor)
                    };
                    let running = |which: usize| {
                        let kept = norm.running.filter(|_| norm.keeps_running);
                        kept.map(|at| &call.pass.statistics[at[which]].tensor)
                    };
                    input.f_batch_norm(
                        learnt(0),
                        learnt(1),
                        running(0),
                        running(1),
                        true,
                        self.momentum,
                        self.eps,
                        true,
                    )?
                }
                None => input.shallow_clone(),
            };
            let term = &self.terms[call.active[position]];
            values.push(drop_term(value, term, call.pass)?);
        }
        let terms: Vec<&Tensor> = values.iter().collect();
        kernels::NormalizedSum {
            terms: &terms,
            n_normalized: 0,
            scales: &[],
            shifts: &[],
            running: &[],
            weights: &weights(&self.terms, call)?,
            eps: self.eps,
            momentum: self.momentum,
            relu: self.relu,
            training: true,
        }
        .compute()
    }
}

/// Whether this pass drops what comes out of paths.
fn drops(pass: &Pass<'_>) -> bool {
    pass.training && pass.mixture.is_some_and(|mixture| mixture.drops())
}

fn dropped_terms(terms: &[Term], call: Call<'_>) -> Result<Vec<Tensor>, TchError> {
    let with_term = call.inputs.iter().zip(call.active);
    with_term.map(|(input, &at)| drop_term(input.shallow_clone(), &terms[at], call.pass)).collect()
}

/// Dropout behind identity paths that keep their resolution (P-DARTS), drop path behind all
/// others (SNAS).
fn drop_term(value: Tensor, term: &Term, pass: &Pass<'_>) -> Result<Tensor, TchError> {
    let Some(mixture) = pass.mixture.filter(|_| drops(pass) && !term.paths.is_empty()) else {
        return Ok(value);
    };
    match term.is_identity {
        true if mixture.skip_dropout > 0.0 => value.f_dropout(mixture.skip_dropout, true),
        false if mixture.drop_path > 0.0 => drop_examples(&value, mixture.drop_path, pass.batch),
        _ => Ok(value),
    }
}

/// The weights of the active terms, `[terms]` in 64 bits; on the autograd tape where the gradient
/// of one of them is asked for.
pub(super) fn weights(terms: &[Term], call: Call<'_>) -> Result<Tensor, TchError> {
    let active: Vec<&Term> = call.active.iter().map(|&at| &terms[at]).collect();
    match call.pass.mixture {
        Some(mixture) => mixture.products(active.iter().map(|term| term.paths.as_slice())),
        None => Tensor::f_ones([active.len() as i64], (Kind::Double, tch::Device::Cpu)),
    }
}

/// What is left of a sum without terms.
pub(super) fn zeros(shape: &Shape, pass: &Pass<'_>) -> Result<Tensor, TchError> {
    let size = with_batch(pass.batch, shape);
    Tensor::f_zeros(size, (pass.images.kind(), pass.images.device()))
}
