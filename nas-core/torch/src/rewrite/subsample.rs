//! Convolutions that skip pixels read a smaller map instead.
//!
//! A depthwise convolution whose taps lie as far apart as its windows (dilation 2 with stride 2)
//! reads every second pixel only: it is a plain convolution of every second row and column. So is
//! a 1×1 convolution of any stride. The smaller map is then shared by all who read it.

use nas_plugin_api::graph::{Conv2d, Groups, Layer, NodeIndex, Shape, Slice, infer_shape};

use crate::program::{Node, Op, Program};

/// Puts a [`Op::Subsample`] before every such convolution and takes its stride away.
pub fn subsample(program: &mut Program) {
    let old = std::mem::take(&mut program.nodes);
    let mut nodes: Vec<Node> = Vec::with_capacity(old.len());
    let mut place: Vec<NodeIndex> = Vec::with_capacity(old.len());
    for mut node in old {
        for input in &mut node.inputs {
            *input = place[*input];
        }
        if let Op::Layer(Layer::Conv2d(convolution)) = &node.op
            && let Some(dense) = without_stride(convolution)
            && let [input] = node.inputs.as_slice()
        {
            let (source, start) = skip_slices(&nodes, *input);
            let smaller = Node {
                name: format!("{}/subsample", node.name),
                op: Op::Subsample { start, step: convolution.stride },
                inputs: vec![source],
                shape: subsampled(&nodes[source].shape, start, convolution.stride),
            };
            if infer_shape(&Layer::Conv2d(dense.clone()), &[&smaller.shape]).as_ref()
                == Ok(&node.shape)
            {
                nodes.push(smaller);
                node.op = Op::Layer(Layer::Conv2d(dense));
                node.inputs = vec![nodes.len() - 1];
            }
        }
        place.push(nodes.len());
        nodes.push(node);
    }
    program.nodes = nodes;
    for output in &mut program.outputs {
        *output = place[*output];
    }
}

/// The same convolution of every n-th row and column, if it reads no others.
fn without_stride(convolution: &Conv2d) -> Option<Conv2d> {
    let mut dense = convolution.clone();
    for axis in 0..2 {
        let [kernel, stride, dilation, padding] = [
            convolution.kernel[axis],
            convolution.stride[axis],
            convolution.dilation[axis],
            convolution.padding[axis],
        ];
        let reads_no_others = kernel == 1 || dilation == stride;
        if stride < 2 || !reads_no_others || padding % stride != 0 {
            return None;
        }
        (dense.stride[axis], dense.dilation[axis]) = (1, 1);
        dense.padding[axis] = padding / stride;
    }
    let is_cheap = convolution.kernel == [1, 1] || convolution.groups == Groups::Depthwise;
    is_cheap.then_some(dense)
}

/// What lies behind slices that only cut off the first rows and columns, and how many they cut.
fn skip_slices(nodes: &[Node], input: NodeIndex) -> (NodeIndex, [usize; 2]) {
    let (mut source, mut start) = (input, [0, 0]);
    while let Op::Layer(Layer::Slice(Slice {
        axis: axis @ (1 | 2),
        start: cut,
        end: None,
        step: 1,
    })) = &nodes[source].op
    {
        start[axis - 1] += cut;
        source = nodes[source].inputs[0];
    }
    (source, start)
}

fn subsampled(shape: &Shape, start: [usize; 2], step: [usize; 2]) -> Shape {
    let mut shape = shape.clone();
    for axis in 0..2 {
        if let Some(extent) = shape.0.get_mut(axis + 1) {
            *extent = extent.saturating_sub(start[axis]).div_ceil(step[axis]);
        }
    }
    shape
}
