//! Parameters of a network: declared by its layers, laid out in one buffer.
//!
//! All learnt numbers are views of one flat buffer, and their gradients of another. So zeroing the
//! gradients, clipping them and an optimiser's step are a few operations on two flat tensors,
//! whatever the number of layers; and autograd accumulates in place, without an allocation.

use std::collections::HashMap;

use tch::{Device, Kind, TchError, Tensor};

use crate::network::Options;
use crate::random::Random;

/// Position in [`Parameters::learnt`].
pub(crate) type LearntIndex = usize;
/// Position in [`Parameters::statistics`].
pub(crate) type StatisticIndex = usize;

/// Each parameter starts at a multiple of this many numbers (64 bytes of `f32`: a cache line and
/// an AVX-512 register). The gaps stay zero.
const ALIGNMENT: i64 = 16;

/// The stream of random numbers that initialise; epochs have theirs from 0.
const INITIALISATION: u64 = u64::MAX - 1;

/// What the layers of a network need. What is declared twice under one name is one parameter.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    learnt: Vec<Declaration>,
    statistics: Vec<Declaration>,
    learnt_by_name: HashMap<String, LearntIndex>,
    statistic_by_name: HashMap<String, StatisticIndex>,
    /// Whether all batch norms keep statistics, since they may be recalibrated.
    recalibrates: bool,
}

#[derive(Debug)]
struct Declaration {
    name: String,
    size: Vec<i64>,
    initial: Initial,
}

/// What a parameter starts as.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Initial {
    Zeros,
    Ones,
    /// Normal with mean 0 and variance 1.
    Normal,
    /// Uniform between minus and plus this bound.
    Uniform(f64),
}

/// A tensor and its name in weight files.
#[derive(Debug)]
pub struct NamedTensor {
    /// `<node>.weight`, `<node>.running_mean` and so on, as PyTorch would name it.
    pub name: String,
    /// The numbers, in PyTorch's shape.
    pub tensor: Tensor,
}

/// The parameters of one network.
#[derive(Debug)]
pub struct Parameters {
    learnt: Vec<NamedTensor>,
    /// Where each begins in the flat buffers.
    offsets: Vec<i64>,
    channels_last: bool,
    statistics: Vec<NamedTensor>,
    values: Tensor,
    gradients: Tensor,
}

impl Declarations {
    /// None yet.
    pub(crate) fn of(recalibrates: bool) -> Self {
        Self { recalibrates, ..Self::default() }
    }

    /// Whether all batch norms keep statistics, since they may be recalibrated.
    pub(crate) fn recalibrates(&self) -> bool {
        self.recalibrates
    }

    pub(crate) fn learnt(&mut self, name: String, size: &[i64], initial: Initial) -> LearntIndex {
        declare(&mut self.learnt, &mut self.learnt_by_name, name, size, initial)
    }

    pub(crate) fn statistic(
        &mut self,
        name: String,
        channels: i64,
        initial: Initial,
    ) -> StatisticIndex {
        declare(&mut self.statistics, &mut self.statistic_by_name, name, &[channels], initial)
    }

    /// What is declared here as well as there, in this order.
    pub(crate) fn only_those_of(self, other: &Self) -> Self {
        let mut kept = Self::of(self.recalibrates);
        for Declaration { name, size, initial } in self.learnt {
            if other.learnt_by_name.contains_key(&name) {
                kept.learnt(name, &size, initial);
            }
        }
        for Declaration { name, size, initial } in self.statistics {
            if other.statistic_by_name.contains_key(&name) {
                kept.statistic(name, size[0], initial);
            }
        }
        kept
    }

    /// The weight of a convolution or linear layer, output channels first, and its bias.
    ///
    /// # Source
    /// PyTorch's `reset_parameters`: `kaiming_uniform_(a=sqrt(5))`, which is uniform within
    /// `1/sqrt(fan_in)`; the bias has the same bound.
    pub(crate) fn weight_and_bias(
        &mut self,
        name: &str,
        size: &[i64],
        bias: bool,
    ) -> (LearntIndex, Option<LearntIndex>) {
        let fan_in: i64 = size[1..].iter().product();
        let initial = Initial::Uniform(1.0 / (fan_in.max(1) as f64).sqrt());
        let weight = self.learnt(format!("{name}.weight"), size, initial);
        (weight, bias.then(|| self.learnt(format!("{name}.bias"), &size[..1], initial)))
    }

    /// The learnt scale and shift of a normalisation.
    pub(crate) fn scale_and_shift(&mut self, name: &str, channels: i64) -> [LearntIndex; 2] {
        [
            self.learnt(format!("{name}.weight"), &[channels], Initial::Ones),
            self.learnt(format!("{name}.bias"), &[channels], Initial::Zeros),
        ]
    }
}

