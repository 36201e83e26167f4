//! One layer, of a chosen width and perhaps with a shortcut.

use nas_plugin_api::graph::{Conv2d, Layer, Linear, NodeIndex, Pool2d};
use nas_plugin_api::template::{Options, TemplateBuilder};

use crate::layer_widths::Form;

/// Layers behind which a 2×2 maximum halves the resolution, while there is any to halve.
///
/// # Source
/// Simonyan, Zisserman. Very deep convolutional networks, ICLR 2015, table 1, column A (VGG-11).
const POOLED: [usize; 5] = [1, 2, 4, 6, 8];

/// What can be chosen of each layer.
pub(crate) struct Widths {
    /// The widths, in rising order.
    pub(crate) values: Vec<usize>,
    /// Whether there are shortcuts.
    pub(crate) skips: bool,
}

impl Widths {
    /// Id of the choice of a layer's width; layers count from 1.
    pub(crate) fn id(number: usize) -> String {
        format!("width_{number}")
    }

    /// What can be chosen under it.
    pub(crate) fn options(&self) -> Options {
        Options::Width { values: self.values.clone() }
    }

    /// Whether a layer may have a shortcut.
    pub(crate) fn may_skip(&self, number: usize) -> bool {
        self.skips && number > 1
    }

    /// Id of the choice whether it has.
    pub(crate) fn skip_id(number: usize) -> String {
        format!("skip_{number}")
    }

    /// What can be chosen under it: 0, nothing; 1, the shortcut.
    pub(crate) fn skip_options() -> Options {
        Options::Inputs { n: 2, min: 1, max: 1 }
    }
}

/// Convolution or linear layer, batch norm, ReLU, and for images a pool behind some layers.
///
/// A shortcut is a 1×1 convolution or linear layer of the input with batch norm, added before the
/// ReLU. It is always a projection (He et al. Deep residual learning, CVPR 2016, section 4.1,
/// option C), so that its width follows the layer's, whatever that of the layer before.
pub(crate) fn layer(
    form: Form,
    number: usize,
    widths: &Widths,
    x: NodeIndex,
    network: &mut TemplateBuilder,
) -> NodeIndex {
    let wide = |layer: Layer, network: &mut TemplateBuilder| {
        let y = network.chosen_width(&Widths::id(number), &widths.values, layer, x);
        network.batch_norm(y)
    };
    let (main, projection): (Layer, Layer) = match form {
        Form::Conv => (Conv2d::new(0, 3).padding(1).into(), Conv2d::new(0, 1).into()),
        Form::Mlp => {
            let linear = Layer::from(Linear { out_features: 0, bias: false });
            (linear.clone(), linear)
        }
    };
    let mut y = wide(main, network);
    if widths.may_skip(number) {
        let shortcut = wide(projection, network);
        let nothing = network.shape(y).clone();
        let nothing = network.layer(Layer::Zero { shape: nothing }, x);
        let shortcut = network.chosen_inputs(&Widths::skip_id(number), &[nothing, shortcut], 1, 1);
        y = network.add(&[y, shortcut]);
    }
    let y = network.relu(y);
    let can_halve = network.shape(y).spatial().iter().all(|&extent| extent > 1);
    match form == Form::Conv && can_halve && POOLED.contains(&number) {
        true => network.layer(Pool2d::max(2).stride(2), y),
        false => y,
    }
}
