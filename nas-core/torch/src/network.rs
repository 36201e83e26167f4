//! A layer graph built as a libtorch module.
//!
//! Not here: what one layer computes (`layers`), in which order values are made and
//! dropped (`plan`), where parameters live ([`crate::parameters`]).

use nas_core::network::Supernet;
use nas_plugin_api::graph::{Graph, GraphError, Shape};
use tch::{Device, Kind, TchError, Tensor};

use crate::layers::{self, Call, Module, Pass};
use crate::mixture::Mixed;
use crate::parameters::{Declarations, Parameters};
use crate::plan::Plan;
use crate::program::{Node, Program};
use crate::rewrite::{RULES, Rule};

/// A network ready to be trained: one module per node, and the parameters they share.
///
/// A supernet is one whose passes are given a mixture.
#[derive(Debug)]
pub struct Network {
    program: Program,
    modules: Vec<Box<dyn Module>>,
    parameters: Parameters,
    /// Everything, auxiliary heads too.
    training_plan: Plan,
    /// The first output only.
    logits_plan: Plan,
    input: usize,
    drop_path: f64,
    options: Options,
}

/// Where and how a network computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Where parameters and values live.
    pub device: Device,
    /// `Float`, or `Double` for comparisons.
    pub kind: Kind,
    /// Whether images and weights of convolutions lie in memory with the channels innermost. On
    /// processors that is about 1.8 times as fast in training.
    pub channels_last: bool,
}

impl Options {
    /// 32-bit floats, channels innermost on processors only.
    #[must_use]
    pub fn on(device: Device) -> Self {
        Self { device, kind: Kind::Float, channels_last: device == Device::Cpu }
    }
}

/// Why a network could not be built or computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The graph is unsound.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The graph has no input, or several.
    #[error("a network has one input, this graph has {n_inputs}")]
    Inputs {
        /// How many it has.
        n_inputs: usize,
    },
    /// libtorch refused a layer.
    #[error("node `{node}`: {}", first_line(source))]
    Layer {
        /// The node's name.
        node: String,
        /// What libtorch says, with its own backtrace.
        source: TchError,
    },
    /// libtorch could not make the parameters.
    #[error("parameters: {}", first_line(source))]
    Parameters {
        /// What libtorch says.
        source: TchError,
    },
}

/// What batch norms normalise by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norms {
    /// The batch's own mean and variance, which move the running ones where some are kept.
    Training,
    /// The running mean and variance; the batch's own where none are kept.
    Evaluation,
    /// The batch's own, and nothing moves.
    Batch,
    /// The batch's own, and the running ones, of every norm of a supernet, or of a network that
    /// inherits from one, become the mean over
    /// this batch and so many before.
    Average {
        /// Batches that are averaged already.
        before: u32,
    },
    /// The running ones that [`Norms::Average`] made.
    Averaged,
}

fn build_modules(program: &Program, declare: &mut Declarations) -> Vec<Box<dyn Module>> {
    let build = |node: &Node| {
        let inputs: Vec<&Shape> =
            node.inputs.iter().map(|&input| &program.nodes[input].shape).collect();
        layers::build(node, &inputs, declare)
    };
    program.nodes.iter().map(build).collect()
}

/// libtorch's message without the C++ backtrace that follows it.
#[must_use]
pub fn first_line(error: &TchError) -> String {
    let text = error.to_string();
    text.split("\nException raised from").next().unwrap_or(&text).trim().replace('\n', " ")
}

/// Sees each layer with its inputs and, last, its result; an error ends the pass.
type Observe<'a, E> = dyn FnMut(&dyn Module, &[&Tensor]) -> Result<(), E> + 'a;

impl Network {
    /// Builds a graph with PyTorch's default initialisation.
    ///
    /// Nodes that no output depends on are not built. Random numbers come from `seed` alone, and
    /// are the same on every device.
    ///
    /// # Errors
    /// [`NetworkError`]; nothing panics on an unsound or huge graph.
    pub fn build(graph: &Graph, seed: u64, options: Options) -> Result<Self, NetworkError> {
        Self::assemble(Program::from_graph(graph)?, &RULES, seed, options)
    }

    /// Builds a supernet, whose passes need a mixture each.
    ///
    /// # Errors
    /// [`NetworkError`]
    pub fn build_supernet(
        supernet: &Supernet,
        seed: u64,
        options: Options,
    ) -> Result<Self, NetworkError> {
        Self::assemble(Program::from_supernet(supernet)?, &RULES, seed, options)
    }

