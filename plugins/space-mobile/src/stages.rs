//! How wide, how deep and how finely resolved each stage is.

use nas_plugin_api::error::PluginError;
use nas_plugin_api::template::Scale;

use crate::mobile::MobileConfig;

/// Channels are multiples of this.
const MULTIPLE: usize = 8;

/// The network's sizes at one scale.
pub(crate) struct Sizes {
    pub(crate) stem: usize,
    pub(crate) first: usize,
    pub(crate) head: usize,
    pub(crate) stages: Vec<Stage>,
}

/// One stage's sizes at one scale.
pub(crate) struct Stage {
    pub(crate) channels: usize,
    /// Step of its first layer.
    pub(crate) stride: usize,
    /// For each layer, the number of the choice that decides it.
    pub(crate) layers: Vec<usize>,
    /// Whether its first layer keeps the shape, whatever the scale.
    pub(crate) first_keeps_shape: bool,
}

impl Sizes {
    /// The sizes of these settings at this scale.
    ///
    /// # Errors
    /// Lists of different lengths, stages without layers, fewer layers than are chosen.
    pub(crate) fn new(config: &MobileConfig, scale: &Scale) -> Result<Self, PluginError> {
        let MobileConfig { widths, layers, strides, .. } = config;
        check(config)?;
        let multiplier = match scale.channels {
            Some(channels) => channels as f64 / config.stem_channels as f64,
            None => config.width_multiplier,
        };
        let deepest = layers.iter().copied().max().unwrap_or(1);
        let wanted = scale.cells.unwrap_or(deepest);
        if wanted < deepest {
            return Err(PluginError::configuration(format!(
                "make stages of {wanted} layers: the deepest stage has {deepest}, each chosen for \
                 itself"
            ))
            .with_help("set the space's own `layers` to search shallower networks"));
        }
        let before = std::iter::once(&config.first_channels).chain(widths);
        let stages = widths.iter().zip(layers).zip(strides).zip(before);
        Ok(Self {
            stem: rounded(config.stem_channels, multiplier),
            first: rounded(config.first_channels, multiplier),
            head: head(config.head_channels, multiplier),
            stages: stages
                .map(|(((&width, &chosen), &stride), &before)| Stage {
                    channels: rounded(width, multiplier),
                    stride,
                    layers: deciders(chosen, (chosen * wanted).div_ceil(deepest)),
                    first_keeps_shape: stride == 1 && width == before,
                })
                .collect(),
        })
    }
}

fn check(config: &MobileConfig) -> Result<(), PluginError> {
    let MobileConfig { widths, layers, strides, .. } = config;
    if widths.is_empty() || widths.len() != layers.len() || widths.len() != strides.len() {
        return Err(PluginError::configuration(format!(
            "make stages of {} widths, {} layers and {} strides: each stage has one of each",
            widths.len(),
            layers.len(),
            strides.len()
        ))
        .with_help("give `widths`, `layers` and `strides` as many entries"));
    }
    let numbers = [
        ("widths", widths.as_slice()),
        ("layers", layers),
        ("strides", strides),
        ("stem_channels", &[config.stem_channels]),
        ("stem_stride", &[config.stem_stride]),
        ("first_channels", &[config.first_channels]),
        ("head_channels", &[config.head_channels]),
    ];
    if let Some((name, _)) = numbers.iter().find(|(_, numbers)| numbers.contains(&0)) {
        let message = format!("make a network whose `{name}` has a 0: at least 1 is needed");
        return Err(PluginError::configuration(message));
    }
    match config.width_multiplier > 0.0 && config.width_multiplier.is_finite() {
        true => Ok(()),
        false => Err(PluginError::configuration(format!(
            "multiply widths by {}: a positive number is needed",
            config.width_multiplier
        ))),
    }
}

/// A number of channels times the multiplier, as the nearest multiple of 8, but never less than
/// 90 % of it.
///
/// # Source
/// Sandler et al. MobileNetV2; `mit-han-lab/proxylessnas@bf58b5c`: search/utils `make_divisible`.
/// Differs: at multiplier 1 the numbers stay as the user wrote them.
fn rounded(channels: usize, multiplier: f64) -> usize {
    if multiplier == 1.0 {
        return channels;
    }
    let scaled = channels as f64 * multiplier;
    let nearest = ((scaled + MULTIPLE as f64 / 2.0) as usize / MULTIPLE * MULTIPLE).max(MULTIPLE);
    if (nearest as f64) < 0.9 * scaled { nearest + MULTIPLE } else { nearest }
}

/// The head is never narrower than at multiplier 1.
///
/// # Source
/// search/models/super_nets/super_proxyless.py `last_channel`.
fn head(channels: usize, multiplier: f64) -> usize {
    if multiplier > 1.0 { rounded(channels, multiplier) } else { channels }
}

/// Which of a stage's `chosen` layers decides each of `n` layers: the first one for itself, since
/// its shape changes; each other one several times in a row where there are more than chosen.
fn deciders(chosen: usize, n: usize) -> Vec<usize> {
    (0..n)
        .map(|layer| match (layer, chosen) {
            (0, _) | (_, 1) => 0,
            _ => 1 + (layer - 1) * (chosen - 1) / (n - 1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_rounded_to_multiples_of_8() {
        let at = |multiplier| [24, 40, 96, 320].map(|channels| rounded(channels, multiplier));
        assert_eq!(at(1.0), [24, 40, 96, 320]);
        assert_eq!(at(1.4), [32, 56, 136, 448]);
        assert_eq!(at(0.5), [16, 24, 48, 160]);
        assert_eq!(at(0.35), [8, 16, 32, 112]);
        assert_eq!(at(0.01), [8; 4]);
        assert_eq!((head(1280, 0.5), head(1280, 1.4)), (1280, 1792));
    }

    #[test]
    fn more_layers_than_chosen_repeat_all_but_the_first() {
        assert_eq!(deciders(4, 4), [0, 1, 2, 3]);
        assert_eq!(deciders(4, 8), [0, 1, 1, 1, 2, 2, 3, 3]);
        assert_eq!(deciders(1, 2), [0, 0]);
        assert_eq!(deciders(2, 4), [0, 1, 1, 1]);
    }
}
