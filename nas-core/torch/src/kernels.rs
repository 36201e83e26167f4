//! Layers that are faster than libtorch's own, written in C++ (`kernels/`).
//!
//! Every function here takes any tensor and is differentiable. On a processor, in 32 bits and with
//! the channels innermost it runs kernels of ours, made for AVX-512, AVX2 and any processor and
//! chosen at run time; everywhere else the same mathematics is composed from libtorch's functions.

use std::ffi::{CStr, CString, c_char};

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn nas_error() -> *const c_char;
    fn nas_kernels() -> *const c_char;
    fn nas_use_kernels(name: *const c_char) -> bool;
    fn nas_normalized_sum(
        terms: *const *const C_tensor,
        n_terms: i64,
        n_normalized: i64,
        scales: *const *const C_tensor,
        shifts: *const *const C_tensor,
        running: *const *const C_tensor,
        weights: *const C_tensor,
        eps: f64,
        momentum: f64,
        relu: bool,
        training: bool,
    ) -> *mut C_tensor;
    fn nas_depthwise(
        x: *const C_tensor,
        weight: *const C_tensor,
        stride: i64,
        padding: i64,
        dilation: i64,
    ) -> *mut C_tensor;
    fn nas_convolution_3x3(x: *const C_tensor, weight: *const C_tensor) -> *mut C_tensor;
    fn nas_max_pool(x: *const C_tensor, stride: i64) -> *mut C_tensor;
    fn nas_average_pool(x: *const C_tensor, stride: i64) -> *mut C_tensor;
    fn nas_average_pool_2x2(x: *const C_tensor) -> *mut C_tensor;
}

/// The kernels in use: `avx512`, `avx2`, `portable`, or `none`.
#[must_use]
pub fn in_use() -> &'static str {
    // SAFETY: a string constant of the library.
    unsafe { CStr::from_ptr(nas_kernels()) }.to_str().unwrap_or("none")
}

/// Uses these kernels in the whole process from now on (`best`, or a name of [`in_use`]); whether
/// this processor can run them.
///
/// For comparisons only. Not while another thread computes.
pub fn use_only(name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    // SAFETY: the string lives as long as the call.
    unsafe { nas_use_kernels(name.as_ptr()) }
}

/// A sum of weighted terms, of which the first are batch-normalised.
pub(crate) struct NormalizedSum<'a> {
    /// All of one shape, `[batch, channels, ..]`.
    pub(crate) terms: &'a [&'a Tensor],
    /// How many of them are normalised.
    pub(crate) n_normalized: usize,
    /// Learnt scale of each normalised term, `[channels]`; empty where there is none.
    pub(crate) scales: &'a [&'a Tensor],
    /// Learnt shift, likewise.
    pub(crate) shifts: &'a [&'a Tensor],
    /// Running mean and variance of each in turn; empty where none are kept.
    pub(crate) running: &'a [&'a Tensor],
    /// One weight per term, `[terms]` in 64 bits.
    pub(crate) weights: &'a Tensor,
    pub(crate) eps: f64,
    pub(crate) momentum: f64,
    /// Whether negative results become zero.
    pub(crate) relu: bool,
    pub(crate) training: bool,
}

impl NormalizedSum<'_> {
    /// Σ wₖ·(γₖ·x̂ₖ + βₖ) + Σ wₚ·xₚ in one pass; so is its gradient.
    pub(crate) fn compute(&self) -> Result<Tensor, TchError> {
        let n_norms = self.n_normalized;
        let fits = |list: &[&Tensor], n: usize| list.is_empty() || list.len() == n;
        if self.terms.is_empty()
            || n_norms > self.terms.len()
            || self.weights.size() != [self.terms.len() as i64]
            || !fits(self.scales, n_norms)
            || !fits(self.shifts, n_norms)
            || self.scales.len() != self.shifts.len()
            || !fits(self.running, 2 * n_norms)
        {
            return Err(TchError::Shape("a sum whose lists have different lengths".into()));
        }
        let pointers = |list: &[&Tensor]| list.iter().map(|x| x.as_ptr()).collect::<Vec<_>>();
        let [terms, scales, shifts, running] =
            [self.terms, self.scales, self.shifts, self.running].map(pointers);
        let list = |list: &[*const C_tensor]| match list.is_empty() {
            true => std::ptr::null(),
            false => list.as_ptr(),
        };
        // SAFETY: the lists are as long as the counts say, or null; tensors outlive the call.
        returned(unsafe {
            nas_normalized_sum(
                terms.as_ptr(),
                terms.len() as i64,
                n_norms as i64,
                list(&scales),
                list(&shifts),
                list(&running),
                self.weights.as_ptr(),
                self.eps,
                self.momentum,
                self.relu,
                self.training,
            )
        })
    }
}

/// A convolution of each channel on its own; `weight` is `[channels, 1, kernel, kernel]`.
pub(crate) fn depthwise(
    x: &Tensor,
    weight: &Tensor,
    stride: i64,
    padding: i64,
    dilation: i64,
) -> Result<Tensor, TchError> {
    // SAFETY: the tensors outlive the call.
    returned(unsafe { nas_depthwise(x.as_ptr(), weight.as_ptr(), stride, padding, dilation) })
}

/// A convolution with stride 1 and padding 1; `weight` is `[out, in, 3, 3]`.
pub(crate) fn convolution_3x3(x: &Tensor, weight: &Tensor) -> Result<Tensor, TchError> {
    // SAFETY: the tensors outlive the call.
    returned(unsafe { nas_convolution_3x3(x.as_ptr(), weight.as_ptr()) })
}

/// The maximum of 3×3 windows, padded by 1.
pub(crate) fn max_pool(x: &Tensor, stride: i64) -> Result<Tensor, TchError> {
    // SAFETY: the tensor outlives the call.
    returned(unsafe { nas_max_pool(x.as_ptr(), stride) })
}

/// The mean of 3×3 windows, padded by 1, the padding not counted.
pub(crate) fn average_pool(x: &Tensor, stride: i64) -> Result<Tensor, TchError> {
    // SAFETY: the tensor outlives the call.
    returned(unsafe { nas_average_pool(x.as_ptr(), stride) })
}

/// The mean of 2×2 windows, side by side.
pub(crate) fn average_pool_2x2(x: &Tensor) -> Result<Tensor, TchError> {
    // SAFETY: the tensor outlives the call.
    returned(unsafe { nas_average_pool_2x2(x.as_ptr()) })
}

fn returned(tensor: *mut C_tensor) -> Result<Tensor, TchError> {
    if tensor.is_null() {
        // SAFETY: the library's message, which lives until this thread's next call.
        let message = unsafe { CStr::from_ptr(nas_error()) };
        return Err(TchError::Torch(message.to_string_lossy().into_owned()));
    }
    // SAFETY: a new tensor of libtorch's own kind, which is ours.
    Ok(unsafe { Tensor::from_ptr(tensor) })
}