    /// Builds a graph whose weights will be those of a supernet: all its batch norms can be
    /// recalibrated.
    ///
    /// # Errors
    /// [`NetworkError`]
    pub fn build_inheriting(graph: &Graph, options: Options) -> Result<Self, NetworkError> {
        Self::assemble_with(Program::from_graph(graph)?, &RULES, true, (0, options))
    }

    /// Builds a program rewritten by these rules.
    ///
    /// The rules change neither the order of the parameters nor what they start as.
    ///
    /// # Errors
    /// [`NetworkError`]
    pub fn assemble(
        plain: Program,
        rules: &[Rule],
        seed: u64,
        options: Options,
    ) -> Result<Self, NetworkError> {
        let recalibrates = plain.n_paths > 0;
        Self::assemble_with(plain, rules, recalibrates, (seed, options))
    }

    fn assemble_with(
        plain: Program,
        rules: &[Rule],
        recalibrates: bool,
        (seed, options): (u64, Options),
    ) -> Result<Self, NetworkError> {
        let mut program = plain.clone();
        for (_, rule) in rules {
            rule(&mut program);
        }
        let inputs = program.input_nodes();
        let &[input] = inputs.as_slice() else {
            return Err(NetworkError::Inputs { n_inputs: inputs.len() });
        };
        let mut remaining = Declarations::of(recalibrates);
        build_modules(&program, &mut remaining);
        let mut declarations = Declarations::of(recalibrates);
        build_modules(&plain, &mut declarations);
        let mut declarations = declarations.only_those_of(&remaining);
        let modules = build_modules(&program, &mut declarations);
        let parameters = Parameters::create(declarations, seed, options)
            .map_err(|source| NetworkError::Parameters { source })?;
        Ok(Self {
            modules,
            parameters,
            training_plan: Plan::new(&program, &program.outputs, &[]),
            logits_plan: Plan::new(&program, &program.outputs[..1], &[]),
            input,
            drop_path: 0.0,
            options,
            program,
        })
    }

