//! The limit on the gradient's length.

use tch::{TchError, Tensor};

/// Scales gradients down so that their global norm is at most `limit`.
///
/// Nothing is read back from the device, so a GPU is not waited for.
///
/// # Errors
/// What libtorch refuses.
/// # Source
/// PyTorch, `clip_grad_norm_`: the factor is `limit / (norm + 1e-6)`, at most 1.
pub fn clip_norm(gradients: &mut Tensor, limit: f64) -> Result<(), TchError> {
    let mut factor = gradients.f_norm()?.f_add_scalar(1e-6)?.f_reciprocal()?.f_mul_scalar(limit)?;
    let factor = factor.f_clamp_max_(1.0)?;
    let _ = gradients.f_mul_(&factor)?;
    Ok(())
}