impl Parameters {
    /// Lays out and initialises what was declared, in the order of declaration.
    pub(crate) fn create(
        declarations: Declarations,
        seed: u64,
        options: Options,
    ) -> Result<Self, TchError> {
        let mut random = Random::new(seed, INITIALISATION);
        let _no_grad = tch::no_grad_guard();
        let place = (options.kind, options.device);
        let total = declarations.learnt.iter().map(|learnt| padded(&learnt.size)).sum::<i64>();
        let values = Tensor::f_zeros([total], place)?;
        let gradients = Tensor::f_zeros([total], place)?;
        let mut learnt = Vec::with_capacity(declarations.learnt.len());
        let (mut offset, mut offsets) = (0, Vec::new());
        for declaration in declarations.learnt {
            let Declaration { name, size, initial } = declaration;
            let mut value = view(&values, offset, &size, options.channels_last)?;
            value.f_copy_(&initial.draw(&size, &mut random)?)?;
            let tensor = value.f_detach()?.f_set_requires_grad(true)?;
            attach_gradient(&tensor, &view(&gradients, offset, &size, options.channels_last)?)?;
            offsets.push(offset);
            offset += padded(&size);
            learnt.push(NamedTensor { name, tensor });
        }
        let statistics = declarations
            .statistics
            .into_iter()
            .map(|Declaration { name, size, initial }| {
                let tensor =
                    initial.draw(&size, &mut random)?.f_to_kind(place.0)?.f_to_device(place.1)?;
                Ok(NamedTensor { name, tensor })
            })
            .collect::<Result<_, TchError>>()?;
        let channels_last = options.channels_last;
        Ok(Self { learnt, offsets, channels_last, statistics, values, gradients })
    }

    /// The learnt parameters, in node order.
    #[must_use]
    pub fn learnt(&self) -> &[NamedTensor] {
        &self.learnt
    }

    /// The running statistics of batch normalisations, in node order.
    #[must_use]
    pub fn statistics(&self) -> &[NamedTensor] {
        &self.statistics
    }

    /// Whether autograd makes gradients of the parameters from now on.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn learn(&self, learn: bool) -> Result<(), TchError> {
        for learnt in &self.learnt {
            if learnt.tensor.requires_grad() != learn {
                let _ = learnt.tensor.f_set_requires_grad(learn)?;
            }
        }
        Ok(())
    }

    /// All learnt numbers, flat; changing them changes the network.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// All gradients, flat, in the order of [`Self::values`].
    pub fn gradients(&self) -> &Tensor {
        &self.gradients
    }

    /// The part of a buffer laid out like [`Self::values`] that belongs to one parameter, in its
    /// shape.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn part_of(&self, flat: &Tensor, learnt: usize) -> Result<Tensor, TchError> {
        let size = self.learnt[learnt].tensor.size();
        view(flat, self.offsets[learnt], &size, self.channels_last)
    }

    /// Both flat buffers, to change them.
    pub fn values_and_gradients_mut(&mut self) -> (&mut Tensor, &mut Tensor) {
        (&mut self.values, &mut self.gradients)
    }
}

fn declare(
    list: &mut Vec<Declaration>,
    by_name: &mut HashMap<String, usize>,
    name: String,
    size: &[i64],
    initial: Initial,
) -> usize {
    *by_name.entry(name).or_insert_with_key(|name| {
        list.push(Declaration { name: name.clone(), size: size.to_vec(), initial });
        list.len() - 1
    })
}

impl Initial {
    fn draw(self, size: &[i64], random: &mut Random) -> Result<Tensor, TchError> {
        let place = (Kind::Float, Device::Cpu);
        let drawn = |number: &mut dyn FnMut() -> f64| {
            let numbers = (0..size.iter().product::<i64>()).map(|_| number() as f32);
            Tensor::f_from_slice(&numbers.collect::<Vec<_>>())?.f_view(size)
        };
        match self {
            Self::Zeros => Tensor::f_zeros(size, place),
            Self::Ones => Tensor::f_ones(size, place),
            Self::Normal => drawn(&mut || random.normal()),
            Self::Uniform(bound) => drawn(&mut || (2.0 * random.unit() - 1.0) * bound),
        }
    }
}

/// Makes `gradient`'s memory the place where autograd accumulates the gradient of `parameter`.
///
/// tch can read a gradient but not set one; so a first backward pass makes one, whose memory is
/// then exchanged.
fn attach_gradient(parameter: &Tensor, gradient: &Tensor) -> Result<(), TchError> {
    tch::with_grad(|| parameter.f_sum(None::<Kind>)?.f_backward())?;
    parameter.f_grad()?.f_set_data(gradient)
}

fn padded(size: &[i64]) -> i64 {
    let numbers: i64 = size.iter().product();
    (numbers + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT
}

fn view(flat: &Tensor, offset: i64, size: &[i64], channels_last: bool) -> Result<Tensor, TchError> {
    let flat = flat.f_narrow(0, offset, size.iter().product())?;
    match *size {
        [out, inner, height, width] if channels_last => {
            flat.f_view([out, height, width, inner])?.f_permute([0, 3, 1, 2])
        }
        _ => flat.f_view(size),
    }
}
