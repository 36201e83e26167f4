//! A choice of widths: the widest map times a weighted sum of masks.

use tch::{TchError, Tensor};

use super::{Call, Module};

/// Channel `c` is multiplied by the weights of all widths above `c`.
#[derive(Debug)]
pub(super) struct WidthMask {
    pub(super) paths: Vec<usize>,
    pub(super) widths: Vec<usize>,
}

impl Module for WidthMask {
    fn forward(&self, call: Call<'_>) -> Result<Tensor, TchError> {
        let x = call.input()?;
        let Some(mixture) = call.pass.mixture else { return Ok(x.shallow_clone()) };
        let place = (x.kind(), x.device());
        // Concrete masks are all ones: the layers themselves have the width.
        let channels = x.size()[1];
        let channel = Tensor::f_arange(channels, place)?;
        let mut factor: Option<Tensor> = None;
        for (&path, &width) in self.paths.iter().zip(&self.widths) {
            if mixture.skips(path) {
                continue;
            }
            let weight = mixture.products([[path].as_slice()].into_iter())?;
            let weight = weight.f_to_kind(x.kind())?.f_to_device(x.device())?;
            let mask = channel.f_lt(width as f64)?.f_to_kind(x.kind())?.f_mul(&weight)?;
            factor = Some(factor.map_or(Ok(mask.shallow_clone()), |sum| sum.f_add(&mask))?);
        }
        let mut size = vec![1; x.dim()];
        size[1] = channels;
        match factor {
            Some(factor) => x.f_mul(&factor.f_view(size.as_slice())?),
            None => x.f_zeros_like(),
        }
    }
}