    /// All outputs of a supernet at a mixture, in training mode.
    ///
    /// Paths that are not needed are not computed.
    ///
    /// # Shapes
    /// As [`Self::forward_training`].
    /// # Errors
    /// [`NetworkError::Layer`], or whatever `check` returns, which is asked after every layer.
    pub fn forward_mixed<E: From<NetworkError>>(
        &self,
        images: &Tensor,
        mixture: &Mixed,
        check: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Vec<Tensor>, E> {
        self.forward_norms(images, mixture, Norms::Training, check)
    }

    /// The same with a choice of what batch norms normalise by; only in training are there the
    /// outputs of auxiliary heads.
    ///
    /// # Errors
    /// As [`Self::forward_mixed`].
    pub fn forward_norms<E: From<NetworkError>>(
        &self,
        images: &Tensor,
        mixture: &Mixed,
        norms: Norms,
        check: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Vec<Tensor>, E> {
        let outputs = match norms {
            Norms::Training => self.program.outputs.as_slice(),
            _ => &self.program.outputs[..1],
        };
        let plan = Plan::new(&self.program, outputs, mixture.needs());
        self.run(&plan, images, norms, Some(mixture), &mut |_, _| check())
    }

    /// What is computed, after all rewrites.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// All outputs in training mode: the logits, then those of auxiliary heads.
    ///
    /// # Shapes
    /// `images`: `[batch, ..]` with the shape of the graph's input; logits `[batch, classes]`.
    /// # Errors
    /// [`NetworkError::Layer`] with the node at which libtorch failed, for want of memory too.
    pub fn forward_training(&self, images: &Tensor) -> Result<Vec<Tensor>, NetworkError> {
        self.run(&self.training_plan, images, Norms::Training, None, &mut |_, _| Ok(()))
    }

    /// The same, asking `check` after every layer whether to go on.
    ///
    /// # Errors
    /// As [`Self::forward_training`], or whatever `check` returns.
    pub fn forward_training_checked<E: From<NetworkError>>(
        &self,
        images: &Tensor,
        check: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Vec<Tensor>, E> {
        self.run(&self.training_plan, images, Norms::Training, None, &mut |_, _| check())
    }

    /// The logits in evaluation mode; auxiliary heads are not computed.
    ///
    /// # Errors
    /// As [`Self::forward_training`].
    pub fn forward(&self, images: &Tensor) -> Result<Tensor, NetworkError> {
        self.logits(images, Norms::Evaluation)
    }

    /// The same with a choice of what batch norms normalise by.
    ///
    /// # Errors
    /// As [`Self::forward_training`].
    pub fn logits(&self, images: &Tensor, norms: Norms) -> Result<Tensor, NetworkError> {
        let mut nothing = |_: &dyn Module, _: &[&Tensor]| Ok::<(), NetworkError>(());
        let mut outputs = self.run(&self.logits_plan, images, norms, None, &mut nothing)?;
        Ok(outputs.swap_remove(0))
    }

    /// The same, showing `observe` what every rectifier cuts off below 0, in the order in which they
    /// are computed.
    ///
    /// # Errors
    /// As [`Self::forward_training`], or whatever `observe` returns.
    pub fn logits_observed<E: From<NetworkError>>(
        &self,
        images: &Tensor,
        norms: Norms,
        observe: &mut dyn FnMut(&Tensor) -> Result<(), E>,
    ) -> Result<Tensor, E> {
        let mut outputs =
            self.run(&self.logits_plan, images, norms, None, &mut |module, values| {
                module.rectified(values).map_or(Ok(()), &mut *observe)
            })?;
        Ok(outputs.swap_remove(0))
    }

    /// Sets the rate of every drop-path layer, from 0 to below 1.
    pub fn set_drop_path(&mut self, rate: f64) {
        self.drop_path = rate;
    }

    /// Where and how this network computes.
    #[must_use]
    pub fn options(&self) -> Options {
        self.options
    }

    /// The parameters, their gradients and the running statistics.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The same, to change them.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Learnt numbers of the built network, counted from its tensors.
    #[must_use]
    pub fn count_parameters(&self) -> u64 {
        self.parameters.learnt().iter().map(|learnt| learnt.tensor.numel() as u64).sum()
    }

    /// Multiply-adds of one example, counted from the weights and values of a real pass.
    ///
    /// Convolutions, linear layers and matrix products count, those of auxiliary heads too: the
    /// number is the graph's, so what was predicted before anything was built can be compared.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn count_multiply_adds(&self) -> Result<u64, NetworkError> {
        let mut total = 0;
        let example = self.zeros(1).map_err(|source| NetworkError::Parameters { source })?;
        tch::no_grad(|| {
            self.run(
                &self.training_plan,
                &example,
                Norms::Evaluation,
                None,
                &mut |module, values| {
                    total += module.multiply_adds(self.parameters.learnt(), values);
                    Ok::<(), NetworkError>(())
                },
            )
        })?;
        Ok(total)
    }

    /// A batch of zeros that fits the input.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn zeros(&self, batch: usize) -> Result<Tensor, TchError> {
        let shape: &Shape = &self.program.nodes[self.input].shape;
        let size: Vec<i64> = layers::with_batch(batch as i64, shape);
        let zeros = Tensor::f_zeros(size, (self.options.kind, self.options.device))?;
        self.lay_out(&zeros)
    }

    /// The same numbers in this network's kind, device and memory layout.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn lay_out(&self, images: &Tensor) -> Result<Tensor, TchError> {
        let images = images.f_to_device(self.options.device)?.f_to_kind(self.options.kind)?;
        match self.options.channels_last && images.dim() == 4 {
            true => images.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2]),
            false => images.f_contiguous(),
        }
    }

    /// Computes a plan.
    fn run<E: From<NetworkError>>(
        &self,
        plan: &Plan,
        images: &Tensor,
        norms: Norms,
        mixture: Option<&Mixed>,
        observe: &mut Observe<'_, E>,
    ) -> Result<Vec<Tensor>, E> {
        let pass = Pass {
            learnt: self.parameters.learnt(),
            statistics: self.parameters.statistics(),
            training: norms == Norms::Training,
            norms,
            channels_last: self.options.channels_last,
            drop_path: self.drop_path,
            batch: images.size().first().copied().unwrap_or(1),
            images,
            mixture,
        };
        let mut values: Vec<Option<Tensor>> = Vec::new();
        values.resize_with(self.program.nodes.len(), || None);
        values[self.input] = Some(images.shallow_clone());
        for step in &plan.steps {
            let node = &self.program.nodes[step.node];
            let read = step.active.iter().filter_map(|&at| values[node.inputs[at]].as_ref());
            let inputs: Vec<&Tensor> = read.collect();
            let (active, overwrite) = (step.active.as_slice(), step.overwrite);
            let call = Call { inputs: &inputs, active, overwrite, pass: &pass };
            let value = self.modules[step.node]
                .forward(call)
                .map_err(|source| NetworkError::Layer { node: node.name.clone(), source })?;
            let mut observed = inputs;
            observed.push(&value);
            observe(self.modules[step.node].as_ref(), &observed)?;
            values[step.node] = Some(value);
            for &dead in &step.last_reads {
                values[dead] = None;
            }
        }
        Ok(plan.outputs.iter().filter_map(|&i| Some(values[i].as_ref()?.shallow_clone())).collect())
    }
}
