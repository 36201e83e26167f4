//! Zero-cost proxies: what one batch says of a network that is not trained.
//!
//! Larger is better. The network keeps its initial weights, batch norms normalise by the batch, and
//! auxiliary heads are left out. A proxy that is not finite (no gradient reaches the images, the
//! network tells two images apart nowhere) is left out of what is measured.

use nas_plugin_api::graph::{Graph, Layer};
use nas_plugin_api::measurement::{Measurements, names};
use tch::{Kind, TchError, Tensor};

use crate::batches::Batch;
use crate::evaluate::scalar;
use crate::limits::Watch;
use crate::loss::cross_entropy;
use crate::network::{Network, NetworkError, Norms, Options};
use crate::parameters::NamedTensor;
use crate::program::{Op, Program};
use crate::rewrite::LIVING;
use crate::trial_error::TrialError;

/// Images of the batch, or all that there are. Values of `naswot` and `jacov` depend on it.
pub const BATCH_SIZE: usize = 64;
/// Keeps logarithms and inverses of eigenvalues finite.
const SMALLEST: f64 = 1e-5;

/// A network whose rectifiers can all be seen: no layers are made one.
///
/// # Errors
/// [`NetworkError`]
pub fn build(graph: &Graph, seed: u64, options: Options) -> Result<Network, NetworkError> {
    Network::assemble(Program::from_graph(graph)?, &LIVING, seed, options)
}

/// Takes all proxies of a network that [`build`] made of this graph from one batch.
///
/// # Errors
/// A network that can't be computed; a limit.
pub fn measure(
    graph: &Graph,
    network: &mut Network,
    batch: &Batch,
    watch: &mut Watch,
) -> Result<Measurements, TrialError> {
    let mut measured = Measurements::default();
    let mut note = |name: &str, value: f64| {
        if value.is_finite() {
            measured.set(name, value);
        }
    };
    note(names::SYNFLOW, synflow(graph, network)?);
    watch.check()?;
    let Passed { agreement, images, logits } = pass(network, &batch.images, watch)?;
    note(names::NASWOT, naswot(&agreement)?);
    note(names::JACOV, jacov(&images, &logits)?);
    watch.check()?;
    let [snip, grad_norm] = of_loss(network, &logits, &batch.labels)?;
    note(names::SNIP, snip);
    note(names::GRAD_NORM, grad_norm);
    watch.check()?;
    Ok(measured)
}

/// What a pass over the batch gave.
struct Passed {
    /// How many rectifiers two images set alike, by image and image.
    agreement: Tensor,
    images: Tensor,
    logits: Tensor,
}

fn pass(network: &Network, images: &Tensor, watch: &mut Watch) -> Result<Passed, TrialError> {
    let images = images.f_detach()?.f_set_requires_grad(true)?;
    let n = images.size().first().copied().unwrap_or(1);
    let mut agreement = Tensor::f_zeros([n, n], (Kind::Double, images.device()))?;
    let mut add = |seen: &Tensor| {
        agreement = tch::no_grad(|| agreement.f_add(&alike(seen)?))?;
        watch.check().map_err(TrialError::from)
    };
    let logits = network.logits_observed(&images, Norms::Batch, &mut add)?;
    Ok(Passed { agreement, images, logits })
}

/// For each two images, how many numbers are above 0 for both or for neither.
fn alike(seen: &Tensor) -> Result<Tensor, TchError> {
    let n = seen.size().first().copied().unwrap_or(1);
    let codes = seen.f_detach()?.f_gt(0)?.f_to_kind(Kind::Float)?.f_reshape([n, -1])?;
    let n_codes = codes.size().last().copied().unwrap_or(0);
    // With codes c and 1 − c: c·cᵀ + (1 − c)·(1 − c)ᵀ = 2·c·cᵀ − s − sᵀ + n, s the sum of each c.
    let both = codes.f_matmul(&codes.f_tr()?)?.f_to_kind(Kind::Double)?;
    let sums = codes.f_sum_dim_intlist(1_i64, true, Kind::Double)?;
    both.f_mul_scalar(2.0)?.f_sub(&sums)?.f_sub(&sums.f_tr()?)?.f_add_scalar(n_codes as f64)
}

/// # Source
/// Mellor, Turner, Storkey, Crowley. Neural architecture search without training, ICML 2021, section 3;
/// rectifiers that do not reach the logits are left out, as in their program.
fn naswot(agreement: &Tensor) -> Result<f64, TchError> {
    let (_, log_determinant) = Tensor::f_linalg_slogdet(agreement)?;
    scalar(&log_determinant)
}

