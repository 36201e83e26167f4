//! One layer of a long short-term memory, forward and backward by hand.
//!
//! With `i, f, o = σ(…)` and `g = tanh(…)` of one matrix product each: `c' = i·g + f·c` and
//! `h' = o·tanh(c')`.
//!
//! # Source
//! Hochreiter, Schmidhuber. Long short-term memory. Neural Computation 9, 1997, with the forget gate
//! of Gers et al. 2000; gates in the order of `melodyguan/enas@4bcfd73`: src/common_ops.py `lstm`.

/// Gates of a unit: input, forget, output, and the candidate.
pub(super) const GATES: usize = 4;

/// The numbers of one layer.
///
/// # Shapes
/// `weights` is `[2 · size, 4 · size]`, row-major: a row for each input and then for each hidden
/// unit, a column for each unit's input gate, then forget gate, output gate and candidate. `bias` has
/// a number for each column, or none.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a> {
    pub(super) size: usize,
    pub(super) weights: &'a [f64],
    pub(super) bias: &'a [f64],
}

/// Where a layer's gradient is added.
pub(super) struct LayerGradient<'a> {
    pub(super) weights: &'a mut [f64],
    pub(super) bias: &'a mut [f64],
}

/// What a layer keeps of one step.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The input, and behind it the hidden state before.
    read: Vec<f64>,
    cell_before: Vec<f64>,
    /// All gates, in the order of the columns.
    gates: Vec<f64>,
    tanh_cell: Vec<f64>,
    pub(super) cell: Vec<f64>,
    pub(super) hidden: Vec<f64>,
}

/// A gradient on its way back in time.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    pub(super) hidden: Vec<f64>,
    pub(super) cell: Vec<f64>,
}

impl Carried {
    pub(super) fn zero(size: usize) -> Self {
        Self { hidden: vec![0.0; size], cell: vec![0.0; size] }
    }
}

impl Layer<'_> {
    /// One step; the state before is zero where there is none.
    pub(super) fn forward(&self, input: &[f64], before: Option<&Cell>) -> Cell {
        let size = self.size;
        let zeros = vec![0.0; size];
        let (hidden, cell_before) = before.map_or((&zeros, &zeros), |b| (&b.hidden, &b.cell));
        let read: Vec<f64> = input.iter().chain(hidden).copied().collect();
        let mut gates = match self.bias.is_empty() {
            true => vec![0.0; GATES * size],
            false => self.bias.to_vec(),
        };
        for (&x, row) in read.iter().zip(self.weights.chunks_exact(GATES * size)) {
            gates.iter_mut().zip(row).for_each(|(gate, w)| *gate += x * w);
        }
        let (sigmoids, candidates) = gates.split_at_mut(3 * size);
        sigmoids.iter_mut().for_each(|gate| *gate = 1.0 / (1.0 + (-*gate).exp()));
        candidates.iter_mut().for_each(|gate| *gate = gate.tanh());
        let cell: Vec<f64> = (0..size)
            .map(|u| gates[u] * gates[3 * size + u] + gates[size + u] * cell_before[u])
            .collect();
        let tanh_cell: Vec<f64> = cell.iter().map(|c| c.tanh()).collect();
        let hidden = (0..size).map(|u| gates[2 * size + u] * tanh_cell[u]).collect();
        Cell { read, cell_before: cell_before.clone(), gates, tanh_cell, cell, hidden }
    }

    /// Adds the gradient of one step, makes `carried` that of the state before, and returns that of
    /// the input.
    pub(super) fn backward(
        &self,
        cell: &Cell,
        carried: &mut Carried,
        gradient: &mut LayerGradient<'_>,
    ) -> Vec<f64> {
        let size = self.size;
        let mut slopes = vec![0.0; GATES * size];
        for u in 0..size {
            let [i, f, o, g] = [0, 1, 2, 3].map(|gate| cell.gates[gate * size + u]);
            let tanh = cell.tanh_cell[u];
            let d_cell = carried.cell[u] + carried.hidden[u] * o * (1.0 - tanh * tanh);
            slopes[u] = d_cell * g * i * (1.0 - i);
            slopes[size + u] = d_cell * cell.cell_before[u] * f * (1.0 - f);
            slopes[2 * size + u] = carried.hidden[u] * tanh * o * (1.0 - o);
            slopes[3 * size + u] = d_cell * i * (1.0 - g * g);
            carried.cell[u] = d_cell * f;
        }
        gradient.bias.iter_mut().zip(&slopes).for_each(|(sum, slope)| *sum += slope);
        let columns = GATES * size;
        let rows = self.weights.chunks_exact(columns);
        let sums = gradient.weights.chunks_exact_mut(columns);
        let mut d_read: Vec<f64> = cell
            .read
            .iter()
            .zip(rows.zip(sums))
            .map(|(&x, (row, sum))| {
                sum.iter_mut().zip(&slopes).for_each(|(sum, slope)| *sum += x * slope);
                row.iter().zip(&slopes).map(|(w, slope)| w * slope).sum()
            })
            .collect();
        carried.hidden = d_read.split_off(size);
        d_read
    }
}