/// # Source
/// Mellor, Turner, Storkey, Crowley. The first version of the same paper (arXiv 2006.04647v1), section
/// 3: minus the sum of ln(λ + k) + 1 / (λ + k) over the eigenvalues of the gradients' correlations.
fn jacov(images: &Tensor, logits: &Tensor) -> Result<f64, TchError> {
    let total = logits.f_sum(logits.kind())?;
    let gradients = Tensor::f_run_backward(&[total], &[images], true, false)?;
    let n = images.size().first().copied().unwrap_or(1);
    let Some(gradient) = gradients.first().filter(|gradient| gradient.defined()) else {
        return Ok(f64::NAN);
    };
    let rows = gradient.f_reshape([n, -1])?.f_to_kind(Kind::Double)?;
    let correlations = rows.f_corrcoef()?;
    if scalar(&correlations.f_sum(Kind::Double)?)?.is_nan() {
        return Ok(f64::NAN);
    }
    let eigenvalues = correlations.f_linalg_eigvalsh("L")?.f_add_scalar(SMALLEST)?;
    let terms = eigenvalues.f_log()?.f_add(&eigenvalues.f_reciprocal()?)?;
    Ok(-scalar(&terms.f_sum(Kind::Double)?)?)
}

/// `snip` and `grad_norm`, over the weights of convolutions and linear layers.
///
/// # Source
/// Lee, Ajanthan, Torr. SNIP, ICLR 2019, equation 5, summed; both as in Abdelfattah, Mehrotra, Dudziak,
/// Lane. Zero-cost proxies for lightweight NAS, ICLR 2021, section 3.
fn of_loss(network: &mut Network, logits: &Tensor, labels: &Tensor) -> Result<[f64; 2], TchError> {
    let loss = cross_entropy(&[logits.shallow_clone()], labels, 0.0, 0.0)?;
    let (_, gradients) = network.parameters_mut().values_and_gradients_mut();
    let _ = gradients.f_zero_()?;
    loss.f_backward()?;
    let (mut snip, mut grad_norm) = (0.0, 0.0);
    for NamedTensor { tensor, .. } in weights(network) {
        let gradient = tensor.grad();
        snip += scalar(&tensor.f_detach()?.f_mul(&gradient)?.f_abs()?.f_sum(Kind::Double)?)?;
        grad_norm += scalar(&gradient.f_norm()?)?;
    }
    Ok([snip, grad_norm])
}

/// The logarithm of Σ |w · ∂R/∂w| over the weights of convolutions and linear layers, where R is the
/// sum of the logits of an image of ones, with all parameters replaced by their absolute values and
/// without any normalisation.
///
/// # Source
/// Tanaka, Kunin, Yamins, Ganguli. Pruning neural networks without any data by iteratively conserving
/// synaptic flow, NeurIPS 2020, section 6; as a proxy Abdelfattah et al., ICLR 2021, section 3.
fn synflow(graph: &Graph, network: &Network) -> Result<f64, TrialError> {
    let mut program = Program::from_graph(graph).map_err(NetworkError::from)?;
    for node in &mut program.nodes {
        if let Op::Layer(Layer::BatchNorm(_) | Layer::LayerNorm(_) | Layer::GroupNorm(_)) = node.op
        {
            node.op = Op::Layer(Layer::Identity);
        }
    }
    let options = Options { kind: Kind::Double, ..network.options() };
    let mut flow = Network::assemble(program, &LIVING, 0, options)?;
    let absolute = |own: &NamedTensor| {
        let of_network = network.parameters().learnt().iter().find(|it| it.name == own.name);
        of_network.map_or(Ok(()), |it| own.tensor.shallow_clone().f_copy_(&it.tensor.f_abs()?))
    };
    tch::no_grad(|| flow.parameters().learnt().iter().try_for_each(absolute))?;
    let ones = flow.zeros(1)?.f_add_scalar(1.0)?;
    let total = flow.logits(&ones, Norms::Evaluation)?.f_sum(Kind::Double)?;
    let (_, gradients) = flow.parameters_mut().values_and_gradients_mut();
    let _ = gradients.f_zero_()?;
    total.f_backward()?;
    let mut sum = 0.0;
    for NamedTensor { tensor, .. } in weights(&flow) {
        sum += scalar(&tensor.f_detach()?.f_mul(&tensor.grad())?.f_abs()?.f_sum(Kind::Double)?)?;
    }
    Ok(sum.ln())
}

/// The weights of convolutions and linear layers: what has more than one axis.
fn weights(network: &Network) -> impl Iterator<Item = &NamedTensor> {
    network.parameters().learnt().iter().filter(|learnt| learnt.tensor.dim() > 1)
}
